//! Pixels to files.

mod deflate;
mod huffman;
mod rows;

use libjpeg_turbo_rs::{PixelFormat, Subsampling};
use png::chunk::IDAT;
use png::{BitDepth, ColorType};
use straylight_core::{ImageFormat, RgbImage};

use crate::error::ImageFormatName;
use crate::{ImageError, ImageErrorKind};

/// Writes an image as an 8-bit RGB PNG file, compressed for speed.
///
/// It is what collecting costs most where images come as pixels, so the compressor is our own: made
/// for photographs, it takes two thirds of the time of the fastest one of a library, and files
/// are a little smaller.
///
/// The same pixels give the same bytes on every machine.
pub fn encode_png(image: &RgbImage) -> Result<Vec<u8>, ImageError> {
    let rows = rows::compressed(image);
    let mut bytes = Vec::with_capacity(rows.len() + 1024);
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| {
        for part in rows.chunks(LONGEST_CHUNK) {
            writer.write_chunk(IDAT, part)?;
        }
        writer.finish()
    });
    written.map_err(|error| refused(ImageFormat::Png, image, &error))?;
    Ok(bytes)
}

/// Bytes in one chunk of a PNG file; the format allows twice as many.
const LONGEST_CHUNK: usize = 1 << 30;

/// libjpeg's limit, which the format itself exceeds by 35.
const LONGEST_SIDE: u32 = 65_500;

/// Writes an image as a baseline JPEG file with halved chroma (4:2:0).
///
/// `quality` runs from 1 to 100; 90 is good for photographs, values outside are brought
/// inside. Neither side may exceed 65,500 pixels, as most readers refuse larger ones.
pub fn encode_jpeg(image: &RgbImage, quality: u8) -> Result<Vec<u8>, ImageError> {
    if image.width().max(image.height()) > LONGEST_SIDE {
        let reason = format!("a JPEG file has at most {LONGEST_SIDE} pixels on each side");
        return Err(refused(ImageFormat::Jpeg, image, &reason));
    }
    let encoded = libjpeg_turbo_rs::compress(
        image.data(),
        image.width() as usize,
        image.height() as usize,
        PixelFormat::Rgb,
        quality.clamp(1, 100),
        Subsampling::S420,
    );
    encoded.map_err(|error| refused(ImageFormat::Jpeg, image, &error))
}

fn refused(format: ImageFormat, image: &RgbImage, reason: &dyn std::fmt::Display) -> ImageError {
    ImageErrorKind::Encode {
        format: ImageFormatName(format),
        width: image.width(),
        height: image.height(),
        reason: reason.to_string(),
    }
    .into()
}
