use jpeg_encoder::{ColorType as JpegColor, Encoder as JpegEncoder, SamplingFactor};
use png::{BitDepth, ColorType, Compression, Filter};
use straylight_core::{ImageFormat, RgbImage};

use crate::error::ImageFormatName;
use crate::{ImageError, ImageErrorKind};

/// Writes an image as an 8-bit RGB PNG file, compressed for speed.
///
/// The same pixels give the same bytes on every machine.
pub fn encode_png(image: &RgbImage) -> Result<Vec<u8>, ImageError> {
    // A guess at the size saves most of the copies while the buffer grows.
    let mut bytes = Vec::with_capacity(image.data().len() / 2 + 1024);
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    // Photographs gain next to nothing from choosing a filter for each row.
    encoder.set_compression(Compression::Fastest);
    encoder.set_filter(Filter::Sub);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(image.data())?;
        writer.finish()
    });
    written.map_err(|error| refused(ImageFormat::Png, image, &error))?;
    Ok(bytes)
}

/// Writes an image as a baseline JPEG file with halved chroma (4:2:0).
///
/// `quality` runs from 1 to 100; 90 is good for photographs, values outside are brought
/// inside. Neither side may exceed 65,535 pixels.
pub fn encode_jpeg(image: &RgbImage, quality: u8) -> Result<Vec<u8>, ImageError> {
    let size = u16::try_from(image.width()).and_then(|w| Ok((w, u16::try_from(image.height())?)));
    let (width, height) = size.map_err(|_| {
        refused(
            ImageFormat::Jpeg,
            image,
            &"a side is longer than 65535 pixels",
        )
    })?;
    let mut bytes = Vec::with_capacity(image.data().len() / 8 + 1024);
    let mut encoder = JpegEncoder::new(&mut bytes, quality.clamp(1, 100));
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encoder
        .encode(image.data(), width, height, JpegColor::Rgb)
        .map_err(|error| refused(ImageFormat::Jpeg, image, &error))?;
    Ok(bytes)
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
