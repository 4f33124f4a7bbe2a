//! JPEG files decoded smaller than they are, for networks that see small pictures.
//!
//! A JPEG file holds blocks of 8 x 8 pixels as frequencies. Without the higher ones a block gives
//! 4 x 4, 2 x 2 or 1 pixel, each about the mean of those that it stands for, in a part of the time.

use std::borrow::Cow;

use straylight_core::{EncodedImage, Frame, ImageFormat, RgbImage};

use super::{DecodeLimits, DecodeOptions, decode_with, decode_with_time};
use crate::resize;

/// To what size images will be scaled once they are decoded.
///
/// A JPEG file is decoded with an eighth, a quarter or half of its pixels a side as long as three
/// times as many a side remain as are needed, and only where the sides divide evenly: then every pixel
/// stands for whole pixels of the file, and nothing moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaledSize {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// What happens to images with another ratio of their sides.
    pub fit: Fit,
}

/// How an image comes to a size whose sides have another ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is stretched.
    Stretch,
    /// It keeps its ratio and lies inside the size.
    Inside,
    /// It keeps its ratio and covers the size.
    Cover,
}

/// How many times as wide and as high a decoded image is as what a network sees of it, at least. With
/// 1.5 five of 414 labels changed, with this none: `benchmarks/large_photos/scaled.py`.
const LEAST_RATIO: f64 = 3.0;

impl ScaledSize {
    /// By what the sides of an image of `size` (width and height in pixels) are divided: 1, 2, 4 or 8.
    pub fn divisor(&self, (width, height): (u32, u32)) -> u32 {
        let ratio = |wanted: u32, side: u32| f64::from(wanted) / f64::from(side.max(1));
        let [x, y] = [ratio(self.width, width), ratio(self.height, height)];
        // What remains of each side.
        let [x, y] = match self.fit {
            Fit::Stretch => [x, y],
            Fit::Inside => [x.min(y); 2],
            Fit::Cover => [x.max(y); 2],
        };
        let fits = |divisor: &u32| {
            let even = width.is_multiple_of(*divisor) && height.is_multiple_of(*divisor);
            even && x.max(y) * LEAST_RATIO * f64::from(*divisor) <= 1.0
        };
        [8, 4, 2].into_iter().find(fits).unwrap_or(1)
    }
}

/// The pixels of a frame for a network that scales images to `scaled`: those of a smaller picture
/// where a JPEG file can be decoded so, else the whole image.
///
/// The same whether the frame was decoded smaller before or not.
pub fn pixels_for(frame: &Frame, scaled: Option<ScaledSize>) -> Cow<'_, RgbImage> {
    let size = frame.size();
    let file = frame
        .encoded()
        .filter(|file| file.format == ImageFormat::Jpeg);
    let Some((scaled, file)) = scaled.zip(file) else {
        return Cow::Borrowed(frame.image());
    };
    let divisor = scaled.divisor(size);
    if divisor == 1 {
        return Cow::Borrowed(frame.image());
    }
    let decoded = frame.decoded();
    if (decoded.width(), decoded.height()) == (size.0 / divisor, size.1 / divisor) {
        return Cow::Borrowed(decoded);
    }
    let options = DecodeOptions {
        limits: limits_of(file, size),
        scaled: Some(scaled),
    };
    match decode_with_time(&file.bytes, &options) {
        Ok(again) if again.size == size => Cow::Owned(again.image),
        // The pixels are not those of the file that lies beside them.
        _ => Cow::Borrowed(frame.image()),
    }
}

/// The whole image of a file of which a smaller picture was decoded.
pub(crate) fn whole(file: &EncodedImage, picture: &RgbImage, size: (u32, u32)) -> RgbImage {
    let decoded = decode_with(&file.bytes, &limits_of(file, size));
    // Who decodes a smaller picture has read the whole file, so the fall-back should not be reached.
    decoded.map_or_else(
        |error| {
            tracing::warn!(%error, "only a smaller picture can be decoded; it is enlarged");
            resize::bilinear_cv(picture, size.0, size.1)
        },
        |(image, _)| image,
    )
}

/// What was decoded before may be decoded again.
fn limits_of(file: &EncodedImage, (width, height): (u32, u32)) -> DecodeLimits {
    DecodeLimits {
        max_pixels: u64::from(width) * u64::from(height),
        max_file_bytes: file.bytes.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_pixels_remain_and_sides_divide_evenly() {
        struct Case(Fit, (u32, u32), (u32, u32), u32);
        use Fit::{Cover, Inside, Stretch};
        for Case(fit, (width, height), image, divisor) in [
            Case(Stretch, (224, 224), (4032, 3024), 4),
            Case(Stretch, (224, 224), (5376, 5376), 8),
            Case(Stretch, (224, 224), (5368, 5368), 4),
            Case(Stretch, (224, 224), (4031, 3024), 1),
            Case(Stretch, (224, 224), (4030, 3024), 2),
            Case(Stretch, (224, 224), (1344, 1344), 2),
            Case(Stretch, (224, 224), (1342, 1344), 1),
            Case(Stretch, (100, 400), (4000, 4800), 4),
            Case(Inside, (640, 640), (4032, 3024), 2),
            Case(Inside, (640, 640), (15360, 800), 8),
            Case(Cover, (640, 640), (15360, 800), 1),
            Case(Cover, (224, 224), (4032, 3024), 4),
        ] {
            let scaled = ScaledSize { width, height, fit };
            assert_eq!(scaled.divisor(image), divisor, "{scaled:?} of {image:?}");
        }
    }
}
