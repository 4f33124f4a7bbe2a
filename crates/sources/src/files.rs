//! Folders, watched folders, patterns and lists.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::BufRead;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use straylight_image::{Listed, NoPictures, listed};

use crate::item::{Content, Feed, Item, Sink};
use crate::{SourceError, SourceErrorKind, Stop};

/// Gives the files of a folder in the order of their paths.
pub(crate) struct FolderFeed {
    pub(crate) folder: PathBuf,
    pub(crate) recursive: bool,
}

impl Feed for FolderFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        let mut walk = Walk::new(self.recursive, sink);
        if walk.folder(&self.folder).is_continue() {
            let _ = walk.found.end(&self.folder.display().to_string(), sink);
        }
    }
}

/// What was found in a folder, archive or list so far.
#[derive(Debug, Default)]
pub(crate) struct Found {
    any: bool,
    passed_over: NoPictures,
}

impl Found {
    /// Counts an image, or an error in the place of one.
    pub(crate) fn image(&mut self) {
        self.any = true;
    }

    /// Counts a file that is no picture by design.
    pub(crate) fn no_picture(&mut self, name: &OsStr) {
        self.passed_over.count(name);
    }

    /// Says at the end what was passed over, and that there was nothing else if so.
    pub(crate) fn end(self, place: &str, sink: Sink<'_>) -> ControlFlow<()> {
        if self.passed_over.total() > 0 {
            let kind = SourceErrorKind::PassedOver(self.passed_over);
            sink(Err(SourceError::new(place, kind)))?;
        }
        if !self.any {
            sink(Err(SourceError::new(place, SourceErrorKind::NoImage)))?;
        }
        ControlFlow::Continue(())
    }
}

/// A walk through a folder: one folder after the other, so that a large tree is never listed whole.
struct Walk<'a> {
    recursive: bool,
    sink: Sink<'a>,
    found: Found,
}

impl<'a> Walk<'a> {
    fn new(recursive: bool, sink: Sink<'a>) -> Self {
        Self {
            recursive,
            sink,
            found: Found::default(),
        }
    }

    fn folder(&mut self, folder: &Path) -> ControlFlow<()> {
        let entries = match entries(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.found.image();
                let place = folder.display().to_string();
                return (self.sink)(Err(SourceError::io(place, error)));
            }
        };
        for path in entries {
            self.path(path)?;
        }
        ControlFlow::Continue(())
    }

    fn path(&mut self, path: PathBuf) -> ControlFlow<()> {
        match listed(&path) {
            // A link to a folder above would never end.
            Listed::Folder if path.is_symlink() => {
                self.found.passed_over.count_link();
                ControlFlow::Continue(())
            }
            Listed::Folder if self.recursive => self.folder(&path),
            Listed::Folder => ControlFlow::Continue(()),
            Listed::NoPicture => {
                self.found.no_picture(path.file_name().unwrap_or_default());
                ControlFlow::Continue(())
            }
            Listed::Special(what) => {
                self.found.image();
                (self.sink)(Err(not_a_file(&path, what)))
            }
            Listed::Picture => {
                self.found.image();
                (self.sink)(Ok(file(path)))
            }
        }
    }
}

fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn not_a_file(path: &Path, what: &'static str) -> SourceError {
    let place = path.display().to_string();
    SourceError::new(place, SourceErrorKind::NotAFile(what))
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
        let mut told = Told::default();
        loop {
            let (now, remarks) = looks(&self.folder, self.recursive);
            if told.tell(remarks, sink).is_break() {
                return;
            }
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

/// Files of a look, and what else is there to say of the folder.
type Looked = (BTreeMap<PathBuf, Look>, Vec<SourceError>);

/// A folder that cannot be read for the moment is empty: a watch outlives it.
fn looks(folder: &Path, recursive: bool) -> Looked {
    let (mut looks, mut remarks) = (BTreeMap::new(), Vec::new());
    let mut keep = |item: Result<Item, SourceError>| {
        match item {
            Ok(Item {
                content: Content::File(path),
                ..
            }) => {
                if let Ok(metadata) = path.metadata() {
                    looks.insert(path, (metadata.len(), metadata.modified().ok()));
                }
            }
            Err(error) if matches!(error.kind(), SourceErrorKind::NotAFile(_)) => {
                remarks.push(error);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    };
    let mut walk = Walk::new(recursive, &mut keep);
    let _ = walk.folder(folder);
    let passed_over = walk.found.passed_over;
    if passed_over.total() > 0 {
        let place = folder.display().to_string();
        let kind = SourceErrorKind::PassedOver(passed_over);
        remarks.push(SourceError::new(place, kind));
    }
    (looks, remarks)
}

/// What a watch has said already: each pipe is named once, and so is the first count of files that
/// are no pictures; a count for every new file would hide the rest.
#[derive(Default)]
struct Told(BTreeSet<String>);

impl Told {
    fn tell(&mut self, remarks: Vec<SourceError>, sink: Sink<'_>) -> ControlFlow<()> {
        for remark in remarks {
            if self.0.insert(remark.place().to_owned()) {
                sink(Err(remark))?;
            }
        }
        ControlFlow::Continue(())
    }
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
        let mut found = Found::default();
        let mut any = false;
        for path in self.paths {
            any = true;
            let given = match path {
                Ok(path) => named(path, false, &mut found, sink),
                Err(error) => {
                    found.image();
                    let place = error.path().display().to_string();
                    sink(Err(SourceError::io(place, error.into())))
                }
            };
            if given.is_break() {
                return;
            }
        }
        if any {
            let _ = found.end(&self.pattern, sink);
        } else {
            let kind = SourceErrorKind::NothingFits;
            let _ = sink(Err(SourceError::new(self.pattern, kind)));
        }
    }
}

/// Gives a file that a pattern or a list names. `folders` says whether a folder is worth an error;
/// one that is called like a picture always is.
fn named(path: PathBuf, folders: bool, found: &mut Found, sink: Sink<'_>) -> ControlFlow<()> {
    match listed(&path) {
        Listed::NoPicture => {
            found.no_picture(path.file_name().unwrap_or_default());
            ControlFlow::Continue(())
        }
        Listed::Folder if !folders && path.extension().is_none() => ControlFlow::Continue(()),
        Listed::Folder => {
            found.image();
            sink(Err(not_a_file(&path, "a folder")))
        }
        Listed::Special(what) => {
            found.image();
            sink(Err(not_a_file(&path, what)))
        }
        Listed::Picture => {
            found.image();
            sink(Ok(file(path)))
        }
    }
}

/// Gives the files that are named one a line.
pub(crate) struct ListFeed<R> {
    pub(crate) lines: R,
}

impl<R: BufRead + Send> Feed for ListFeed<R> {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        let mut found = Found::default();
        for (index, line) in self.lines.lines().enumerate() {
            let given = match line {
                Ok(line) if line.trim().is_empty() => continue,
                Ok(line) => {
                    let path = PathBuf::from(line.trim_end_matches('\r'));
                    named(path, true, &mut found, sink)
                }
                Err(error) => {
                    let place = format!("standard input, line {}", index + 1);
                    let _ = sink(Err(SourceError::new(place, SourceErrorKind::Read(error))));
                    return;
                }
            };
            if given.is_break() {
                return;
            }
        }
        let _ = found.end("standard input", sink);
    }
}

/// Gives these files.
pub(crate) struct FilesFeed {
    pub(crate) paths: Vec<PathBuf>,
}

impl Feed for FilesFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        for path in self.paths {
            if sink(Ok(file(path))).is_break() {
                return;
            }
        }
    }
}
