//! Image and video files by content. See the crate's documentation for the invariants.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use straylight_core::{ContentHash, ImageFormat};
use straylight_files::{create_private_folder, private_file, sync_folder};

use crate::error::StoreError;
use crate::id;
use crate::video::VideoFormat;

/// Names one file: the hash of its bytes and its format's extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileKey {
    pub(crate) hash: ContentHash,
    pub(crate) format: FileFormat,
}

/// What a file is; no extension of an image is one of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFormat {
    Image(ImageFormat),
    Video(VideoFormat),
}

impl FileFormat {
    /// The format whose usual extension this is.
    pub(crate) fn from_extension(name: &str) -> Option<Self> {
        let video = || VideoFormat::from_extension(name).map(Self::Video);
        image_format(name).map(Self::Image).or_else(video)
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Image(format) => format.extension(),
            Self::Video(format) => format.extension(),
        }
    }

    /// The directory below the store's in which such files lie.
    fn dir(self) -> &'static str {
        match self {
            Self::Image(_) => "images",
            Self::Video(_) => "videos",
        }
    }
}

impl FileKey {
    /// `<hash>.<extension>`
    pub(crate) fn file_name(self) -> String {
        format!("{}.{}", self.hash.to_hex(), self.format.extension())
    }

    /// Reads what [`FileKey::file_name`] wrote, from the front of a longer name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let hash = hash_from_hex(parts.next()?)?;
        let format = FileFormat::from_extension(parts.next()?)?;
        Some(Self { hash, format })
    }
}

/// The image format whose usual extension this is.
pub(crate) fn image_format(name: &str) -> Option<ImageFormat> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, Tiff, WebP};
    [Jpeg, Png, WebP, Bmp, Tiff, Gif]
        .into_iter()
        .find(|format| format.extension() == name)
}

fn hash_from_hex(text: &str) -> Option<ContentHash> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut hash = [0; 32];
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(ContentHash(hash))
}

/// The directories of image files, thumbnails and pending work.
pub(crate) struct Files {
    root: PathBuf,
}

impl Files {
    /// Uses `root`, in which the directories must exist or can be made.
    pub(crate) fn new(root: &Path) -> Result<Self, StoreError> {
        let files = Self {
            root: root.to_owned(),
        };
        create_private_folder(&files.pending_dir())?;
        make_shards(&root.join("images"))?;
        Ok(files)
    }

    /// Where the file of an image or a video lies.
    pub(crate) fn path(&self, key: FileKey) -> PathBuf {
        let name = key.file_name();
        self.root.join(key.format.dir()).join(&name[..2]).join(name)
    }

    /// Where the thumbnail of an image lies once it was made.
    pub(crate) fn thumbnail_path(&self, hash: ContentHash, side: u32) -> PathBuf {
        let hash = hash.to_hex();
        let name = format!("{hash}-{side}.jpg");
        self.root.join("thumbnails").join(&hash[..2]).join(name)
    }

    /// Where files are written before they get their names.
    pub(crate) fn pending_dir(&self) -> PathBuf {
        self.root.join("pending")
    }

    /// Makes sure that the image file is on the disk, synced.
    ///
    /// The returned note stays in `pending/` until it is settled, so that a crash before the
    /// row is committed leaves a trace of the file.
    pub(crate) fn put_image(&self, key: FileKey, bytes: &[u8]) -> Result<Note, StoreError> {
        let path = self.path(key);
        let note = self.note(key)?;
        if fs::metadata(&path).is_ok_and(|m| m.len() == bytes.len() as u64) {
            return Ok(note);
        }
        self.write_atomically(&path, bytes)?;
        Ok(note)
    }

    /// Moves a file that is in `pending/` to its place, synced, as [`Files::put_image`] does.
    pub(crate) fn put_pending(&self, key: FileKey, pending: &Path) -> Result<Note, StoreError> {
        let path = self.path(key);
        let note = self.note(key)?;
        let dir = path.parent().unwrap_or(&self.root);
        create_private_folder(dir)?;
        let moved = File::open(pending)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(pending, &path));
        moved.map_err(|e| StoreError::io("move", pending, e))?;
        sync_folder(dir)?;
        sync_folder(dir.parent().unwrap_or(dir))?;
        Ok(note)
    }

    /// Writes a private file whole or not at all; it grows in `pending/`, where what a crash
    /// leaves is collected.
    pub(crate) fn write_atomically(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        Ok(straylight_files::write_private(
            path,
            bytes,
            Some(&self.pending_dir()),
        )?)
    }

    fn note(&self, key: FileKey) -> Result<Note, StoreError> {
        let name = format!("{}.{}.note", key.file_name(), id::suffix()?);
        let path = self.pending_dir().join(name);
        create(&path)?;
        Ok(Note { path })
    }
}

/// Says that an image file may have been written for which no row is there yet.
#[derive(Debug)]
#[must_use = "a note that is not settled makes the next start look at its file"]
pub(crate) struct Note {
    path: PathBuf,
}

impl Note {
    /// The row is committed, or the file was looked after: the note is of no more use.
    pub(crate) fn settle(self) {
        // A note that stays costs one look at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes the 256 directories of image files and syncs their names once, not image by image.
fn make_shards(images: &Path) -> Result<(), StoreError> {
    // The last one is there only when all others are.
    if images.join("ff").is_dir() {
        return Ok(());
    }
    for shard in 0..=255_u8 {
        let dir = images.join(format!("{shard:02x}"));
        create_private_folder(&dir)?;
    }
    Ok(sync_folder(images)?)
}

/// Makes a new, empty file that its owner alone may read.
pub(crate) fn create(path: &Path) -> Result<File, StoreError> {
    let file = private_file().write(true).create_new(true).open(path);
    file.map_err(|e| StoreError::io("create", path, e))
}

/// Removes a file; one that is gone already is no error.
pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", path, e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_read_back() {
        let hash = ContentHash::of(b"x");
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff] {
            let format = FileFormat::Image(format);
            let key = FileKey { hash, format };
            assert_eq!(FileKey::parse(&key.file_name()), Some(key));
            assert_eq!(
                FileKey::parse(&format!("{}.ab.note", key.file_name())),
                Some(key)
            );
        }
        for bad in ["", "abc.jpg", "x.part", &format!("{}.exe", hash.to_hex())] {
            assert_eq!(FileKey::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_written_file_is_whole_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let files = Files::new(dir.path()).unwrap();
        let hash = ContentHash::of(b"abc");
        let key = FileKey {
            hash,
            format: FileFormat::Image(ImageFormat::Png),
        };
        files.put_image(key, b"abc").unwrap().settle();
        files.put_image(key, b"abc").unwrap().settle();
        assert_eq!(fs::read(files.path(key)).unwrap(), b"abc");
        assert_eq!(fs::read_dir(files.pending_dir()).unwrap().count(), 0);
    }
}
