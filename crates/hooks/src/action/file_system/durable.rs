//! What was written survives a power cut.
//!
//! Syncing each of an event's files and folders by itself makes the disk turn nine times for one
//! event. On Linux one call, `syncfs`, takes all files of the file system at once, and events
//! that are delivered at the same time share it; elsewhere each file and folder is synced.

use std::fs::File;
use std::io;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::path::PathBuf;

use straylight_files::FileError;
#[cfg(not(target_os = "linux"))]
use straylight_files::sync_folder;

/// Makes files below one folder durable.
#[derive(Debug)]
pub(super) struct Disk {
    #[cfg(target_os = "linux")]
    shared: shared::SharedSync,
    #[cfg(target_os = "linux")]
    target: PathBuf,
}

impl Disk {
    /// For files below this folder, which exists.
    pub(super) fn of(target: &Path) -> Result<Self, FileError> {
        #[cfg(target_os = "linux")]
        return Ok(Self {
            shared: shared::SharedSync::of(target)
                .map_err(|source| FileError::new("open", target, source))?,
            target: target.to_owned(),
        });
        #[cfg(not(target_os = "linux"))]
        Ok(Self {})
    }

    /// How often a sync failed.
    ///
    /// The system tells of a write that never reached the disk once, to the sync that comes next
    /// and not to the one that waits for that file. So what was written before a failure is in
    /// doubt, also when its own sync succeeds.
    pub(super) fn failures(&self) -> u64 {
        #[cfg(target_os = "linux")]
        return self.shared.failures();
        #[cfg(not(target_os = "linux"))]
        0
    }

    /// As if the sync of somebody else had failed.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn fail_once(&self) {
        self.shared.fail_once();
    }

    /// Takes note of a file that was written: the next [`Disk::sync`] makes its content durable.
    pub(super) fn written(file: &File) -> io::Result<()> {
        if cfg!(target_os = "linux") {
            return Ok(());
        }
        file.sync_all()
    }

    /// Returns when the files that were written and the names in these folders are on the disk.
    pub(super) fn sync(&self, folders: &[&Path]) -> Result<(), FileError> {
        #[cfg(target_os = "linux")]
        {
            let _ = folders;
            let synced = self.shared.sync();
            synced.map_err(|source| FileError::new("sync", &self.target, source))
        }
        #[cfg(not(target_os = "linux"))]
        folders.iter().try_for_each(|folder| sync_folder(folder))
    }
}

#[cfg(target_os = "linux")]
mod shared {
    use std::fs::File;
    use std::io;
    use std::path::Path;
    use std::sync::{Condvar, Mutex, PoisonError};

    /// One sync at a time; whoever comes while one runs waits for the next, together.
    #[derive(Debug)]
    pub(super) struct SharedSync {
        /// Kept open: the kernel reports an error of writing back once to each open file.
        folder: File,
        turns: Mutex<Turns>,
        ended: Condvar,
    }

    #[derive(Debug, Default)]
    struct Turns {
        started: u64,
        /// The last turn that succeeded.
        done: u64,
        failed: u64,
        running: bool,
    }

    impl SharedSync {
        pub(super) fn of(folder: &Path) -> io::Result<Self> {
            Ok(Self {
                folder: File::open(folder)?,
                turns: Mutex::default(),
                ended: Condvar::new(),
            })
        }

        /// How many turns failed.
        pub(super) fn failures(&self) -> u64 {
            let turns = self.turns.lock();
            turns.unwrap_or_else(PoisonError::into_inner).failed
        }

        #[cfg(test)]
        pub(super) fn fail_once(&self) {
            let fails = || Err(io::Error::from(io::ErrorKind::StorageFull));
            assert!(self.sync_by(fails).is_err());
        }

        /// Returns when all that was written before the call is on the disk.
        pub(super) fn sync(&self) -> io::Result<()> {
            self.sync_by(|| Ok(rustix::fs::syncfs(&self.folder)?))
        }

        /// A turn that began before the call may have missed what the caller wrote, so only one
        /// that begins later counts. After one that failed everybody who waited tries again, to
        /// get the error of their own.
        fn sync_by(&self, sync: impl Fn() -> io::Result<()>) -> io::Result<()> {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            let needed = turns.started + 1;
            while turns.done < needed {
                if turns.running {
                    turns = self
                        .ended
                        .wait(turns)
                        .unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                turns.running = true;
                turns.started += 1;
                let turn = turns.started;
                drop(turns);
                let synced = sync();
                turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
                turns.running = false;
                turns.failed += u64::from(synced.is_err());
                self.ended.notify_all();
                synced?;
                turns.done = turn;
            }
            Ok(())
        }
    }

    #[cfg(test)]
    mod tests {
        use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

        use super::*;

        fn shared() -> SharedSync {
            SharedSync::of(&std::env::temp_dir()).unwrap()
        }

        /// Each thread's write must be covered by a turn that began after it.
        #[test]
        fn nobody_returns_before_a_turn_that_began_after_the_write() {
            let (shared, written, durable) = (shared(), AtomicU64::new(0), AtomicU64::new(0));
            let sync = || {
                let seen = written.load(SeqCst);
                std::thread::yield_now();
                durable.fetch_max(seen, SeqCst);
                Ok(())
            };
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for _ in 0..500 {
                            let mine = written.fetch_add(1, SeqCst) + 1;
                            shared.sync_by(sync).unwrap();
                            assert!(durable.load(SeqCst) >= mine);
                        }
                    });
                }
            });
            assert!(shared.turns.lock().unwrap().started <= 4000);
        }

        #[test]
        fn an_error_reaches_everybody_who_needed_that_turn() {
            let shared = shared();
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| shared.fail_once());
                }
            });
            assert_eq!(shared.failures(), 4);
            shared.sync_by(|| Ok(())).unwrap();
            shared.sync().unwrap();
            assert_eq!(shared.failures(), 4);
        }
    }
}
