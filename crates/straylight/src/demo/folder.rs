//! The folder that the demo makes anew each time.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use straylight_files::{FileError, create_folder, write_atomically};

use super::DemoError;

/// Tells a folder that a demo made, and may therefore replace, from all others.
const MARKER: &str = ".straylight-demo";

/// Empties a folder of an earlier demo or makes a new one; leaves everything else alone.
///
/// Returns the folder's absolute path.
pub(super) fn prepare(folder: &Path) -> Result<PathBuf, DemoError> {
    let is_ours = folder.join(MARKER).is_file();
    if is_ours {
        fs::remove_dir_all(folder).map_err(|e| FileError::new("empty", folder, e))?;
    } else if !is_empty(folder)? {
        return Err(DemoError::NotOurs {
            folder: folder.to_owned(),
        });
    }
    create_folder(folder)?;
    let text = b"This folder was made by `straylight demo` and is replaced by the next one.\n";
    write_atomically(&folder.join(MARKER), text)?;
    Ok(std::path::absolute(folder).map_err(|e| FileError::new("find", folder, e))?)
}

fn is_empty(folder: &Path) -> Result<bool, FileError> {
    match fs::read_dir(folder) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(FileError::new("list", folder, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_demos_own_folder_is_replaced() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().join("demo");
        prepare(&folder).unwrap();
        fs::write(folder.join("old"), "x").unwrap();
        prepare(&folder).unwrap();
        assert!(!folder.join("old").exists());

        let precious = temporary.path().join("precious");
        fs::create_dir(&precious).unwrap();
        fs::write(precious.join("thesis"), "x").unwrap();
        assert!(matches!(prepare(&precious), Err(DemoError::NotOurs { .. })));
        assert!(precious.join("thesis").exists());
    }
}
