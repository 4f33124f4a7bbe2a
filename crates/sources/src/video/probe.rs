//! What ffprobe, which stands beside ffmpeg, knows of a video file.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use straylight_core::Timestamp;

use super::{CONTAINERS, file_input, ratio};

/// What ffprobe knows of a video file. What it does not know stays unknown.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Probe {
    /// Frames a second, on average.
    pub(super) rate: Option<f64>,
    /// When it was taken, if the camera wrote it down.
    pub(super) taken: Option<Timestamp>,
    /// How long it says that it is, in seconds. Some containers count from 0 and not from their
    /// first packet (Matroska), others do not (MPEG-TS).
    pub(super) duration: Option<f64>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(default)]
    streams: Vec<Stream>,
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Stream {
    avg_frame_rate: Option<String>,
}

#[derive(Deserialize)]
struct Format {
    duration: Option<String>,
    tags: Option<Tags>,
}

#[derive(Deserialize)]
struct Tags {
    creation_time: Option<String>,
}

/// Asks ffprobe for what the head of the file says.
pub(super) fn probe(ffmpeg: &Path, video: &Path) -> Probe {
    let entries = "stream=avg_frame_rate:format=duration:format_tags=creation_time";
    let options = ["-select_streams", "v:0", "-of", "json"];
    parse(&ask(ffmpeg, video, entries, &options))
}

/// The time at which the last packet ends, in seconds, whatever the head of the file says.
///
/// Reads the whole file, without decoding.
pub(super) fn true_end(ffmpeg: &Path, video: &Path) -> Option<f64> {
    let options = ["-of", "csv=print_section=0"];
    let packets = ask(ffmpeg, video, "packet=pts_time,duration_time", &options);
    let packets = String::from_utf8_lossy(&packets);
    let ends = packets.lines().filter_map(|line| {
        let mut numbers = line.split(',').map(|number| number.parse::<f64>().ok());
        let time = numbers.next()??;
        Some(time + numbers.next().flatten().unwrap_or(0.0))
    });
    ends.reduce(f64::max)
}

fn ask(ffmpeg: &Path, video: &Path, entries: &str, options: &[&str]) -> Vec<u8> {
    let mut command = Command::new(beside(ffmpeg));
    command.args(["-v", "error", "-show_entries", entries]);
    command.args(options).args(file_input(video, CONTAINERS));
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
        .output()
        .map_or_else(|_| Vec::new(), |output| output.stdout)
}

fn beside(ffmpeg: &Path) -> PathBuf {
    let name = ffmpeg.file_name().unwrap_or_default().to_string_lossy();
    ffmpeg.with_file_name(name.replace("ffmpeg", "ffprobe"))
}

fn parse(json: &[u8]) -> Probe {
    let Ok(output) = serde_json::from_slice::<Output>(json) else {
        return Probe::default();
    };
    let rate = output.streams.first();
    let rate = rate.and_then(|stream| ratio(stream.avg_frame_rate.as_deref()?));
    let format = output.format;
    let tags = format.as_ref().and_then(|format| format.tags.as_ref());
    Probe {
        rate,
        taken: tags.and_then(|tags| tags.creation_time.as_ref()?.parse().ok()),
        duration: format
            .as_ref()
            .and_then(|f| f.duration.as_ref()?.parse().ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_are_read() {
        let json = br#"{"streams": [{"avg_frame_rate": "30000/1001"}],
            "format": {"duration": "3.100000", "tags": {"creation_time": "2024-05-06T07:08:09.000000Z"}}}"#;
        let probe = parse(json);
        assert!((probe.rate.unwrap() - 29.97).abs() < 0.01);
        assert_eq!(probe.taken.unwrap().to_string(), "2024-05-06T07:08:09Z");
        assert_eq!(probe.duration, Some(3.1));
        assert_eq!(
            parse(br#"{"streams": [{"avg_frame_rate": "0/0"}]}"#),
            Probe::default()
        );
        assert_eq!(parse(b"nonsense"), Probe::default());
    }

    #[test]
    fn ffprobe_stands_beside_ffmpeg() {
        assert_eq!(beside(Path::new("ffmpeg")), Path::new("ffprobe"));
        assert_eq!(
            beside(Path::new("/opt/ffmpeg.exe")),
            Path::new("/opt/ffprobe.exe")
        );
    }
}
