use std::fs::File;
use std::path::Path;

use memmap2::Mmap;
use straylight_files::FileError;

/// A file mapped into memory, for reading only.
///
/// The files of an OOD model are replaced by renaming, never changed in place, so a mapped file
/// keeps its content for as long as it is mapped. Whoever truncates such a file by hand while
/// it is in use ends the process (the system raises a bus error): that is the price of not
/// copying the bank at start.
#[derive(Debug)]
pub(crate) struct MappedFile(Mmap);

impl MappedFile {
    /// Maps a whole file.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let failed = |source| FileError::new("read", path, source);
        let file = File::open(path).map_err(failed)?;
        // SAFETY: the map is read-only, and the program replaces such files by renaming only.
        unsafe { Mmap::map(&file) }.map(Self).map_err(failed)
    }

    /// The file's content.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
