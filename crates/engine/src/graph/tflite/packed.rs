//! Files packed into a TFLite model: a zip archive that is appended to the flatbuffer.

use std::io::{Cursor, Read};
use std::path::Path;

use zip::ZipArchive;

use crate::EngineError;
use crate::graph::facts::{Fact, Place, wrong};

/// The most packed files that are read, and the most bytes of all of them together.
const FILES: usize = 64;
const BYTES: u64 = 4 << 20;
/// How a zip archive's last record begins, and how far from the end at most.
const END: &[u8] = b"PK\x05\x06";
const END_WITHIN: usize = 22 + 0xFFFF;

/// The text files in a model: their names and texts; those that are no UTF-8 text are left out.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Vec<Fact>, EngineError> {
    let tail = bytes.len().saturating_sub(END_WITHIN);
    let tail = bytes.get(tail..).unwrap_or_default();
    if !tail.windows(END.len()).any(|window| window == END) {
        return Ok(Vec::new());
    }
    let damaged = |error: zip::result::ZipError| {
        wrong(
            path,
            format!("the files packed into it cannot be read: {error}"),
        )
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(damaged)?;
    if archive.len() > FILES {
        return Err(wrong(path, "has more than 64 files packed into it"));
    }
    let mut facts = Vec::new();
    let mut left = BYTES;
    for place in 0..archive.len() {
        let file = archive.by_index(place).map_err(damaged)?;
        let key = file.name().map_err(damaged)?.into_owned();
        let mut text = Vec::new();
        let read = file.take(left + 1).read_to_end(&mut text);
        read.map_err(|error| damaged(error.into()))?;
        let Some(rest) = left.checked_sub(text.len() as u64) else {
            return Err(wrong(
                path,
                "the files packed into it are larger than 4 MiB",
            ));
        };
        left = rest;
        if let Ok(value) = String::from_utf8(text) {
            let place = Place::PackedFile;
            facts.push(Fact { place, key, value });
        }
    }
    Ok(facts)
}
