//! Layouts and files of other tools, with what is right; `fixtures/formats` says whose they are.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::PathBuf;

use straylight_formats::{Format, ReadOptions, ReadReport, read};
use support::lines;

/// A set of another tool: its folder, the format that is found, what is in it.
struct Case {
    folder: &'static str,
    format: Format,
    /// Images with their objects.
    set: &'static [&'static str],
    /// Parts of what is left out.
    problems: &'static [&'static str],
    /// Parts of what is passed over or changed.
    notes: &'static [&'static str],
}

fn fixture(folder: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("../../fixtures/formats").join(folder)
}

fn assert_parts(found: &[straylight_formats::Problem], wanted: &[&str], what: &str, folder: &str) {
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), wanted.len(), "{what} of {folder}: {found:#?}");
    for (text, part) in found.iter().zip(wanted) {
        assert!(
            text.contains(part),
            "{what} of {folder}: {text}, wanted {part}"
        );
    }
}

fn check(case: &Case) -> ReadReport {
    let folder = fixture(case.folder);
    let format = Format::detect(&folder).unwrap();
    assert_eq!(format, case.format, "{}", case.folder);
    let report = read(&folder, format, &ReadOptions::default()).unwrap();
    assert_eq!(lines(&report), case.set, "{}", case.folder);
    assert_parts(&report.problems, case.problems, "problems", case.folder);
    assert_parts(&report.notes, case.notes, "notes", case.folder);
    report
}

fn clean(folder: &'static str, format: Format, set: &'static [&'static str]) -> Case {
    Case {
        folder,
        format,
        set,
        problems: &[],
        notes: &[],
    }
}

#[test]
fn coco() {
    let coco = |folder, set| clean(folder, Format::Coco, set);
    for case in [
        coco(
            "coco-category-zero/in",
            &[
                "a.png 64x48: bolt box 4,5,20,10; nut box 30,5,10,10",
                "b.png 64x48: washer box 1,1,10,20",
            ],
        ),
        coco(
            "coco-rle-crowd/in",
            &[
                "a.png 64x48: bolt mask of 285 in 5,10,55,30; bolt mask of 40 in 0,0,8,5; \
             bolt mask of 64 in 56,40,8,8 crowd",
            ],
        ),
        coco(
            "coco-roboflow-layout/in",
            &[
                "test/test0_jpg.rf.0123456789abcdef.jpg 64x48: bolt box 4,5,20,10",
                "train/train0_jpg.rf.0123456789abcdef.jpg 64x48: bolt box 4,5,20,10",
                "train/train1_jpg.rf.0123456789abcdef.jpg 64x48: ",
                "valid/valid0_jpg.rf.0123456789abcdef.jpg 64x48: bolt box 4,5,20,10",
            ],
        ),
        coco(
            "coco-exif-orientation/in_displayed",
            &["p.jpg 48x64: red box 33,4,10,20"],
        ),
        Case {
            notes: &["EXIF orientation 6"],
            ..coco(
                "coco-exif-orientation/in_stored",
                &["p.jpg 48x64: red box 33,4,10,20"],
            )
        },
        coco(
            "coco-keypoints-v0/in",
            &[
                "train/a.png 64x48: bolt box 5,5,30,20 (10,10,2) (0,0,0) (20,21,1); \
             bolt box 40,5,10,20 (0,0,0) (0,0,0) (0,0,0)",
            ],
        ),
        coco(
            "coco-string-ids/in",
            &[
                "a.png 64x48: bolt box 4,5,20,10",
                "b.png 64x48: bolt box 4,5,20,10",
            ],
        ),
        coco(
            "coco-box-one-pixel-outside/in",
            &["a.png 64x48: bolt box 4,5,20,10; bolt box 50,30,15,10"],
        ),
        coco(
            "coco-same-name-in-two-subsets/in",
            &[
                "train/frame_000000.png 64x48: bolt box 4,5,20,10",
                "val/frame_000000.png 64x48: bolt box 30,20,10,10",
            ],
        ),
        coco(
            "coco-cvat-masks-iscrowd-1/in",
            &["a.png 64x48: bolt mask of 200 in 4,5,20,10 crowd"],
        ),
        Case {
            notes: &["captions are passed over"],
            ..coco(
                "coco2017-all-json-files/in",
                &[
                    "val2017/000000000001.jpg 64x48: person polygon of 4 in 4,5,20,10 (6,7,2) (8,9,1); \
                 dog box 30,20,10,10",
                ],
            )
        },
        Case {
            notes: &["`NaN` or `Infinity` is no JSON and is taken for nothing, first in line 33"],
            ..coco(
                "coco-nan/in",
                &[
                    "a.png 64x48: bolt box 4,5,20,10",
                    "b.png 64x48: bolt box 4,5,20,10",
                ],
            )
        },
        Case {
            notes: &["categories[2]: a category without a name"],
            ..coco(
                "coco-duplicate-category-names/in",
                &["a.png 64x48: bolt box 4,5,20,10; bolt box 30,5,20,10"],
            )
        },
    ] {
        check(&case);
    }
}

#[test]
fn coco_keeps_the_order_and_numbers_of_categories_and_skeletons() {
    let report = check(&clean(
        "coco-category-zero/in",
        Format::Coco,
        &[
            "a.png 64x48: bolt box 4,5,20,10; nut box 30,5,10,10",
            "b.png 64x48: washer box 1,1,10,20",
        ],
    ));
    let labels: Vec<_> = report
        .set
        .labels
        .iter()
        .map(|label| (label.name.as_str(), label.id))
        .collect();
    assert_eq!(
        labels,
        [("bolt", Some(0)), ("nut", Some(7)), ("washer", Some(3))]
    );
    let folder = fixture("coco-keypoints-v0/in");
    let report = read(&folder, Format::Coco, &ReadOptions::default()).unwrap();
    let skeleton = report.set.labels[0].skeleton.as_ref().unwrap();
    assert_eq!(skeleton.points, ["tip", "head", "side"]);
    assert_eq!(skeleton.edges, [(0, 1), (1, 2)]);
}

/// One file of several can be named.
#[test]
fn a_single_file_can_be_named() {
    let file = fixture("coco2017-all-json-files/in/annotations/person_keypoints_val2017.json");
    assert_eq!(Format::detect(&file).unwrap(), Format::Coco);
    let report = read(&file, Format::Coco, &ReadOptions::default()).unwrap();
    assert_eq!(report.set.label_names().collect::<Vec<_>>(), ["person"]);
    assert_eq!(report.set.images[0].objects.len(), 1);
    let captions = fixture("coco2017-all-json-files/in/annotations/captions_val2017.json");
    let error = Format::detect(&captions).unwrap_err().to_string();
    assert!(error.contains("COCO captions"), "{error}");
}

const PART: &str = "1 boxes of parts of objects are passed over";

#[test]
fn voc() {
    let voc = |folder, set| clean(folder, Format::PascalVoc, set);
    for case in [
        voc(
            "voc-float-coordinates/in",
            &["a.jpg 64x48: bolt box 10.25,5.5,20.5,14.63"],
        ),
        Case {
            notes: &[PART, PART, PART],
            ..voc(
                "voc-labelimg-quirks/in",
                &[
                    "p1.png 64x48: bolt box 5,6,20,24",
                    "p2.png 64x48: bolt box 5,6,20,24",
                    "p3.png 64x48: bolt box 5,6,20,24",
                ],
            )
        },
        voc(
            "voc-roboflow-layout/in",
            &[
                "train/train_jpg.rf.01.jpg 64x48: bolt polygon of 3 in 5,6,20,10",
                "valid/valid_jpg.rf.01.jpg 64x48: bolt polygon of 3 in 5,6,20,10",
            ],
        ),
        voc(
            "voc-one-based-pixels/in",
            &["a.png 64x48: bolt box 1,1,63,47"],
        ),
        voc(
            "voc-difficult-and-truncated/in",
            &["a.png 64x48: bolt box 5,6,20,24 difficult truncated occluded"],
        ),
    ] {
        check(&case);
    }
}

#[test]
fn yolo() {
    let yolo = |folder, set| clean(folder, Format::Yolo, set);
    for case in [
        yolo(
            "yolo-roboflow-layout/in",
            &[
                "test/test_jpg.rf.00.jpg 64x48: nut box 24,18,16,12; bolt box 12,6,8,12",
                "train/train_jpg.rf.00.jpg 64x48: nut box 24,18,16,12; bolt box 12,6,8,12",
                "valid/valid_jpg.rf.00.jpg 64x48: nut box 24,18,16,12; bolt box 12,6,8,12",
            ],
        ),
        yolo(
            "yolo-cvat-darknet/in",
            &[
                "train/a.png 64x48: nut box 24,18,16,12",
                "train/b.png 64x48: ",
            ],
        ),
        yolo(
            "yolo-labelimg-classes-txt/in",
            &["a.jpg 64x48: bolt box 24,18,16,12", "b.jpg 64x48: ?"],
        ),
        yolo(
            "yolo-pose/in",
            &["train/a.png 64x48: bolt box 16,12,32,24 (24,24,2) (32,12,1) (0,0,0)"],
        ),
        yolo(
            "yolo-pose/in2",
            &["train/a.png 64x48: bolt box 16,12,32,24 (24,24,2) (32,12,2)"],
        ),
        yolo(
            "yolo-pose/in3",
            &["train/a.png 64x48: bolt box 16,12,32,24 (24,24,2) (32,12,1)"],
        ),
        Case {
            problems: &["c.txt: line 1: it has a class, a box and one more number"],
            notes: &["a.txt: line 3: it repeats an earlier line"],
            ..yolo(
                "yolo-slightly-out-of-bounds/in",
                &[
                    "train/a.png 64x48: bolt box 0,0,38.91,48.02; bolt box 24,18,16,12; bolt box 24,18,16,12",
                    "train/b.png 64x48: bolt box 48,18,19.2,12",
                    "train/c.png 64x48: ?",
                ],
            )
        },
        yolo(
            "yolo-images-twice-in-path/images/ds",
            &["train/cam/images/x.jpg 64x48: bolt box 24,18,16,12"],
        ),
        yolo(
            "yolo-images-twice-in-path/side",
            &["a.jpg 64x48: bolt box 24,18,16,12"],
        ),
        yolo(
            "yolo-labels-only-in-list/in",
            &[
                "a.jpg 64x48: bolt box 24,18,16,12",
                "b.JPG 64x48: bolt box 24,18,16,12",
            ],
        ),
        Case {
            problems: &[
                "b.txt: line 1: `0,` is not a number; numbers stand between blanks",
                "c.txt: line 1: class `7` has no name",
                "d.txt: line 1: `nan` is not a number",
            ],
            ..yolo(
                "yolo-crlf-comma-tab-blank/in",
                &[
                    "a.jpg 64x48: bolt box 24,18,16,12; nut box 12.8,9.6,6.4,4.8",
                    "b.jpg 64x48: ?",
                    "c.jpg 64x48: nut box 24,18,16,12",
                    "d.jpg 64x48: bolt box 24,18,16,12",
                ],
            )
        },
    ] {
        check(&case);
    }
}

#[test]
fn names_of_classes_are_text() {
    for (folder, wanted) in [
        ("in_a", ["0", "1", "2"]),
        ("in_b", ["no", "yes", "3.14"]),
        ("in_c", ["M6 bolt, long", "O'ring", "true"]),
    ] {
        let folder = fixture("yolo-class-names-not-text").join(folder);
        let report = read(&folder, Format::Yolo, &ReadOptions::default()).unwrap();
        assert_eq!(report.set.label_names().collect::<Vec<_>>(), wanted);
        assert_eq!(report.problems, []);
    }
}

#[test]
fn trees() {
    let tree = |folder, set| clean(folder, Format::DirectoryTree, set);
    for case in [
        tree(
            "tree-same-file-names/in",
            &[
                "bolt/1.png 64x48: bolt image",
                "bolt/2.png 64x48: bolt image",
                "nut/1.png 64x48: nut image",
                "nut/2.png 64x48: nut image",
            ],
        ),
        tree(
            "tree-train-val-split/in",
            &[
                "train/bolt/train_bolt_1.png 64x48: bolt image",
                "train/nut/train_nut_1.png 64x48: nut image",
                "val/bolt/val_bolt_1.png 64x48: bolt image",
                "val/nut/val_nut_1.png 64x48: nut image",
            ],
        ),
        tree("tree-with-ds-store/in", &["bolt/a.jpg 40x30: bolt image"]),
    ] {
        check(&case);
    }
}

/// What Datumaro 1.13.12 writes of one small set (`tools/make_format_fixtures.py`).
#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn exports_of_datumaro() {
    for case in [
        clean(
            "datumaro-exports/det/cvat",
            Format::Cvat,
            &[
                "train/a.jpg 64x48: bolt box 4,5,20,10 occluded; nut box 30,20,10,10",
                "val/b.jpg 64x48: washer box 1,1,10,20",
                "val/c.jpg 64x48: ",
            ],
        ),
        clean(
            "datumaro-exports/det/open_images",
            Format::Csv,
            &[
                "train/a.jpg 64x48: bolt box 4,5,20,10 truncated occluded; nut box 30,20,10,10",
                "val/b.jpg 64x48: washer box 1,1,10,20",
                "val/c.jpg 64x48: ?",
            ],
        ),
        clean(
            "datumaro-exports/det/kitti_detection",
            Format::Kitti,
            &[
                "train/a.png 64x48: bolt box 4,5,20,10 truncated occluded; nut box 30,20,10,10",
                "val/b.png 64x48: washer box 1,1,10,20",
                "val/c.png 64x48: ?",
            ],
        ),
        clean(
            "datumaro-exports/det/voc",
            Format::PascalVoc,
            &[
                "train/a.jpg 64x48: bolt box 4,5,20,10 truncated occluded; nut box 30,20,10,10",
                "val/b.jpg 64x48: washer box 1,1,10,20",
                "val/c.jpg 64x48: ?",
            ],
        ),
        clean(
            "datumaro-exports/seg/voc_segmentation",
            Format::PascalVoc,
            &[
                "train/a.jpg 64x48: bolt mask of 280 in 5,10,55,30",
                "val/b.jpg 64x48: ?",
            ],
        ),
        clean(
            "datumaro-exports/seg/coco_panoptic",
            Format::Coco,
            &[
                "train/a.jpg 64x48: bolt mask of 280 in 5,10,55,30 crowd",
                "val/b.jpg 64x48: ",
            ],
        ),
        clean(
            "datumaro-exports/seg/coco_instances",
            Format::Coco,
            &[
                "train/a.jpg 64x48: bolt mask of 280 in 5,10,55,30 crowd; \
                 nut polygon of 4 in 4,30,20,10; nut 2 polygons in 30,2,20,6",
                "val/b.jpg 64x48: ",
            ],
        ),
        clean(
            "datumaro-exports/seg/datumaro",
            Format::Datumaro,
            &[
                "train/a.jpg 64x48: bolt mask of 280 in 5,10,55,30 crowd; \
                 nut polygon of 4 in 4,30,20,10; nut 2 polygons in 30,2,20,6",
                "val/b.jpg 64x48: ",
            ],
        ),
        clean(
            "datumaro-exports/seg/cvat",
            Format::Cvat,
            &[
                "train/a.jpg 64x48: bolt mask of 280 in 5,10,55,30; nut polygon of 4 in 4,30,20,10; \
                 nut polygon of 3 in 30,2,10,6; nut polygon of 3 in 44,2,6,6",
                "val/b.jpg 64x48: ",
            ],
        ),
        clean(
            "datumaro-exports/seg/open_images",
            Format::Csv,
            &[
                "train/a.jpg 64x48: bolt mask of 280 in 5,10,55,30",
                "val/b.jpg 64x48: ?",
            ],
        ),
        clean(
            "datumaro-exports/cls/voc_classification",
            Format::PascalVoc,
            &[
                "train/a.jpg 64x48: bolt image",
                "val/b.jpg 64x48: washer image",
            ],
        ),
        clean(
            "datumaro-exports/cls/coco_labels",
            Format::Coco,
            &[
                "train/a.jpg 64x48: bolt image",
                "val/b.jpg 64x48: washer image",
            ],
        ),
        clean(
            "datumaro-exports/pts/datumaro",
            Format::Datumaro,
            &["train/a.jpg 64x48: bolt box 5,5,30,20 (10,10,2) (0,0,0) (20,21,1)"],
        ),
    ] {
        check(&case);
    }
}

#[test]
fn other_tools() {
    for case in [
        clean(
            "labelme-json/in",
            Format::Labelme,
            &["a.png 64x48: bolt box 4,5,20,10"],
        ),
        clean(
            "labelme-shapes",
            Format::Labelme,
            &[
                "a.png 64x48: blurry image; bolt box 4,5,20,10; nut box 30,20,10,10; \
                 nut polygon of 3 in 1,1,8,8; bolt ellipse 25,25,10,10; tip point 7,8; \
                 scratch line of 2 in 1,2,4,4; scratch line of 3 in 1,2,8,7; \
                 bolt mask of 185 in 4,5,20,10; pts points (1,1,2) (2,2,2); \
                 tilt turned by 45 in 5,10,15,15; nut 2 polygons in 20,1,29,8",
                "b.png 64x48: ?",
            ],
        ),
        clean(
            "label-studio-brush",
            Format::LabelStudio,
            &["a.png 64x48: bolt mask of 285 in 4,5,56,35"],
        ),
        clean(
            "fiftyone-samples",
            Format::FiftyOne,
            &[
                "train/data/a.jpg 64x48: bolt mask of 84 in 7,7,14,6; nut box 30,20,10,10",
                "val/data/b.jpg 64x48: washer box 1,1,10,20",
                "data/c.jpg 64x48: ",
            ],
        ),
        clean(
            "fiftyone-keypoints",
            Format::FiftyOne,
            &[
                "train/data/a.jpg 64x48: p points (6.4,9.6,2) (0,0,0) (32,28.8,2)",
                "val/data/b.jpg 64x48: p points (6.4,9.6,2) (0,0,0) (32,28.8,2)",
                "data/c.jpg 64x48: p points (6.4,9.6,2) (0,0,0) (32,28.8,2)",
            ],
        ),
        clean(
            "fiftyone-kitti",
            Format::Kitti,
            &[
                "a.jpg 64x48: bolt box 4,5,20,10; nut box 30,20,10,10",
                "b.jpg 64x48: washer box 1,1,10,20",
                "c.jpg 64x48: ",
            ],
        ),
        clean(
            "cvat-images-xml/in",
            Format::Cvat,
            &["a.png 64x48: bolt box 4,5,20,10"],
        ),
        clean(
            "label-studio-json",
            Format::LabelStudio,
            &[
                "0b2f3a4c-a.jpg 64x48: bolt box 4,5,20,10; nut turned by 90 in 20,24,12,16; \
                 nut polygon of 3 in 6.4,4.8,25.6,19.2; washer ellipse 25.6,19.2,12.8,9.6; \
                 tip point 16,12; bad light image",
            ],
        ),
        clean(
            "label-studio-json-min",
            Format::LabelStudio,
            &["a.jpg 64x48: bolt box 4,4.8,20,9.6"],
        ),
        clean(
            "fiftyone-detections",
            Format::FiftyOne,
            &["000001.jpg 64x48: bolt box 4,4.8,19.2,9.6 occluded"],
        ),
        Case {
            problems: &["_annotations.csv: line 3: `x` is not a number"],
            ..clean(
                "csv-roboflow",
                Format::Csv,
                &["train/a.jpg 64x48: bolt box 4,5,20,10"],
            )
        },
    ] {
        check(&case);
    }
}

#[test]
fn damaged_json_is_an_error_with_its_place() {
    let error = Format::detect(&fixture("coco-not-json"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("not valid JSON") && error.contains("line 2 column 10"),
        "{error}"
    );
}
