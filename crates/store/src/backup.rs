use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use straylight_files::{create_private_folder, private_file};

use crate::clock::render_time;
use crate::error::{Fault, StoreError};
use crate::store::Store;

/// Lists the files of a backup with their hashes; written last, so that it is there only when
/// all others are.
pub(crate) const MANIFEST: &str = "backup.json";

/// Folders of a store that are copied as they are, beside the database and the media files.
const FOLDERS: [&str; 2] = ["deployments", "tls"];

/// What a backup holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backup {
    /// Files of images and videos.
    pub media: u64,
    /// Files in all, with the database.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// The content of [`MANIFEST`].
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// When the backup was begun.
    pub(crate) created_at: String,
    pub(crate) files: Vec<Copied>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Copied {
    /// Below the backup's folder, with `/` between the names.
    pub(crate) path: String,
    /// In bytes.
    pub(crate) size: u64,
    /// BLAKE3 hash in hexadecimal digits.
    pub(crate) hash: String,
}

impl Store {
    /// Writes a copy of the store, as it is at this moment, into a folder that must be empty or
    /// not there. [`crate::restore`] makes a store of it again.
    ///
    /// Reading and writing go on meanwhile, by other processes as well. Thumbnails and unfinished
    /// uploads are left out.
    ///
    /// # Errors
    ///
    /// The folder is in use, another backup is being made, the disk is full, or a file cannot be
    /// read. What was copied until then stays without its list of files, so that it is not taken
    /// for a backup.
    pub fn backup(&self, target: impl AsRef<Path>) -> Result<Backup, StoreError> {
        let target = target.as_ref();
        make_empty_folder(target)?;
        let hold = Hold::new(self.root())?;
        let snapshot = target.join("store.db");
        self.snapshot(&snapshot)?;
        let media = media_files(&snapshot).map_err(|fault| fault.at(&snapshot))?;
        let mut files = vec![described(&snapshot, "store.db".to_owned())?];
        for name in &media {
            files.push(copy_file(&self.root().join(name), target, name)?);
        }
        for folder in FOLDERS {
            copy_folder(self.root(), target, folder, &mut files)?;
        }
        drop(hold);
        self.sweep_garbage()?;
        let backup = Backup {
            media: media.len() as u64,
            files: files.len() as u64,
            bytes: files.iter().map(|file| file.size).sum(),
        };
        let manifest = Manifest {
            created_at: render_time(self.clock().now()),
            files,
        };
        let place = target.join(MANIFEST);
        let text = serde_json::to_vec_pretty(&manifest).map_err(|e| Fault::from(e).at(&place))?;
        straylight_files::write_private(&place, &text, None)?;
        Ok(backup)
    }

    fn snapshot(&self, path: &Path) -> Result<(), StoreError> {
        let name = path.to_string_lossy().into_owned();
        private_file()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|e| StoreError::io("create", path, e))?;
        self.db().lend(|connection| {
            connection.execute("VACUUM INTO ?1", [&name])?;
            Ok(())
        })
    }
}

/// Keeps files and the database's main file where they are, until it is dropped.
struct Hold {
    path: PathBuf,
    _lock: File,
}

impl Hold {
    fn new(root: &Path) -> Result<Self, StoreError> {
        let path = root.join("hold");
        let failed = |e| StoreError::io("create", &path, e);
        let file = private_file().create(true).append(true).open(&path);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Busy { path }),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // One that a crashed backup left behind is as good as new.
        let now = std::time::SystemTime::now();
        file.set_modified(now).map_err(failed)?;
        Ok(Self { path, _lock: file })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // A hold that stays is ignored after a day.
        let _ = fs::remove_file(&self.path);
    }
}

/// Where the files of the rows of a database lie, below the store's folder.
pub(crate) fn media_files(database: &Path) -> Result<Vec<String>, Fault> {
    let db = Connection::open(database)?;
    let mut rows = db.prepare(
        "SELECT DISTINCT 'images', lower(hex(hash)), format FROM image
         UNION SELECT 'videos', lower(hex(hash)), format FROM video",
    )?;
    let names = rows.query_map([], |row| {
        let (dir, hash, format): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let shard: String = hash.chars().take(2).collect();
        Ok(format!("{dir}/{shard}/{hash}.{format}"))
    })?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Makes a folder that must not hold anything yet.
pub(crate) fn make_empty_folder(folder: &Path) -> Result<(), StoreError> {
    create_private_folder(folder)?;
    let error = |e| StoreError::io("write into", folder, e);
    if fs::read_dir(folder).map_err(error)?.next().is_some() {
        return Err(error(io::ErrorKind::DirectoryNotEmpty.into()));
    }
    Ok(())
}

/// What a file is, without copying it.
fn described(path: &Path, name: String) -> Result<Copied, StoreError> {
    let mut file = File::open(path).map_err(|e| StoreError::io("read", path, e))?;
    copy(&mut file, &mut io::sink(), name).map_err(|e| StoreError::io("read", path, e))
}

/// Copies a file into a private one at `target`/`name`, with what it turned out to be.
pub(crate) fn copy_file(from: &Path, target: &Path, name: &str) -> Result<Copied, StoreError> {
    let to = target.join(name);
    create_private_folder(to.parent().unwrap_or(target))?;
    let mut source = File::open(from).map_err(|e| StoreError::io("read", from, e))?;
    let failed = |e| StoreError::io("write", &to, e);
    let file = private_file().write(true).create_new(true).open(&to);
    let mut file = file.map_err(failed)?;
    let copied = copy(&mut source, &mut file, name.to_owned()).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(copied)
}

fn copy(from: &mut impl Read, to: &mut impl Write, path: String) -> io::Result<Copied> {
    let (mut hasher, mut size) = (blake3::Hasher::new(), 0);
    let mut buffer = vec![0; 1 << 18];
    loop {
        let read = from.read(&mut buffer)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            let hash = hasher.finalize().to_hex().to_string();
            return Ok(Copied { path, size, hash });
        };
        hasher.update(part);
        size += read as u64;
        to.write_all(part)?;
    }
}

/// Copies a folder of a store with all that is in it; one that is not there is empty.
fn copy_folder(
    root: &Path,
    target: &Path,
    folder: &str,
    files: &mut Vec<Copied>,
) -> Result<(), StoreError> {
    let source = root.join(folder);
    let entries = match fs::read_dir(&source) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|e| StoreError::io("read", &source, e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| StoreError::io("read", &source, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let name = if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        };
        if entry.path().is_dir() {
            copy_folder(root, target, &name, files)?;
        } else {
            files.push(copy_file(&entry.path(), target, &name)?);
        }
    }
    Ok(())
}

/// Copies a folder from elsewhere with all that is in it, for the owner alone.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<(), StoreError> {
    create_private_folder(to)?;
    copy_folder(from, to, "", &mut Vec::new())
}
