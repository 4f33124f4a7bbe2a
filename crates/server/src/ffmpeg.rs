//! What the programs of `FFmpeg` know of a video file: its size and frames, and single frames.
//!
//! The programs read what strangers send. They get the path of our own copy, may open nothing
//! but files, and only in the containers that the platform takes: a playlist that claims to be
//! a video makes them fetch nothing. They are ended when they take too long.

use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use axum::http::StatusCode;
use serde::Deserialize;
use straylight_sources::ffmpeg::{file_input, ratio, refused_format};
use tokio::process::Command;

use crate::api::{ApiError, ApiResult};
use crate::config::VideoTools;

/// The demuxers of the formats that the platform takes.
const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm";
/// Lines of a program's complaint that are told.
const LAST_LINES: usize = 2;

/// Size and length of a video.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Probe {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) frame_count: u64,
    /// Frames a second.
    pub(crate) frame_rate: f64,
    /// Seconds.
    pub(crate) duration: f64,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Option<Container>,
}

#[derive(Deserialize)]
struct Stream {
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    #[serde(default)]
    avg_frame_rate: String,
    /// Counted by reading the whole file: not every container writes it down.
    #[serde(default)]
    nb_read_packets: String,
    #[serde(default)]
    duration: String,
}

#[derive(Deserialize)]
struct Container {
    #[serde(default)]
    duration: String,
}

/// Asks ffprobe for the first video stream of a file.
///
/// # Errors
///
/// 415 when it is no video, 501 when the program is not there.
pub(crate) async fn probe(tools: &VideoTools, video: &Path) -> ApiResult<Probe> {
    let mut command = Command::new(&tools.ffprobe);
    command.args(["-v", "error", "-select_streams", "v:0", "-count_packets"]);
    command.args(["-of", "json", "-show_entries"]);
    command.arg("stream=width,height,avg_frame_rate,nb_read_packets,duration:format=duration");
    let output = run(command, tools, video, &[]).await?;
    let answer: Answer = serde_json::from_slice(&output.stdout)
        .map_err(|e| ApiError::Internal(format!("ffprobe answered no JSON: {e}")))?;
    read(&answer).ok_or_else(|| ApiError::media("The file has no video stream with frames"))
}

fn read(answer: &Answer) -> Option<Probe> {
    let stream = answer.streams.first()?;
    let frame_count: u64 = stream.nb_read_packets.parse().ok().filter(|n| *n > 0)?;
    let positive = |text: &str| {
        text.parse()
            .ok()
            .filter(|n: &f64| n.is_finite() && *n > 0.0)
    };
    let whole = answer.format.as_ref().and_then(|f| positive(&f.duration));
    let told = positive(&stream.duration).or(whole);
    let rate = ratio(&stream.avg_frame_rate).or_else(|| Some(frame_count as f64 / told?));
    let frame_rate = rate.unwrap_or(1.0);
    Some(Probe {
        width: stream.width,
        height: stream.height,
        frame_count,
        frame_rate,
        duration: told.unwrap_or(frame_count as f64 / frame_rate),
    })
}

/// One frame as a JPEG file, made smaller when `side` says how long its longer side may be.
///
/// The frame is found by its time, `index / rate`: exact for videos of a constant rate.
pub(crate) async fn frame(
    tools: &VideoTools,
    video: &Path,
    (index, rate): (u64, f64),
    side: Option<u32>,
) -> ApiResult<Vec<u8>> {
    let mut command = Command::new(&tools.ffmpeg);
    // Half a frame early, so that rounding cannot skip the frame.
    let seconds = ((index as f64 - 0.5) / rate).max(0.0);
    command
        .args(["-v", "error", "-nostdin", "-ss"])
        .arg(format!("{seconds:.6}"));
    let mut after = Vec::new();
    if let Some(side) = side {
        after.push("-vf".to_owned());
        after.push(format!(
            "scale={side}:{side}:force_original_aspect_ratio=decrease"
        ));
    }
    let last = "-an -frames:v 1 -c:v mjpeg -q:v 2 -f image2pipe pipe:1";
    after.extend(last.split(' ').map(str::to_owned));
    let output = run(command, tools, video, &after).await?;
    if output.stdout.is_empty() {
        return Err(ApiError::media(format!("The video has no frame {index}")));
    }
    Ok(output.stdout)
}

async fn run(
    mut command: Command,
    tools: &VideoTools,
    video: &Path,
    after: &[String],
) -> ApiResult<Output> {
    let program = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    command.args(file_input(video, CONTAINERS)).args(after);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(tools.timeout, command.output()).await;
    let output = output
        .map_err(|_| slow(tools.timeout))?
        .map_err(|e| not_started(&program, &e))?;
    if output.status.success() {
        return Ok(output);
    }
    let complaint = last_lines(&String::from_utf8_lossy(&output.stderr), video);
    Err(ApiError::media(format!(
        "The video cannot be read: {complaint}"
    )))
}

fn slow(timeout: Duration) -> ApiError {
    let seconds = timeout.as_secs();
    ApiError::media(format!("The video could not be read within {seconds} s"))
}

fn not_started(program: &str, error: &std::io::Error) -> ApiError {
    if error.kind() == std::io::ErrorKind::NotFound {
        let message = format!(
            "Videos need `{program}` on the server: install FFmpeg there, then upload again"
        );
        return ApiError::Status(StatusCode::NOT_IMPLEMENTED, message);
    }
    ApiError::Internal(format!("`{program}` cannot be started: {error}"))
}

/// The end of what a program complained of, without the path on our disk.
fn last_lines(messages: &str, video: &Path) -> String {
    if let Some(refused) = messages.lines().find_map(refused_format) {
        return refused;
    }
    let messages = messages.replace(&*video.to_string_lossy(), "the file");
    let lines: Vec<&str> = messages
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
    let from = lines.len().saturating_sub(LAST_LINES);
    lines.get(from..).unwrap_or_default().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Option<Probe> {
        read(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn answers_are_read_with_what_containers_leave_out() {
        let full = parse(
            r#"{"streams": [{"width": 64, "height": 48, "avg_frame_rate": "30000/1001",
                "nb_read_packets": "60", "duration": "2.002"}], "format": {"duration": "2.1"}}"#,
        );
        let full = full.unwrap();
        assert_eq!((full.width, full.height, full.frame_count), (64, 48, 60));
        assert!((full.frame_rate - 29.97).abs() < 0.01 && (full.duration - 2.002).abs() < 1e-9);
        // Matroska writes the length of the whole file alone.
        let bare = parse(
            r#"{"streams": [{"width": 9, "height": 9, "avg_frame_rate": "0/0",
                "nb_read_packets": "20"}], "format": {"duration": "10"}}"#,
        );
        assert_eq!(bare.map(|p| (p.frame_rate, p.duration)), Some((2.0, 10.0)));
    }

    #[test]
    fn what_has_no_frames_is_no_video() {
        for json in [
            "{}",
            r#"{"streams": []}"#,
            r#"{"streams": [{"width": 9, "height": 9, "nb_read_packets": "0"}]}"#,
        ] {
            assert_eq!(parse(json), None, "{json}");
        }
    }

    #[test]
    fn complaints_do_not_name_our_disk() {
        let path = Path::new("/store/pending/1.part");
        let text = "a\nb\nfile:/store/pending/1.part: Invalid data\n\n";
        assert_eq!(last_lines(text, path), "b; file:the file: Invalid data");
    }
}
