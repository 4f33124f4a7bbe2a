//! Any bytes are unpacked below the target or refused without a trace.

use std::fs;
use std::io::Cursor;

use straylight_files::{ArchiveLimits, unpack};

pub(crate) fn fuzz(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("root").join("deployment");
    let limits = ArchiveLimits {
        entries: 100,
        bytes: 1 << 20,
        ratio: 200,
    };
    let result = unpack(Cursor::new(bytes), "deployment", &target, &limits, false);
    let count = |path| fs::read_dir(path).map_or(0, Iterator::count);
    assert_eq!(
        count(folder.path().join("root")),
        usize::from(result.is_ok())
    );
    assert!(count(folder.path().to_owned()) <= 1);
}
