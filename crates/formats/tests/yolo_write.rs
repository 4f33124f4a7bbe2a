//! What YOLO sets look like that are written for Ultralytics.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use straylight_core::{Point, Shape};
use straylight_formats::{
    AnnotatedImage, AnnotatedSet, Became, ClassLabel, Feature, Format, Geometry, Keypoint, Object,
    Skeleton, Visibility, WriteOptions, WriteReport, YoloTask, write,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/images")
        .join(name)
}

/// An image that is said to have 100 x 50 pixels.
fn image(name: &str, objects: Vec<Object>) -> AnnotatedImage {
    AnnotatedImage {
        name: name.to_owned(),
        file: fixture("rgb.png"),
        width: 100,
        height: 50,
        objects,
        ..AnnotatedImage::default()
    }
}

fn set(images: Vec<AnnotatedImage>) -> AnnotatedSet {
    let labels = ["bolt", "nut"].map(ClassLabel::named).into();
    AnnotatedSet { labels, images }
}

fn rectangle(x: f64, y: f64, width: f64, height: f64) -> Object {
    Object::new(
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        },
        "nut",
    )
}

fn polygon(points: &[(f64, f64)]) -> Vec<Point> {
    points.iter().map(|&(x, y)| Point { x, y }).collect()
}

/// Writes a set; the report, and the lines of the image `a.png`.
fn written(set: &AnnotatedSet, task: Option<YoloTask>) -> (WriteReport, String) {
    let folder = tempfile::tempdir().unwrap();
    let options = WriteOptions {
        task,
        ..WriteOptions::default()
    };
    let report = write(set, &folder.path().join("out"), Format::Yolo, &options).unwrap();
    let lines = fs::read_to_string(folder.path().join("out/labels/default/a.txt"));
    (report, lines.unwrap())
}

fn losses(report: &WriteReport) -> Vec<(Feature, Became)> {
    report
        .losses
        .iter()
        .map(|loss| (loss.what, loss.became))
        .collect()
}

const ONE_PART: (Feature, Became) = (Feature::Subset, Became::UsedTwice);

#[test]
fn boxes_are_cut_at_the_edge() {
    let objects = vec![
        rectangle(10.0, 10.0, 20.0, 20.0),
        rectangle(90.0, 40.0, 20.0, 20.0),
        rectangle(120.0, 0.0, 9.0, 9.0),
    ];
    let (report, lines) = written(&set(vec![image("a.png", objects)]), None);
    assert_eq!(lines, "1 0.2 0.4 0.2 0.4\n1 0.95 0.9 0.1 0.2\n");
    let cut = (Feature::OutOfImage, Became::Clipped);
    assert_eq!(
        losses(&report),
        [cut, (Feature::OutOfImage, Became::LeftOut), ONE_PART]
    );
}

#[test]
fn a_set_of_polygons_has_no_line_that_reads_as_a_box() {
    let triangle = Geometry::Shape(Shape::Polygon {
        points: polygon(&[(0.0, 0.0), (50.0, 0.0), (0.0, 25.0)]),
    });
    let objects = vec![
        Object::new(triangle, "bolt"),
        rectangle(0.0, 0.0, 50.0, 25.0),
    ];
    let (report, lines) = written(&set(vec![image("a.png", objects)]), None);
    assert_eq!(lines, "0 0 0 0.5 0 0 0.5\n1 0 0 0.5 0 0.5 0.5 0 0.5\n");
    assert!(losses(&report).contains(&(Feature::Box, Became::Polygon)));
}

#[test]
fn the_parts_of_an_object_are_one_line() {
    let square = |x: f64| polygon(&[(x, 0.0), (x + 10.0, 0.0), (x + 10.0, 10.0), (x, 10.0)]);
    let object = Object::new(Geometry::Polygons(vec![square(0.0), square(50.0)]), "bolt");
    let (_, lines) = written(&set(vec![image("a.png", vec![object])]), None);
    assert_eq!(lines.lines().count(), 1);
    assert_eq!(lines.split_ascii_whitespace().count(), 1 + 2 * (4 + 5 + 1));
}

#[test]
fn turned_boxes_have_four_corners_on_the_image() {
    let turned = |x: f64| {
        let shape = Shape::RotatedRectangle {
            x,
            y: 25.0,
            width: 20.0,
            height: 10.0,
            angle: 90.0,
        };
        Object::new(shape, "bolt")
    };
    let (report, lines) = written(
        &set(vec![image("a.png", vec![turned(50.0), turned(2.0)])]),
        None,
    );
    let numbers: Vec<Vec<f64>> = lines
        .lines()
        .map(|line| line.split(' ').map(|n| n.parse().unwrap()).collect())
        .collect();
    let wanted = [
        [0.0, 0.55, 0.3, 0.55, 0.7, 0.45, 0.7, 0.45, 0.3],
        [0.0, 0.07, 0.3, 0.07, 0.7, 0.0, 0.7, 0.0, 0.3],
    ];
    for (found, wanted) in numbers.iter().zip(wanted) {
        assert!(
            found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9),
            "{lines}"
        );
    }
    assert!(losses(&report).contains(&(Feature::OutOfImage, Became::Clipped)));
    let (report, lines) = written(
        &set(vec![image("a.png", vec![turned(50.0)])]),
        Some(YoloTask::Detect),
    );
    assert_eq!(lines, "0 0.5 0.5 0.1 0.4\n");
    assert!(losses(&report).contains(&(Feature::RotatedBox, Became::Box)));
}

#[test]
fn objects_with_key_points_have_as_many_numbers_as_the_yaml_says() {
    let point = |x, y, visibility| Keypoint { x, y, visibility };
    let mut object = rectangle(10.0, 10.0, 20.0, 20.0);
    object.keypoints = vec![
        point(15.0, 12.0, Visibility::Visible),
        point(130.0, 5.0, Visibility::Hidden),
    ];
    let mut set = set(vec![image(
        "a.png",
        vec![object, rectangle(0.0, 0.0, 50.0, 25.0)],
    )]);
    let points = ["head", "tail", "nose"].map(str::to_owned).into();
    set.labels[1].skeleton = Some(Skeleton {
        points,
        mirror: vec![0, 1, 2],
        ..Skeleton::default()
    });
    let folder = tempfile::tempdir().unwrap();
    let report = write(&set, folder.path(), Format::Yolo, &WriteOptions::default()).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(
        read("labels/default/a.txt"),
        "1 0.2 0.4 0.2 0.4 0.15 0.24 2 0 0 0 0 0 0\n1 0.25 0.25 0.5 0.5 0 0 0 0 0 0 0 0 0\n"
    );
    assert!(read("data.yaml").contains("kpt_shape: [3, 3]\nflip_idx: [0, 1, 2]\n"));
    assert!(losses(&report).contains(&(Feature::OutOfImage, Became::LeftOut)));
}

#[test]
fn crowds_are_left_out_and_images_that_nobody_looked_at_have_no_labels() {
    let mut crowd = rectangle(0.0, 0.0, 50.0, 25.0);
    crowd.flags.crowd = true;
    let unannotated = AnnotatedImage {
        unannotated: true,
        ..image("b.png", Vec::new())
    };
    let set = set(vec![
        image("a.png", vec![crowd]),
        unannotated,
        image("c.png", Vec::new()),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let report = write(&set, folder.path(), Format::Yolo, &WriteOptions::default()).unwrap();
    let length = |name: &str| {
        fs::metadata(folder.path().join("labels/default").join(name))
            .map(|m| m.len())
            .ok()
    };
    assert_eq!(
        ["a.txt", "b.txt", "c.txt"].map(length),
        [Some(0), None, Some(0)]
    );
    assert_eq!(
        losses(&report),
        [
            (Feature::CrowdObject, Became::LeftOut),
            (Feature::Unannotated, Became::Empty),
            ONE_PART
        ]
    );
}

#[test]
fn the_yaml_has_train_and_val_whatever_the_subsets_are_called() {
    struct Case(&'static [&'static str], &'static str);
    for Case(subsets, wanted) in [
        Case(
            &["train", "valid", "test"],
            "train: \"images/train\"\nval: \"images/valid\"\ntest: \"images/test\"\n",
        ),
        Case(
            &["training", "val2017"],
            "train: \"images/training\"\nval: \"images/val2017\"\n",
        ),
        Case(
            &["day", "night", "val"],
            "train: [\"images/day\", \"images/night\"]\nval: \"images/val\"\n",
        ),
        Case(
            &["train"],
            "train: \"images/train\"\nval: \"images/train\"\n",
        ),
        Case(
            &["train", "test"],
            "train: \"images/train\"\nval: \"images/test\"\ntest: \"images/test\"\n",
        ),
        Case(&["val"], "train: \"images/val\"\nval: \"images/val\"\n"),
    ] {
        let images = subsets.iter().map(|subset| AnnotatedImage {
            subset: Some((*subset).to_owned()),
            ..image("a.png", Vec::new())
        });
        let folder = tempfile::tempdir().unwrap();
        write(
            &set(images.collect()),
            folder.path(),
            Format::Yolo,
            &WriteOptions::default(),
        )
        .unwrap();
        let yaml = fs::read_to_string(folder.path().join("data.yaml")).unwrap();
        let parts: Vec<&str> = yaml
            .lines()
            .filter(|line| line.contains("images/"))
            .collect();
        assert_eq!(parts.join("\n") + "\n", wanted);
        assert!(!yaml.contains("path:"), "{yaml}");
    }
}

#[test]
fn images_get_names_that_trainers_know_and_labels_where_they_look() {
    let gif = AnnotatedImage {
        file: fixture("palette.gif"),
        ..image("b.gif", Vec::new())
    };
    let set = set(vec![
        image("a", Vec::new()),
        gif,
        image("images/c.PNG", Vec::new()),
    ]);
    let folder = tempfile::tempdir().unwrap();
    write(&set, folder.path(), Format::Yolo, &WriteOptions::default()).unwrap();
    for file in [
        "images/default/a.png",
        "images/default/b.png",
        "images/default/images/c.PNG",
        "labels/default/a.txt",
        "labels/default/b.txt",
        "images/default/labels/c.txt",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
    let png = fs::read(folder.path().join("images/default/b.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG"));
}
