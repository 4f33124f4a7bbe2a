//! Which runs are at work for this user, so that they can be reloaded.
//!
//! Each run has a file of its own, `<process id>.json`, in `straylight/runs` below the user's folder for
//! the state of programs, and beside it a file that it keeps locked: what nobody has locked was left by
//! a process that is gone.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use straylight_files::{self as files, FileError};

use super::hooks::state_home;

/// A run at work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Its process.
    pub pid: u32,
    /// The folder of its deployment, as an absolute path.
    pub deployment: PathBuf,
    /// The names of its sources.
    pub sources: Vec<String>,
    /// How often it was asked to reload, and answered.
    pub reloads: u64,
    /// Why the last reload failed; `None` if it did not.
    pub error: Option<String>,
}

/// The record of this process's run; it goes when this is dropped.
#[derive(Debug)]
pub struct RunEntry {
    record: RunRecord,
    file: PathBuf,
    /// Locked for as long as the process lives.
    _lock: File,
}

impl RunEntry {
    /// Writes the record of this process's run; `None` on a machine without a folder for it.
    ///
    /// # Errors
    ///
    /// [`FileError`] when the folder or a file cannot be written.
    pub fn create(deployment: &Path, sources: Vec<String>) -> Result<Option<Self>, FileError> {
        folder().map_or(Ok(None), |folder| {
            Self::create_in(&folder, deployment, sources).map(Some)
        })
    }

    fn create_in(
        folder: &Path,
        deployment: &Path,
        sources: Vec<String>,
    ) -> Result<Self, FileError> {
        files::create_folder(folder)?;
        let pid = std::process::id();
        let file = folder.join(format!("{pid}.json"));
        let path = lock_of(&file);
        let failed = |error| FileError::new("lock", &path, error);
        let lock = File::create(&path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let deployment = fs::canonicalize(deployment).unwrap_or_else(|_| deployment.to_owned());
        let record = RunRecord {
            pid,
            deployment,
            sources,
            reloads: 0,
            error: None,
        };
        let entry = Self {
            record,
            file,
            _lock: lock,
        };
        entry.write()?;
        Ok(entry)
    }

    /// Notes what a reload came to.
    ///
    /// # Errors
    ///
    /// [`FileError`] when the file cannot be written.
    pub fn reloaded(&mut self, error: Option<String>) -> Result<(), FileError> {
        self.record.reloads += 1;
        self.record.error = error;
        self.write()
    }

    fn write(&self) -> Result<(), FileError> {
        let text = serde_json::to_vec(&self.record).unwrap_or_default();
        files::write_unsynced(&self.file, &text)
    }
}

impl Drop for RunEntry {
    fn drop(&mut self) {
        remove(&self.file);
    }
}

/// The runs of this user that are at work, the oldest process number first.
///
/// # Errors
///
/// [`FileError`] when the folder cannot be read.
pub fn running() -> Result<Vec<RunRecord>, FileError> {
    folder().map_or(Ok(Vec::new()), |folder| running_in(&folder))
}

fn running_in(folder: &Path) -> Result<Vec<RunRecord>, FileError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(FileError::new("read", folder, error)),
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let files = paths.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    let mut found: Vec<RunRecord> = files.filter_map(|file| at_work(&file)).collect();
    found.sort_by_key(|record| record.pid);
    Ok(found)
}

/// The record in a file, if its process lives; else the file goes.
fn at_work(file: &Path) -> Option<RunRecord> {
    let is_free = File::open(lock_of(file)).map_or(true, |lock| {
        !matches!(lock.try_lock(), Err(TryLockError::WouldBlock))
    });
    if is_free {
        remove(file);
        return None;
    }
    serde_json::from_slice(&fs::read(file).ok()?).ok()
}

fn remove(file: &Path) {
    // What is left does no harm: nobody has it locked.
    let _ = fs::remove_file(file);
    let _ = fs::remove_file(lock_of(file));
}

fn lock_of(file: &Path) -> PathBuf {
    file.with_extension("lock")
}

fn folder() -> Option<PathBuf> {
    Some(state_home()?.join("straylight/runs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_listed_while_they_are_at_work() {
        let folder = tempfile::tempdir().unwrap();
        let listed = || running_in(folder.path()).unwrap();
        assert_eq!(running_in(&folder.path().join("none")).unwrap(), []);
        let gone = RunRecord {
            pid: 1,
            deployment: "/d".into(),
            sources: vec!["gate".to_owned()],
            reloads: 0,
            error: None,
        };
        fs::write(
            folder.path().join("1.json"),
            serde_json::to_vec(&gone).unwrap(),
        )
        .unwrap();
        fs::write(folder.path().join("1.lock"), "").unwrap();
        let sources = vec!["yard".to_owned()];
        let mut entry = RunEntry::create_in(folder.path(), folder.path(), sources).unwrap();
        assert_eq!(listed(), [entry.record.clone()]);
        assert!(
            !folder.path().join("1.json").exists(),
            "left by a process that is gone"
        );
        entry.reloaded(Some("no such label".to_owned())).unwrap();
        let record = listed().remove(0);
        assert_eq!(
            (record.reloads, record.error.as_deref()),
            (1, Some("no such label"))
        );
        drop(entry);
        assert_eq!(listed(), []);
    }
}
