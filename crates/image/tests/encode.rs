//! What is written reads back.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use proptest::prelude::*;
use straylight_core::{ImageFormat, RgbImage};
use straylight_image::{ImageErrorKind, decode, encode_jpeg, encode_png};

fn image() -> impl Strategy<Value = RgbImage> {
    (1u32..40, 1u32..40).prop_flat_map(|(w, h)| {
        let bytes = prop::collection::vec(any::<u8>(), (w * h * 3) as usize);
        bytes.prop_map(move |data| RgbImage::new(w, h, data).unwrap())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn png_loses_nothing(image in image()) {
        let (back, format) = decode(&encode_png(&image).unwrap()).unwrap();
        prop_assert_eq!(format, ImageFormat::Png);
        prop_assert_eq!(back, image);
    }

    #[test]
    fn jpeg_of_any_size_and_quality_reads_back(image in image(), quality in any::<u8>()) {
        let (back, format) = decode(&encode_jpeg(&image, quality).unwrap()).unwrap();
        prop_assert_eq!(format, ImageFormat::Jpeg);
        prop_assert_eq!((back.width(), back.height()), (image.width(), image.height()));
    }

    #[test]
    fn decoding_any_bytes_never_panics(
        head in prop::sample::select(vec![
            &b"\xff\xd8\xff"[..], b"\x89PNG\r\n\x1a\n", b"RIFF\x20\0\0\0WEBPVP8 ", b"GIF89a",
            b"II\x2a\0\x08\0\0\0", b"BM\x40\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
        ]),
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = decode(&[head, &tail].concat());
    }
}

#[test]
fn one_colour_survives_jpeg() {
    let image = RgbImage::filled(64, 48, [200, 60, 30]).unwrap();
    let (back, _) = decode(&encode_jpeg(&image, 90).unwrap()).unwrap();
    assert!(
        back.data()
            .iter()
            .zip(image.data())
            .all(|(a, b)| a.abs_diff(*b) <= 3)
    );
}

#[test]
fn jpeg_sides_are_limited() {
    let image = RgbImage::filled(70_000, 1, [0; 3]).unwrap();
    let error = encode_jpeg(&image, 90).unwrap_err();
    assert!(
        matches!(error.kind(), ImageErrorKind::Encode { width: 70_000, .. }),
        "{error}"
    );
    assert!(encode_png(&image).is_ok());
}
