//! Images in zip and tar archives, read entry by entry; nothing is unpacked to disk.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use straylight_core::Timestamp;
use straylight_image::{DecodeLimits, is_hidden, is_no_picture_by_name, sniff};
use tar::EntryType;
use zip::ZipArchive;

use crate::files::Found;
use crate::item::{Content, Feed, Item, Sink};
use crate::{SourceError, SourceErrorKind};

/// Gives the files of a zip archive in the archive's order.
pub(crate) struct ZipFeed {
    pub(crate) path: PathBuf,
    pub(crate) limits: DecodeLimits,
}

impl Feed for ZipFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        let place = self.path.display().to_string();
        let opened = open(&self.path).and_then(|(file, modified)| {
            let archive = ZipArchive::new(BufReader::new(file));
            Ok((
                archive.map_err(|error| archive_error(&place, error))?,
                modified,
            ))
        });
        let (mut archive, modified) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let _ = sink(Err(error));
                return;
            }
        };
        let mut found = Found::default();
        for index in 0..archive.len() {
            let entry = archive
                .by_index(index)
                .map_err(|error| archive_error(&place, error));
            let item = entry.and_then(|entry| {
                let name = entry
                    .name()
                    .map_err(|error| archive_error(&place, error))?
                    .into_owned();
                if entry.is_dir() {
                    return Ok(None);
                }
                if is_of_the_system(&name) {
                    found.no_picture(OsStr::new(".hidden"));
                    return Ok(None);
                }
                if entry.is_symlink() {
                    return Err(not_a_file(&place, &name, "a link"));
                }
                entry_item(&place, &name, entry, modified, &self.limits).map(Some)
            });
            let Some(item) = item.transpose() else {
                continue;
            };
            if given(item, &mut found, sink).is_break() {
                return;
            }
        }
        let _ = found.end(&place, sink);
    }
}

/// Gives an entry, or counts it if it is no picture by design.
fn given(item: Result<Item, SourceError>, found: &mut Found, sink: Sink<'_>) -> ControlFlow<()> {
    if let Ok(Item {
        place,
        content: Content::Bytes { bytes, .. },
    }) = &item
    {
        let name = Path::new(place).file_name().unwrap_or_default();
        if is_no_picture_by_name(name) && sniff(bytes).is_none() {
            found.no_picture(name);
            return ControlFlow::Continue(());
        }
    }
    found.image();
    sink(item)
}

/// Gives the files of a tar archive, plain or compressed, in the archive's order.
pub(crate) struct TarFeed {
    pub(crate) path: PathBuf,
    pub(crate) limits: DecodeLimits,
}

impl Feed for TarFeed {
    fn feed(self: Box<Self>, sink: Sink<'_>) {
        if let Err(error) = self.entries(sink) {
            let _ = sink(Err(error));
        }
    }
}

impl TarFeed {
    /// A tar that is damaged in one place cannot be followed beyond it.
    fn entries(&self, sink: Sink<'_>) -> Result<(), SourceError> {
        let place = self.path.display().to_string();
        let failed = |error: std::io::Error| archive_error(&place, error);
        let (file, modified) = open(&self.path)?;
        let mut archive = tar::Archive::new(plain(BufReader::new(file)).map_err(failed)?);
        let mut found = Found::default();
        for entry in archive.entries().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.path().map_err(failed)?.to_string_lossy().into_owned();
            let kind = entry.header().entry_type();
            if is_of_the_system(&name) {
                found.no_picture(OsStr::new(".hidden"));
                continue;
            }
            let item = match special_entry(kind) {
                Some(what) => Err(not_a_file(&place, &name, what)),
                // Folders, and the notes that some programs add.
                None if !kind.is_file() && !kind.is_contiguous() => continue,
                None => {
                    let time = entry.header().mtime().ok().and_then(seconds_since_1970);
                    let time = time.unwrap_or(modified);
                    entry_item(&place, &name, entry, time, &self.limits)
                }
            };
            if given(item, &mut found, sink).is_break() {
                return Ok(());
            }
        }
        let _ = found.end(&place, sink);
        Ok(())
    }
}

/// Looks through gzip, if it is gzip.
fn plain(mut file: BufReader<File>) -> std::io::Result<Box<dyn Read>> {
    let start = std::io::BufRead::fill_buf(&mut file)?;
    if start.starts_with(&[0x1f, 0x8b]) {
        Ok(Box::new(MultiGzDecoder::new(file)))
    } else {
        Ok(Box::new(file))
    }
}

fn open(path: &Path) -> Result<(File, Timestamp), SourceError> {
    let failed = |error| SourceError::io(path.display().to_string(), error);
    let file = File::open(path).map_err(failed)?;
    let modified = file
        .metadata()
        .and_then(|metadata| metadata.modified())
        .map_err(failed)?;
    Ok((file, Timestamp::try_from(modified).unwrap_or_default()))
}

fn archive_error(place: &str, error: impl std::fmt::Display) -> SourceError {
    SourceError::new(place, SourceErrorKind::Archive(error.to_string()))
}

/// The system's files: `.DS_Store` and the doubles that macOS adds to archives.
fn is_of_the_system(name: &str) -> bool {
    name.split('/')
        .any(|part| part != "." && is_hidden(OsStr::new(part)))
}

/// An entry that is neither a file nor a folder, in words.
fn special_entry(kind: EntryType) -> Option<&'static str> {
    match kind {
        EntryType::Link | EntryType::Symlink => Some("a link"),
        EntryType::Fifo => Some("a named pipe"),
        EntryType::Char | EntryType::Block => Some("a device"),
        _ => None,
    }
}

fn not_a_file(archive: &str, name: &str, what: &'static str) -> SourceError {
    let kind = SourceErrorKind::NotAFile(what);
    SourceError::new(format!("{archive}: {name}"), kind)
}

/// Archives that shall be the same every time have no times: 0 is not one.
fn seconds_since_1970(seconds: u64) -> Option<Timestamp> {
    let seconds = i64::try_from(seconds).ok().filter(|&seconds| seconds > 0)?;
    Timestamp::from_second(seconds).ok()
}

/// One byte more than allowed is read at most, whatever size the archive claims.
fn entry_item(
    archive: &str,
    name: &str,
    entry: impl Read,
    captured_at: Timestamp,
    limits: &DecodeLimits,
) -> Result<Item, SourceError> {
    let place = format!("{archive}: {name}");
    let mut bytes = Vec::new();
    let read = entry
        .take(limits.max_file_bytes.saturating_add(1))
        .read_to_end(&mut bytes);
    read.map_err(|error| archive_error(&place, error))?;
    let stem = Path::new(name)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(Item {
        place,
        content: Content::Bytes {
            bytes,
            name: stem,
            captured_at,
        },
    })
}
