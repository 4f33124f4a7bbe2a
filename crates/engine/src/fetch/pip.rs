use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use straylight_core::Progress;

use super::{VERSION, Wheel};
use crate::EngineError;

/// How often the size of the download is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The user's own pip, as `python3 -m pip`.
#[derive(Debug, Clone)]
pub struct Pip {
    python: PathBuf,
}

impl Pip {
    /// The pip of a Python program.
    pub fn new(python: impl Into<PathBuf>) -> Self {
        Self {
            python: python.into(),
        }
    }

    /// Whether the program is there and has pip.
    pub fn works(&self) -> bool {
        let quiet =
            |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let status = quiet(Command::new(&self.python).args(["-m", "pip", "--version"]));
        status.is_ok_and(|status| status.success())
    }

    /// Downloads the wheel into `folder`, reporting bytes as they arrive.
    pub(super) fn download(
        &self,
        wheel: &Wheel,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<PathBuf, EngineError> {
        // pip writes to its temporary folder first; there the download's growth can be seen.
        let temporary = folder.join("pip");
        fs::create_dir_all(&temporary).map_err(EngineError::io("create", &temporary))?;
        let child = self.command(wheel, folder, &temporary).spawn();
        let child = child.map_err(|error| self.failed(&error.to_string()))?;
        let log = watch(child, folder, wheel.bytes, progress).map_err(|text| self.failed(&text))?;
        let file = folder.join(wheel.file);
        if file.is_file() {
            Ok(file)
        } else {
            Err(self.failed(&format!("no {} came: {log}", wheel.file)))
        }
    }

    fn command(&self, wheel: &Wheel, folder: &Path, temporary: &Path) -> Command {
        let mut command = Command::new(&self.python);
        command.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:"]);
        command.args([
            "--disable-pip-version-check",
            "--progress-bar=off",
            "--no-input",
        ]);
        command.args([
            "--implementation",
            "cp",
            "--python-version",
            wheel.python,
            "--abi",
            wheel.abi,
        ]);
        command
            .args(["--platform", wheel.platform])
            .arg("--dest")
            .arg(folder);
        command.arg(format!("openvino=={VERSION}"));
        for variable in ["TMPDIR", "TEMP", "TMP"] {
            command.env(variable, temporary);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    fn failed(&self, text: &str) -> EngineError {
        EngineError::Fetch {
            reason: format!("`{} -m pip download` failed: {text}", self.python.display()),
        }
    }
}

/// Waits for pip while it reports the growth of `folder`; pip's complaints as the error.
fn watch(
    mut child: Child,
    folder: &Path,
    total: u64,
    progress: &dyn Progress,
) -> Result<String, String> {
    let stderr = child.stderr.take();
    let reader = std::thread::spawn(move || {
        stderr
            .map(|pipe| std::io::read_to_string(pipe).unwrap_or_default())
            .unwrap_or_default()
    });
    let mut seen = 0;
    let status = loop {
        let now = bytes_below(folder).min(total);
        progress.advance(now.saturating_sub(seen));
        seen = seen.max(now);
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => std::thread::sleep(LOOK),
            Err(error) => return Err(error.to_string()),
        }
    };
    let text = last_lines(&reader.join().unwrap_or_default());
    if status.success() {
        progress.advance(total - seen);
        Ok(text)
    } else {
        Err(text)
    }
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The last few lines of pip's complaints: the first ones are of no use to anyone.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(3)..].join(" ")
}
