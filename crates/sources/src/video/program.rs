//! Running ffmpeg.

use std::ffi::OsString;
use std::io::{self, BufReader, ErrorKind};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use straylight_core::RgbImage;
use straylight_image::DecodeLimits;

use super::messages::{self, FrameTime, Messages};
use super::ppm;
use crate::{SourceErrorKind, Stop};

/// A running ffmpeg that writes frames; ended when dropped.
pub(super) struct Running {
    child: Arc<Mutex<Child>>,
    pipe: BufReader<ChildStdout>,
    messages: Option<JoinHandle<Messages>>,
    times: Receiver<FrameTime>,
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
        let (sender, times) = channel();
        let messages = thread::spawn(move || messages::read(BufReader::new(stderr), &sender));
        let child = Arc::new(Mutex::new(child));
        let ended = Arc::clone(&child);
        stop.set_interrupt(move || kill(&ended));
        let pipe = BufReader::with_capacity(1 << 18, stdout);
        Ok(Self {
            child,
            pipe,
            messages: Some(messages),
            times,
        })
    }

    /// The next frame; `None` when there are no more.
    pub(super) fn frame(&mut self, limits: &DecodeLimits) -> io::Result<Option<RgbImage>> {
        ppm::read(&mut self.pipe, limits)
    }

    /// When the frame that was read last is shown; `None` if the program did not say.
    ///
    /// The program tells it before it writes the frame, so that this waits for no other frame.
    pub(super) fn time(&self) -> FrameTime {
        self.times.recv().ok().flatten()
    }

    /// Waits for the program, and says what it came to.
    pub(super) fn outcome(mut self) -> ProgramOutcome {
        let messages = self.messages.take().and_then(|thread| thread.join().ok());
        let Messages {
            last,
            complaint,
            refused,
        } = messages.unwrap_or_default();
        let status = self
            .child
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wait();
        let failed = match status {
            Ok(status) if status.success() => None,
            Ok(status) if last.is_empty() => Some(status.to_string()),
            Ok(_) => Some(last),
            Err(error) => Some(error.to_string()),
        };
        ProgramOutcome {
            failed,
            complaint,
            refused,
        }
    }
}

/// What a run of the program came to.
pub(super) struct ProgramOutcome {
    /// What it said last, if it failed.
    pub(super) failed: Option<String>,
    /// What it had to say against the data, even if it came to its end.
    complaint: Option<String>,
    /// That files of this format are not read.
    pub(super) refused: Option<String>,
}

impl ProgramOutcome {
    /// What is wrong with the data, if anything is; `broken` says what was missing in the output.
    pub(super) fn wrong(self, broken: Option<String>) -> Option<String> {
        self.failed.or(self.complaint).or(broken)
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

/// The version of ffmpeg; builds between releases have none, they are newer than all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Version(Option<(u32, u32)>);

impl Version {
    /// Asks the program.
    pub(super) fn of(program: &Path) -> Result<Self, SourceErrorKind> {
        let output = Command::new(program)
            .arg("-version")
            .stdin(Stdio::null())
            .output();
        let output = output.map_err(|error| not_started(program, error))?;
        Ok(Self::parse(&String::from_utf8_lossy(&output.stdout)))
    }

    /// From `ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright ...`.
    fn parse(text: &str) -> Self {
        let number = text.split_whitespace().nth(2);
        let number = number.map(|number| number.trim_start_matches('n'));
        let mut parts = number
            .unwrap_or_default()
            .split(|c: char| !c.is_ascii_digit());
        let mut part = || parts.next()?.parse().ok();
        Self(part().zip(part()))
    }

    fn is_before(self, version: (u32, u32)) -> bool {
        self.0.is_some_and(|own| own < version)
    }

    /// The option that makes ffmpeg pass every frame once, whatever its time; 5.1 renamed it.
    pub(super) fn pass_every_frame(self) -> [&'static str; 2] {
        if self.is_before((5, 1)) {
            ["-vsync", "passthrough"]
        } else {
            ["-fps_mode", "passthrough"]
        }
    }

    /// The filter that tells the time of each frame, without sums of pixels where that is known.
    pub(super) fn show_times(self) -> &'static str {
        if self.is_before((5, 0)) {
            "showinfo"
        } else {
            "showinfo=checksum=0"
        }
    }
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
        struct Case(&'static str, Option<(u32, u32)>, &'static str);
        for Case(text, wanted, option) in [
            Case(
                "ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright (c)",
                Some((4, 4)),
                "-vsync",
            ),
            Case("ffmpeg version n7.1 Copyright", Some((7, 1)), "-fps_mode"),
            Case(
                "ffmpeg version 5.1.8-0+deb12u1 Copyright",
                Some((5, 1)),
                "-fps_mode",
            ),
            Case(
                "ffmpeg version N-12345-gabcdef Copyright",
                None,
                "-fps_mode",
            ),
            Case("", None, "-fps_mode"),
        ] {
            let version = Version::parse(text);
            assert_eq!(version, Version(wanted), "{text}");
            assert_eq!(version.pass_every_frame()[0], option, "{text}");
        }
    }
}
