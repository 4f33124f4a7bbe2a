//! Several files that appear all or not at all.
//!
//! Each open collection has a folder of its own, `<target>/.staging/<random>`, and holds the
//! lock file `<random>.lock` beside it from before the folder exists until it is gone. The files
//! of one event are written and synced into `<stem>.part/`, each named after the subfolder it is
//! for (`images.png`). Renaming that to `<stem>.ready` is the moment of decision: what is ready
//! is moved to its places (`images/<stem>.png`), and what is not is removed.
//!
//! A staging folder whose lock can be had belongs to a process that died. Whoever opens a
//! collection there finishes its work: events that are ready are moved, others are removed.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use straylight_files::{FileError, create_folder};

use super::durable::Disk;

/// One file of an event: subfolder, extension and content.
pub(super) type Part = (&'static str, &'static str, Vec<u8>);

/// How often a staging folder is tried to be made while another process removes its parent.
const TRIES: usize = 8;

/// The staging folder of one open collection.
#[derive(Debug)]
pub(super) struct Staging {
    target: PathBuf,
    folder: PathBuf,
    disk: Disk,
    _lock: File,
}

impl Staging {
    /// Finishes what dead processes left in the target folder, and opens a staging folder.
    pub(super) fn open(target: &Path) -> Result<Self, FileError> {
        let root = target.join(".staging");
        let mut result = Self::try_open(target, &root);
        for _ in 1..TRIES {
            match result {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    result = Self::try_open(target, &root);
                }
                other => return other,
            }
        }
        result
    }

    fn try_open(target: &Path, root: &Path) -> Result<Self, FileError> {
        create_folder(root)?;
        let disk = Disk::of(target)?;
        for entry in read_folder(root)?.iter().filter(|entry| entry.is_dir()) {
            finish_if_dead(target, entry, &disk)?;
        }
        let folder = root.join(format!("{:016x}", fastrand::u64(..)));
        let lock = open_lock(&folder)?;
        lock.lock()
            .map_err(|source| FileError::new("lock", &folder, source))?;
        create_folder(&folder)?;
        Ok(Self {
            target: target.to_owned(),
            folder,
            disk,
            _lock: lock,
        })
    }

    /// Writes all of the files, in this order, or none.
    ///
    /// Files of the same stem that are there already are replaced.
    pub(super) fn write_all(&self, stem: &str, files: &[Part]) -> Result<(), FileError> {
        let part = self.folder.join(format!("{stem}.part"));
        let ready = self.folder.join(format!("{stem}.ready"));
        let staged = stage(&part, files, &self.disk).and_then(|()| rename(&part, &ready));
        let moved = staged.and_then(|()| {
            let names: Vec<PathBuf> = files.iter().map(name_of).collect();
            move_all(&self.target, &ready, stem, &names, &self.disk)
        });
        if moved.is_err() {
            self.take_back(&ready, stem, files);
        }
        // What cannot be removed now is removed when the folder is opened next.
        let _ = fs::remove_dir_all(if moved.is_ok() { &ready } else { &part });
        moved
    }

    /// Undoes a move that failed halfway: none of the files stays in its place.
    fn take_back(&self, ready: &Path, stem: &str, files: &[Part]) {
        for name in files.iter().map(name_of).filter(|_| ready.exists()) {
            if !ready.join(&name).exists() {
                let _ = fs::remove_file(self.target.join(place_of(&name, stem)));
            }
        }
        let _ = fs::remove_dir_all(ready);
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed is finished by whoever opens the collection next.
        if fs::remove_dir(&self.folder).is_ok() {
            let _ = fs::remove_file(lock_of(&self.folder));
            let _ = fs::remove_dir(self.target.join(".staging"));
        }
    }
}

/// The name of a staged file: its subfolder with its extension.
fn name_of((folder, extension, _): &Part) -> PathBuf {
    Path::new(folder).with_extension(extension)
}

/// Where a staged file goes, relative to the target folder.
fn place_of(name: &Path, stem: &str) -> PathBuf {
    let mut file = stem.to_owned();
    if let Some(extension) = name.extension() {
        file = format!("{stem}.{}", extension.display());
    }
    Path::new(name.file_stem().unwrap_or_default()).join(file)
}

fn stage(part: &Path, files: &[Part], disk: &Disk) -> Result<(), FileError> {
    create_folder(part)?;
    let written = files
        .iter()
        .map(|file| write(part.join(name_of(file)), &file.2))
        .collect::<Result<Vec<_>, _>>()?;
    disk.sync(&written, &[part])
}

fn write(path: PathBuf, bytes: &[u8]) -> Result<(PathBuf, File), FileError> {
    let written = File::create(&path).and_then(|mut file| {
        file.write_all(bytes)?;
        Ok(file)
    });
    match written {
        Ok(file) => Ok((path, file)),
        Err(source) => Err(FileError::new("write", path, source)),
    }
}

/// Moves staged files to their places below `target`, and makes the new names durable.
fn move_all(
    target: &Path,
    ready: &Path,
    stem: &str,
    names: &[PathBuf],
    disk: &Disk,
) -> Result<(), FileError> {
    let places: Vec<PathBuf> = names
        .iter()
        .map(|name| target.join(place_of(name, stem)))
        .collect();
    for (name, place) in names.iter().zip(&places) {
        create_folder(place.parent().unwrap_or(target))?;
        rename(&ready.join(name), place)?;
    }
    let folders: Vec<&Path> = places.iter().filter_map(|place| place.parent()).collect();
    disk.sync(&[], &folders)
}

fn finish_if_dead(target: &Path, folder: &Path, disk: &Disk) -> Result<(), FileError> {
    let lock = open_lock(folder)?;
    match lock.try_lock() {
        Ok(()) => finish(target, folder, disk),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(source)) => Err(FileError::new("lock", folder, source)),
    }
}

fn finish(target: &Path, folder: &Path, disk: &Disk) -> Result<(), FileError> {
    for ready in read_folder(folder)?
        .iter()
        .filter(|path| has_extension(path, "ready"))
    {
        let stem = ready.file_stem().unwrap_or_default().display().to_string();
        move_all(target, ready, &stem, &names_in(ready)?, disk)?;
    }
    let removed = fs::remove_dir_all(folder).and_then(|()| fs::remove_file(lock_of(folder)));
    removed.map_err(|source| FileError::new("remove", folder, source))
}

/// The staged files of an event; the picture comes last.
fn names_in(ready: &Path) -> Result<Vec<PathBuf>, FileError> {
    let files = read_folder(ready)?;
    let mut names: Vec<PathBuf> = files
        .iter()
        .filter_map(|file| file.file_name())
        .map(PathBuf::from)
        .collect();
    names.sort_by_key(|name| name.file_stem().is_some_and(|stem| stem == "images"));
    Ok(names)
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn read_folder(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let failed = |source| FileError::new("read the folder", folder, source);
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<_>>()
        .map_err(failed)
}

fn lock_of(folder: &Path) -> PathBuf {
    folder.with_extension("lock")
}

fn open_lock(folder: &Path) -> Result<File, FileError> {
    let path = lock_of(folder);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    file.map_err(|source| FileError::new("open", path, source))
}

fn rename(from: &Path, to: &Path) -> Result<(), FileError> {
    fs::rename(from, to).map_err(|source| FileError::new("write", to, source))
}
