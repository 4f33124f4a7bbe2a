//! Streams and cameras: frames as they come, and what to do when they stop coming.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use straylight_core::{
    PERCENT_ENCODING_HINT, Timestamp, hide_secrets, hide_secrets_in, needs_percent_encoding,
};

use super::arguments;
use super::input::network_only;
use super::program::{Running, Version};
use crate::item::{Content, Feed, Item, Sink};
use crate::{SourceError, SourceErrorKind, SourceOptions, Stop};

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

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
        let place = hide_secrets(&self.address);
        let mut count = 0;
        let mut failures = 0;
        loop {
            let before = count;
            let reason = match self.run(&place, &mut count, sink) {
                Ok(Ended::Wanted) => return,
                Ok(Ended::Finished) if self.is_finite() => return,
                Ok(Ended::Finished) => "it ended".to_owned(),
                Ok(Ended::Failed(_)) if count == 0 && self.is_missing() => {
                    let _ = sink(Err(SourceError::new(place, SourceErrorKind::NoCamera)));
                    return;
                }
                Ok(Ended::Failed(said)) => reason(&said, &self.address),
                Err(kind) => {
                    let _ = sink(Err(SourceError::new(place, kind)));
                    return;
                }
            };
            // An address that cannot be read will not be readable later.
            if count == 0 && needs_percent_encoding(&self.address) {
                let _ = sink(Err(SourceError::new(
                    place,
                    SourceErrorKind::Address(reason),
                )));
                return;
            }
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

/// What ffmpeg said without the secrets of the address, and what may be wrong with the address.
fn reason(message: &str, address: &str) -> String {
    let mut reason = hide_secrets_in(message, address).unwrap_or_else(|| {
        "what ffmpeg said is left out, because parts of the password may be in it".to_owned()
    });
    if needs_percent_encoding(address) {
        reason = format!("{reason}; {PERCENT_ENCODING_HINT}");
    }
    reason
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
        let version = Version::of(&self.options.ffmpeg)?;
        let arguments = arguments(&self.options, version, self.input(), None);
        let mut running = Running::start(&self.options.ffmpeg, &arguments, &self.stop)?;
        loop {
            match running.frame(&self.options.decode.limits) {
                Ok(Some(image)) => {
                    let name = format!("{}_{count:06}", self.name());
                    let content = Content::Pixels {
                        image,
                        name,
                        captured_at: Timestamp::now(),
                    };
                    let place = format!("{place}, frame {count}");
                    if sink(Ok(Item { place, content })).is_break() {
                        return Ok(Ended::Wanted);
                    }
                    *count += 1;
                }
                _ if self.stop.is_asked() => return Ok(Ended::Wanted),
                Ok(None) => break,
                // A frame that is too large; the program waits for it to be read.
                Err(error) if error.kind() != ErrorKind::UnexpectedEof => {
                    return Ok(Ended::Failed(error.to_string()));
                }
                Err(error) => {
                    let failed = running.outcome().failed;
                    let said = failed.unwrap_or_else(|| error.to_string());
                    return Ok(Ended::Failed(said));
                }
            }
        }
        let failed = running.outcome().failed;
        Ok(failed.map_or(Ended::Finished, Ended::Failed))
    }

    /// Whether this machine has no such camera; that can be told on Linux alone.
    fn is_missing(&self) -> bool {
        let device = self.device();
        self.kind == Live::Camera && device.starts_with("/dev/") && !Path::new(&device).exists()
    }

    /// The address, or the path of the device that a number means.
    fn device(&self) -> String {
        let numbered = self.address.bytes().all(|byte| byte.is_ascii_digit());
        match self.kind {
            Live::Camera if cfg!(target_os = "linux") && numbered => {
                format!("/dev/video{}", self.address)
            }
            _ => self.address.clone(),
        }
    }

    /// The name of the source as the beginning of a file's name.
    fn name(&self) -> String {
        let name = self.options.name.as_deref().unwrap_or("stream");
        let fits = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        name.chars()
            .map(|c| if fits(c) { c } else { '-' })
            .collect()
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
        let mut arguments: Vec<OsString> = before.iter().map(Into::into).collect();
        if self.kind == Live::Stream {
            arguments.extend(network_only());
        }
        arguments.extend(["-i".into(), self.device().into()]);
        arguments
    }
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
    fn reasons_hide_passwords_and_hint_at_encoding() {
        let said = "rtsp://me:secret@cam/1: Connection refused (me:secret)";
        let wanted = "rtsp://***@cam/1: Connection refused (***)";
        assert_eq!(reason(said, "rtsp://me:secret@cam/1"), wanted);
        let said = reason("cannot resolve host pa", "rtsp://me:pa#ss@cam/1");
        assert!(
            said.contains("write # as %23") && !said.contains("pa#"),
            "{said}"
        );
        assert!(!said.contains("host pa"), "{said}");
    }
}
