//! Several files that appear all or not at all.
//!
//! Each open collection has a folder of its own, `<target>/.staging/<random>`, and holds the
//! lock file `<random>.lock` beside it from before the folder exists until it is gone. The files
//! of an event are written there as `<stem>.<index>.<subfolder>.<extension>`, made durable, and
//! moved to their places (`<subfolder>/<stem>.<extension>`) in the order of their index. The move
//! of the first is the moment of decision: an event whose file 0 is still staged never happened,
//! one whose file 0 is gone is to be finished. (File systems keep the order of their renames, also
//! when the power fails.) Nothing is deleted on the way, as file systems pay for that later.
//!
//! A staging folder whose lock can be had belongs to a process that died. Whoever opens a
//! collection there finishes its work.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use straylight_files::{FileError, create_folder};

use super::durable::Disk;
use crate::action::ActionError;

/// One file of an event: subfolder, extension and content.
pub(super) type Part<'a> = (&'static str, &'static str, Cow<'a, [u8]>);

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

    /// Writes the files of an event beside their places, all or none.
    pub(super) fn stage(&self, stem: &str, files: &[Part<'_>]) -> Result<Staged, FileError> {
        let names = files.iter().enumerate().map(|(index, file)| Name {
            stem,
            index,
            subfolder: file.0,
            extension: file.1,
        });
        let moves = names.map(|name| name.to_move(&self.folder, &self.target));
        let staged = Staged {
            moves: moves.collect(),
            failures: self.disk.failures(),
        };
        let written = staged
            .moves
            .iter()
            .zip(files)
            .try_for_each(|(one, (_, _, bytes))| write_file(&one.from, bytes));
        if written.is_err() {
            staged.remove();
        }
        written.map(|()| staged)
    }

    /// Moves staged events to their places and makes them durable: a result for each, in order.
    ///
    /// Of each event all files are there then, or none. Files of the same stem that are there
    /// already are replaced. The disk is waited for twice, however many the events are.
    pub(super) fn commit(&self, events: Vec<StagedEvent<'_>>) -> Vec<Result<(), ActionError>> {
        let staged = self.synced(events, |one| folder_of(&one.from));
        let moved = staged.into_iter().map(|event| event?.moved()).collect();
        let durable = self.synced(moved, |one| folder_of(&one.to));
        durable.into_iter().map(|event| event.map(drop)).collect()
    }

    /// Waits until the events are on the disk as they are, and takes those back for which it is
    /// in doubt.
    fn synced<'s>(
        &self,
        events: Vec<StagedEvent<'s>>,
        folder: fn(&Move) -> &Path,
    ) -> Vec<StagedEvent<'s>> {
        let moves = events.iter().flatten().flat_map(|staged| &staged.moves);
        let folders: BTreeSet<&Path> = moves.map(folder).collect();
        if folders.is_empty() {
            return events;
        }
        let folders: Vec<&Path> = folders.into_iter().collect();
        let synced = self.disk.sync(&folders).map_err(ActionError::transient);
        let failures = self.disk.failures();
        let settle = |staged: &'s Staged| {
            let result = match &synced {
                Ok(()) if staged.failures != failures => Err(in_doubt()),
                Ok(()) => return Ok(staged),
                Err(error) => Err(error.clone()),
            };
            staged.take_back();
            result
        };
        let events = events.into_iter();
        events.map(|event| event.and_then(settle)).collect()
    }
}

#[cfg(all(test, target_os = "linux"))]
impl Staging {
    pub(super) fn disk(&self) -> &Disk {
        &self.disk
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

/// What the name of a staged file says.
struct Name<'a> {
    stem: &'a str,
    index: usize,
    subfolder: &'a str,
    extension: &'a str,
}

/// A staged file and its place.
#[derive(Debug)]
struct Move {
    from: PathBuf,
    to: PathBuf,
}

impl<'a> Name<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let mut words = name.rsplitn(4, '.');
        let extension = words.next()?;
        let subfolder = words.next()?;
        let index = words.next()?.parse().ok()?;
        let stem = words.next()?;
        Some(Self {
            stem,
            index,
            subfolder,
            extension,
        })
    }

    fn to_move(&self, folder: &Path, target: &Path) -> Move {
        let Self {
            stem,
            index,
            subfolder,
            extension,
        } = self;
        Move {
            from: folder.join(format!("{stem}.{index}.{subfolder}.{extension}")),
            to: target.join(subfolder).join(format!("{stem}.{extension}")),
        }
    }
}

/// The files of one event, written but not yet in their places.
#[derive(Debug)]
pub(super) struct Staged {
    moves: Vec<Move>,
    /// [`Disk::failures`] before the files were written.
    failures: u64,
}

fn in_doubt() -> ActionError {
    ActionError::transient("the disk failed after the files were written; they may be damaged")
}

/// An event on its way through a [`Staging::commit`].
pub(super) type StagedEvent<'s> = Result<&'s Staged, ActionError>;

impl Staged {
    fn moved(&self) -> StagedEvent<'_> {
        let moved = move_all(&self.moves);
        if moved.is_err() {
            self.take_back();
        }
        moved.map(|()| self).map_err(ActionError::transient)
    }

    /// Removes what is staged, from the last file to the first, as [`finish`] does.
    ///
    /// It ends at what cannot be removed; the rest goes when the folder is opened next.
    fn remove(&self) {
        let removed = |one: &Move| is_gone(fs::remove_file(&one.from));
        let _ = self.moves.iter().rev().all(removed);
    }

    /// Removes all files of the event, those that were moved already and those that were not.
    ///
    /// From the last to the first, and not beyond one that stays where it is: whoever opens the
    /// folder next, also if this process dies meanwhile, finds an event that is still to be
    /// finished or one that never happened.
    fn take_back(&self) {
        let staged_again =
            |one: &Move| one.from.exists() || is_gone(fs::rename(&one.to, &one.from));
        if self.moves.iter().rev().all(staged_again) {
            self.remove();
        }
    }
}

/// Whether what should go is no longer there.
fn is_gone(result: io::Result<()>) -> bool {
    result.map_or_else(|error| error.kind() == ErrorKind::NotFound, |()| true)
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        Disk::written(&file)
    };
    write().map_err(|source| FileError::new("write", path, source))
}

/// Moves staged files to their places, in their order.
fn move_all<'a>(moves: impl IntoIterator<Item = &'a Move>) -> Result<(), FileError> {
    for Move { from, to } in moves {
        match fs::rename(from, to) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create_folder(folder_of(to))?;
                rename(from, to)?;
            }
            other => other.map_err(|source| FileError::new("write", to, source))?,
        }
    }
    Ok(())
}

fn folder_of(place: &Path) -> &Path {
    place.parent().unwrap_or(place)
}

fn finish_if_dead(target: &Path, folder: &Path, disk: &Disk) -> Result<(), FileError> {
    let lock = open_lock(folder)?;
    match lock.try_lock() {
        Ok(()) => finish(target, folder, disk),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(source)) => Err(FileError::new("lock", folder, source)),
    }
}

/// Finishes the events that were decided, and removes the others.
///
/// From their last file to their first, which says that they never happened: who takes over when
/// this process dies as well must not see it missing while others are there.
fn finish(target: &Path, folder: &Path, disk: &Disk) -> Result<(), FileError> {
    let removed = |path: &Path, result: io::Result<()>| {
        result.map_err(|source| FileError::new("remove", path, source))
    };
    for moves in left_in(folder, target)?.values() {
        if moves.contains_key(&0) {
            for Move { from, .. } in moves.values().rev() {
                removed(from, fs::remove_file(from))?;
            }
            continue;
        }
        move_all(moves.values())?;
        let folders: Vec<&Path> = moves.values().map(|one| folder_of(&one.to)).collect();
        disk.sync(&folders)?;
    }
    removed(folder, fs::remove_dir_all(folder))?;
    removed(folder, fs::remove_file(lock_of(folder)))
}

/// The files that were staged, by stem and index.
fn left_in(
    folder: &Path,
    target: &Path,
) -> Result<BTreeMap<String, BTreeMap<usize, Move>>, FileError> {
    let mut left: BTreeMap<String, BTreeMap<usize, Move>> = BTreeMap::new();
    for path in read_folder(folder)? {
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.and_then(Name::parse) {
            let moves = left.entry(name.stem.to_owned()).or_default();
            moves.insert(name.index, name.to_move(folder, target));
        }
    }
    Ok(left)
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
