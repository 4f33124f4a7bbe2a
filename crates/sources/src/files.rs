//! Folders, watched folders, patterns and lists.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::item::{Content, Feed, Item, Sink};
use crate::{SourceError, SourceErrorKind, Stop};

/// Gives the files of a folder in the order of their paths.
///
/// Hidden files and folders (a dot before their names) are left out: they are the system's.
pub(crate) struct FolderFeed {
    pub(crate) folder: PathBuf,
    pub(crate) recursive: bool,
}

impl Feed for FolderFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        let _ = walk(&self.folder, self.recursive, sink);
    }
}

/// Looks at one folder after the other, so that a large tree is never listed as a whole.
fn walk(folder: &Path, recursive: bool, sink: Sink<'_>) -> ControlFlow<()> {
    let entries = match entries(folder) {
        Ok(entries) => entries,
        Err(error) => return sink(Err(SourceError::io(folder.display().to_string(), error))),
    };
    for path in entries {
        match path.metadata() {
            // A link to a folder above would never end.
            Ok(metadata) if metadata.is_dir() => {
                if recursive && !path.is_symlink() {
                    walk(&path, recursive, sink)?;
                }
            }
            _ => sink(Ok(file(path)))?,
        }
    }
    ControlFlow::Continue(())
}

fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn file(path: PathBuf) -> Item {
    Item {
        place: path.display().to_string(),
        content: Content::File(path),
    }
}

/// Gives the files of a folder, then new and changed ones as they come.
///
/// A file counts as complete when two looks find the same size and time; until then a camera
/// or a copy may still be writing it.
pub(crate) struct WatchFeed {
    pub(crate) folder: PathBuf,
    pub(crate) recursive: bool,
    pub(crate) interval: Duration,
    pub(crate) stop: Stop,
}

/// Size and time of a file at one look.
type Look = (u64, Option<SystemTime>);

impl Feed for WatchFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        let mut given: BTreeMap<PathBuf, Look> = BTreeMap::new();
        let mut before: BTreeMap<PathBuf, Look> = BTreeMap::new();
        loop {
            let now = looks(&self.folder, self.recursive);
            for (path, look) in &now {
                let complete = before.get(path) == Some(look);
                if complete && given.get(path) != Some(look) {
                    given.insert(path.clone(), *look);
                    if sink(Ok(file(path.clone()))).is_break() {
                        return;
                    }
                }
            }
            given.retain(|path, _| now.contains_key(path));
            before = now;
            if self.stop.wait(self.interval) {
                return;
            }
        }
    }
}

/// A folder that cannot be read for the moment is empty: a watch outlives it.
fn looks(folder: &Path, recursive: bool) -> BTreeMap<PathBuf, Look> {
    let mut looks = BTreeMap::new();
    let mut keep = |item: Result<Item, SourceError>| {
        if let Ok(Item {
            content: Content::File(path),
            ..
        }) = item
            && let Ok(metadata) = path.metadata()
        {
            looks.insert(path, (metadata.len(), metadata.modified().ok()));
        }
        ControlFlow::Continue(())
    };
    let _ = walk(folder, recursive, &mut keep);
    looks
}

/// Gives the files that fit a pattern, in alphabetical order.
pub(crate) struct GlobFeed {
    pub(crate) pattern: String,
    pub(crate) paths: glob::Paths,
}

impl GlobFeed {
    pub(crate) fn new(pattern: String) -> Result<Self, SourceError> {
        match glob::glob(&pattern) {
            Ok(paths) => Ok(Self { pattern, paths }),
            Err(error) => {
                let reason = SourceErrorKind::Pattern(error.to_string());
                Err(SourceError::new(pattern, reason))
            }
        }
    }
}

impl Feed for GlobFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        let mut any = false;
        for path in self.paths {
            let item = match path {
                Ok(path) if path.is_dir() => continue,
                Ok(path) => Ok(file(path)),
                Err(error) => {
                    let place = error.path().display().to_string();
                    Err(SourceError::io(place, error.into()))
                }
            };
            any = true;
            if sink(item).is_break() {
                return;
            }
        }
        if !any {
            let _ = sink(Err(SourceError::new(
                self.pattern,
                SourceErrorKind::NothingFits,
            )));
        }
    }
}

/// Gives the files that are named one a line.
pub(crate) struct ListFeed<R> {
    pub(crate) lines: R,
}

impl<R: BufRead + Send> Feed for ListFeed<R> {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        for (index, line) in self.lines.lines().enumerate() {
            let item = match line {
                Ok(line) if line.trim().is_empty() => continue,
                Ok(line) => Ok(file(PathBuf::from(line.trim_end_matches('\r')))),
                Err(error) => {
                    let place = format!("standard input, line {}", index + 1);
                    Err(SourceError::new(place, SourceErrorKind::Read(error)))
                }
            };
            let failed = item.is_err();
            if sink(item).is_break() || failed {
                return;
            }
        }
    }
}

/// Gives one file.
pub(crate) struct FileFeed {
    pub(crate) path: PathBuf,
}

impl Feed for FileFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        let _ = sink(Ok(file(self.path)));
    }
}
