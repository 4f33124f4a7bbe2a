//! Any bytes are an image within the limits or refused; what the header says is what comes out.

use straylight_image::{DecodeLimits, decode_with, probe};

pub(crate) fn fuzz(bytes: &[u8]) {
    let limits = DecodeLimits {
        max_pixels: 1 << 20,
        max_file_bytes: 1 << 20,
    };
    if let Ok((image, format)) = decode_with(bytes, &limits) {
        assert!(u64::from(image.width()) * u64::from(image.height()) <= limits.max_pixels);
        let info = probe(bytes).expect("a decoded image has a header");
        assert_eq!((info.width, info.height), (image.width(), image.height()));
        assert_eq!(info.format, format);
    }
}
