//! What a format can hold comes back as it was.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use proptest::prelude::*;
use straylight_core::{Color, Point, RgbImage, Shape};
use straylight_formats::{
    AnnotatedImage, AnnotatedSet, Became, ClassLabel, Feature, Format, Geometry, Loss, Object,
    ReadOptions, WriteOptions, read, write,
};
use straylight_image::encode_png;

/// Which shapes a format holds as they are.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "one column of a table each")]
struct Holds {
    polygons: bool,
    turned: bool,
    points: bool,
    several_labels: bool,
    image_labels: bool,
}

const ALL: Holds = Holds {
    polygons: true,
    turned: true,
    points: true,
    several_labels: true,
    image_labels: true,
};

/// Upright boxes of one label.
const NONE: Holds = Holds {
    polygons: false,
    turned: false,
    points: false,
    several_labels: false,
    image_labels: false,
};

/// Quarters of pixels: exact in binary, so that nothing is lost by adding a width to an edge.
fn quarter(most: i32) -> impl Strategy<Value = f64> {
    (-8..most).prop_map(|n| f64::from(n) / 4.0)
}

fn shape(holds: Holds) -> impl Strategy<Value = Geometry> {
    let four = || (quarter(160), quarter(160), 0..160, 0..160);
    let size = |n: i32| f64::from(n) / 2.0;
    let rectangle = four().prop_map(move |(x, y, w, h)| Shape::Rectangle {
        x,
        y,
        width: size(w),
        height: size(h),
    });
    let ellipse = four().prop_map(move |(x, y, w, h)| Shape::Ellipse {
        x,
        y,
        width: size(w),
        height: size(h),
    });
    let turned = (four(), 1..359).prop_map(move |((x, y, w, h), angle)| Shape::RotatedRectangle {
        x,
        y,
        width: size(w),
        height: size(h),
        angle: f64::from(angle),
    });
    let point = (quarter(160), quarter(160)).prop_map(|(x, y)| Point { x, y });
    let polygon = prop::collection::vec(point, 3..9).prop_map(|points| Shape::Polygon { points });
    let keypoint = (quarter(160), quarter(160), any::<bool>())
        .prop_map(|(x, y, is_visible)| Shape::Keypoint { x, y, is_visible });
    prop_oneof![
        2 => rectangle.prop_map(Geometry::from),
        u32::from(holds.turned) => ellipse.prop_map(Geometry::from),
        u32::from(holds.turned) => turned.prop_map(Geometry::from),
        u32::from(holds.polygons) => polygon.prop_map(Geometry::from),
        u32::from(holds.points) => keypoint.prop_map(Geometry::from),
        u32::from(holds.image_labels) => Just(Geometry::Image),
    ]
}

type Draft = (u32, u32, usize, Vec<(Geometry, usize, usize)>);

fn set(holds: Holds) -> impl Strategy<Value = AnnotatedSet> {
    let name = "[a-zA-Z0-9&<'\"äЖ#:_-]([a-zA-Z0-9&<>'\"äЖ#: _-]{0,8}[a-z])?";
    let labels = prop::collection::btree_set(name, 1..5);
    let object = (
        shape(holds),
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    );
    let object = object.prop_map(|(shape, a, b)| (shape, a.index(4), b.index(4)));
    let image = (
        1u32..50,
        1u32..50,
        0usize..3,
        prop::collection::vec(object, 0..5),
    );
    (labels, prop::collection::vec(image, 1..6))
        .prop_map(move |(names, images)| {
            let names: Vec<String> = names.into_iter().collect();
            let images = images.into_iter().enumerate();
            AnnotatedSet {
                images: images
                    .map(|(index, draft)| annotate(index, draft, &names, holds))
                    .collect(),
                labels: names.into_iter().map(ClassLabel::named).collect(),
            }
        })
        .prop_filter(
            "boxes within one pixel are taken for fractions",
            is_in_pixels,
        )
}

fn is_in_pixels(set: &AnnotatedSet) -> bool {
    let objects = set.images.iter().flat_map(|image| &image.objects);
    let mut boxes = objects.filter_map(Object::bounding_box).peekable();
    boxes.peek().is_none() || boxes.any(|[x, y, w, h]| x + w > 1.0 || y + h > 1.0)
}

fn annotate(index: usize, draft: Draft, names: &[String], holds: Holds) -> AnnotatedImage {
    let (width, height, subset, objects) = draft;
    let name = if index.is_multiple_of(2) {
        format!("ä {index}.png")
    } else {
        format!("a/b{index}.x.png")
    };
    let mut image = AnnotatedImage {
        name,
        width,
        height,
        subset: [None, Some("train"), Some("val")][subset].map(str::to_owned),
        ..AnnotatedImage::default()
    };
    for (geometry, first, second) in objects {
        let same = |object: &Object| object.geometry == geometry;
        if image.objects.iter().any(same) {
            continue;
        }
        let (first, second) = (&names[first % names.len()], &names[second % names.len()]);
        let mut labels = vec![first.clone()];
        if first != second && holds.several_labels {
            labels.push(second.clone());
        }
        image.objects.push(Object::with_labels(geometry, labels));
    }
    image
}

/// Gives every image a file of its size.
fn with_files(mut set: AnnotatedSet, folder: &Path) -> AnnotatedSet {
    for (index, image) in set.images.iter_mut().enumerate() {
        image.file = folder.join(format!("{index}.png"));
        let pixels = RgbImage::filled(image.width, image.height, [7; 3]).unwrap();
        std::fs::write(&image.file, encode_png(&pixels).unwrap()).unwrap();
    }
    set
}

/// Order, places of files and unused labels are not part of what is compared.
///
/// Nor is whether anybody looked at the images of a set that has no object at all.
fn essence(mut set: AnnotatedSet) -> AnnotatedSet {
    let is_a_list = set.images.iter().all(|image| image.objects.is_empty());
    for image in &mut set.images {
        image.unannotated |= is_a_list;
    }
    for image in &mut set.images {
        image.file = "unset".into();
        image.id = None;
        for object in &mut image.objects {
            object.labels.sort();
            object.id = None;
            object.group = None;
        }
        image.objects.sort_by_key(|object| format!("{object:?}"));
    }
    set.images
        .sort_by_key(|image| (image.subset.clone(), image.name.clone()));
    let used = |name: &str| set.images.iter().any(|image| image.has_label(name));
    set.labels.retain(|label| used(&label.name));
    set.labels.sort_by(|a, b| a.name.cmp(&b.name));
    set.labels.iter_mut().for_each(|label| label.id = None);
    set
}

/// Nothing may be lost.
fn there_and_back(set: AnnotatedSet, format: Format) -> (AnnotatedSet, AnnotatedSet) {
    let (back, set, losses) = there_and_back_with_losses(set, format);
    assert_eq!(losses, [], "{format}");
    (back, set)
}

/// Trainers demand images for train and for val.
fn is_borrowed(loss: &Loss) -> bool {
    (loss.what, loss.became) == (Feature::Subset, Became::UsedTwice)
}

/// The objects that lie on their images with all of their area. Images of no part are for training
/// if others are for something else.
fn within(mut set: AnnotatedSet) -> AnnotatedSet {
    if set.images.iter().any(|image| image.subset.is_some()) {
        for image in set.images.iter_mut().filter(|image| image.subset.is_none()) {
            image.subset = Some("train".to_owned());
        }
    }
    for image in &mut set.images {
        let (width, height) = (f64::from(image.width), f64::from(image.height));
        image.objects.retain(|object| {
            let [x, y, w, h] = object.bounding_box().unwrap();
            x >= 0.0 && y >= 0.0 && w > 0.0 && h > 0.0 && x + w <= width && y + h <= height
        });
    }
    set
}

fn there_and_back_with_losses(
    set: AnnotatedSet,
    format: Format,
) -> (AnnotatedSet, AnnotatedSet, Vec<Loss>) {
    let scratch = tempfile::tempdir().unwrap();
    let set = with_files(set, scratch.path());
    let out = scratch.path().join("out");
    let written = write(&set, &out, format, &WriteOptions::default()).unwrap();
    assert_eq!(Format::detect(&out).unwrap(), format);
    let back = read(&out, format, &ReadOptions::default()).unwrap();
    assert_eq!(back.problems, [], "{format}");
    (essence(back.set), essence(set), written.losses)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn coco(set in set(Holds { polygons: true, ..NONE })) {
        let (back, set) = there_and_back(set, Format::Coco);
        prop_assert_eq!(back, set);
    }

    #[test]
    fn datumaro(set in set(ALL)) {
        let (back, set) = there_and_back(set, Format::Datumaro);
        prop_assert_eq!(back, set);
    }

    #[test]
    fn voc(set in set(NONE)) {
        let (back, set) = there_and_back(set, Format::PascalVoc);
        prop_assert_eq!(back, set);
    }

    #[test]
    fn yolo(set in set(NONE)) {
        let (back, set, losses) = there_and_back_with_losses(within(set), Format::Yolo);
        prop_assert!(losses.iter().all(is_borrowed), "{:?}", losses);
        prop_assert_eq!(back, set);
    }

    #[test]
    fn yolo_of_polygons(mut set in set(Holds { polygons: true, ..NONE })) {
        for image in &mut set.images {
            image.objects.retain(|object| matches!(object.geometry, Geometry::Shape(Shape::Polygon { .. })));
        }
        let (back, set, losses) = there_and_back_with_losses(within(set), Format::Yolo);
        prop_assert!(losses.iter().all(is_borrowed), "{:?}", losses);
        prop_assert_eq!(back, set);
    }

    #[test]
    fn geti(mut set in set(ALL)) {
        // A download has no JSON file for an image without annotations: one is needed to be known.
        let label = set.labels[0].name.clone();
        set.images[0].objects = vec![Object::new(Geometry::Image, label)];
        set.images.iter_mut().for_each(|image| image.unannotated = image.objects.is_empty());
        let (back, set) = there_and_back(set, Format::Geti);
        prop_assert_eq!(back, set);
    }

    /// Whatever is written is read without a complaint, and no image and no label is lost.
    #[test]
    fn any_format_takes_any_set(set in set(ALL), to in 0usize..6) {
        let format = Format::all().nth(to).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let set = with_files(set, scratch.path());
        let out = scratch.path().join("out");
        let written = write(&set, &out, format, &WriteOptions::default()).unwrap();
        prop_assert_eq!(written.images, set.images.len());
        let Ok(back) = read(&out, format, &ReadOptions::default()) else {
            // A tree or a download of images without any label has nothing to be known by.
            prop_assert!(set.images.iter().all(|image| image.objects.is_empty()) || format == Format::DirectoryTree);
            return Ok(());
        };
        prop_assert_eq!(back.problems, []);
        prop_assert_eq!(back.set.images.len(), set.images.len());
    }
}

#[test]
fn a_tree_keeps_one_label_an_image() {
    let image = |name: &str, label: Option<&str>| {
        let mut image = AnnotatedImage {
            name: name.into(),
            width: 4,
            height: 3,
            unannotated: label.is_none(),
            ..AnnotatedImage::default()
        };
        if let Some(label) = label {
            image.add_image_label(label);
        }
        image
    };
    let set = AnnotatedSet {
        labels: ["big dog", "cat"].map(ClassLabel::named).to_vec(),
        images: vec![
            image("a.png", Some("big dog")),
            image("b.png", Some("cat")),
            image("c.png", None),
        ],
    };
    let (back, _) = there_and_back(set, Format::DirectoryTree);
    let seen: Vec<(&str, bool)> = back
        .images
        .iter()
        .map(|image| (image.name.as_str(), image.has_label("cat")))
        .collect();
    assert_eq!(
        seen,
        [
            ("big dog/a.png", false),
            ("c.png", false),
            ("cat/b.png", true)
        ]
    );
}

#[test]
fn colours_and_parents_are_kept_where_there_is_a_place_for_them() {
    let set = || {
        let mut image = annotate(0, (8, 6, 0, Vec::new()), &[], ALL);
        image.add(Geometry::Image, "cat");
        image.add(
            Shape::Rectangle {
                x: 1.0,
                y: 1.0,
                width: 2.0,
                height: 2.0,
            },
            "pet",
        );
        let color = Some(Color::opaque([1, 2, 3]));
        let cat = ClassLabel {
            name: "cat".into(),
            color,
            parent: Some("pet".into()),
            ..ClassLabel::default()
        };
        AnnotatedSet {
            labels: vec![ClassLabel::named("pet"), cat],
            images: vec![image],
        }
    };
    let cat = |format| {
        let (back, ..) = there_and_back_with_losses(set(), format);
        back.labels
            .into_iter()
            .find(|label| label.name == "cat")
            .unwrap()
    };
    let color = Some(Color::opaque([1, 2, 3]));
    let parent = Some("pet".to_owned());
    assert_eq!(
        (cat(Format::Datumaro).color, cat(Format::Datumaro).parent),
        (color, parent.clone())
    );
    assert_eq!(cat(Format::Coco).parent, parent);
    assert_eq!(cat(Format::PascalVoc).color, color);
    assert_eq!(cat(Format::Geti).color, color);
}
