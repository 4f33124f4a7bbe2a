//! NumPy's `.npz`: a zip archive of `.npy` files, stored or deflated.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::{Array, npy};

/// An array larger than this is refused rather than unpacked: 16 GiB.
const LARGEST: u64 = 1 << 34;
/// Deflate makes nothing smaller than this part of itself.
const STRONGEST_DEFLATE: u64 = 1032;

/// Reads all arrays of an archive by name; entries that are not `.npy` are left out.
///
/// Each array is unpacked straight into the memory where it stays.
pub(super) fn read(mut from: impl Read + Seek) -> Result<BTreeMap<String, Array>, String> {
    let length = from
        .seek(SeekFrom::End(0))
        .map_err(|error| error.to_string())?;
    let archive = ZipArchive::new(from);
    let mut archive = archive.map_err(|error| format!("it is not a .npz archive: {error}"))?;
    let mut arrays = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| error.to_string())?;
        let name = entry.name().map_err(|error| error.to_string())?;
        let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else {
            continue;
        };
        // What an archive says of itself may be wrong: this is what it can hold at most.
        let possible = entry
            .compressed_size()
            .min(length)
            .saturating_mul(STRONGEST_DEFLATE);
        let size = entry.size().min(possible);
        if size > LARGEST {
            return Err(format!("the array `{name}` is larger than 16 GiB"));
        }
        // Arrays of text and the like are none of ours.
        match npy::read(&mut entry, size) {
            Ok(array) => arrays.insert(name, array),
            Err(reason) if reason.contains("are not read") => continue,
            Err(reason) => return Err(format!("the array `{name}`: {reason}")),
        };
    }
    Ok(arrays)
}

/// Writes an archive; the same arrays give the same bytes.
pub(super) fn format(arrays: &BTreeMap<String, Array>) -> Result<Vec<u8>, String> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    for (name, array) in arrays {
        let failed = |error: &dyn std::fmt::Display| format!("the array `{name}`: {error}");
        archive
            .start_file(format!("{name}.npy"), options)
            .map_err(|error| failed(&error))?;
        archive
            .write_all(&npy::format(array))
            .map_err(|error| failed(&error))?;
    }
    archive
        .finish()
        .map(Cursor::into_inner)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::Values;
    use super::*;
    use proptest::prelude::*;

    fn arrays() -> BTreeMap<String, Array> {
        let array = |values| Array {
            shape: vec![2],
            values,
        };
        BTreeMap::from([
            ("labels".to_owned(), array(Values::I64(vec![1, 0]))),
            ("score".to_owned(), array(Values::F64(vec![0.25, 0.75]))),
        ])
    }

    #[test]
    fn what_is_written_is_read_and_written_the_same_again() {
        let bytes = format(&arrays()).unwrap();
        assert_eq!(read(Cursor::new(&bytes)).unwrap(), arrays());
        assert_eq!(format(&arrays()).unwrap(), bytes);
    }

    proptest! {
        #[test]
        fn a_broken_archive_is_an_error_or_the_same(at in 0_usize..400, value: u8) {
            let mut bytes = format(&arrays()).unwrap();
            let at = at % bytes.len();
            bytes[at] = value;
            let _ = read(Cursor::new(&bytes));
        }
    }
}
