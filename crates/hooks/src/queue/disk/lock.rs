use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use straylight_files::FileError;

use crate::queue::JournalError;

/// Locks the queue's folder for this process.
pub(super) fn take_lock(folder: &Path) -> Result<File, JournalError> {
    let path = folder.join("queue.lock");
    let failed = |source| FileError::new("lock", &path, source);
    let options = || {
        File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .clone()
    };
    let mut file = options().open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            // The number is for people only; the lock itself is what counts, also on a full disk.
            let number = std::process::id().to_string();
            let noted = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
            let _ = noted.and_then(|_| file.write_all(number.as_bytes()));
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            let _ = file.read_to_string(&mut process);
            Err(JournalError::InUse {
                path: folder.to_owned(),
                process,
            })
        }
        Err(TryLockError::Error(source)) => Err(failed(source).into()),
    }
}
