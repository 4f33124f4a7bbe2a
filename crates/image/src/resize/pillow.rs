use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use super::Size;

/// Each new pixel is a weighted mean of all that it covers, as in Pillow's `Image.resize`.
pub(super) fn resize(data: &[u8], size: Size, target: Size, filter: FilterType) -> Vec<u8> {
    let mut scaled = vec![0; target.0 as usize * target.1 as usize * 3];
    let source = TypedImageRef::<U8x3>::from_buffer(size.0, size.1, data);
    let place = TypedImage::<U8x3>::from_buffer(target.0, target.1, &mut scaled);
    if let (Ok(source), Ok(mut place)) = (source, place) {
        let options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(filter))
            .use_alpha(false);
        // Both buffers fit their sizes, so that this cannot fail.
        let _ = Resizer::new().resize_typed(&source, &mut place, &options);
    }
    scaled
}
