//! Decoding, encoding, resizing and drawing of 1.6 megapixels: `cargo bench -p straylight-image`.
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

use std::path::Path;

use divan::{Bencher, black_box};
use straylight_core::{Annotation, Color, Prediction, RgbImage, ScoredLabel, Shape};
use straylight_image::{
    ContactSheet, Visualizer, decode, encode_jpeg, encode_png, resize, thumbnail,
};

fn main() {
    divan::main();
}

/// A real photo enlarged to 1536 x 1024: noise would be harder and one colour easier.
fn photo() -> RgbImage {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/demo_io/fish_fish1.png");
    let (image, _) = decode(&std::fs::read(file).unwrap()).unwrap();
    resize::bilinear_cv(&image, 1536, 1024)
}

fn prediction(objects: u32) -> Prediction {
    let label = |i: u32| ScoredLabel {
        id: i.to_string(),
        name: format!("label {i}"),
        color: Color::opaque([(i * 60) as u8, 200, 90]),
        probability: 0.9,
    };
    let shape = |i: u32| Shape::RotatedRectangle {
        x: 200.0 + 110.0 * f64::from(i),
        y: 500.0,
        width: 300.0,
        height: 200.0,
        angle: 10.0 * f64::from(i),
    };
    let annotation = |i| Annotation {
        shape: shape(i),
        labels: vec![label(i)],
    };
    Prediction {
        annotations: (0..objects).map(annotation).collect(),
        ..Prediction::default()
    }
}

#[divan::bench]
fn decode_jpeg(bencher: Bencher<'_, '_>) {
    let bytes = encode_jpeg(&photo(), 90).unwrap();
    bencher.bench(|| decode(black_box(&bytes)).unwrap());
}

#[divan::bench]
fn decode_png(bencher: Bencher<'_, '_>) {
    let bytes = encode_png(&photo()).unwrap();
    bencher.bench(|| decode(black_box(&bytes)).unwrap());
}

#[divan::bench]
fn write_jpeg_90(bencher: Bencher<'_, '_>) {
    let image = photo();
    bencher.bench(|| encode_jpeg(black_box(&image), 90).unwrap());
}

#[divan::bench]
fn write_png(bencher: Bencher<'_, '_>) {
    let image = photo();
    bencher.bench(|| encode_png(black_box(&image)).unwrap());
}

#[divan::bench(args = [224, 640])]
fn resize_cv(bencher: Bencher<'_, '_>, side: u32) {
    let image = photo();
    bencher.bench(|| resize::bilinear_cv(black_box(&image), side, side));
}

#[divan::bench(args = [224, 640])]
fn resize_openvino(bencher: Bencher<'_, '_>, side: u32) {
    let image = photo();
    bencher.bench(|| resize::bilinear_openvino(black_box(&image), side, side));
}

#[divan::bench]
fn enlarge_saliency_map(bencher: Bencher<'_, '_>) {
    bencher.bench(|| resize::bicubic_cv_gray(black_box(&[9; 49]), (7, 7), (1536, 1024)));
}

#[divan::bench]
fn small_picture(bencher: Bencher<'_, '_>) {
    let image = photo();
    bencher.bench(|| thumbnail(black_box(&image), 240));
}

#[divan::bench(args = [0, 1, 10])]
fn draw_turned_boxes(bencher: Bencher<'_, '_>, objects: u32) {
    let (image, prediction) = (photo(), prediction(objects));
    let visualizer = Visualizer::default();
    bencher.bench(|| visualizer.draw(black_box(&image), &prediction, Some(0.5)));
}

#[divan::bench]
fn sheet_of_60(bencher: Bencher<'_, '_>) {
    let sheet = ContactSheet::default();
    let image = photo();
    let captions = || vec!["name of a photo".to_owned(), "label 93.1%".to_owned()];
    let tiles: Vec<_> = (0..60)
        .map(|_| sheet.tile(&image, captions(), Color::BLACK))
        .collect();
    bencher.bench(|| sheet.render(black_box(&tiles)).unwrap());
}
