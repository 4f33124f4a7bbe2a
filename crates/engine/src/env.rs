//! Every environment variable that the engine reads, in one place.
//!
//! The engine never asks the process for a variable directly: it takes an [`Environment`],
//! a snapshot that tests fill by hand.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Where OpenVINO is: a folder that holds its libraries (searched a few levels deep), or the
/// `libopenvino_c` library itself. When it is set, nothing else is searched.
pub const STRAYLIGHT_OPENVINO: &str = "STRAYLIGHT_OPENVINO";

/// Straylight's cache folder. Without it: `$XDG_CACHE_HOME/straylight`, else
/// `$HOME/.cache/straylight` (on Windows `%LOCALAPPDATA%\straylight`).
pub const STRAYLIGHT_CACHE: &str = "STRAYLIGHT_CACHE";

/// The Python program whose `openvino` package and whose pip are used, `python3` without it.
pub const STRAYLIGHT_PYTHON: &str = "STRAYLIGHT_PYTHON";

/// `1` forbids fetching the runtime: what is not installed is then an error.
pub const STRAYLIGHT_OFFLINE: &str = "STRAYLIGHT_OFFLINE";

/// The active Python virtual environment, set by its `activate` script.
pub const VIRTUAL_ENV: &str = "VIRTUAL_ENV";

/// The active conda environment.
pub const CONDA_PREFIX: &str = "CONDA_PREFIX";

/// Set by the `setupvars` script of an OpenVINO archive.
pub const INTEL_OPENVINO_DIR: &str = "INTEL_OPENVINO_DIR";

/// Set by hand for an unpacked OpenVINO archive, as other programs read it.
pub const OPENVINO_INSTALL_DIR: &str = "OPENVINO_INSTALL_DIR";

/// Folders that the dynamic linker searches.
pub const LD_LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

/// The user's cache folder, by the XDG base directory specification.
pub const XDG_CACHE_HOME: &str = "XDG_CACHE_HOME";

/// The user's home folder.
pub const HOME: &str = "HOME";

/// The user's local application data on Windows.
pub const LOCALAPPDATA: &str = "LOCALAPPDATA";

const ALL: [&str; 12] = [
    STRAYLIGHT_OPENVINO,
    STRAYLIGHT_CACHE,
    STRAYLIGHT_PYTHON,
    STRAYLIGHT_OFFLINE,
    VIRTUAL_ENV,
    CONDA_PREFIX,
    INTEL_OPENVINO_DIR,
    OPENVINO_INSTALL_DIR,
    LD_LIBRARY_PATH,
    XDG_CACHE_HOME,
    HOME,
    LOCALAPPDATA,
];

/// A snapshot of the environment variables that the engine reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment(HashMap<&'static str, OsString>);

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self(
            ALL.iter()
                .filter_map(|key| Some((*key, std::env::var_os(key)?)))
                .collect(),
        )
    }

    /// Sets one variable of the snapshot; the process keeps its own.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<OsString>) -> Self {
        self.0.insert(key, value.into());
        self
    }

    /// The value of a variable as a path; an empty value counts as unset.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        self.0
            .get(key)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    }

    /// Whether a switch is on: set, not empty and neither `0`, `no`, `off` nor `false`.
    pub fn is_on(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| {
            let text = value.to_string_lossy().to_ascii_lowercase();
            !matches!(text.trim(), "" | "0" | "no" | "off" | "false")
        })
    }

    /// Straylight's cache folder, or `None` when the user has no home.
    pub fn cache_dir(&self) -> Option<PathBuf> {
        self.path(STRAYLIGHT_CACHE)
            .or_else(|| Some(self.path(XDG_CACHE_HOME)?.join("straylight")))
            .or_else(|| Some(self.path(LOCALAPPDATA)?.join("straylight")))
            .or_else(|| Some(self.path(HOME)?.join(".cache/straylight")))
    }

    /// The Python program to ask.
    pub fn python(&self) -> PathBuf {
        self.path(STRAYLIGHT_PYTHON)
            .unwrap_or_else(|| PathBuf::from("python3"))
    }

    /// The folders of a list variable such as [`LD_LIBRARY_PATH`].
    pub fn paths(&self, key: &str) -> Vec<PathBuf> {
        let value = self.0.get(key);
        value
            .map(|list| std::env::split_paths(list).collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_read_the_usual_spellings() {
        for (value, on) in [
            ("1", true),
            ("True", true),
            ("yes", true),
            ("0", false),
            ("OFF", false),
            ("", false),
        ] {
            let env = Environment::default().with(STRAYLIGHT_OFFLINE, value);
            assert_eq!(env.is_on(STRAYLIGHT_OFFLINE), on, "{value}");
        }
    }

    #[test]
    fn the_cache_follows_xdg_and_then_home() {
        let env = Environment::default().with(HOME, "/home/a");
        assert_eq!(
            env.cache_dir(),
            Some(PathBuf::from("/home/a/.cache/straylight"))
        );
        let env = env.with(XDG_CACHE_HOME, "/x");
        assert_eq!(env.cache_dir(), Some(PathBuf::from("/x/straylight")));
        let env = env.with(STRAYLIGHT_CACHE, "/c");
        assert_eq!(env.cache_dir(), Some(PathBuf::from("/c")));
        assert_eq!(Environment::default().cache_dir(), None);
    }
}
