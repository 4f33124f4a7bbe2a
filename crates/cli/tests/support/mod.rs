//! The real program in a scratch folder, and snapshots of what it says.
//!
//! A snapshot that differs fails the test; `STRAYLIGHT_UPDATE_SNAPSHOTS=1` writes it anew.
#![allow(dead_code, clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The demo's deployment, in a scratch folder.
pub(crate) const DEPLOYMENT: &str = "assets/demo";

/// Variables that would change what the program says.
const VARIABLES: [&str; 15] = [
    "STRAYLIGHT_CONFIG",
    "STRAYLIGHT_DEPLOYMENT",
    "STRAYLIGHT_STORE",
    "STRAYLIGHT_SERVER",
    "STRAYLIGHT_HOOK_STATE",
    "STRAYLIGHT_DEVICE",
    "STRAYLIGHT_PRECISION",
    "STRAYLIGHT_FFMPEG",
    "STRAYLIGHT_MAX_PIXELS",
    "STRAYLIGHT_GRAPHICS",
    "STRAYLIGHT_DEMO_ASSETS",
    "GETI_HOST",
    "GETI_TOKEN",
    "KITTY_WINDOW_ID",
    "NO_COLOR",
];

/// The folder of the repository.
pub(crate) fn repository() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    folder.canonicalize().unwrap()
}

/// A scratch folder with the repository's assets in it.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(repository().join("assets"), folder.path().join("assets"))
            .unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The program with nothing of the tester's own settings.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_straylight"));
        self.isolate(&mut command);
        command
    }

    /// Gives a program this folder and none of the tester's settings.
    pub(crate) fn isolate(&self, command: &mut Command) {
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command.env("COLUMNS", "100");
        command.env("XDG_CONFIG_HOME", self.path().join("no-config"));
        command.env("XDG_STATE_HOME", self.path().join("user-state"));
        command.current_dir(self.path());
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command().args(arguments).output().unwrap())
    }

    /// What the program says with the scratch folder, times and speeds taken out.
    pub(crate) fn normal(&self, text: &str) -> String {
        let root = self.path().canonicalize().unwrap();
        let text = text.replace(&*root.to_string_lossy(), "<scratch>");
        let text = text.replace(&*self.path().to_string_lossy(), "<scratch>");
        let text = text.replace(&*repository().to_string_lossy(), "<repository>");
        let lines = text.lines().map(|line| numbers_out(line.trim_end()));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    }
}

/// What the program did.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Everything in one text.
    pub(crate) fn all(&self) -> String {
        format!("exit code {:?}\n{}{}", self.code, self.out, self.err)
    }

    /// Fails with everything that was said unless the code is this.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.all());
        self
    }
}

/// Decimal fractions are measured or computed: they differ between machines in their last digits.
/// Identifiers, dates and ports are made anew each time.
fn numbers_out(line: &str) -> String {
    let words = line.split_inclusive(|c: char| " ,;()\"'[]{}".contains(c));
    words.map(number_out).collect()
}

fn number_out(word: &str) -> String {
    let end = word.trim_end_matches([' ', ',', ';', '(', ')', '"', '\'', '[', ']', '{', '}', ':']);
    let (core, rest) = word.split_at(end.len());
    let is_fraction = core.contains('.') && core.parse::<f64>().is_ok();
    let is_id = core.len() == 24 && core.bytes().all(|b| b.is_ascii_hexdigit());
    match (is_fraction, is_id) {
        (true, _) => format!("#{rest}"),
        (_, true) => format!("<id>{rest}"),
        _ => word.to_owned(),
    }
}

/// Compares a text with the one that was kept under this name.
#[track_caller]
pub(crate) fn snapshot(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os("STRAYLIGHT_UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{name} differs from its snapshot; STRAYLIGHT_UPDATE_SNAPSHOTS=1 accepts what is now:\n\
         --- kept\n{kept}--- now\n{text}"
    );
}

/// One JSON value a line.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A copy of the deployment that may be changed.
pub(crate) fn own_deployment(scratch: &Scratch) {
    copy(
        &repository().join("assets/demo/deployment"),
        &scratch.path().join("own"),
    );
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
