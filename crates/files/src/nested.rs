//! Zip files within zip files, as downloads of annotation tools are.

use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::archive::{Archive, ArchiveError, ArchiveLimits, FREE, damaged, publish, refused};
use crate::{FileError, create_folder};

/// Archives lie in one another at most this deep.
const DEEPEST: usize = 4;

/// What may still come out, over all levels.
struct Left {
    entries: usize,
    bytes: u64,
}

/// Unpacks a whole zip file, and the zip files within, to `target`, which must not exist.
///
/// `a/b.zip` within becomes the folder `a/b`, or `a/b.zip` if there is a folder `a/b` already. The
/// limits hold for all levels together; the ratio is that to the length of the outermost archive.
/// After a failure nothing is left.
///
/// # Errors
/// If an archive is damaged or refused, if archives lie in one another more than four deep, or if
/// the disk refuses.
pub fn unpack_nested(
    mut archive: impl Read + Seek,
    target: &Path,
    limits: &ArchiveLimits,
) -> Result<(), ArchiveError> {
    let parent = crate::folder_of(target);
    create_folder(parent)?;
    let failed = |source| FileError::new("create a folder in", parent, source);
    let workshop = tempfile::Builder::new()
        .prefix(".unpack-")
        .tempdir_in(parent)
        .map_err(failed)?;
    let root = workshop.path().join("tree");
    let length = archive.seek(SeekFrom::End(0)).map_err(damaged)?;
    let allowed = length.saturating_mul(limits.ratio).saturating_add(FREE);
    let mut left = Left {
        entries: limits.entries,
        bytes: allowed.min(limits.bytes),
    };
    left.unpack(archive, &root)?;
    left.inner(&root, DEEPEST)?;
    publish(&root, target)
}

impl Left {
    /// Unpacks one archive, which uses up a part of what is left.
    fn unpack(&mut self, archive: impl Read + Seek, to: &Path) -> Result<(), ArchiveError> {
        let limits = ArchiveLimits {
            entries: self.entries,
            bytes: self.bytes,
            ratio: u64::MAX,
        };
        let mut archive = Archive::open(archive, &limits)?;
        self.entries -= archive.entries().min(self.entries);
        self.bytes -= archive.bytes().min(self.bytes);
        create_folder(to)?;
        archive.write("", to, false)
    }

    /// Unpacks the archives below a folder in their places.
    fn inner(&mut self, folder: &Path, deepest: usize) -> Result<(), ArchiveError> {
        for path in zip_files(folder)? {
            let name = path.strip_prefix(folder).unwrap_or(&path).display();
            if deepest == 1 {
                return Err(refused(format!("`{name}` lies too deep in other archives")));
            }
            let to = place_of(&path)?;
            let failed = |source| FileError::new("read", &to.archive, source);
            let file = File::open(&to.archive).map_err(failed)?;
            self.unpack(BufReader::new(file), &to.folder)
                .map_err(|error| error.within(&name.to_string()))?;
            fs::remove_file(&to.archive)
                .map_err(|source| FileError::new("remove", &to.archive, source))?;
            self.inner(&to.folder, deepest - 1)?;
        }
        Ok(())
    }
}

/// Where an archive lies while it is unpacked, and the folder that takes its place.
struct Place {
    archive: PathBuf,
    folder: PathBuf,
}

fn place_of(path: &Path) -> Result<Place, FileError> {
    let folder = path.with_extension("");
    if folder.symlink_metadata().is_err() {
        let archive = path.to_owned();
        return Ok(Place { archive, folder });
    }
    let mut aside = path.as_os_str().to_owned();
    aside.push(".packed");
    let archive = PathBuf::from(aside);
    fs::rename(path, &archive).map_err(|source| FileError::new("rename", path, source))?;
    let folder = path.to_owned();
    Ok(Place { archive, folder })
}

/// All files below a folder that are zip files by name and by their first bytes, sorted.
fn zip_files(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |source| FileError::new("list the folder", &folder, source);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_zip(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_zip(path: &Path) -> bool {
    let named = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    let mut start = [0; 4];
    if !named {
        return false;
    }
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *b"PK\x03\x04"
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::write::SimpleFileOptions;
    use zip::{CompressionMethod, ZipWriter};

    use super::*;

    fn packed(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        for (name, bytes) in entries {
            zip.start_file(*name, options).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// The files of an unpacked archive with their first bytes as text.
    fn unpacked(bytes: &[u8], limits: ArchiveLimits) -> Result<Vec<String>, ArchiveError> {
        let scratch = tempfile::tempdir().unwrap();
        let target = scratch.path().join("out");
        let done = unpack_nested(Cursor::new(bytes), &target, &limits);
        if done.is_err() {
            let left = fs::read_dir(scratch.path()).unwrap().count();
            assert_eq!(left, 0, "something is left after a failure");
        }
        done?;
        let mut names = Vec::new();
        let mut folders = vec![target.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = fs::read_to_string(&path).unwrap();
                    let name = path.strip_prefix(&target).unwrap().display();
                    names.push(format!("{name}={text}"));
                }
            }
        }
        names.sort();
        Ok(names)
    }

    #[test]
    fn archives_within_become_folders() {
        let photos = packed(&[("train/a.jpg", b"photo")]);
        let inner = packed(&[("photos.zip", &photos), ("notes.txt", b"n")]);
        let outer = packed(&[
            ("set/one.ZIP", &inner),
            ("set/two.zip", &photos),
            ("set/two/b.txt", b"b"),
            ("set/false.zip", b"no archive"),
        ]);
        assert_eq!(
            unpacked(&outer, ArchiveLimits::default()).unwrap(),
            [
                "set/false.zip=no archive",
                "set/one/notes.txt=n",
                "set/one/photos/train/a.jpg=photo",
                "set/two.zip/train/a.jpg=photo",
                "set/two/b.txt=b",
            ]
        );
    }

    #[test]
    fn limits_hold_over_all_levels() {
        let inner = packed(&[("a", b"1"), ("b", b"2"), ("c", b"3")]);
        let outer = packed(&[("one.zip", &inner), ("two.zip", &inner)]);
        let limits = |entries, bytes| ArchiveLimits {
            entries,
            bytes,
            ..ArchiveLimits::default()
        };
        assert_eq!(unpacked(&outer, limits(8, 10_000)).unwrap().len(), 6);
        let text = |limits| unpacked(&outer, limits).unwrap_err().to_string();
        let refused = text(limits(7, 10_000));
        assert!(
            refused.contains("two.zip") && refused.contains("entries"),
            "{refused}"
        );
        let packed = 2 * inner.len() as u64;
        assert!(unpacked(&outer, limits(8, packed + 6)).is_ok());
        assert!(text(limits(8, packed + 5)).contains("unpacks to more than"));
    }

    #[test]
    fn a_bomb_of_archives_is_refused() {
        // 60 MB of zeros become 60 kB, many of them again little: each level alone is harmless.
        let zeros = vec![0; 60 << 20];
        let inner = packed(&[("zeros", &zeros)]);
        let names: Vec<String> = (0..4).map(|n| format!("{n}.zip")).collect();
        let entries: Vec<(&str, &[u8])> = names
            .iter()
            .map(|name| (name.as_str(), &inner[..]))
            .collect();
        let outer = packed(&entries);
        let refused = unpacked(&outer, ArchiveLimits::default()).unwrap_err();
        assert!(
            refused.to_string().contains("unpacks to more than"),
            "{refused}"
        );
        let mut deep = packed(&[("a", b"1")]);
        for _ in 0..4 {
            deep = packed(&[("a.zip", &deep)]);
        }
        let refused = unpacked(&deep, ArchiveLimits::default()).unwrap_err();
        assert!(refused.to_string().contains("too deep"), "{refused}");
    }
}
