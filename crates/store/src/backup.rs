use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::{Fault, StoreError};
use crate::store::Store;

impl Store {
    /// Writes a copy of the store, as it is at this moment, into a directory that must be
    /// empty or not there; returns how many image files were copied.
    ///
    /// Reading and writing go on meanwhile. Thumbnails are left out: they are made again.
    ///
    /// # Errors
    ///
    /// The directory is in use, the disk is full, or a file cannot be read. What was copied
    /// until then stays without its database, so that it is not taken for a backup.
    pub fn backup(&self, target: impl AsRef<Path>) -> Result<u64, StoreError> {
        let target = target.as_ref();
        make_empty_dir(target)?;
        let hold = Hold::new(self.root())?;
        let snapshot = target.join("store.db.part");
        self.snapshot(&snapshot)?;
        let copied = self.copy_images(&snapshot, target)?;
        copy_tree(
            &self.root().join("deployments"),
            &target.join("deployments"),
        )?;
        let place = target.join("store.db");
        fs::rename(&snapshot, &place).map_err(|e| StoreError::io("create", &place, e))?;
        drop(hold);
        self.sweep_garbage()?;
        Ok(copied)
    }

    fn snapshot(&self, path: &Path) -> Result<(), StoreError> {
        let name = path.to_string_lossy().into_owned();
        self.db().lend(|connection| {
            connection.execute("VACUUM INTO ?1", [&name])?;
            Ok(())
        })
    }

    fn copy_images(&self, snapshot: &Path, target: &Path) -> Result<u64, StoreError> {
        let names = media_files(snapshot).map_err(|fault| fault.at(snapshot))?;
        for name in &names {
            copy_file(&self.root().join(name), &target.join(name))?;
        }
        Ok(names.len() as u64)
    }
}

/// Keeps files and the database's main file where they are, until it is dropped.
struct Hold {
    path: PathBuf,
}

impl Hold {
    fn new(root: &Path) -> Result<Self, StoreError> {
        let path = root.join("hold");
        File::create(&path).map_err(|e| StoreError::io("create", &path, e))?;
        Ok(Self { path })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // A hold that stays is ignored after a day.
        let _ = fs::remove_file(&self.path);
    }
}

fn media_files(snapshot: &Path) -> Result<Vec<PathBuf>, Fault> {
    let db = Connection::open(snapshot)?;
    let mut rows = db.prepare(
        "SELECT DISTINCT 'images', lower(hex(hash)), format FROM image
         UNION SELECT 'videos', lower(hex(hash)), format FROM video",
    )?;
    let names = rows.query_map([], |row| {
        let (dir, hash, format): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let shard: String = hash.chars().take(2).collect();
        Ok(Path::new(&dir).join(shard).join(format!("{hash}.{format}")))
    })?;
    Ok(names.collect::<Result<_, _>>()?)
}

fn make_empty_dir(dir: &Path) -> Result<(), StoreError> {
    let error = |e| StoreError::io("create", dir, e);
    fs::create_dir_all(dir).map_err(error)?;
    if fs::read_dir(dir).map_err(error)?.next().is_some() {
        let source = std::io::Error::from(std::io::ErrorKind::DirectoryNotEmpty);
        return Err(StoreError::io("back up into", dir, source));
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    let dir = to.parent().unwrap_or(to);
    fs::create_dir_all(dir).map_err(|e| StoreError::io("create", dir, e))?;
    fs::copy(from, to).map_err(|e| StoreError::io("copy", from, e))?;
    Ok(())
}

/// Copies a directory with all that is in it; one that is not there is empty.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<(), StoreError> {
    let Ok(entries) = fs::read_dir(from) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry.map_err(|e| StoreError::io("read", from, e))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            copy_file(&source, &target)?;
        }
    }
    Ok(())
}
