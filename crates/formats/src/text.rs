//! Text files of strangers: UTF-8 with or without a mark at its beginning, or UTF-16 with one.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads a whole text file; says what is wrong with it.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let bytes = straylight_files::read(path).map_err(|error| error.to_string())?;
    decode(bytes)
}

/// The beginning of a file of UTF-8, so many bytes at most; `None` if it is no text of that kind, or
/// not longer.
pub(crate) fn beginning(path: &Path, bytes: u64) -> Option<String> {
    let mut start = Vec::with_capacity(bytes as usize);
    let file = File::open(path).ok()?;
    file.take(bytes).read_to_end(&mut start).ok()?;
    if (start.len() as u64) < bytes {
        return None;
    }
    match String::from_utf8(start) {
        Ok(text) => Some(text),
        // The last letter may be cut.
        Err(error) if error.utf8_error().error_len().is_none() => {
            let end = error.utf8_error().valid_up_to();
            let mut start = error.into_bytes();
            start.truncate(end);
            String::from_utf8(start).ok()
        }
        Err(_) => None,
    }
}

/// Text of bytes, without the mark at its beginning.
pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, String> {
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest.to_vec()),
        _ => utf8(bytes),
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = error.as_bytes()[..at].split(|byte| *byte == b'\n');
        let line = before.count();
        format!("line {line} is not UTF-8; save the file as UTF-8")
    })
}

fn utf16(bytes: &[u8], number: fn([u8; 2]) -> u16) -> Result<String, String> {
    let units = bytes.chunks_exact(2).map(|pair| number([pair[0], pair[1]]));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map_err(|_| "it is not UTF-16, as its beginning says; save it as UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_at_the_beginning_are_understood() {
        struct Case(&'static [u8], Result<&'static str, &'static str>);
        for Case(bytes, wanted) in [
            Case(b"bolt", Ok("bolt")),
            Case(b"\xef\xbb\xbfbolt", Ok("bolt")),
            Case(b"\xff\xfeb\0o\0", Ok("bo")),
            Case(b"\xfe\xff\0b\0o", Ok("bo")),
            Case(b"a\nM\xfctter", Err("line 2 is not UTF-8")),
        ] {
            match (decode(bytes.to_vec()), wanted) {
                (Ok(text), Ok(wanted)) => assert_eq!(text, wanted),
                (Err(error), Err(wanted)) => assert!(error.contains(wanted), "{error}"),
                (found, wanted) => assert_eq!(found.as_deref().map_err(String::as_str), wanted),
            }
        }
    }
}
