//! Resizing against what OpenCV, OpenVINO and Pillow gave for the same pixels.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use straylight_core::RgbImage;
use straylight_image::{decode, resize};
use zip::ZipArchive;

#[derive(Deserialize)]
struct Case {
    name: String,
    source: String,
    method: String,
    width: u32,
    height: u32,
}

/// Arrays of grey levels by name, each with its shape.
struct Arrays(ZipArchive<File>);

impl Arrays {
    fn get(&mut self, name: &str) -> (Vec<usize>, Vec<u8>) {
        let mut bytes = Vec::new();
        let mut entry = self.0.by_name(&format!("{name}.npy")).unwrap();
        entry.read_to_end(&mut bytes).unwrap();
        let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
        assert!(header.contains("'|u1'"), "{header}");
        let (_, shape) = header.split_once("'shape': (").unwrap();
        let (shape, _) = shape.split_once(')').unwrap();
        let sides = shape.split(',').filter_map(|n| n.trim().parse().ok());
        (sides.collect(), bytes[10 + length..].to_vec())
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/resize")
}

fn cases(method: &str) -> (Vec<Case>, Arrays) {
    let text = fs::read(folder().join("cases.json")).unwrap();
    let mut cases: Vec<Case> = serde_json::from_slice(&text).unwrap();
    cases.retain(|case| case.method == method);
    assert!(!cases.is_empty(), "no case of {method}");
    let archive = ZipArchive::new(File::open(folder().join("expected.npz")).unwrap()).unwrap();
    (cases, Arrays(archive))
}

fn source(case: &Case) -> RgbImage {
    decode(&fs::read(folder().join(&case.source)).unwrap())
        .unwrap()
        .0
}

/// How many levels differ, and by how much at most.
fn differences(ours: &[u8], theirs: &[u8]) -> (usize, u8) {
    assert_eq!(ours.len(), theirs.len());
    let off = || ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b));
    (off().filter(|d| *d > 0).count(), off().max().unwrap_or(0))
}

#[test]
fn linear_is_the_one_of_opencv_to_the_bit() {
    let (cases, mut arrays) = cases("cv2_linear");
    for case in cases {
        let ours = resize::bilinear_cv(&source(&case), case.width, case.height);
        let (_, theirs) = arrays.get(&case.name);
        assert_eq!(differences(ours.data(), &theirs), (0, 0), "{}", case.name);
    }
}

#[test]
fn pillow_s_filters_are_pillow_s_to_the_bit() {
    type Filter = fn(&RgbImage, u32, u32) -> RgbImage;
    let filters: [(&str, Filter); 2] = [
        ("pillow_bilinear", resize::bilinear_pillow),
        ("pillow_bicubic", resize::bicubic_pillow),
    ];
    for (method, scale) in filters {
        let (cases, mut arrays) = cases(method);
        for case in cases {
            let ours = scale(&source(&case), case.width, case.height);
            let (_, theirs) = arrays.get(&case.name);
            assert_eq!(differences(ours.data(), &theirs), (0, 0), "{}", case.name);
        }
    }
}

#[test]
fn linear_is_the_one_of_openvino() {
    let (cases, mut arrays) = cases("model_api_standard");
    let (mut off, mut all) = (0, 0);
    for case in cases {
        let ours = resize::bilinear_openvino(&source(&case), case.width, case.height);
        let (_, theirs) = arrays.get(&case.name);
        let (count, furthest) = differences(ours.data(), &theirs);
        assert!(furthest <= 1, "{}: off by {furthest}", case.name);
        off += count;
        all += theirs.len();
    }
    println!("{off} of {all} levels are off by one");
    assert!(off * 5_000 <= all, "{off} of {all}");
}

#[test]
fn cubic_is_within_one_level_of_opencv() {
    let (cases, mut arrays) = cases("cv2_cubic");
    let (mut off, mut all) = (0, 0);
    for case in cases {
        let ours = resize::bicubic_cv(&source(&case), case.width, case.height);
        let (_, theirs) = arrays.get(&case.name);
        let (count, furthest) = differences(ours.data(), &theirs);
        assert!(furthest <= 1, "{}: off by {furthest}", case.name);
        off += count;
        all += theirs.len();
    }
    println!("{off} of {all} levels are off by one");
    assert!(off * 50 <= all, "{off} of {all}");
}

/// OpenCV's own builds, with IPP and without, differ from each other as much.
#[test]
fn saliency_maps_are_within_one_level_of_opencv() {
    let (cases, mut arrays) = cases("cv2_cubic_maps");
    let (mut off, mut all) = (0, 0);
    for case in cases {
        let (shape, maps) = arrays.get(&case.source);
        let (_, theirs) = arrays.get(&case.name);
        let size = (shape[2] as u32, shape[1] as u32);
        let target = (case.width, case.height);
        let ours: Vec<u8> = maps
            .chunks_exact(shape[1] * shape[2])
            .flat_map(|map| resize::bicubic_cv_gray(map, size, target).unwrap())
            .collect();
        let (count, furthest) = differences(&ours, &theirs);
        assert!(furthest <= 1, "{}: off by {furthest}", case.name);
        off += count;
        all += theirs.len();
    }
    println!("{off} of {all} levels are off by one");
    assert!(off * 50 <= all, "{off} of {all}");
}
