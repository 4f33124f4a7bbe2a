use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use straylight_core::{EncodedImage, ImageFormat};
use straylight_files::{FileError, create_folder, sync_folder};

use crate::event::EventId;

/// The images of the events in a queue, one file each.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
}

impl Spool {
    pub(super) fn open(queue: &Path) -> Result<Self, FileError> {
        let folder = queue.join("spool");
        create_folder(&folder)?;
        sync_folder(queue)?;
        Ok(Self { folder })
    }

    /// Writes and syncs an image unless it is there; its name is durable after [`Spool::sync`].
    ///
    /// Says whether the file is new. Half a file is never left behind, so one of full length is
    /// the image.
    pub(super) fn put(&self, id: EventId, image: &EncodedImage) -> Result<bool, FileError> {
        let path = self.path(id, image.format);
        let length = image.bytes.len() as u64;
        if path.metadata().is_ok_and(|data| data.len() == length) {
            return Ok(false);
        }
        let write = |path: &Path| -> io::Result<()> {
            let mut file = File::create(path)?;
            file.write_all(&image.bytes)?;
            file.sync_all()
        };
        write(&path).map(|()| true).map_err(|source| {
            // On a full disk the part that was written would only be in the way.
            let _ = fs::remove_file(&path);
            FileError::new("write", &path, source)
        })
    }

    pub(super) fn sync(&self) -> Result<(), FileError> {
        sync_folder(&self.folder)
    }

    pub(super) fn get(&self, id: EventId, format: ImageFormat) -> Result<EncodedImage, FileError> {
        let bytes = straylight_files::read(&self.path(id, format))?;
        Ok(EncodedImage {
            format,
            bytes: bytes.into(),
        })
    }

    /// Removes the image of an event whose row is gone; a leftover goes at the next start.
    pub(super) fn remove(&self, id: EventId) {
        for format in ImageFormat::ALL {
            if fs::remove_file(self.path(id, format)).is_ok() {
                return;
            }
        }
    }

    /// Gives the room of a delivered event's image back while its row cannot be removed.
    pub(super) fn spend(&self, id: EventId) {
        for format in ImageFormat::ALL {
            let path = self.path(id, format);
            if File::options()
                .write(true)
                .truncate(true)
                .open(path)
                .is_ok()
            {
                return;
            }
        }
    }

    /// Whether the event was delivered and only its row is left.
    pub(super) fn is_spent(&self, id: EventId) -> bool {
        let length = |format| self.path(id, format).metadata().map(|data| data.len());
        ImageFormat::ALL
            .into_iter()
            .any(|format| length(format).is_ok_and(|length| length == 0))
    }

    /// Removes all images but those of these events.
    pub(super) fn keep_only(&self, known: &BTreeSet<EventId>) -> Result<(), FileError> {
        let failed = |source| FileError::new("read the folder", &self.folder, source);
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let id = path
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse().ok());
            if !id.is_some_and(|id| known.contains(&id)) {
                fs::remove_file(&path).map_err(|source| FileError::new("remove", &path, source))?;
            }
        }
        Ok(())
    }

    fn path(&self, id: EventId, format: ImageFormat) -> PathBuf {
        self.folder.join(format!("{id}.{}", format.extension()))
    }
}
