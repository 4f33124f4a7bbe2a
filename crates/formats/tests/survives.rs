//! Masks, key points, marks and groups come back from every format that holds them, and the same
//! set gives the same bytes.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use straylight_core::{RgbImage, Shape};
use straylight_formats::{
    AnnotatedImage, AnnotatedSet, ClassLabel, Flags, Format, Geometry, Keypoint, Mask, Object,
    ReadOptions, Skeleton, Visibility, WriteOptions, read, write,
};
use straylight_image::encode_png;

const SIZE: (u32, u32) = (24, 18);

/// A mask of some pixels, with holes and several parts as they come; at least one pixel.
fn mask() -> impl Strategy<Value = Mask> {
    let pixels = prop::collection::vec(any::<bool>(), (SIZE.0 * SIZE.1) as usize);
    let coarse = prop::collection::vec(any::<bool>(), 12);
    (pixels, coarse, any::<bool>()).prop_map(|(pixels, coarse, fine)| {
        let inside = |x: u32, y: u32| {
            let block = coarse[(y / 6 * 4 + x / 6) as usize];
            (x, y) == (3, 4) || (block && (!fine || pixels[(y * SIZE.0 + x) as usize]))
        };
        Mask::from_pixels(SIZE.0, SIZE.1, inside)
    })
}

fn flags() -> impl Strategy<Value = Flags> {
    any::<[bool; 4]>().prop_map(|[crowd, difficult, truncated, occluded]| Flags {
        crowd,
        difficult,
        truncated,
        occluded,
    })
}

fn keypoints() -> impl Strategy<Value = Vec<Keypoint>> {
    let point = (0..96, 0..72, 0u8..3).prop_map(|(x, y, seen)| {
        let visibility = Visibility::from_number(f64::from(seen));
        let place = if seen == 0 { (0, 0) } else { (x, y) };
        let (x, y) = (f64::from(place.0) / 4.0, f64::from(place.1) / 4.0);
        Keypoint { x, y, visibility }
    });
    prop::collection::vec(point, 3)
}

fn bounds() -> Shape {
    Shape::Rectangle {
        x: 2.0,
        y: 3.0,
        width: 15.5,
        height: 12.25,
    }
}

/// A set of one image an object.
fn set(objects: Vec<Object>) -> AnnotatedSet {
    let skeleton = Skeleton {
        points: ["tip", "head", "side"].map(str::to_owned).to_vec(),
        edges: vec![(0, 1), (1, 2)],
        mirror: Vec::new(),
    };
    let person = ClassLabel {
        skeleton: Some(skeleton),
        ..ClassLabel::named("person")
    };
    let image = |(index, object): (usize, Object)| AnnotatedImage {
        name: format!("{index}.png"),
        width: SIZE.0,
        height: SIZE.1,
        subset: Some(["train", "val"][index % 2].to_owned()),
        objects: vec![object],
        ..AnnotatedImage::default()
    };
    AnnotatedSet {
        labels: vec![ClassLabel::named("bolt"), person],
        images: objects.into_iter().enumerate().map(image).collect(),
    }
}

/// The objects by subset and name after a set was written and read; nothing may be complained of.
fn back(set: &AnnotatedSet, format: Format) -> Vec<(String, Vec<Object>)> {
    let scratch = tempfile::tempdir().unwrap();
    let out = written(set, format, scratch.path(), "out");
    let report = read(&out, format, &ReadOptions::default()).unwrap();
    assert_eq!(report.problems, [], "{format}");
    essence(report.set)
}

fn written(set: &AnnotatedSet, format: Format, scratch: &Path, name: &str) -> std::path::PathBuf {
    let file = scratch.join("picture.png");
    let pixels = RgbImage::filled(SIZE.0, SIZE.1, [7; 3]).unwrap();
    fs::write(&file, encode_png(&pixels).unwrap()).unwrap();
    let mut set = set.clone();
    set.images
        .iter_mut()
        .for_each(|image| image.file.clone_from(&file));
    let out = scratch.join(name);
    write(&set, &out, format, &WriteOptions::default()).unwrap();
    out
}

/// What is compared: places of files, identifiers and groups of the writer's own making are not.
fn essence(set: AnnotatedSet) -> Vec<(String, Vec<Object>)> {
    let mut images: Vec<(String, Vec<Object>)> = set
        .images
        .into_iter()
        .map(|image| {
            let mut objects = image.objects;
            for object in &mut objects {
                (object.id, object.group) = (None, None);
            }
            (
                format!("{}/{}", image.subset.unwrap_or_default(), image.name),
                objects,
            )
        })
        .collect();
    images.sort_by(|a, b| a.0.cmp(&b.0));
    images
}

/// All files below a folder with their bytes.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                all.insert(name, fs::read(path).unwrap());
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) })]

    #[test]
    fn masks(masks in prop::collection::vec(mask(), 1..4)) {
        let objects = masks.into_iter().map(|mask| Object::new(mask, "bolt")).collect();
        let set = set(objects);
        for format in [Format::Coco, Format::Datumaro, Format::PascalVoc] {
            prop_assert_eq!(back(&set, format), essence(set.clone()), "{}", format);
        }
    }

    #[test]
    fn marks(marks in prop::collection::vec(flags(), 1..5)) {
        let object = |flags| Object { flags, ..Object::new(bounds(), "bolt") };
        let all = set(marks.iter().copied().map(object).collect());
        for format in [Format::Coco, Format::Datumaro] {
            prop_assert_eq!(back(&all, format), essence(all.clone()), "{}", format);
        }
        // VOC knows no crowds.
        let some = marks.into_iter().map(|flags| object(Flags { crowd: false, ..flags }));
        let some = set(some.collect());
        prop_assert_eq!(back(&some, Format::PascalVoc), essence(some.clone()));
    }

    #[test]
    fn key_points(points in prop::collection::vec(keypoints(), 1..4)) {
        let object = |keypoints| Object { keypoints, ..Object::new(bounds(), "person") };
        let set = set(points.into_iter().map(object).collect());
        for format in [Format::Coco, Format::Datumaro, Format::Yolo] {
            prop_assert_eq!(back(&set, format), essence(set.clone()), "{}", format);
        }
    }

    #[test]
    fn the_same_set_gives_the_same_bytes(masks in prop::collection::vec(mask(), 1..3), points in keypoints()) {
        let mut objects: Vec<Object> = masks.into_iter().map(|mask| Object::new(mask, "bolt")).collect();
        objects.push(Object { keypoints: points, ..Object::new(bounds(), "person") });
        objects.push(Object::new(Geometry::Image, "bolt"));
        let set = set(objects);
        for format in Format::all().filter(|format| format.is_writable()) {
            let scratch = tempfile::tempdir().unwrap();
            let (one, two) = (
                written(&set, format, scratch.path(), "one"),
                written(&set, format, scratch.path(), "two"),
            );
            prop_assert_eq!(bytes(&one), bytes(&two), "{}", format);
        }
    }
}
