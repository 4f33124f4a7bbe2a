use std::{fs, io};

use straylight_core::ContentHash;

use crate::error::StoreError;
use crate::files;
use crate::store::Store;

/// The longest sides in pixels in which thumbnails are kept.
const SIDES: [u32; 3] = [128, 256, 512];

impl Store {
    /// The thumbnail of an image as a JPEG file, made by `make` from the image's file when
    /// it is not there yet, and kept.
    ///
    /// `side` is the longest side in pixels that is wanted; the next greater of 128, 256 and
    /// 512 is made, so that few different ones are kept.
    ///
    /// # Errors
    ///
    /// `make` fails with its own error, which comes back inside `Ok(Err(_))`.
    pub fn thumbnail<E>(
        &self,
        image_id: &str,
        side: u32,
        make: impl FnOnce(&[u8], u32) -> Result<Vec<u8>, E>,
    ) -> Result<Result<Vec<u8>, E>, StoreError> {
        let image = self.image(image_id)?;
        let fitting = SIDES.into_iter().find(|&s| s >= side);
        let side = fitting.unwrap_or(SIDES[SIDES.len() - 1]);
        self.kept_thumbnail(image.hash, side, || {
            Ok(make(&self.image_bytes(image_id)?, side))
        })
    }

    /// The file that is kept for a hash, made when it is not there.
    pub(crate) fn kept_thumbnail<E>(
        &self,
        hash: ContentHash,
        side: u32,
        make: impl FnOnce() -> Result<Result<Vec<u8>, E>, StoreError>,
    ) -> Result<Result<Vec<u8>, E>, StoreError> {
        let path = self.files().thumbnail_path(hash, side);
        match fs::read(&path) {
            Ok(bytes) => return Ok(Ok(bytes)),
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io("read", &path, e));
            }
            Err(_) => {}
        }
        let made = make()?;
        if let Ok(bytes) = &made {
            self.files().write_atomically(&path, bytes)?;
        }
        Ok(made)
    }

    pub(crate) fn remove_thumbnails(&self, hash: ContentHash) -> Result<(), StoreError> {
        SIDES
            .into_iter()
            .try_for_each(|side| files::remove(&self.files().thumbnail_path(hash, side)))
    }
}
