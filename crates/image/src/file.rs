use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use straylight_core::{EncodedImage, Frame, Timestamp};

use crate::{DecodeLimits, ImageError, ImageErrorKind, decode_with};

/// Reads an image file into a frame within the default [`DecodeLimits`].
///
/// The frame is named after the file's stem, keeps the file's own bytes, and was captured when
/// the file was last modified.
pub fn read_frame(path: &Path) -> Result<Frame, ImageError> {
    read_frame_with(path, &DecodeLimits::default())
}

/// Reads an image file as [`read_frame`] does, within limits of your own.
pub fn read_frame_with(path: &Path, limits: &DecodeLimits) -> Result<Frame, ImageError> {
    let frame = || -> Result<Frame, ImageError> {
        let (bytes, modified) = read_bytes(path, limits)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        decode_frame(bytes, &name, modified, limits)
    };
    frame().map_err(|error| error.in_file(path))
}

/// Decodes a file's bytes into a frame that keeps them.
pub fn decode_frame(
    bytes: Vec<u8>,
    name: &str,
    captured_at: Timestamp,
    limits: &DecodeLimits,
) -> Result<Frame, ImageError> {
    let (image, format) = decode_with(&bytes, limits)?;
    let bytes = bytes.into();
    Ok(Frame::new(image, name, captured_at).with_encoded(EncodedImage { format, bytes }))
}

fn read_bytes(path: &Path, limits: &DecodeLimits) -> Result<(Vec<u8>, Timestamp), ImageErrorKind> {
    let file = File::open(path).map_err(ImageErrorKind::Read)?;
    let metadata = file.metadata().map_err(ImageErrorKind::Read)?;
    if metadata.is_dir() {
        return Err(ImageErrorKind::Read(io::ErrorKind::IsADirectory.into()));
    }
    limits.check_bytes(metadata.len())?;
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    // A pipe has no length, and a file may grow while it is read.
    file.take(limits.max_file_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(ImageErrorKind::Read)?;
    limits.check_bytes(bytes.len() as u64)?;
    let modified = metadata.modified().map_err(ImageErrorKind::Read)?;
    Ok((bytes, Timestamp::try_from(modified).unwrap_or_default()))
}
