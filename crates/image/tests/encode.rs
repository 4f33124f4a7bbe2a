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

/// Rows of flat pieces of any length, some like the row above: what runs of zeros come from.
fn flat_pieces() -> impl Strategy<Value = RgbImage> {
    let piece = (any::<[u8; 3]>(), 1usize..300);
    let row = (prop::collection::vec(piece, 1..6), 1usize..4);
    (1u32..700, prop::collection::vec(row, 1..5)).prop_map(|(width, rows)| {
        let row = |(pieces, times): (Vec<([u8; 3], usize)>, usize)| {
            let pixels = pieces
                .iter()
                .cycle()
                .flat_map(|(pixel, n)| vec![*pixel; *n]);
            let row: Vec<u8> = pixels.take(width as usize).flatten().collect();
            row.repeat(times)
        };
        let data: Vec<u8> = rows.into_iter().flat_map(row).collect();
        let height = data.len() as u32 / 3 / width;
        RgbImage::new(width, height, data).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn png_loses_nothing(image in prop_oneof![image(), flat_pieces()]) {
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
    fn damaged_jpeg_files_never_panic(
        file in prop::sample::select(vec!["rgb.jpg", "progressive.jpg", "subsampled.jpg", "gray.jpg", "cmyk_adobe.jpg"]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/images");
        let mut bytes = std::fs::read(folder.join(file)).unwrap();
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let _ = decode(&bytes);
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
fn a_flat_png_is_small_and_noise_hardly_larger_than_its_pixels() {
    let flat = RgbImage::filled(1000, 1000, [200, 60, 30]).unwrap();
    assert!(encode_png(&flat).unwrap().len() < 40_000);
    let mut state = 1u32;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    let noise = RgbImage::new(400, 300, noise.take(400 * 300 * 3).collect()).unwrap();
    assert!(encode_png(&noise).unwrap().len() < 400 * 300 * 3 * 102 / 100);
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
