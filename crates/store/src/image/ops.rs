use std::{fs, io};

use rusqlite::{Connection, OptionalExtension, params};

use super::record::{COLUMNS, ImageRecord, Review};
use crate::clock::to_micros;
use crate::dataset;
use crate::error::{Fault, StoreError};
use crate::store::Store;

impl Store {
    /// The image of this identifier.
    pub fn image(&self, id: &str) -> Result<ImageRecord, StoreError> {
        self.db().read(|db| {
            let query = format!(
                "SELECT {COLUMNS} FROM image JOIN dataset ON dataset.seq = image.dataset
                 WHERE image.id = ?1"
            );
            let mut statement = db.prepare_cached(&query)?;
            let found = statement.query_row([id], ImageRecord::read).optional()?;
            Ok(found.ok_or_else(|| StoreError::not_found("image", id))?)
        })
    }

    /// The bytes of an image's file, as they were added.
    ///
    /// # Errors
    ///
    /// [`StoreError::MissingFile`] when somebody took the file away.
    pub fn image_bytes(&self, id: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.image_path(id)?;
        fs::read(&path).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => StoreError::MissingFile {
                id: id.to_owned(),
                path: path.clone(),
            },
            _ => StoreError::io("read", &path, e),
        })
    }

    /// Where the file of an image lies; it must not be changed.
    pub fn image_path(&self, id: &str) -> Result<std::path::PathBuf, StoreError> {
        Ok(self.files().path(self.image(id)?.file()))
    }

    /// Writes down what a person decided about an image.
    pub fn set_review(&self, id: &str, review: Review) -> Result<(), StoreError> {
        self.db().write(|db| {
            let seq = find_seq(db, id)?;
            self::review(db, seq, review.code())
        })?;
        self.after_write()
    }

    /// Moves an image with all that belongs to it into another dataset of the same project.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when the image, or the dataset in its project, is not there.
    pub fn move_image(&self, id: &str, dataset_id: &str) -> Result<(), StoreError> {
        self.db().write(|db| {
            let seq = find_seq(db, id)?;
            move_to(db, seq, dataset_id)
        })?;
        self.after_write()
    }

    /// Deletes an image with its annotation, prediction, features and, if no other has it, its
    /// file and thumbnails. What was sent before does not bring it back.
    pub fn delete_image(&self, id: &str) -> Result<(), StoreError> {
        let now = to_micros(self.clock().now());
        self.db().write(|db| {
            let seq = find_seq(db, id)?;
            db.execute(
                "INSERT OR REPLACE INTO deleted_key
                     SELECT origin, idempotency_key, ?2 FROM image
                     WHERE seq = ?1 AND idempotency_key IS NOT NULL",
                params![seq, now],
            )?;
            db.execute("DELETE FROM image WHERE seq = ?1", [seq])?;
            Ok(())
        })?;
        self.sweep_garbage()?;
        self.after_write()
    }
}

/// The row number of an image.
pub(crate) fn find_seq(db: &Connection, id: &str) -> Result<i64, Fault> {
    let mut statement = db.prepare_cached("SELECT seq FROM image WHERE id = ?1")?;
    let found = statement.query_row([id], |row| row.get(0)).optional()?;
    Ok(found.ok_or_else(|| StoreError::not_found("image", id))?)
}

/// Writes down what was decided about an image.
pub(crate) fn review(db: &Connection, image: i64, code: i64) -> Result<(), Fault> {
    let row = params![image, code];
    db.execute("UPDATE image SET review = ?2 WHERE seq = ?1", row)?;
    Ok(())
}

/// Moves an image into another dataset of its project.
pub(crate) fn move_to(db: &Connection, image: i64, dataset_id: &str) -> Result<(), Fault> {
    let (target, _) = dataset::find(db, dataset_id)?;
    let query = "SELECT a.project = b.project FROM image
                 JOIN dataset a ON a.seq = image.dataset, dataset b
                 WHERE image.seq = ?1 AND b.seq = ?2";
    let row = params![image, target];
    if !db.query_row(query, row, |row| row.get::<_, bool>(0))? {
        let what = "dataset of the image's project";
        return Err(StoreError::not_found(what, dataset_id).into());
    }
    db.execute("UPDATE image SET dataset = ?2 WHERE seq = ?1", row)?;
    Ok(())
}
