//! What a folder or an archive holds besides pictures.
//!
//! One rule for all readers of folders: hidden files and files that are no pictures by design are
//! passed over and counted; pipes, sockets and devices are never opened; everything else is taken
//! for a picture, and the decoder says what is wrong with it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{File, FileType};
use std::io::Read;
use std::path::Path;

use crate::sniff;

/// What a path in a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// A file that shall be a picture.
    Picture,
    /// A folder, or a link to one.
    Folder,
    /// Hidden, or a file that is no picture by design; passed over.
    NoPicture,
    /// A pipe, socket or device, in words ("a named pipe"); opening one may never return.
    Special(&'static str),
}

/// Says what a path in a folder is. Reads at most 16 bytes of it.
///
/// A picture called `notes.txt` is a picture. A path that is not there is taken for a picture, so
/// that reading it says what is wrong.
pub fn listed(path: &Path) -> Listed {
    let name = path.file_name().unwrap_or_default();
    if is_hidden(name) {
        return Listed::NoPicture;
    }
    let Ok(metadata) = path.metadata() else {
        return Listed::Picture;
    };
    if metadata.is_dir() {
        return Listed::Folder;
    }
    if let Some(what) = special_kind(metadata.file_type()) {
        return Listed::Special(what);
    }
    if is_no_picture_by_name(name) && !begins_like_a_picture(path) {
        return Listed::NoPicture;
    }
    Listed::Picture
}

fn begins_like_a_picture(path: &Path) -> bool {
    let mut start = Vec::with_capacity(16);
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut start));
    read.is_ok() && sniff(&start).is_some()
}

/// In words what is neither a file nor a link to one; `None` for a file.
pub fn special_kind(kind: FileType) -> Option<&'static str> {
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("a folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return Some("a named pipe");
        }
        if kind.is_socket() {
            return Some("a socket");
        }
        if kind.is_block_device() || kind.is_char_device() {
            return Some("a device");
        }
    }
    Some("something else")
}

/// Whether a file belongs to the system: a dot before its name (`.DS_Store`, `._a.jpg`), or one of
/// the names that Windows and macOS give.
pub fn is_hidden(name: &OsStr) -> bool {
    const NAMES: [&str; 5] = [
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "icon\r",
        "__macosx",
    ];
    name.as_encoded_bytes().starts_with(b".")
        || NAMES.iter().any(|hidden| name.eq_ignore_ascii_case(hidden))
}

/// Whether the extension says that a file is no picture: annotations, lists, notes, tables, weights.
pub fn is_no_picture_by_name(name: &OsStr) -> bool {
    const EXTENSIONS: [&str; 37] = [
        "txt", "xml", "json", "jsonl", "ndjson", "geojson", "xmp", "aae", "csv", "tsv", "yaml",
        "yml", "toml", "ini", "cfg", "conf", "md", "rst", "html", "htm", "log", "names", "data",
        "cache", "db", "sqlite", "py", "ipynb", "sh", "npy", "npz", "pkl", "parquet", "md5",
        "sha256", "license", "lock",
    ];
    let extension = Path::new(name).extension().unwrap_or_default();
    EXTENSIONS
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Counts what was passed over, for one line of summary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoPictures {
    hidden: u64,
    links: u64,
    by_extension: BTreeMap<String, u64>,
}

impl NoPictures {
    /// Counts a file that was passed over.
    pub fn count(&mut self, name: &OsStr) {
        if is_hidden(name) {
            self.hidden += 1;
            return;
        }
        let extension = Path::new(name).extension().unwrap_or_default();
        let extension = extension.to_string_lossy().to_ascii_lowercase();
        *self.by_extension.entry(extension).or_default() += 1;
    }

    /// Counts a link to a folder, which is not followed.
    pub fn count_link(&mut self) {
        self.links += 1;
    }

    /// How many files and links were passed over.
    pub fn total(&self) -> u64 {
        self.hidden + self.links + self.by_extension.values().sum::<u64>()
    }
}

impl fmt::Display for NoPictures {
    /// `12 entries that are no pictures (10 .txt, 1 .xml, 1 hidden)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        let files = if total == 1 {
            "entry that is no picture"
        } else {
            "entries that are no pictures"
        };
        let mut kinds: Vec<String> = self
            .by_extension
            .iter()
            .map(|(extension, count)| format!("{count} .{extension}"))
            .collect();
        if self.hidden > 0 {
            kinds.push(format!("{} hidden", self.hidden));
        }
        if self.links > 0 {
            kinds.push(format!("{} links to folders, not followed", self.links));
        }
        write!(f, "{total} {files} ({})", kinds.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn pictures_are_told_from_what_lies_beside_them() {
        struct Case(&'static str, Listed);
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let write = |name: &str, bytes: &[u8]| fs::write(at(name), bytes).unwrap();
        write("a.jpg", b"damaged");
        write("no extension", b"x");
        write("a.TXT", b"0 0.5 0.5 0.1 0.1");
        write("photo.txt", b"\xff\xd8\xff\xe0 and so on");
        write("Thumbs.db", b"\xff\xd8\xff\xe0");
        write("._a.jpg", b"\xff\xd8\xff\xe0");
        fs::create_dir(at("x.jpg")).unwrap();
        for Case(name, wanted) in [
            Case("a.jpg", Listed::Picture),
            Case("no extension", Listed::Picture),
            Case("is not there.jpg", Listed::Picture),
            Case("a.TXT", Listed::NoPicture),
            Case("photo.txt", Listed::Picture),
            Case("Thumbs.db", Listed::NoPicture),
            Case("._a.jpg", Listed::NoPicture),
            Case("x.jpg", Listed::Folder),
        ] {
            assert_eq!(listed(&at(name)), wanted, "{name}");
        }
    }

    #[test]
    fn what_was_passed_over_is_one_line() {
        let mut counts = NoPictures::default();
        for name in ["a.txt", "b.TXT", "c.xml", ".DS_Store"] {
            counts.count(OsStr::new(name));
        }
        let wanted = "4 entries that are no pictures (2 .txt, 1 .xml, 1 hidden)";
        assert_eq!(counts.to_string(), wanted);
    }
}
