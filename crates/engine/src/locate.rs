//! Finding an installed OpenVINO.
//!
//! A place is a folder; the `openvino_c` library is looked for in it and in the folders that
//! archives and Python packages use below it. A Python wheel names its library with a version
//! only (`libopenvino_c.so.2641`), an archive with and without one. Where a folder holds
//! several, the newest wins; one older than [`Version::OLDEST`] is passed over and noted.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Version;
use crate::env::{self, Environment};
use crate::fetch;

/// Where a runtime came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// `STRAYLIGHT_OPENVINO`.
    Variable,
    /// The active virtual or conda environment.
    VirtualEnvironment,
    /// An unpacked archive or the system's library folders.
    System,
    /// Straylight's own cache.
    Cache,
    /// The `openvino` package of the Python program.
    Python,
    /// Fetched just now into the cache.
    Fetched,
}

impl Origin {
    /// The origin in words, as `straylight doctor` prints it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Variable => "named by STRAYLIGHT_OPENVINO",
            Self::VirtualEnvironment => "in the active Python environment",
            Self::System => "installed on the system",
            Self::Cache => "in Straylight's cache",
            Self::Python => "in python3's packages",
            Self::Fetched => "fetched into Straylight's cache",
        }
    }
}

/// What a search found, and one line for each place that was looked at.
#[derive(Debug, Default)]
pub(crate) struct Search {
    pub(crate) found: Option<(PathBuf, Origin)>,
    pub(crate) log: Vec<String>,
}

const LIBRARY_FOLDERS: [&str; 8] = [
    "",
    "libs",
    "lib",
    "runtime/lib/intel64",
    "runtime/lib/intel64/Release",
    "runtime/lib/aarch64",
    "runtime/lib/arm64/Release",
    "runtime/bin/intel64/Release",
];

const SYSTEM_FOLDERS: [&str; 7] = [
    "/opt/intel/openvino",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/opt/homebrew/lib",
];

/// Searches all places in order and stops at the first usable library.
pub(crate) fn search(environment: &Environment) -> Search {
    let mut search = Search::default();
    if let Some(path) = environment.path(env::STRAYLIGHT_OPENVINO) {
        search.look(&path, Origin::Variable);
        return search;
    }
    for (folders, origin) in [
        (
            virtual_environments(environment),
            Origin::VirtualEnvironment,
        ),
        (system(environment), Origin::System),
        (cached(environment), Origin::Cache),
    ] {
        for folder in folders {
            search.look(&folder, origin);
        }
    }
    if search.found.is_none() {
        search.ask_python(&environment.python());
    }
    search
}

impl Search {
    fn look(&mut self, place: &Path, origin: Origin) {
        if self.found.is_some() {
            return;
        }
        let note = match library_at(place) {
            Ok(Some(library)) => {
                self.found = Some((library, origin));
                "found"
            }
            Ok(None) => "none",
            Err(old) => {
                self.log.push(format!(
                    "{}: OpenVINO {old} is older than {}",
                    place.display(),
                    Version::OLDEST
                ));
                return;
            }
        };
        self.log.push(format!("{}: {note}", place.display()));
    }

    fn ask_python(&mut self, python: &Path) {
        const PROGRAM: &str = "import importlib.util as u; s = u.find_spec('openvino'); \
                               print(next(iter(s.submodule_search_locations)) if s else '')";
        let answer = Command::new(python).args(["-I", "-c", PROGRAM]).output();
        match answer {
            Ok(output) if output.status.success() => {
                let place = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                if place.is_empty() {
                    self.log
                        .push(format!("packages of {}: none", python.display()));
                } else {
                    self.look(Path::new(&place), Origin::Python);
                }
            }
            Ok(_) => self
                .log
                .push(format!("{}: cannot list its packages", python.display())),
            Err(error) => self.log.push(format!("{}: {error}", python.display())),
        }
    }
}

fn virtual_environments(environment: &Environment) -> Vec<PathBuf> {
    let roots = [env::VIRTUAL_ENV, env::CONDA_PREFIX]
        .into_iter()
        .filter_map(|key| environment.path(key));
    roots.flat_map(|root| packages_of(&root)).collect()
}

/// The `openvino` packages of a Python environment: `lib/python3.12/site-packages/openvino`.
fn packages_of(root: &Path) -> Vec<PathBuf> {
    let mut packages = vec![root.join("Lib/site-packages/openvino")];
    for entry in std::fs::read_dir(root.join("lib"))
        .into_iter()
        .flatten()
        .flatten()
    {
        if entry.file_name().to_string_lossy().starts_with("python3") {
            packages.push(entry.path().join("site-packages/openvino"));
        }
    }
    packages.retain(|package| package.is_dir());
    if packages.is_empty() {
        packages.push(root.to_owned());
    }
    packages
}

fn system(environment: &Environment) -> Vec<PathBuf> {
    let archives = [env::OPENVINO_INSTALL_DIR, env::INTEL_OPENVINO_DIR];
    let mut folders: Vec<PathBuf> = archives
        .iter()
        .filter_map(|key| environment.path(key))
        .collect();
    folders.extend(environment.paths(env::LD_LIBRARY_PATH));
    folders.extend(
        SYSTEM_FOLDERS
            .iter()
            .map(PathBuf::from)
            .filter(|folder| folder.is_dir()),
    );
    folders
}

fn cached(environment: &Environment) -> Vec<PathBuf> {
    environment
        .cache_dir()
        .map(|cache| fetch::folder(&cache))
        .into_iter()
        .collect()
}

/// The newest `openvino_c` library at a place; the version of one that is too old as an error.
fn library_at(place: &Path) -> Result<Option<PathBuf>, Version> {
    if place.is_file() {
        return Ok(Some(place.to_owned()));
    }
    let folders = LIBRARY_FOLDERS.iter().map(|folder| place.join(folder));
    let mut libraries: Vec<(Option<Version>, PathBuf)> =
        folders.flat_map(|folder| libraries_in(&folder)).collect();
    libraries.sort();
    match libraries.pop() {
        Some((Some(version), _)) if version < Version::OLDEST => Err(version),
        newest => Ok(newest.map(|(_, path)| path)),
    }
}

fn libraries_in(folder: &Path) -> Vec<(Option<Version>, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        is_library(&name).then(|| (Version::of_library(&name), entry.path()))
    });
    names.collect()
}

/// Whether a file name is that of the C library on Linux, macOS or Windows.
fn is_library(name: &str) -> bool {
    let linux = name == "libopenvino_c.so" || name.starts_with("libopenvino_c.so.");
    let mac = name.starts_with("libopenvino_c.") && name.contains(".dylib");
    linux || mac || name == "openvino_c.dll"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(folder: &Path, name: &str) -> PathBuf {
        std::fs::create_dir_all(folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, b"").unwrap();
        path
    }

    #[test]
    fn the_variable_is_the_only_place_when_set() {
        let root = tempfile::tempdir().unwrap();
        let wheel = root
            .path()
            .join("venv/lib/python3.12/site-packages/openvino/libs");
        touch(&wheel, "libopenvino_c.so.2641");
        let env = Environment::default().with(env::VIRTUAL_ENV, root.path().join("venv"));
        assert!(search(&env).found.is_some());
        let env = env.with(env::STRAYLIGHT_OPENVINO, root.path().join("nowhere"));
        let search = search(&env);
        assert_eq!(search.found, None);
        assert_eq!(search.log.len(), 1, "{:?}", search.log);
    }

    #[test]
    fn a_wheel_s_versioned_library_is_found_in_a_virtual_environment() {
        let root = tempfile::tempdir().unwrap();
        let libs = root
            .path()
            .join("lib/python3.11/site-packages/openvino/libs");
        let library = touch(&libs, "libopenvino_c.so.2641");
        let env = Environment::default().with(env::VIRTUAL_ENV, root.path());
        assert_eq!(
            search(&env).found,
            Some((library, Origin::VirtualEnvironment))
        );
    }

    #[test]
    fn the_newest_library_of_a_folder_wins_and_old_ones_are_noted() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), "libopenvino_c.so.2024.6.0");
        assert_eq!(library_at(root.path()).unwrap_err().to_string(), "2024.6.0");
        let newer = touch(root.path(), "libopenvino_c.so.2025.4.1");
        assert_eq!(library_at(root.path()).unwrap(), Some(newer));
    }

    #[test]
    fn a_missing_python_is_noted_and_not_fatal() {
        let env = Environment::default().with(env::STRAYLIGHT_PYTHON, "/no/such/python");
        let mut search = Search::default();
        search.ask_python(&env.python());
        assert!(
            search.log[0].contains("/no/such/python"),
            "{:?}",
            search.log
        );
    }
}
