//! Packing a folder into a zip file.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

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

#[cfg(test)]
mod tests {
    use straylight_files::ArchiveLimits;

    use super::*;

    #[test]
    fn a_folder_comes_back_as_it_was_packed() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        fs::create_dir_all(from.join("a/b")).unwrap();
        fs::write(from.join("a/b/c.txt"), b"text").unwrap();
        let packed = dir.path().join("packed.zip");
        pack(&from, File::create(&packed).unwrap()).unwrap();
        let (to, file) = (dir.path().join("to"), File::open(&packed).unwrap());
        straylight_files::unpack(file, "", &to, &ArchiveLimits::default(), false).unwrap();
        assert_eq!(fs::read(to.join("a/b/c.txt")).unwrap(), b"text");
    }
}
