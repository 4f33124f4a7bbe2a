use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};

use straylight_core::RgbImage;

use super::messages;
use super::program::not_started;
use crate::{SourceError, SourceErrorKind};

/// Writes frames of one size into a video file, through the ffmpeg program.
///
/// The file's extension says its kind (`.mp4`, `.mkv`, `.webm`, ...). It appears under its name
/// when [`VideoWriter::finish`] returns, and never half. The same frames give the same bytes with
/// the same ffmpeg.
#[derive(Debug)]
pub struct VideoWriter {
    path: PathBuf,
    part: PathBuf,
    size: (u32, u32),
    child: Child,
    input: Option<ChildStdin>,
    messages: Option<JoinHandle<String>>,
}

impl VideoWriter {
    /// Starts a video of frames of this size in pixels, `rate` of them a second.
    pub fn create(
        ffmpeg: &Path,
        path: &Path,
        size: (u32, u32),
        rate: f64,
    ) -> Result<Self, SourceError> {
        let place = path.display().to_string();
        let failed = |kind| SourceError::new(&*place, kind);
        let part = part_of(path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| SourceError::io(&*place, error))?;
        }
        let mut command = Command::new(ffmpeg);
        command.args(arguments(size, rate)).arg(&part);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(not_started(ffmpeg, error)))?;
        let messages = child
            .stderr
            .take()
            .map(|stderr| thread::spawn(move || said(stderr)));
        Ok(Self {
            path: path.to_owned(),
            part,
            size,
            input: child.stdin.take(),
            child,
            messages,
        })
    }

    /// Adds a frame.
    ///
    /// # Errors
    ///
    /// A frame of another size, or what ffmpeg says when it has given up.
    pub fn write(&mut self, frame: &RgbImage) -> Result<(), SourceError> {
        if (frame.width(), frame.height()) != self.size {
            let (width, height) = self.size;
            let reason = format!(
                "a frame has {} x {} pixels, and the first had {width} x {height}",
                frame.width(),
                frame.height()
            );
            return Err(self.failed(reason));
        }
        let written = match &mut self.input {
            Some(input) => input.write_all(frame.data()),
            None => return Err(self.failed("it is finished".to_owned())),
        };
        written.map_err(|error| {
            let said = self.last_words();
            self.failed(said.unwrap_or_else(|| error.to_string()))
        })
    }

    /// Writes the end and gives the file its name.
    pub fn finish(mut self) -> Result<(), SourceError> {
        self.input = None;
        let status = self.child.wait();
        let said = self.last_words();
        match status {
            Ok(status) if status.success() => std::fs::rename(&self.part, &self.path)
                .map_err(|error| self.failed(error.to_string())),
            Ok(status) => Err(self.failed(said.unwrap_or_else(|| status.to_string()))),
            Err(error) => Err(self.failed(error.to_string())),
        }
    }

    fn last_words(&mut self) -> Option<String> {
        self.input = None;
        let said = self.messages.take()?.join().ok()?;
        Some(said).filter(|text| !text.is_empty())
    }

    fn failed(&self, reason: String) -> SourceError {
        let place = self.path.display().to_string();
        SourceError::new(place, SourceErrorKind::Encode(reason))
    }
}

impl Drop for VideoWriter {
    fn drop(&mut self) {
        // A finished program cannot be killed and a finished file has its name: both may fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.part);
    }
}

/// The program's last messages.
fn said(stderr: ChildStderr) -> String {
    let (no_times, _) = channel();
    messages::read(BufReader::new(stderr), &no_times).last
}

/// The unfinished file, beside its place; the extension stays, for it says the kind.
fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".part-{name}"))
}

/// Everything but the file. Most encoders want even sides, so odd ones get a black edge.
fn arguments((width, height): (u32, u32), rate: f64) -> Vec<String> {
    let size = format!("{width}x{height}");
    let rate = format!("{rate:.6}");
    let fixed = [
        "-hide_banner",
        "-loglevel",
        "error",
        "-y",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-s",
        &size,
        "-r",
        &rate,
        "-i",
        "pipe:0",
        "-vf",
        "pad=ceil(iw/2)*2:ceil(ih/2)*2",
        "-pix_fmt",
        "yuv420p",
        "-threads",
        "2",
        "-fflags",
        "+bitexact",
        "-flags:v",
        "+bitexact",
    ];
    fixed.map(str::to_owned).to_vec()
}
