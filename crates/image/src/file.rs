use std::fs::File;
use std::io::Read;
use std::path::Path;

use straylight_core::{EncodedImage, Frame, Timestamp};

use crate::decode::{Decoded, decode_with_time, whole};
use crate::listing::special_kind;
use crate::{DecodeLimits, DecodeOptions, ImageError, ImageErrorKind};

/// Reads an image file into a frame within the default [`DecodeLimits`].
///
/// The frame is named after the file's stem and keeps the file's own bytes. It was captured when
/// its EXIF notes say (`DateTimeOriginal`), else when the file was last modified.
pub fn read_frame(path: &Path) -> Result<Frame, ImageError> {
    read_frame_with(path, &DecodeOptions::default())
}

/// Reads an image file as [`read_frame`] does, within limits of your own, and JPEG files no
/// larger than needed.
pub fn read_frame_with(path: &Path, options: &DecodeOptions) -> Result<Frame, ImageError> {
    let frame = || -> Result<Frame, ImageError> {
        let (bytes, modified) = read_bytes(path, &options.limits)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        decode_frame(bytes, &name, modified, options)
    };
    frame().map_err(|error| error.in_file(path))
}

/// Decodes a file's bytes into a frame that keeps them.
///
/// `captured_at` counts where the file does not say itself when the picture was taken.
pub fn decode_frame(
    bytes: Vec<u8>,
    name: &str,
    captured_at: Timestamp,
    options: &DecodeOptions,
) -> Result<Frame, ImageError> {
    let Decoded {
        image,
        size,
        format,
        taken,
    } = decode_with_time(&bytes, options)?;
    let bytes = bytes.into();
    let (file, taken) = (EncodedImage { format, bytes }, taken.unwrap_or(captured_at));
    if (image.width(), image.height()) == size {
        return Ok(Frame::new(image, name, taken).with_encoded(file));
    }
    Ok(Frame::smaller(image, (file, size, whole), name, taken))
}

fn read_bytes(path: &Path, limits: &DecodeLimits) -> Result<(Vec<u8>, Timestamp), ImageErrorKind> {
    // Looked at before it is opened: opening a pipe waits for somebody who writes.
    let metadata = path.metadata().map_err(ImageErrorKind::Read)?;
    if let Some(what) = special_kind(metadata.file_type()) {
        return Err(ImageErrorKind::NotAFile(what));
    }
    let file = File::open(path).map_err(ImageErrorKind::Read)?;
    limits.check_bytes(metadata.len())?;
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    // A file may grow while it is read.
    file.take(limits.max_file_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(ImageErrorKind::Read)?;
    limits.check_bytes(bytes.len() as u64)?;
    let modified = metadata.modified().map_err(ImageErrorKind::Read)?;
    Ok((bytes, Timestamp::try_from(modified).unwrap_or_default()))
}
