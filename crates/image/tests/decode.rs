//! Every image file that users bring, good and bad, against known answers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use straylight_core::{Frame, RgbImage};
use straylight_image::{
    DecodeLimits, DecodeOptions, Fit, ImageErrorKind, ScaledSize, decode, decode_with, pixels_for,
    probe, read_frame, read_frame_with,
};

#[derive(Deserialize)]
struct Case {
    file: String,
    about: String,
    expected: Expected,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Image {
        width: u32,
        height: u32,
        tolerance: u8,
        probes: Vec<Probe>,
    },
    /// The word "error".
    Error(String),
}

#[derive(Deserialize)]
struct Probe {
    x: u32,
    y: u32,
    rgb: [u8; 3],
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/images")
}

fn cases() -> Vec<Case> {
    let text = fs::read(folder().join("expected.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn furthest(a: [u8; 3], b: [u8; 3]) -> u8 {
    a.iter().zip(b).map(|(a, b)| a.abs_diff(b)).max().unwrap()
}

#[test]
fn good_files_decode_to_the_known_pixels() {
    let mut good = 0;
    for Case {
        file,
        about,
        expected,
    } in cases()
    {
        let Expected::Image {
            width,
            height,
            tolerance,
            probes,
        } = expected
        else {
            continue;
        };
        let frame = read_frame(&folder().join(&file)).unwrap_or_else(|e| panic!("{about}: {e}"));
        let image = frame.image();
        assert_eq!(
            (image.width(), image.height()),
            (width, height),
            "{file}: {about}"
        );
        for Probe { x, y, rgb } in probes {
            let seen = image.pixel(x, y).unwrap();
            assert!(
                furthest(seen, rgb) <= tolerance,
                "{file} ({about}) at {x}, {y}: {seen:?}, not {rgb:?}"
            );
        }
        let info = probe(&fs::read(folder().join(&file)).unwrap()).unwrap();
        assert_eq!(
            (info.width, info.height),
            (width, height),
            "{file}: {about}"
        );
        assert_eq!(info.format, frame.encoded().unwrap().format);
        good += 1;
    }
    assert!(good >= 37, "{good} good files");
}

#[test]
fn bad_files_are_refused_by_name_and_with_a_way_out() {
    let mut bad = 0;
    for Case {
        file,
        about,
        expected,
    } in cases()
    {
        let Expected::Error(word) = expected else {
            continue;
        };
        assert_eq!(word, "error");
        let path = folder().join(&file);
        let error = read_frame(&path)
            .err()
            .unwrap_or_else(|| panic!("{file}: {about}"));
        let text = error.to_string();
        assert!(
            text.contains(&file) && text.contains(error.hint()),
            "{text}"
        );
        assert_eq!(error.file(), Some(path.as_path()));
        bad += 1;
    }
    assert!(bad >= 8, "{bad} bad files");
}

#[test]
fn every_shorter_file_is_refused() {
    let lossy = [
        "rgb.jpg",
        "progressive.jpg",
        "subsampled.jpg",
        "gray.jpg",
        "lossy.webp",
    ];
    let exact = [
        "rgb.png",
        "palette.png",
        "rgb.bmp",
        "rgb.tiff",
        "lossless.webp",
        "palette.gif",
    ];
    for file in lossy.into_iter().chain(exact) {
        let bytes = fs::read(folder().join(file)).unwrap();
        for length in [bytes.len() / 4, bytes.len() / 2, bytes.len() * 3 / 4] {
            assert!(
                decode(&bytes[..length]).is_err(),
                "{length} bytes of {file}"
            );
        }
    }
}

#[test]
fn limits_hold_before_pixels_are_decoded() {
    let bomb = fs::read(folder().join("bomb.png")).unwrap();
    let error = decode(&bomb).unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ImageErrorKind::TooManyPixels { width: 50_000, .. }
        ),
        "{error}"
    );

    let bytes = fs::read(folder().join("rgb.png")).unwrap();
    let few_pixels = DecodeLimits {
        max_pixels: 48 * 32 - 1,
        ..DecodeLimits::default()
    };
    let error = decode_with(&bytes, &few_pixels).unwrap_err();
    assert!(
        matches!(error.kind(), ImageErrorKind::TooManyPixels { .. }),
        "{error}"
    );

    let few_bytes = DecodeLimits {
        max_file_bytes: 20,
        ..DecodeLimits::default()
    };
    let error = decode_with(&bytes, &few_bytes).unwrap_err();
    assert!(
        matches!(error.kind(), ImageErrorKind::TooManyBytes { limit: 20 }),
        "{error}"
    );
}

#[test]
fn the_kind_tells_what_is_wrong() {
    let kind = |file: &str| read_frame(&folder().join(file)).unwrap_err();
    assert!(matches!(kind("empty.jpg").kind(), ImageErrorKind::Empty));
    assert!(matches!(
        kind("text.jpg").kind(),
        ImageErrorKind::UnknownFormat(_)
    ));
    assert!(matches!(
        kind("truncated.jpg").kind(),
        ImageErrorKind::Corrupt { .. }
    ));
    assert!(matches!(
        kind("no such file").kind(),
        ImageErrorKind::Read(_)
    ));
    assert!(matches!(
        kind(".").kind(),
        ImageErrorKind::NotAFile("a folder")
    ));
}

#[test]
fn a_photo_is_taken_when_its_camera_says() {
    let media = folder().join("../media");
    for name in ["taken.jpg", "taken.png", "taken.webp", "taken.tif"] {
        let frame = read_frame(&media.join(name)).unwrap();
        let taken = frame.captured_at().to_string();
        assert_eq!(taken, "2024-05-06T05:08:09.25Z", "{name}");
    }
}

#[test]
fn sixteen_bits_and_transparency_keep_their_colour() {
    let media = folder().join("../media");
    let pixel = |name: &str, x, y| {
        let frame = read_frame(&media.join(name)).unwrap();
        frame.image().pixel(x, y).unwrap()
    };
    assert_eq!(pixel("g16.png", 3, 3), [156; 3]);
    assert_eq!(pixel("g16.tiff", 3, 3), [156; 3]);
    assert_eq!(pixel("rgba.png", 0, 0), [200, 100, 50]);
    assert_eq!(pixel("rgba.png", 39, 29), [200, 100, 50]);
    assert!(read_frame(&media.join("f32.tiff")).is_err());
    let error = read_frame(&media.join("big.png")).unwrap_err().to_string();
    assert!(
        error.contains("12000 x 12000") && error.contains("--max-pixels"),
        "{error}"
    );
}

#[test]
fn a_frame_keeps_name_time_and_bytes() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("a.b.JPG");
    let bytes = fs::read(folder().join("rgb.png")).unwrap();
    fs::write(&path, &bytes).unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(time)
        .unwrap();

    let frame = read_frame(&path).unwrap();
    assert_eq!(frame.name(), "a.b");
    assert_eq!(frame.captured_at().as_second(), 1_000_000);
    assert_eq!(&*frame.encoded().unwrap().bytes, bytes.as_slice());
}

/// Its last bytes are only a few pixels of a photo, but many of a plain picture.
#[test]
fn a_jpeg_file_without_its_last_bytes_is_refused() {
    for file in [
        "rgb.jpg",
        "progressive.jpg",
        "subsampled.jpg",
        "gray.jpg",
        "cmyk_adobe.jpg",
    ] {
        let bytes = fs::read(folder().join(file)).unwrap();
        for missing in 1..bytes.len() {
            let cut = &bytes[..bytes.len() - missing];
            assert!(decode(cut).is_err(), "{file} without {missing} bytes");
        }
        let more = [&*bytes, b"what a phone writes behind"].concat();
        assert_eq!(
            decode(&more).unwrap().0,
            decode(&bytes).unwrap().0,
            "{file}"
        );
    }
}

/// OpenCV and Pillow read with libjpeg-turbo: the same pixels to the bit.
#[test]
fn jpeg_is_that_of_libjpeg_turbo() {
    for flavour in ["420", "420_progressive", "422", "444"] {
        let read = |extension: &str| -> RgbImage {
            let file = folder().join(format!("../demo_io/jpeg_{flavour}.{extension}"));
            decode(&fs::read(file).unwrap()).unwrap().0
        };
        assert!(read("jpg") == read("png"), "{flavour}");
    }
}

/// A JPEG file decoded for a network that scales images to `width` x `height`.
fn smaller(file: &str, width: u32, height: u32) -> Frame {
    let options = DecodeOptions {
        scaled: Some(ScaledSize {
            width,
            height,
            fit: Fit::Stretch,
        }),
        ..DecodeOptions::default()
    };
    read_frame_with(&folder().join(file), &options).unwrap()
}

/// The pixels of OpenCV's `IMREAD_REDUCED_COLOR_2`, `_4` and `_8`, to the bit.
#[test]
fn smaller_pictures_are_those_of_libjpeg_turbo() {
    let whole = read_frame(&folder().join("../demo_io/jpeg_even.jpg")).unwrap();
    for divisor in [2, 4, 8] {
        let (width, height) = (184 / divisor / 3, 128 / divisor / 3);
        let frame = smaller("../demo_io/jpeg_even.jpg", width, height);
        let theirs = folder().join(format!("../demo_io/jpeg_even_{divisor}.png"));
        assert!(
            frame.decoded() == read_frame(&theirs).unwrap().image(),
            "{divisor}"
        );
        assert_eq!(frame.size(), (184, 128));
        assert!(frame.image() == whole.image() && frame.content_hash() == whole.content_hash());
        // Whether it was decoded smaller before makes no difference.
        let scaled = ScaledSize {
            width,
            height,
            fit: Fit::Stretch,
        };
        for frame in [&frame, &whole] {
            assert!(
                *pixels_for(frame, Some(scaled))
                    == *smaller("../demo_io/jpeg_even.jpg", width, height).decoded()
            );
        }
        assert!(*pixels_for(&frame, None) == *whole.image());
    }
}

#[test]
fn smaller_pictures_are_turned_upright_too() {
    let (whole, frame) = (
        read_frame(&folder().join("exif_6.jpg")).unwrap(),
        smaller("exif_6.jpg", 4, 2),
    );
    assert_eq!((frame.decoded().width(), frame.decoded().height()), (12, 8));
    assert_eq!(frame.size(), (48, 32));
    for (x, y) in [(2, 1), (9, 1), (2, 6), (9, 6)] {
        let pixel = frame.decoded().pixel(x, y).unwrap();
        let expected = whole.image().pixel(x * 4 + 2, y * 4 + 2).unwrap();
        assert!(
            furthest(pixel, expected) <= 8,
            "{x} {y}: {pixel:?} {expected:?}"
        );
    }
    // Other formats have all their pixels.
    assert_eq!(smaller("rgb.png", 4, 2).decoded().width(), 48);
}

#[test]
fn messages_about_damaged_png_files_hold_no_code() {
    let sound = fs::read(folder().join("rgb.png")).unwrap();
    let changed = |place: usize, bytes: &[u8]| {
        let mut copy = sound.clone();
        copy[place..place + bytes.len()].copy_from_slice(bytes);
        decode(&copy).unwrap_err().to_string()
    };
    let bad_sum = read_frame(&folder().join("bad_crc.png")).unwrap_err();
    for (text, expected) in [
        (bad_sum.to_string(), "while decoding IDAT chunk"),
        (changed(12, b"QQQQ"), "QQQQ chunk appeared before IHDR"),
        (changed(20, &[9]), "while decoding IHDR chunk"),
    ] {
        assert!(
            text.contains(expected) && !text.contains(['{', '}']),
            "{text}"
        );
    }
}
