use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::{Transaction, params};
use straylight_core::ContentHash;

use super::record::{VideoFormat, VideoRecord};
use crate::clock::to_micros;
use crate::error::{Fault, StoreError};
use crate::files::{self, FileFormat, FileKey};
use crate::id::{self, object_id};
use crate::store::Store;
use crate::{dataset, usage};

/// The greatest length of a video's name in characters.
const MAX_NAME: usize = 1000;

/// A new, empty file on the store's disk; removed when it is dropped without being added.
#[derive(Debug)]
pub struct PendingFile {
    path: PathBuf,
}

impl PendingFile {
    /// Where it is; whoever has it may write into it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The error of somebody who could not write into it.
    pub fn write_error(&self, source: io::Error) -> StoreError {
        StoreError::io("write", &self.path, source)
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        // Gone already when it was added; what cannot be removed is collected at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// A video to be added.
#[derive(Debug, Clone, PartialEq)]
pub struct NewVideo {
    /// Its name without extension, at most 1000 characters; need not be unique.
    pub name: String,
    /// Container of the file.
    pub format: VideoFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How many frames it has, at least 1.
    pub frame_count: u64,
    /// Frames a second, greater than 0.
    pub frame_rate: f64,
    /// Length in seconds.
    pub duration: f64,
}

impl Store {
    /// A file on the store's disk for what is too long for the memory.
    pub fn pending_file(&self) -> Result<PendingFile, StoreError> {
        let name = format!("{}.part", id::suffix()?);
        let path = self.files().pending_dir().join(name);
        files::create(&path)?;
        Ok(PendingFile { path })
    }

    /// Adds a video to a dataset: first its file, then its row, each whole or not at all.
    ///
    /// The file must be complete and closed. Durable when it returns.
    pub fn add_video(
        &self,
        dataset_id: &str,
        new: &NewVideo,
        file: &PendingFile,
    ) -> Result<VideoRecord, StoreError> {
        check(new)?;
        let (hash, size) = hash(&file.path).map_err(|e| StoreError::io("read", &file.path, e))?;
        let key = FileKey {
            hash,
            format: FileFormat::Video(new.format),
        };
        let note = self.files().put_pending(key, &file.path)?;
        let added = self.db().write(|db| {
            // A clean-up of an equal video may have taken the file between the two steps.
            if !self.files().path(key).is_file() {
                let path = self.files().path(key);
                let source = io::Error::from(io::ErrorKind::NotFound);
                return Err(StoreError::io("keep", &path, source).into());
            }
            let id = insert(db, dataset_id, new, (key, size), self.clock().now());
            if id.is_err() {
                self.remove_if_unused(db, key)?;
            }
            id
        });
        note.settle();
        let id = added?;
        self.after_write()?;
        self.video(&id)
    }
}

fn insert(
    db: &Transaction<'_>,
    dataset_id: &str,
    new: &NewVideo,
    (key, size): (FileKey, u64),
    now: straylight_core::Timestamp,
) -> Result<String, Fault> {
    let (dataset, _) = dataset::find(db, dataset_id)?;
    usage::check(db, dataset, size)?;
    let id = object_id(now)?;
    db.execute(
        "INSERT INTO video (id, dataset, name, format, hash, width, height, size, uploaded_at,
             frame_count, frame_rate, duration)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            id,
            dataset,
            new.name,
            key.format.extension(),
            key.hash.0,
            new.width,
            new.height,
            size as i64,
            to_micros(now),
            new.frame_count as i64,
            new.frame_rate,
            new.duration,
        ],
    )?;
    Ok(id)
}

/// Hash and length of a file of any size.
fn hash(path: &Path) -> io::Result<(ContentHash, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 18];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            return Ok((ContentHash(*hasher.finalize().as_bytes()), size));
        };
        hasher.update(part);
        size += read as u64;
    }
}

fn check(new: &NewVideo) -> Result<(), StoreError> {
    if (1..=MAX_NAME).contains(&new.name.chars().count()) {
        return Ok(());
    }
    Err(StoreError::BadName {
        what: "video name",
        value: new.name.chars().take(40).collect(),
        limit: MAX_NAME,
    })
}
