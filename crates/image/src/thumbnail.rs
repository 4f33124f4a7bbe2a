use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use straylight_core::RgbImage;

use crate::resize::halve::halve;

/// Scales an image down so that neither side is longer than `max_side` pixels.
///
/// Keeps the proportions (no side becomes 0) and never enlarges. Every pixel of the image counts
/// (a Hamming-windowed mean; a plain one where sides shrink by a whole factor, which is quicker
/// and as good), so fine patterns do not turn into moire. For people to look at:
/// what a model sees is scaled by [`resize`](crate::resize).
pub fn thumbnail(image: &RgbImage, max_side: u32) -> RgbImage {
    let longest = image.width().max(image.height());
    let max_side = max_side.max(1);
    if longest <= max_side {
        return image.clone();
    }
    let scaled = |side: u32| {
        let exact = u64::from(side) * u64::from(max_side) + u64::from(longest) / 2;
        ((exact / u64::from(longest)) as u32).max(1)
    };
    let (width, height) = (scaled(image.width()), scaled(image.height()));
    let small = if (image.width(), image.height()) == (width * 2, height * 2) {
        RgbImage::new(width, height, halve::<3>(image.data(), width as usize)).ok()
    } else {
        shrink(image, width, height)
    };
    // The buffers are made for their sizes, so the fall-back is not reached.
    small.unwrap_or_else(|| image.clone())
}

/// The kind of pixel is fixed: left open, it would compile the kernels of all kinds.
fn shrink(image: &RgbImage, width: u32, height: u32) -> Option<RgbImage> {
    let source: TypedImageRef<U8x3> =
        TypedImageRef::from_buffer(image.width(), image.height(), image.data()).ok()?;
    let mut data = vec![0; width as usize * height as usize * 3];
    let mut target = TypedImage::<U8x3>::from_buffer(width, height, &mut data).ok()?;
    let is_whole = image.width().is_multiple_of(width) && image.height().is_multiple_of(height);
    let filter = if is_whole {
        FilterType::Box
    } else {
        FilterType::Hamming
    };
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .use_alpha(false);
    let mut resizer = Resizer::new();
    resizer.resize_typed(&source, &mut target, &options).ok()?;
    RgbImage::new(width, height, data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_the_proportions() {
        struct Case((u32, u32), u32, (u32, u32));
        for Case((w, h), side, wanted) in [
            Case((100, 50), 200, (100, 50)),
            Case((100, 50), 50, (50, 25)),
            Case((1000, 1), 10, (10, 1)),
            Case((333, 777), 100, (43, 100)),
            Case((64, 48), 0, (1, 1)),
        ] {
            let small = thumbnail(&RgbImage::filled(w, h, [200, 0, 9]).unwrap(), side);
            assert_eq!((small.width(), small.height()), wanted);
            assert!(small.pixel(0, 0).unwrap()[0] >= 199);
        }
    }

    #[test]
    fn a_fine_chequerboard_becomes_gray() {
        let data = (0..80 * 80)
            .flat_map(|i| [if (i / 80 + i % 80) % 2 == 0 { 255 } else { 0 }; 3])
            .collect();
        let small = thumbnail(&RgbImage::new(80, 80, data).unwrap(), 20);
        assert!(small.data().iter().all(|v| (127..=128).contains(v)));
    }
}
