use std::collections::HashSet;
use std::fs;
use std::path::{Component, Path};

use rusqlite::{Connection, OpenFlags};
use straylight_files::sync_folder;

use crate::backup::{Copied, MANIFEST, Manifest, copy_file, make_empty_folder, media_files};
use crate::error::{Fault, StoreError};
use crate::id;

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// When the backup was made.
    pub created_at: String,
    /// Files in all, each with the hash that it had when the backup was made.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Makes a store of a backup, in a folder that must be empty or not there.
///
/// Every file is compared with the hash that it had, the database is checked, and every image and
/// video of it must have its file. The folder gets its name when all of that is done: after an
/// error nothing is left.
///
/// # Errors
///
/// [`StoreError::BadBackup`] names the first file that is missing or damaged.
pub fn restore(backup: &Path, target: &Path) -> Result<Restored, StoreError> {
    make_empty_folder(target)?;
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let part = target.with_file_name(format!(".{name}.{}.restoring", id::suffix()?));
    let restored = fill(backup, &part).and_then(|restored| {
        // An empty folder is replaced by a full one in one step.
        fs::rename(&part, target).map_err(|e| StoreError::io("create", target, e))?;
        sync_folder(target.parent().unwrap_or(target))?;
        Ok(restored)
    });
    if restored.is_err() {
        // The first error is the one that counts.
        let _ = fs::remove_dir_all(&part);
    }
    restored
}

fn fill(backup: &Path, part: &Path) -> Result<Restored, StoreError> {
    let manifest = manifest(backup)?;
    make_empty_folder(part)?;
    for file in &manifest.files {
        copy_checked(backup, part, file)?;
    }
    check_database(&part.join("store.db"), &manifest)?;
    Ok(Restored {
        created_at: manifest.created_at,
        files: manifest.files.len() as u64,
        bytes: manifest.files.iter().map(|file| file.size).sum(),
    })
}

fn bad(path: &Path, detail: impl Into<String>) -> StoreError {
    StoreError::BadBackup {
        path: path.to_owned(),
        detail: detail.into(),
    }
}

fn manifest(backup: &Path) -> Result<Manifest, StoreError> {
    let path = backup.join(MANIFEST);
    let text = fs::read(&path).map_err(|e| {
        let what = "no whole backup is there: it was cut off, or it is a plain copy, which is a \
                    store already";
        bad(&path, format!("{e}; {what}"))
    })?;
    serde_json::from_slice(&text).map_err(|e| bad(&path, format!("it is damaged ({e})")))
}

fn copy_checked(backup: &Path, part: &Path, file: &Copied) -> Result<(), StoreError> {
    let source = backup.join(&file.path);
    let inside = Path::new(&file.path).components();
    if !inside
        .into_iter()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(bad(&source, "it lies outside of the backup"));
    }
    if !source.is_file() {
        return Err(bad(&source, "the file is missing"));
    }
    if copy_file(&source, part, &file.path)? != *file {
        return Err(bad(&source, "the file is not as it was backed up"));
    }
    Ok(())
}

/// Whether the database is sound and has all of its files.
fn check_database(path: &Path, manifest: &Manifest) -> Result<(), StoreError> {
    let detail = integrity(path).map_err(|fault| fault.at(path))?;
    if detail != "ok" {
        return Err(bad(path, detail));
    }
    let there: HashSet<&str> = manifest.files.iter().map(|f| f.path.as_str()).collect();
    let needed = media_files(path).map_err(|fault| fault.at(path))?;
    match needed.iter().find(|name| !there.contains(name.as_str())) {
        Some(name) => Err(bad(path, format!("it needs `{name}`, which is not there"))),
        None => Ok(()),
    }
}

fn integrity(path: &Path) -> Result<String, Fault> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    Ok(db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?)
}
