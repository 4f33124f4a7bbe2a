//! The tables and how older ones become newer ones.
//!
//! `PRAGMA user_version` counts the migrations that were applied. A migration, once
//! released, never changes; a new one is added at the end.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Fault, StoreError};

/// Every migration, in order; the n-th takes a database of version n to n + 1.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001_first.sql"),
    include_str!("schema/0002_videos.sql"),
    include_str!("schema/0003_tallies.sql"),
    include_str!("schema/0004_decisions.sql"),
    include_str!("schema/0005_features.sql"),
    include_str!("schema/0006_access.sql"),
    include_str!("schema/0007_sources.sql"),
];

/// Marks a database as a Straylight store: "Stra" in ASCII.
const APPLICATION_ID: i64 = 0x5374_7261;

/// Brings the database to the newest version, all or nothing.
pub(crate) fn migrate(connection: &mut Connection, path: &std::path::Path) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        let path = path.to_owned();
        return Err(StoreError::NewerSchema { path, found, known }.into());
    }
    refuse_strangers(&transaction, path, found)?;
    for migration in MIGRATIONS.iter().skip(found.max(0) as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    Ok(transaction.commit()?)
}

/// A database of another program must not be written over.
fn refuse_strangers(db: &Connection, path: &std::path::Path, version: i64) -> Result<(), Fault> {
    let id: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let ours = id == APPLICATION_ID && version > 0;
    if ours || (tables == 0 && version == 0) {
        return Ok(());
    }
    let detail = "it belongs to another program".to_owned();
    let path = path.to_owned();
    Err(StoreError::Corrupt { path, detail }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NewVideo, Store, VideoFormat};

    /// A database as the first released schema left it, with one image.
    fn first_version(root: &std::path::Path) {
        let db = Connection::open(root.join("store.db")).unwrap();
        db.execute_batch(MIGRATIONS[0]).unwrap();
        db.execute_batch(
            "INSERT INTO workspace VALUES ('w', 'o', 'Default', 'u', 0);
               INSERT INTO project VALUES (1, '0123456789abcdef01234567', 'p', 0, '{}');
               INSERT INTO dataset VALUES (1, '0123456789abcdef01234568', 1, 'd', 1, 0);
               INSERT INTO image (id, dataset, origin, name, format, hash, width, height, size,
                       uploaded_at, captured_at, ood_score, hook, reason)
                   VALUES ('0123456789abcdef01234569', 1, 1, 'old', 'png', zeroblob(32), 64, 48,
                       3, 0, 0, 0.75, 'strays', 'far away');",
        )
        .unwrap();
        db.pragma_update(None, "user_version", 1).unwrap();
        db.pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
    }

    #[test]
    fn a_store_of_the_first_schema_is_brought_up_to_date() {
        let dir = tempfile::tempdir().unwrap();
        first_version(dir.path());
        let store = Store::open(dir.path()).unwrap();
        let image = store.image("0123456789abcdef01234569").unwrap();
        assert_eq!((image.name.as_str(), image.ood_score), ("old", Some(0.75)));
        let dataset = "0123456789abcdef01234568";
        let counted = store.statistics(dataset).unwrap();
        assert_eq!((counted.images, counted.hooks.len()), (1, 1));
        assert_eq!(counted.score_histogram[15], 1);
        let timeline = store.timeline(dataset, 86_400).unwrap();
        assert_eq!(timeline[0].max_score, Some(0.75));
        let project = "0123456789abcdef01234567";
        assert_eq!(store.disk_use(project).unwrap().media, 3);
        let file = store.pending_file().unwrap();
        std::fs::write(file.path(), b"content").unwrap();
        let new = NewVideo {
            name: "new".to_owned(),
            format: VideoFormat::Mp4,
            width: 64,
            height: 48,
            frame_count: 10,
            frame_rate: 5.0,
            duration: 2.0,
        };
        store.add_video(dataset, &new, &file).unwrap();
        drop(store);
        let again = Store::open(dir.path()).unwrap();
        assert_eq!(again.statistics(dataset).unwrap().videos, 1);
        assert_eq!(again.disk_use(project).unwrap().media, 3 + 7);
    }
}
