//! Packing a folder into a zip file, and unpacking one that a stranger sent.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Files in an archive at most.
const MAX_FILES: usize = 1_000_000;
/// An archive may not grow to more than so many times its size, nor to more than the limit
/// below however small it is.
const MAX_RATIO: u64 = 200;
/// Bytes that every archive may have unpacked.
const ALWAYS_ALLOWED: u64 = 64 << 20;

/// Packs all files of a folder.
pub(crate) fn pack(folder: &Path, file: File) -> io::Result<u64> {
    let mut zip = ZipWriter::new(file);
    add_folder(&mut zip, folder, "")?;
    let file = zip.finish()?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn add_folder(zip: &mut ZipWriter<File>, folder: &Path, prefix: &str) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            add_folder(zip, &entry.path(), &format!("{name}/"))?;
        } else {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .compression_level(Some(1))
                .large_file(true);
            zip.start_file(&name, options)?;
            io::copy(&mut File::open(entry.path())?, zip)?;
        }
    }
    Ok(())
}

/// Unpacks an archive into an empty folder.
///
/// # Errors
///
/// It is no zip file, a name leads out of the folder, or it holds or grows to too much.
pub(crate) fn unpack(archive: &Path, folder: &Path) -> io::Result<()> {
    let file = File::open(archive)?;
    let mut left = (file.metadata()?.len().saturating_mul(MAX_RATIO)).max(ALWAYS_ALLOWED);
    let mut zip = ZipArchive::new(BufReader::new(file))?;
    if zip.len() > MAX_FILES {
        return Err(refuse(format!("it holds more than {MAX_FILES} files")));
    }
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index)?;
        let shown = entry.name()?.into_owned();
        let Some(name) = entry.enclosed_name() else {
            return Err(refuse(format!("`{shown}` leads out of its folder")));
        };
        if entry.is_symlink() {
            return Err(refuse(format!("`{shown}` is a link")));
        }
        let path = folder.join(name);
        if entry.is_dir() {
            fs::create_dir_all(&path)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        left -= copy(&mut entry, &path, left)?;
    }
    Ok(())
}

/// Writes one file of at most `limit` bytes; how many it has. Sizes that the archive claims
/// are not believed.
fn copy(from: &mut impl Read, path: &Path, limit: u64) -> io::Result<u64> {
    let mut file = File::create_new(path)?;
    let written = io::copy(&mut from.take(limit + 1), &mut file)?;
    file.flush()?;
    if written > limit {
        return Err(refuse("it grows to too much".to_owned()));
    }
    Ok(written)
}

fn refuse(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(dir: &Path, name: &str, content: &[u8]) -> std::path::PathBuf {
        let path = dir.join("a.zip");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
        zip.finish().unwrap();
        path
    }

    #[test]
    fn a_folder_comes_back_as_it_was_packed() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        fs::create_dir_all(from.join("a/b")).unwrap();
        fs::write(from.join("a/b/c.txt"), b"text").unwrap();
        let packed = dir.path().join("packed.zip");
        pack(&from, File::create(&packed).unwrap()).unwrap();
        let to = dir.path().join("to");
        unpack(&packed, &to).unwrap();
        assert_eq!(fs::read(to.join("a/b/c.txt")).unwrap(), b"text");
    }

    #[test]
    fn archives_that_mean_harm_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("to");
        fs::create_dir(&to).unwrap();
        let error = unpack(&archive(dir.path(), "../out.txt", b"x"), &to).unwrap_err();
        assert!(error.to_string().contains("leads out"), "{error}");
        assert!(!dir.path().join("out.txt").exists());
        let bomb = archive(dir.path(), "zeros", &vec![0; ALWAYS_ALLOWED as usize + 1]);
        let error = unpack(&bomb, &to).unwrap_err();
        assert!(error.to_string().contains("too much"), "{error}");
        let no_zip = dir.path().join("x");
        fs::write(&no_zip, b"text").unwrap();
        assert!(unpack(&no_zip, &to).is_err());
    }
}
