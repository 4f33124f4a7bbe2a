//! Bad files and entries are reported with their place; the good ones go in.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::Path;

use straylight_core::{RgbImage, Shape};
use straylight_formats::{
    AnnotatedImage, AnnotatedSet, ClassLabel, Format, FormatError, Geometry, ImageCheck, Mask,
    Object, ReadOptions, ReadReport, WriteOptions, read, write,
};
use straylight_image::encode_png;
use tempfile::TempDir;

/// A folder with files of text; those that end in `.png` are images of 40 x 30 pixels.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let scratch = tempfile::tempdir().unwrap();
    let pixels = encode_png(&RgbImage::filled(40, 30, [9; 3]).unwrap()).unwrap();
    for (name, text) in files {
        let path = scratch.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes = if text.is_empty() {
            pixels.as_slice()
        } else {
            text.as_bytes()
        };
        fs::write(path, bytes).unwrap();
    }
    scratch
}

fn read_all(folder: &Path, format: Format) -> ReadReport {
    read(folder, format, &ReadOptions::default()).unwrap()
}

fn names(report: &ReadReport) -> Vec<&str> {
    report
        .set
        .images
        .iter()
        .map(|image| image.name.as_str())
        .collect()
}

/// Each problem must have its place and its reason.
fn assert_problems(report: &ReadReport, wanted: &[(&str, &str)]) {
    let found: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for (text, (place, reason)) in found.iter().zip(wanted) {
        assert!(
            text.starts_with(place) && text.contains(reason),
            "{text}\nwanted {place} ... {reason}"
        );
    }
}

#[test]
fn coco() {
    let json = r#"{"images": [
        {"id": 1, "file_name": "good.png", "width": 40, "height": 30},
        {"id": 2, "file_name": "missing.png", "width": 40, "height": 30},
        {"id": 3, "file_name": "../outside.png"},
        {"id": 4, "file_name": "text.jpg"},
        {"id": 5, "file_name": "turned.png", "width": 30, "height": 40},
        {"id": "six"}],
      "categories": [{"id": 1, "name": "cat"}, {"id": 2}],
      "annotations": [
        {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]},
        {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3]},
        {"image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4]},
        {"image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4]},
        {"image_id": 2, "category_id": 1, "bbox": [1, 2, 3, 4]},
        {"image_id": 1, "category_id": 1, "segmentation": [[1, 1, 9, 1, 5, 9], [20, 20, 25, 20, 20, 25]]},
        {"image_id": 1, "category_id": 1, "segmentation": {"counts": [1200], "size": [40, 30]}}]}"#;
    let scratch = folder(&[
        ("annotations/instances_val.json", json),
        ("annotations/notes.json", "{"),
        ("images/good.png", ""),
        ("images/turned.png", ""),
        ("images/text.jpg", "no image"),
        ("outside.png", ""),
    ]);
    let report = read_all(scratch.path(), Format::Coco);
    let file = "annotations/instances_val.json";
    assert_problems(
        &report,
        &[
            ("annotations/notes.json", "EOF"),
            (&format!("{file}: images[1]"), "`missing.png` is missing"),
            (
                &format!("{file}: images[3]"),
                "images/text.jpg: this is no image",
            ),
            (&format!("{file}: images[4]"), "are for 30 x 40 pixels"),
            (&format!("{file}: images[5]"), "it has no `file_name`"),
            (&format!("{file}: annotations[1]"), "needs 4 numbers"),
            (&format!("{file}: annotations[2]"), "no category of id 9"),
            (&format!("{file}: annotations[3]"), "no image of id 9"),
            (
                &format!("{file}: annotations[6]"),
                "the mask has 30 x 40 pixels",
            ),
        ],
    );
    let note = report.notes[0].to_string();
    assert!(
        note.contains("categories[1]: a category without a name"),
        "{note}"
    );
    // A path that leaves the folder is looked for by its name within.
    assert_eq!(names(&report), ["good.png", "outside.png"]);
    assert_eq!(report.set.images[0].subset.as_deref(), Some("val"));
    assert_eq!(report.set.images[0].objects.len(), 2);
    assert!(
        matches!(&report.set.images[0].objects[1].geometry, Geometry::Polygons(parts) if parts.len() == 2)
    );
}

#[test]
fn datumaro() {
    let json = r#"{"categories": {"label": {"labels": [{"name": "cat"}]},
        "points": {"items": [{"label_id": 0, "labels": ["nose", "tail"], "joints": []}]}},
      "items": [
        {"id": "a", "image": {"path": "/home/her/a.png", "size": [30, 40]}, "annotations": [
            {"type": "label", "label_id": 0}, {"type": "cuboid_3d", "label_id": 0},
            {"type": "bbox", "label_id": 0, "bbox": [1, 2, -3, 4]}, {"type": "label"},
            {"type": "points", "label_id": 0, "points": [1, 2, 3, 4], "visibility": [2, 1]},
            {"type": "mask", "label_id": 0, "rle": {"counts": [0, 1200], "size": [30, 40]}}]},
        {"id": "b", "point_cloud": {}},
        {"id": "a", "image": {"path": "a.png"}}]}"#;
    let scratch = folder(&[("annotations/train.json", json), ("images/train/a.png", "")]);
    let report = read_all(scratch.path(), Format::Datumaro);
    let file = "annotations/train.json: items";
    assert_problems(
        &report,
        &[
            (
                &format!("{file}[0].annotations[1]"),
                "`cuboid_3d` are not supported",
            ),
            (&format!("{file}[0].annotations[2]"), "has no inside"),
            (&format!("{file}[0].annotations[3]"), "has no label"),
            (&format!("{file}[1]"), "`b` is no image"),
            (&format!("{file}[2]"), "listed twice"),
        ],
    );
    let image = &report.set.images[0];
    assert_eq!(image.objects[1].keypoints.len(), 2);
    let skeleton = report.set.labels[0].skeleton.as_ref().unwrap();
    assert_eq!(skeleton.points, ["nose", "tail"]);
    let mask = Mask::from_pixels(40, 30, |_, _| true);
    assert_eq!(image.objects.last().unwrap().geometry, mask.into());
}

#[test]
fn voc() {
    let xml = |name: &str, box4: &str| {
        format!(
            "<annotation><filename>{name}</filename><object><name>cat</name>{box4}</object></annotation>"
        )
    };
    let good = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4.5</xmax><ymax>6</ymax></bndbox>";
    let bad = "<bndbox><xmin>1</xmin><ymin>two</ymin><xmax>4</xmax><ymax>6</ymax></bndbox>";
    let scratch = folder(&[
        ("Annotations/a.xml", &xml("a.png", good)),
        ("Annotations/b.xml", &xml("b.png", bad)),
        ("Annotations/c.xml", "<annotation>"),
        ("Annotations/d.xml", &xml("gone.png", good)),
        ("JPEGImages/a.png", ""),
        ("JPEGImages/b.png", ""),
        ("ImageSets/Main/val.txt", "a\n"),
        ("ImageSets/Main/cat_train.txt", "a -1\nb  1\n"),
    ]);
    let report = read_all(scratch.path(), Format::PascalVoc);
    assert_problems(
        &report,
        &[
            ("Annotations/b.xml: object[0] in line 1", "`ymin` is `two`"),
            ("Annotations/c.xml", "never closed"),
            ("Annotations/d.xml", "`gone.png` is missing"),
        ],
    );
    assert_eq!(names(&report), ["a.png", "b.png"]);
    assert_eq!(report.set.images[0].subset.as_deref(), Some("val"));
    let wanted = Shape::Rectangle {
        x: 1.0,
        y: 2.0,
        width: 3.5,
        height: 4.0,
    };
    assert_eq!(report.set.images[0].objects[0].geometry, wanted.into());
}

#[test]
fn yolo() {
    let scratch = folder(&[
        ("data.yaml", "names: {0: cat, 1: dog}\n"),
        ("train/images/a.png", ""),
        ("train/images/b.jpg", "nonsense"),
        (
            "train/labels/a.txt",
            "0 0.5 0.5 1 1\n2 0 0 0 0\n1 0.1 0.1 0.2\n1 0 0 0.5 0 0.5 x\n\n1 0 0 0.5 0 0.5 0.5\n",
        ),
    ]);
    let report = read_all(scratch.path(), Format::Yolo);
    assert_problems(
        &report,
        &[
            ("train/labels/a.txt: line 2", "class `2` has no name"),
            ("train/labels/a.txt: line 3", "at least 3 pairs"),
            ("train/labels/a.txt: line 4", "`x` is not a number"),
            ("train/images/b.jpg", "this is no image"),
        ],
    );
    let image = &report.set.images[0];
    assert_eq!(
        (image.name.as_str(), image.subset.as_deref()),
        ("a.png", Some("train"))
    );
    let whole = Shape::whole_image(40, 30);
    assert_eq!(image.objects[0].geometry, whole.into());
    assert_eq!(image.objects[1].labels, ["dog"]);
}

#[test]
fn labels_of_a_folder_called_images_are_no_images() {
    let scratch = folder(&[
        ("classes.txt", "cat\n"),
        ("images/val/images/a.png", ""),
        ("labels/val/images/a.txt", "0 0.5 0.5 1 1\n"),
    ]);
    let report = read_all(scratch.path(), Format::Yolo);
    assert_problems(&report, &[]);
    assert!(report.set.images[0].has_label("cat"));
}

#[test]
fn tree_and_geti() {
    let scratch = folder(&[
        ("cat/a.png", ""),
        ("cat/b.txt", "text"),
        ("dog/c.PNG", "x"),
        ("dog/d.png", ""),
    ]);
    // A text beside images may say more about them: nobody but the user knows that it does not.
    let error = Format::detect(scratch.path()).unwrap_err().to_string();
    assert!(error.contains("cat/b.txt"), "{error}");
    let report = read_all(scratch.path(), Format::DirectoryTree);
    assert_problems(
        &report,
        &[("cat/b.txt", "no image"), ("dog/c.PNG", "no image")],
    );
    assert_eq!(names(&report), ["cat/a.png", "dog/d.png"]);

    let scene = r##"{"annotations": [
        {"labels": [{"name": "cat", "color": "#112233ff", "probability": 1.0}],
         "shape": {"type": "RECTANGLE", "x": 0, "y": 0, "width": 40, "height": 30}},
        {"labels": [], "shape": {"type": "RECTANGLE", "x": 0, "y": 0, "width": 40, "height": 30}},
        {"labels": [{"name": "cat"}], "shape": {"type": "STAR"}}], "kind": "annotation"}"##;
    let scratch = folder(&[
        ("images/Dataset/a.png", ""),
        ("images/Dataset/b.png", ""),
        ("annotations/a_0123456789abcdef01234567.json", scene),
        ("annotations/c.json", scene),
    ]);
    let report = read_all(scratch.path(), Format::Geti);
    let file = "annotations/a_0123456789abcdef01234567.json: annotations";
    assert_problems(
        &report,
        &[
            (&format!("{file}[1]"), "has no label"),
            (&format!("{file}[2]"), "unknown variant `STAR`"),
            ("annotations/c.json", "no image has its name"),
        ],
    );
    assert_eq!(report.set.images[0].subset.as_deref(), Some("Dataset"));
    assert_eq!(report.set.images[0].objects.len(), 1);
}

#[test]
fn a_folder_of_something_else_is_an_error_with_a_way_out() {
    let scratch = folder(&[("readme.txt", "hello")]);
    for format in Format::all() {
        let error = read(scratch.path(), format, &ReadOptions::default()).unwrap_err();
        assert!(matches!(error, FormatError::NothingFound { .. }), "{error}");
    }
    let error = Format::detect(scratch.path()).unwrap_err().to_string();
    assert!(
        error.contains("coco, datumaro, voc, yolo, tree, geti, cvat"),
        "{error}"
    );
    assert!(
        "coke"
            .parse::<Format>()
            .unwrap_err()
            .to_string()
            .contains("datumaro")
    );
}

fn small_set(names: &[&str], file: &Path) -> AnnotatedSet {
    let image = |name: &&str| AnnotatedImage {
        name: (*name).to_owned(),
        file: file.to_owned(),
        width: 40,
        height: 30,
        objects: vec![Object::with_labels(
            Shape::Keypoint {
                x: 1.0,
                y: 2.0,
                is_visible: true,
            },
            vec!["nose".into(), "snout".into()],
        )],
        ..AnnotatedImage::default()
    };
    AnnotatedSet {
        labels: ["nose", "snout"].map(ClassLabel::named).to_vec(),
        images: names.iter().map(image).collect(),
    }
}

#[test]
fn what_cannot_be_held_is_named() {
    let scratch = folder(&[("a.png", "")]);
    let set = small_set(&["a.png"], &scratch.path().join("a.png"));
    let losses = |format: Format| {
        let out = scratch.path().join(format.name());
        write(&set, &out, format, &WriteOptions::default())
            .unwrap()
            .losses
    };
    let first = |format| losses(format)[0].to_string();
    assert_eq!(first(Format::Yolo), "a.png: key points were left out (1)");
    assert_eq!(
        first(Format::PascalVoc),
        "a.png: key points became boxes (1)"
    );
    assert_eq!(
        first(Format::Coco),
        "a.png: key points became those of one object (1)"
    );
    assert_eq!(losses(Format::DirectoryTree).len(), 2);
    assert_eq!(losses(Format::Datumaro), []);
    assert_eq!(losses(Format::Geti), []);
}

#[test]
fn writing_refuses_what_would_overwrite_or_escape() {
    let scratch = folder(&[("a.png", ""), ("full/x.txt", "x")]);
    let file = scratch.path().join("a.png");
    let refused = |names: &[&str], out: &str, format| {
        let set = small_set(names, &file);
        write(
            &set,
            &scratch.path().join(out),
            format,
            &WriteOptions::default(),
        )
        .unwrap_err()
    };
    assert!(matches!(
        refused(&["a.png"], "full", Format::Coco),
        FormatError::NotEmpty { .. }
    ));
    assert!(matches!(
        refused(&["../a.png"], "n", Format::Coco),
        FormatError::BadName { .. }
    ));
    let same = refused(&["a.png", "a.jpg"], "n", Format::Yolo);
    assert!(matches!(same, FormatError::SameName { .. }));
    let mut set = small_set(&["a.png", "a.jpg"], &file);
    set.images[1].subset = Some("val".into());
    let out = scratch.path().join("n");
    let across = write(&set, &out, Format::PascalVoc, &WriteOptions::default()).unwrap_err();
    assert!(matches!(across, FormatError::SameName { .. }));
    let twice = refused(&["a.png", "a.png"], "n", Format::Coco);
    assert!(matches!(twice, FormatError::SameName { .. }));
}

#[test]
fn sizes_can_be_believed_without_opening_images() {
    let json = r#"{"images": [{"id": 1, "file_name": "a.jpg", "width": 7, "height": 5}],
        "categories": [], "annotations": []}"#;
    let scratch = folder(&[("a.json", json), ("a.jpg", "not opened")]);
    let options = ReadOptions {
        images: ImageCheck::Skip,
    };
    let report = read(scratch.path(), Format::Coco, &options).unwrap();
    assert_problems(&report, &[]);
    assert_eq!(
        (report.set.images[0].width, report.set.images[0].height),
        (7, 5)
    );
}

#[test]
fn every_damaged_file_beside_a_good_one_is_listed() {
    let good = r#"{"images": [{"id": 1, "file_name": "a.png"}], "categories": [{"id": 1, "name": "x"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}]}"#;
    // The beginning says COCO, the end is missing.
    let damaged = r#"{"images": [], "annotations": [{"id": 1, "image_id": 1}, "#;
    let scratch = folder(&[
        ("a.png", ""),
        ("annotations/good.json", good),
        ("annotations/one.json", damaged),
        ("annotations/two.json", damaged),
    ]);
    let report = read_all(scratch.path(), Format::Coco);
    assert_eq!(names(&report), ["a.png"]);
    assert_problems(
        &report,
        &[
            ("annotations/one.json", "line 1 column"),
            ("annotations/two.json", "line 1 column"),
        ],
    );
}
