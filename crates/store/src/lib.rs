//! The local store: one directory with an embedded database and image files beside it.
//!
//! # Layout
//!
//! ```text
//! <root>/store.db (+ -wal, -shm)     SQLite in write-ahead mode: everything but the pictures
//! <root>/store.lock                  held while a process opens or migrates the store
//! <root>/images/<2 digits>/<hash>.<ext>    image files, named by the BLAKE3 hash of their bytes
//! <root>/videos/<2 digits>/<hash>.<ext>    video files in the same way
//! <root>/thumbnails/<2 digits>/<hash>-<side>.jpg   made when first asked for; may be deleted
//! <root>/deployments/<id>/           imported deployments
//! <root>/pending/                    files being written, and notes about files not yet in a row
//! <root>/hold                        while it exists nothing is deleted or checkpointed
//! ```
//!
//! # Invariants
//!
//! - A row never points to a missing file: the file is written, synced and renamed first, and
//!   the transaction that adds the row looks that it is still there.
//! - A file is deleted only inside a write transaction that sees no row for it. A crash may
//!   leave a file without a row; a note in `pending/` or in the table `garbage` names it, and
//!   the next [`Store::open`] removes it.
//! - Image and video files never change. Two with equal bytes share one file.
//! - Every change is one transaction, durable when the call returns.
//! - Any number of threads and processes may use one directory at the same time.
//!
//! # Backup while it runs
//!
//! [`Store::backup`] writes a consistent copy, which [`restore`] checks and turns into a store
//! again. A plain copy works as well: create the empty
//! file `<root>/hold`, copy the directory, `store.db` and `store.db-wal` first, then remove
//! `hold`. While it exists the database file does not change (writes go to the write-ahead
//! log, of which any prefix is consistent) and no image file is removed. A `hold` older than
//! a day is ignored, so that a crashed backup cannot fill the disk.
//!
//! The store must not lie on a network file system: SQLite's shared memory needs a local one.

mod annotation;
mod backup;
mod clock;
mod dataset;
mod db;
mod decision;
mod deployment;
mod error;
mod feature;
mod files;
mod id;
mod image;
mod job;
mod pending;
mod project;
mod restore;
mod schema;
mod setting;
mod stats;
mod store;
mod thumbnail;
mod token;
mod usage;
mod video;
mod workspace;

pub use annotation::{AnnotationScene, StoredAnnotation, StoredLabel};
pub use backup::Backup;
pub use clock::{Clock, SystemClock, render_time};
pub use decision::{Decision, Undone};
pub use deployment::DeploymentRecord;
pub use error::StoreError;
pub use feature::Neighbour;
pub use id::{is_object_id, is_uuid};
pub use image::{
    Added, Collected, ImageFilter, ImagePage, ImageRecord, ImageSort, NewImage, Page, Review,
    SortDirection,
};
pub use job::JobRecord;
pub use project::{InvalidProject, NewLabel, NewProject, NewTask, PALETTE};
pub use restore::{Restored, restore};
pub use stats::{DatasetStatistics, LabelCount, TimeBucket};
pub use store::{Store, StoreOptions};
pub use token::{Role, TokenRecord};
pub use usage::DiskUse;
pub use video::{NewVideo, PendingFile, VideoFormat, VideoPage, VideoRecord};
pub use workspace::Workspace;
