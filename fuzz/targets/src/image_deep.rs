//! Any bytes are decoded to 16-bit samples, have fewer bits, or are refused.

use straylight_image::{DecodeLimits, decode_deep};

pub(crate) fn fuzz(bytes: &[u8]) {
    let limits = DecodeLimits {
        max_pixels: 1 << 20,
        ..DecodeLimits::default()
    };
    if let Ok(Some(image)) = decode_deep(bytes, &limits) {
        assert_eq!(
            image.data().len(),
            image.width() as usize * image.height() as usize * 3
        );
    }
}
