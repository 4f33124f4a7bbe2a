//! Running ffmpeg and ffprobe.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::Deserialize;
use straylight_core::{RgbImage, Timestamp};
use straylight_image::DecodeLimits;

use super::ppm;
use crate::{SourceErrorKind, Stop};

/// Lines of the program's messages that are kept for an error.
const LAST_LINES: usize = 4;

/// A running ffmpeg that writes frames; ended when dropped.
pub(super) struct Running {
    child: Arc<Mutex<Child>>,
    pipe: BufReader<ChildStdout>,
    messages: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts the program; it is ended as soon as `stop` is asked.
    pub(super) fn start(
        program: &Path,
        arguments: &[OsString],
        stop: &Stop,
    ) -> Result<Self, SourceErrorKind> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| not_started(program, error))?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(SourceErrorKind::Video(
                "its output cannot be read".to_owned(),
            ));
        };
        let messages = thread::spawn(move || last_lines(BufReader::new(stderr)));
        let child = Arc::new(Mutex::new(child));
        let ended = Arc::clone(&child);
        stop.set_interrupt(move || kill(&ended));
        let pipe = BufReader::with_capacity(1 << 18, stdout);
        Ok(Self {
            child,
            pipe,
            messages: Some(messages),
        })
    }

    /// The next frame; `None` when there are no more.
    pub(super) fn frame(&mut self, limits: &DecodeLimits) -> io::Result<Option<RgbImage>> {
        ppm::read(&mut self.pipe, limits)
    }

    /// Waits for the program: its last messages if it failed.
    pub(super) fn outcome(mut self) -> Result<(), String> {
        let messages = self.messages.take().and_then(|thread| thread.join().ok());
        let status = self
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wait();
        let messages = messages.filter(|text| !text.is_empty());
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(messages.unwrap_or_else(|| status.to_string())),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        kill(&self.child);
        let _ = self
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wait();
    }
}

/// A program that has ended already cannot be killed, which is as good.
fn kill(child: &Mutex<Child>) {
    let _ = child.lock().unwrap_or_else(PoisonError::into_inner).kill();
}

pub(super) fn not_started(program: &Path, error: io::Error) -> SourceErrorKind {
    match error.kind() {
        ErrorKind::NotFound => SourceErrorKind::NoFfmpeg(program.to_owned()),
        _ => SourceErrorKind::Read(error),
    }
}

pub(super) fn last_lines(messages: impl BufRead) -> String {
    let mut last = VecDeque::new();
    for line in messages.split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if !line.is_empty() {
            last.push_back(line);
        }
        if last.len() > LAST_LINES {
            last.pop_front();
        }
    }
    Vec::from(last).join("; ")
}

/// The option that makes ffmpeg pass every frame once, whatever its time; 5.1 renamed it.
pub(super) fn pass_every_frame(program: &Path) -> Result<[&'static str; 2], SourceErrorKind> {
    let output = Command::new(program)
        .arg("-version")
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| not_started(program, error))?;
    Ok(match version(&String::from_utf8_lossy(&output.stdout)) {
        Some(version) if version < (5, 1) => ["-vsync", "passthrough"],
        _ => ["-fps_mode", "passthrough"],
    })
}

/// From `ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright ...`; builds between releases have none.
fn version(text: &str) -> Option<(u32, u32)> {
    let number = text.split_whitespace().nth(2)?.trim_start_matches('n');
    let mut parts = number.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// What ffprobe knows of a video file.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Probe {
    /// Frames a second.
    pub(super) rate: Option<f64>,
    /// When it was taken, if the camera wrote it down.
    pub(super) taken: Option<Timestamp>,
}

#[derive(Deserialize)]
struct ProbeOutput {
    #[serde(default)]
    streams: Vec<ProbeStream>,
    format: Option<ProbeFormat>,
}

#[derive(Deserialize)]
struct ProbeStream {
    avg_frame_rate: Option<String>,
}

#[derive(Deserialize)]
struct ProbeFormat {
    tags: Option<ProbeTags>,
}

#[derive(Deserialize)]
struct ProbeTags {
    creation_time: Option<String>,
}

/// Asks ffprobe, which stands beside ffmpeg. What it does not know stays unknown: only names
/// and times of frames depend on it.
pub(super) fn probe(ffmpeg: &Path, video: &Path) -> Probe {
    let mut command = Command::new(beside(ffmpeg));
    command.args([
        "-v",
        "error",
        "-select_streams",
        "v:0",
        "-of",
        "json",
        "-show_entries",
    ]);
    command.args(["stream=avg_frame_rate:format_tags=creation_time", "-i"]);
    let output = command.arg(video).stdin(Stdio::null()).output();
    output.map_or_else(|_| Probe::default(), |output| parse(&output.stdout))
}

fn beside(ffmpeg: &Path) -> PathBuf {
    let name = ffmpeg.file_name().unwrap_or_default().to_string_lossy();
    ffmpeg.with_file_name(name.replace("ffmpeg", "ffprobe"))
}

fn parse(json: &[u8]) -> Probe {
    let Ok(output) = serde_json::from_slice::<ProbeOutput>(json) else {
        return Probe::default();
    };
    let tags = output.format.and_then(|format| format.tags);
    Probe {
        rate: output
            .streams
            .first()
            .and_then(|s| ratio(s.avg_frame_rate.as_deref()?)),
        taken: tags.and_then(|tags| tags.creation_time?.parse().ok()),
    }
}

/// `30000/1001`; `0/0` is unknown.
fn ratio(text: &str) -> Option<f64> {
    let (above, below) = text.split_once('/')?;
    let (above, below): (f64, f64) = (above.parse().ok()?, below.parse().ok()?);
    Some(above / below).filter(|rate| rate.is_finite() && *rate > 0.0)
}

/// Seconds as ffmpeg's command line takes them.
pub(super) fn seconds(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        struct Case(&'static str, Option<(u32, u32)>);
        for Case(text, wanted) in [
            Case(
                "ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright (c)",
                Some((4, 4)),
            ),
            Case("ffmpeg version n7.1 Copyright", Some((7, 1))),
            Case("ffmpeg version 5.1.8-0+deb12u1 Copyright", Some((5, 1))),
            Case("ffmpeg version N-12345-gabcdef Copyright", None),
            Case("", None),
        ] {
            assert_eq!(version(text), wanted, "{text}");
        }
    }

    #[test]
    fn probes_are_read() {
        let json = br#"{"streams": [{"avg_frame_rate": "30000/1001"}],
            "format": {"tags": {"creation_time": "2024-05-06T07:08:09.000000Z"}}}"#;
        let probe = parse(json);
        assert!((probe.rate.unwrap() - 29.97).abs() < 0.01);
        assert_eq!(probe.taken.unwrap().to_string(), "2024-05-06T07:08:09Z");
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

    #[test]
    fn only_the_last_messages_are_kept() {
        let lines: Vec<String> = (0..100).map(|n| format!("line {n}")).collect();
        assert_eq!(
            last_lines(lines.join("\n").as_bytes()),
            "line 96; line 97; line 98; line 99"
        );
    }
}
