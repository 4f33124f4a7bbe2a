//! Removing files that no row needs: after deletions, and after crashes.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, params};
use straylight_core::ContentHash;

use crate::error::{Fault, StoreError};
use crate::files::{self, FileFormat, FileKey};
use crate::store::Store;

/// Younger left-overs may belong to a write that is under way; looking at them would be
/// harmless but would make that write do its work again.
const GRACE: Duration = Duration::from_secs(60);
/// Files removed in one transaction, so that writers get their turn.
const BATCH: usize = 500;

impl Store {
    /// Removes the files of deleted images; does nothing during a backup.
    pub(crate) fn sweep_garbage(&self) -> Result<(), StoreError> {
        while !self.is_held() {
            let swept = self.db().write(|db| {
                let keys = garbage(db)?;
                for key in &keys {
                    self.remove_if_unused(db, *key)?;
                    let row = params![key.hash.0, key.format.extension()];
                    db.execute("DELETE FROM garbage WHERE hash = ?1 AND format = ?2", row)?;
                }
                Ok(keys.len())
            })?;
            if swept < BATCH {
                break;
            }
        }
        Ok(())
    }

    /// Looks after what a crash left in `pending/`.
    pub(crate) fn collect_orphans(&self) -> Result<(), StoreError> {
        let dir = self.files().pending_dir();
        let entries = fs::read_dir(&dir).map_err(|e| StoreError::io("read", &dir, e))?;
        for entry in entries.flatten() {
            if !self.is_held() && self.is_old(&entry.path()) {
                self.collect(&entry.path())?;
            }
        }
        Ok(())
    }

    fn collect(&self, path: &Path) -> Result<(), StoreError> {
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(key) = name.and_then(FileKey::parse) {
            self.db().write(|db| self.remove_if_unused(db, key))?;
        }
        files::remove(path)
    }

    /// Removes a file and its thumbnails unless a row uses it; only inside a write
    /// transaction, which keeps every process from adding such a row meanwhile.
    pub(crate) fn remove_if_unused(&self, db: &Connection, key: FileKey) -> Result<(), Fault> {
        let query = "SELECT EXISTS (SELECT 1 FROM image WHERE hash = ?1 AND format = ?2)
                         OR EXISTS (SELECT 1 FROM video WHERE hash = ?1 AND format = ?2)";
        let mut used = db.prepare_cached(query)?;
        let row = params![key.hash.0, key.format.extension()];
        if !used.query_row(row, |row| row.get::<_, bool>(0))? {
            files::remove(&self.files().path(key))?;
            self.remove_thumbnails(key.hash)?;
        }
        Ok(())
    }

    fn is_old(&self, path: &Path) -> bool {
        self.age(path).is_some_and(|age| age >= GRACE)
    }

    /// How long ago a file was changed; `None` when it is gone or was changed in the future.
    pub(crate) fn age(&self, path: &Path) -> Option<Duration> {
        let now = SystemTime::from(self.clock().now());
        let modified = fs::metadata(path).and_then(|m| m.modified()).ok()?;
        now.duration_since(modified).ok()
    }
}

fn garbage(db: &Connection) -> Result<Vec<FileKey>, Fault> {
    let mut rows = db.prepare_cached("SELECT hash, format FROM garbage LIMIT ?1")?;
    let keys = rows.query_map([BATCH as i64], |row| {
        let hash: [u8; 32] = row.get(0)?;
        let format: String = row.get(1)?;
        Ok((hash, format))
    })?;
    let keys: Vec<_> = keys.collect::<Result<_, _>>()?;
    let key = |(hash, format): ([u8; 32], String)| {
        let format = FileFormat::from_extension(&format)?;
        let hash = ContentHash(hash);
        Some(FileKey { hash, format })
    };
    Ok(keys.into_iter().filter_map(key).collect())
}
