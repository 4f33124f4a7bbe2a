//! Any bytes are an image within the limits or refused; what the header says is what comes out.

use straylight_core::{RgbImage, Timestamp};
use straylight_image::{
    DecodeLimits, DecodeOptions, Fit, ScaledSize, decode_frame, decode_with, probe,
};

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
        decode_smaller(bytes, limits, &image);
    }
}

/// What can be decoded whole can be decoded smaller, and whole again.
fn decode_smaller(bytes: &[u8], limits: DecodeLimits, whole: &RgbImage) {
    let scaled = ScaledSize {
        width: 1,
        height: 1,
        fit: Fit::Stretch,
    };
    let options = DecodeOptions {
        limits,
        scaled: Some(scaled),
    };
    let frame = decode_frame(bytes.to_vec(), "", Timestamp::UNIX_EPOCH, &options);
    let frame = frame.expect("it was decoded before");
    assert_eq!(frame.size(), (whole.width(), whole.height()));
    assert!(frame.decoded().data().len() <= whole.data().len());
    assert!(frame.image() == whole);
}
