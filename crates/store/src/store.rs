use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use straylight_files::{create_private_folder, private_file};

use crate::clock::{Clock, SystemClock};
use crate::db::Db;
use crate::error::StoreError;
use crate::files::Files;
use crate::id;
use crate::schema;
use crate::workspace::Workspace;

/// An older `hold` file belongs to a backup that crashed.
const HOLD_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How a store is opened.
#[derive(Clone)]
#[non_exhaustive]
pub struct StoreOptions {
    /// Where times come from.
    pub clock: Arc<dyn Clock>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
        }
    }
}

impl StoreOptions {
    /// The options with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

/// Projects, datasets, images, annotations and predictions in one directory.
///
/// All methods take `&self` and may be called from any thread; other processes may use the
/// same directory. See the crate's documentation for layout, invariants and backup.
pub struct Store {
    root: PathBuf,
    db: Db,
    files: Files,
    clock: Arc<dyn Clock>,
    workspace: Workspace,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.root.display())
    }
}

impl Store {
    /// Opens the store in a directory; makes both when they are not there.
    ///
    /// Removes what an earlier crash left behind and brings an older schema up to date.
    ///
    /// # Errors
    ///
    /// No rights, a full disk, a damaged database, or one of a newer Straylight.
    pub fn open(root: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(root, StoreOptions::default())
    }

    /// Whether a directory holds a store; opening it would make none.
    pub fn exists(root: impl AsRef<Path>) -> bool {
        root.as_ref().join("store.db").is_file()
    }

    /// Opens the store as [`Store::open`] does, with options.
    pub fn open_with(root: impl AsRef<Path>, options: StoreOptions) -> Result<Self, StoreError> {
        let root = root.as_ref();
        create_private_folder(root)?;
        keep_others_out(root);
        let guard = lock_directory(root)?;
        let db = Db::open(root.join("store.db"))?;
        db.lend(|connection| schema::migrate(connection, db.path()))?;
        let workspace = Workspace::get_or_create(&db, options.clock.now())?;
        let store = Self {
            root: root.to_owned(),
            files: Files::new(root)?,
            db,
            clock: options.clock,
            workspace,
        };
        store.collect_orphans()?;
        store.sweep_garbage()?;
        store.collect_deployments()?;
        drop(guard);
        Ok(store)
    }

    /// The store's directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The one workspace of the store.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The clock that was handed in.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// A new identifier of 24 hexadecimal digits, for things that live in the store's JSON.
    pub fn new_id(&self) -> Result<String, StoreError> {
        id::object_id(self.clock.now())
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// Whether a backup wants files to stay; see the crate's documentation.
    pub(crate) fn is_held(&self) -> bool {
        let modified = fs::metadata(self.root.join("hold")).and_then(|m| m.modified());
        let now = SystemTime::from(self.clock.now());
        modified.is_ok_and(|m| now.duration_since(m).unwrap_or_default() < HOLD_LIMIT)
    }

    /// Housekeeping after a write: folds a long log back unless a backup is running.
    pub(crate) fn after_write(&self) -> Result<(), StoreError> {
        if self.db.wal_is_long() && !self.is_held() {
            self.db.checkpoint()?;
        }
        Ok(())
    }
}

/// Takes from a store that an older Straylight made the rights of those who are neither its owner
/// nor of its group.
#[cfg(unix)]
fn keep_others_out(root: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(metadata) = fs::metadata(root) else {
        return;
    };
    let mode = metadata.permissions().mode();
    if mode & 0o007 != 0 {
        // Whoever is not the owner has no right to do so, and the store may still be of use.
        let _ = fs::set_permissions(root, fs::Permissions::from_mode(mode & 0o7770));
    }
}

#[cfg(not(unix))]
fn keep_others_out(_root: &Path) {}

/// Keeps other processes from opening the store while its schema changes.
fn lock_directory(root: &Path) -> Result<File, StoreError> {
    let path = root.join("store.lock");
    let open = || -> std::io::Result<File> {
        let file = private_file().create(true).append(true).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|e| match e.kind() {
        std::io::ErrorKind::PermissionDenied => StoreError::ReadOnly { path: path.clone() },
        _ => StoreError::io("lock", &path, e),
    })
}
