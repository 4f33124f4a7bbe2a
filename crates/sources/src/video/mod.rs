//! Videos, streams and cameras through the ffmpeg program.
//!
//! ffmpeg decodes, turns frames upright, picks frames by rate and stride, and writes portable
//! pixmaps to a pipe. The pipe is what bounds memory: while the consumer is behind, ffmpeg waits.
//! A live stream that breaks off is started again after a wait that doubles with each failure in
//! a row. Addresses with passwords are hidden in every message, those of ffmpeg too.

mod ppm;
mod program;
mod write;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use program::{Probe, Running, seconds};
use straylight_core::Timestamp;

use crate::item::{Content, Feed, Item, Sink};
use crate::spec::redacted;
use crate::{SourceError, SourceErrorKind, SourceOptions, Stop};

pub use write::VideoWriter;

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How many frames of a video file are taken a second with these options; `None` if ffprobe does
/// not know the file's own rate.
pub fn frame_rate(video: &Path, options: &SourceOptions) -> Option<f64> {
    let own = || program::probe(&options.ffmpeg, video).rate;
    let rate = options.fps.or_else(own)?;
    Some(rate / options.stride.max(1) as f64)
}

/// Gives the frames of a video file.
pub(crate) struct VideoFeed {
    pub(crate) path: PathBuf,
    pub(crate) options: SourceOptions,
    pub(crate) stop: Stop,
}

impl Feed for VideoFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        let place = self.path.display().to_string();
        if let Err(kind) = self.run(&place, sink) {
            let _ = sink(Err(SourceError::new(place, kind)));
        }
    }
}

impl VideoFeed {
    fn run(&self, place: &str, sink: Sink<'_>) -> Result<(), SourceErrorKind> {
        let mut input = Vec::new();
        if let Some(start) = self.options.start {
            input.extend(["-ss".into(), seconds(start).into()]);
        }
        if let Some(end) = self.options.end {
            let length = end.saturating_sub(self.options.start.unwrap_or_default());
            input.extend(["-t".into(), seconds(length).into()]);
        }
        // A name that begins with a dash or has a colon must not be taken for something else.
        let mut file = OsString::from("file:");
        file.push(&self.path);
        input.extend(["-i".into(), file]);
        let arguments = arguments(&self.options, input)?;
        let clock = Clock::of_file(self);
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let mut running = Running::start(&self.options.ffmpeg, &arguments, &self.stop)?;
        let mut count = 0;
        loop {
            match running.frame(&self.options.limits) {
                Ok(Some(image)) => {
                    let item = clock.item(count, image, place, &stem);
                    if sink(Ok(item)).is_break() {
                        return Ok(());
                    }
                    count += 1;
                }
                Ok(None) => break,
                Err(_) if self.stop.is_asked() => return Ok(()),
                Err(error) => return Err(SourceErrorKind::Video(broken(running, &error))),
            }
        }
        match running.outcome() {
            Err(reason) if !self.stop.is_asked() => Err(SourceErrorKind::Video(reason)),
            _ => Ok(()),
        }
    }
}

/// What ffmpeg said is better than what was missing in its output.
fn broken(running: Running, error: &std::io::Error) -> String {
    running.outcome().err().unwrap_or_else(|| error.to_string())
}

/// Everything but the input.
fn arguments(
    options: &SourceOptions,
    input: Vec<OsString>,
) -> Result<Vec<OsString>, SourceErrorKind> {
    let mut filters = Vec::new();
    if let Some(fps) = options.fps {
        filters.push(format!("fps={fps}"));
    }
    if options.stride > 1 {
        filters.push(format!("framestep={}", options.stride));
    }
    let mut arguments: Vec<OsString> = ["-hide_banner", "-nostdin", "-loglevel", "error"]
        .map(Into::into)
        .to_vec();
    arguments.extend(input);
    arguments.extend(["-map", "0:v:0", "-an", "-sn"].map(Into::into));
    if !filters.is_empty() {
        arguments.extend(["-vf".into(), filters.join(",").into()]);
    }
    arguments.extend(program::pass_every_frame(&options.ffmpeg)?.map(Into::into));
    arguments.extend(
        [
            "-c:v",
            "ppm",
            "-pix_fmt",
            "rgb24",
            "-f",
            "image2pipe",
            "pipe:1",
        ]
        .map(Into::into),
    );
    Ok(arguments)
}

/// Times of a file's frames.
struct Clock {
    begin: Timestamp,
    start: Duration,
    /// Seconds between two frames that are given.
    step: Option<f64>,
    stride: u64,
}

impl Clock {
    /// Frames are taken when the camera says that the video was, else when the file was last
    /// changed, plus their place in it.
    fn of_file(feed: &VideoFeed) -> Self {
        let Probe { rate, taken } = program::probe(&feed.options.ffmpeg, &feed.path);
        let modified = || {
            let time = feed
                .path
                .metadata()
                .and_then(|metadata| metadata.modified());
            Timestamp::try_from(time.unwrap_or(SystemTime::UNIX_EPOCH)).unwrap_or_default()
        };
        let stride = feed.options.stride.max(1);
        Self {
            begin: taken.unwrap_or_else(modified),
            start: feed.options.start.unwrap_or_default(),
            step: feed.options.fps.or(rate).map(|rate| stride as f64 / rate),
            stride,
        }
    }

    fn item(&self, count: u64, image: straylight_core::RgbImage, video: &str, stem: &str) -> Item {
        let passed = self.step.and_then(|step| {
            let passed = Duration::try_from_secs_f64(step * count as f64).ok()?;
            Some(self.start.saturating_add(passed))
        });
        let place = match passed {
            Some(passed) => format!("{video} at {:.3} s", passed.as_secs_f64()),
            None => format!("{video}, frame {count}"),
        };
        let captured_at = passed.and_then(|passed| self.begin.checked_add(passed).ok());
        let name = format!("{stem}_{:06}", count * self.stride);
        let captured_at = captured_at.unwrap_or(self.begin);
        Item {
            place,
            content: Content::Pixels {
                image,
                name,
                captured_at,
            },
        }
    }
}

/// Gives the frames of a stream or a camera as they come.
pub(crate) struct LiveFeed {
    /// The address or device.
    pub(crate) address: String,
    pub(crate) kind: Live,
    pub(crate) options: SourceOptions,
    pub(crate) stop: Stop,
}

/// What a live source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Live {
    Stream,
    Camera,
}

impl Feed for LiveFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        let place = redacted(&self.address);
        let mut count = 0;
        let mut failures = 0;
        loop {
            let before = count;
            let reason = match self.run(&place, &mut count, sink) {
                Ok(Ended::Wanted) => return,
                Ok(Ended::Finished) if self.is_finite() => return,
                Ok(Ended::Finished) => "it ended".to_owned(),
                Ok(Ended::Failed(reason)) => hide(&reason, &self.address),
                Err(kind) => {
                    let _ = sink(Err(SourceError::new(place, kind)));
                    return;
                }
            };
            failures = if count > before { 1 } else { failures + 1 };
            if failures > self.options.reconnects {
                let kind = SourceErrorKind::GaveUp {
                    reason,
                    attempts: failures - 1,
                };
                let _ = sink(Err(SourceError::new(place, kind)));
                return;
            }
            let retry_in = wait_before(failures, self.options.backoff);
            let kind = SourceErrorKind::Interrupted { reason, retry_in };
            if sink(Err(SourceError::new(&*place, kind))).is_break() || self.stop.wait(retry_in) {
                return;
            }
        }
    }
}

enum Ended {
    /// The consumer wants no more.
    Wanted,
    /// The program came to an end of its own.
    Finished,
    Failed(String),
}

/// Doubles with each failure in a row.
fn wait_before(failures: u32, first: Duration) -> Duration {
    let factor = 2_u32.saturating_pow(failures.saturating_sub(1));
    first.saturating_mul(factor).min(LONGEST_WAIT)
}

/// Takes the address, and the user and password in it, out of a message.
fn hide(message: &str, address: &str) -> String {
    let message = message.replace(address, &redacted(address));
    let secret = address.split_once("://").and_then(|(_, rest)| {
        let host = rest.split(['/', '?', '#']).next()?;
        host.rsplit_once('@').map(|(secret, _)| secret)
    });
    match secret.filter(|secret| !secret.is_empty()) {
        Some(secret) => message.replace(secret, "***"),
        None => message,
    }
}

impl LiveFeed {
    /// A remote file comes to its end; a camera does not.
    fn is_finite(&self) -> bool {
        const FILES: [&str; 8] = [
            ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".gif",
        ];
        let path = self.address.split(['?', '#']).next().unwrap_or_default();
        let path = path.to_ascii_lowercase();
        path.starts_with("http") && FILES.iter().any(|end| path.ends_with(end))
    }

    fn run(&self, place: &str, count: &mut u64, sink: Sink<'_>) -> Result<Ended, SourceErrorKind> {
        let arguments = arguments(&self.options, self.input())?;
        let mut running = Running::start(&self.options.ffmpeg, &arguments, &self.stop)?;
        loop {
            match running.frame(&self.options.limits) {
                Ok(Some(image)) => {
                    let name = format!("{}_{count:06}", self.name());
                    let content = Content::Pixels {
                        image,
                        name,
                        captured_at: now(),
                    };
                    let place = format!("{place}, frame {count}");
                    if sink(Ok(Item { place, content })).is_break() {
                        return Ok(Ended::Wanted);
                    }
                    *count += 1;
                }
                _ if self.stop.is_asked() => return Ok(Ended::Wanted),
                Ok(None) => break,
                Err(error) => return Ok(Ended::Failed(broken(running, &error))),
            }
        }
        Ok(running
            .outcome()
            .map_or_else(Ended::Failed, |()| Ended::Finished))
    }

    fn name(&self) -> &'static str {
        match self.kind {
            Live::Stream => "stream",
            Live::Camera => "camera",
        }
    }

    /// After 15 s without data the stream counts as broken.
    fn input(&self) -> Vec<OsString> {
        const TIMEOUT_US: &str = "15000000";
        let lower = self.address.to_ascii_lowercase();
        let before: &[&str] = match self.kind {
            Live::Camera if cfg!(target_os = "macos") => &["-f", "avfoundation"],
            Live::Camera if cfg!(windows) => &["-f", "dshow"],
            Live::Camera => &["-f", "v4l2"],
            Live::Stream if lower.starts_with("rtsp") => {
                &["-rtsp_transport", "tcp", "-timeout", TIMEOUT_US]
            }
            Live::Stream if lower.starts_with("http") => &["-rw_timeout", TIMEOUT_US],
            Live::Stream => &[],
        };
        let numbered = self.address.bytes().all(|byte| byte.is_ascii_digit());
        let input = match self.kind {
            Live::Camera if cfg!(target_os = "linux") && numbered => {
                format!("/dev/video{}", self.address)
            }
            _ => self.address.clone(),
        };
        let mut arguments: Vec<OsString> = before.iter().map(Into::into).collect();
        arguments.extend(["-i".into(), input.into()]);
        arguments
    }
}

fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        let waits = [1, 2, 3, 7, 40].map(|n| wait_before(n, Duration::from_millis(500)));
        assert_eq!(
            waits.map(|wait| wait.as_millis()),
            [500, 1000, 2000, 30_000, 30_000]
        );
    }

    #[test]
    fn messages_hide_passwords() {
        let address = "rtsp://me:secret@cam/1";
        let message = hide(
            "rtsp://me:secret@cam/1: Connection refused (me:secret)",
            address,
        );
        assert_eq!(message, "rtsp://***@cam/1: Connection refused (***)");
    }

    #[test]
    fn rate_and_stride_are_filters() {
        let options = SourceOptions {
            fps: Some(2.5),
            stride: 3,
            ffmpeg: "no such program".into(),
            ..SourceOptions::default()
        };
        assert!(matches!(
            arguments(&options, Vec::new()),
            Err(SourceErrorKind::NoFfmpeg(_))
        ));
    }
}
