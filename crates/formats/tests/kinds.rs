//! Small variations of the formats, as tools and people write them: right, or refused with the
//! reason.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::fs;

use straylight_core::RgbImage;
use straylight_formats::{Format, ReadOptions, SetFiles};
use straylight_image::encode_png;
use support::lines;

/// Files, what is in them, and what is said.
struct Case<'a> {
    name: &'a str,
    /// Paths and texts; a path of an image has no text.
    files: &'a [(&'a str, &'a str)],
    set: &'a [&'a str],
    /// Parts of what is left out, in order.
    problems: &'a [&'a str],
}

fn found(case: &Case<'_>) -> Result<(Vec<String>, Vec<String>), String> {
    let scratch = tempfile::tempdir().unwrap();
    let pixels = encode_png(&RgbImage::filled(64, 48, [9; 3]).unwrap()).unwrap();
    for (name, text) in case.files {
        let path = scratch.path().join("set").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let is_image = path.extension().is_some_and(|end| end == "png") && text.is_empty();
        fs::write(path, if is_image { &pixels } else { text.as_bytes() }).unwrap();
    }
    let files = SetFiles::find(&scratch.path().join("set"), None).map_err(|e| e.to_string())?;
    let report = files
        .read(&ReadOptions::default())
        .map_err(|e| e.to_string())?;
    let problems = report.problems.iter().map(ToString::to_string).collect();
    Ok((lines(&report), problems))
}

#[track_caller]
fn check(case: &Case<'_>) {
    let (set, problems) = found(case).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    assert_eq!(set, case.set, "{}: {problems:#?}", case.name);
    assert_eq!(
        problems.len(),
        case.problems.len(),
        "{}: {problems:#?}",
        case.name
    );
    for (problem, part) in problems.iter().zip(case.problems) {
        assert!(problem.contains(part), "{}: {problem}", case.name);
    }
}

#[track_caller]
fn refused(name: &str, files: &[(&str, &str)], reason: &str) {
    let case = Case {
        name,
        files,
        set: &[],
        problems: &[],
    };
    let error = found(&case).unwrap_err();
    assert!(error.contains(reason), "{name}: {error}");
}

/// A COCO file about `a.png` with one annotation.
macro_rules! coco {
    ($annotation:literal) => {
        coco!(
            $annotation,
            r#"{"id": 1, "file_name": "a.png"}"#,
            r#"{"id": 1, "name": "bolt"}"#
        )
    };
    ($annotation:literal, $images:literal, $categories:literal) => {
        &[
            ("a.png", ""),
            (
                "_annotations.coco.json",
                concat!(
                    r#"{"images": ["#,
                    $images,
                    r#"], "categories": ["#,
                    $categories,
                    r#"], "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "#,
                    $annotation,
                    "}]}"
                ),
            ),
        ]
    };
}

const BOX: &[&str] = &["a.png 64x48: bolt box 4,5,20,10"];
const RING: &[&str] = &["a.png 64x48: bolt polygon of 3 in 4,5,20,10"];
const NOTHING: &[&str] = &["a.png 64x48: ?"];

#[test]
fn coco_numbers_and_names() {
    for (name, files) in [
        (
            "strings",
            coco!(r#""bbox": ["4", "5", "20", "10"], "area": "200", "iscrowd": "0""#),
        ),
        (
            "floats as ids",
            coco!(
                r#""bbox": [4, 5, 20, 10]"#,
                r#"{"id": 1.0, "file_name": "a.png"}"#,
                r#"{"id": 1, "name": "bolt"}"#
            ),
        ),
        (
            "no file name",
            coco!(
                r#""bbox": [4, 5, 20, 10]"#,
                r#"{"id": 1, "coco_url": "http://x/val/a.png"}"#,
                r#"{"id": 1, "name": "bolt"}"#
            ),
        ),
        (
            "a path of Windows",
            coco!(
                r#""bbox": [4, 5, 20, 10]"#,
                r#"{"id": 1, "file_name": "C:\\set\\a.png"}"#,
                r#"{"id": 1, "name": "bolt"}"#
            ),
        ),
        (
            "an address",
            coco!(
                r#""bbox": [4, 5, 20, 10]"#,
                r#"{"id": 1, "file_name": "http://x/y/a.png"}"#,
                r#"{"id": 1, "name": "bolt"}"#
            ),
        ),
    ] {
        check(&Case {
            name,
            files,
            set: BOX,
            problems: &[],
        });
    }
    check(&Case {
        name: "a number as a name",
        files: coco!(
            r#""bbox": [4, 5, 20, 10]"#,
            r#"{"id": 1, "file_name": "a.png"}"#,
            r#"{"id": 1, "name": 5}"#
        ),
        set: &["a.png 64x48: 5 box 4,5,20,10"],
        problems: &[],
    });
    for (name, files, problem) in [
        (
            "fractions",
            coco!(r#""bbox": [0.1, 0.1, 0.3, 0.2]"#),
            "all boxes lie between 0 and 1",
        ),
        (
            "corners",
            coco!(r#""bbox": [4, 5, 24, 15], "bbox_mode": 0"#),
            "`bbox_mode` is 0",
        ),
        (
            "a negative size",
            coco!(r#""bbox": [24, 15, -20, -10]"#),
            "has no inside",
        ),
        ("a map", coco!(r#""bbox": {"x": 4}"#), "invalid type: map"),
    ] {
        check(&Case {
            name,
            files,
            set: NOTHING,
            problems: &[problem],
        });
    }
}

#[test]
fn coco_segmentations() {
    for (name, files) in [
        ("flat", coco!(r#""segmentation": [4, 5, 24, 5, 24, 15]"#)),
        (
            "strings",
            coco!(r#""segmentation": [["4", "5", "24", "5", "24", "15"]]"#),
        ),
        (
            "pairs",
            coco!(r#""segmentation": [[4, 5], [24, 5], [24, 15]]"#),
        ),
        (
            "rings of pairs",
            coco!(r#""segmentation": [[[4, 5], [24, 5], [24, 15]]]"#),
        ),
        (
            "maps",
            coco!(r#""segmentation": [{"x": 4, "y": 5}, {"x": 24, "y": 5}, {"x": 24, "y": 15}]"#),
        ),
    ] {
        check(&Case {
            name,
            files,
            set: RING,
            problems: &[],
        });
    }
    check(&Case {
        name: "a mask in a list",
        files: coco!(r#""segmentation": [{"size": [48, 64], "counts": [197, 10, 38, 10, 2817]}]"#),
        set: &["a.png 64x48: bolt mask of 20 in 4,5,2,10"],
        problems: &[],
    });
    for (name, files, problem) in [
        (
            "text",
            coco!(r#""bbox": [4, 5, 20, 10], "segmentation": "[[4, 5]]""#),
            "it is a text",
        ),
        (
            "two points",
            coco!(r#""bbox": [4, 5, 20, 10], "segmentation": [[4, 5, 24, 15]]"#),
            "3 pairs",
        ),
    ] {
        check(&Case {
            name,
            files,
            set: BOX,
            problems: &[problem],
        });
    }
}

/// Images that a set lists without objects were looked at; others were not.
#[test]
fn images_of_nothing_are_told_from_images_that_nobody_annotated() {
    const IMAGES: &str = r#"{"images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        "categories": [{"id": 1, "name": "bolt"}]"#;
    let coco = |name: &str, rest: &str| {
        let text = format!("{IMAGES}{rest}}}");
        let scratch = tempfile::tempdir().unwrap();
        let pixels = encode_png(&RgbImage::filled(64, 48, [9; 3]).unwrap()).unwrap();
        for image in ["a.png", "b.png"] {
            fs::write(scratch.path().join(image), &pixels).unwrap();
        }
        fs::write(scratch.path().join(name), text).unwrap();
        let files = SetFiles::find(scratch.path(), Some(Format::Coco)).unwrap();
        let set = files.read(&ReadOptions::default()).unwrap().set;
        set.images
            .iter()
            .map(|image| image.unannotated)
            .collect::<Vec<bool>>()
    };
    let one =
        r#", "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9]}]"#;
    let bad = r#", "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 9, 9]},
        {"id": 2, "image_id": 2, "category_id": 7, "bbox": [1, 1, 9, 9]}]"#;
    let double = r#", "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1]}]"#;
    assert_eq!(coco("instances_default.json", one), [false, false]);
    assert_eq!(
        coco("instances_default.json", bad),
        [false, true],
        "its only object was lost"
    );
    assert_eq!(
        coco("instances_default.json", double),
        [true, true],
        "no object is left"
    );
    assert_eq!(
        coco("instances_default.json", r#", "annotations": []"#),
        [true, true]
    );
    assert_eq!(coco("instances_default.json", ""), [true, true]);
}

#[test]
fn two_images_of_one_identifier_get_no_annotations() {
    check(&Case {
        name: "two images",
        files: &[
            ("a.png", ""),
            ("b.png", ""),
            (
                "coco.json",
                r#"{"images": [{"id": 1, "file_name": "a.png"}, {"id": 1, "file_name": "b.png"}],
                "categories": [{"id": 1, "name": "bolt"}],
                "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 5, 20, 10]}]}"#,
            ),
        ],
        set: &["a.png 64x48: ?", "b.png 64x48: ?"],
        problems: &["two images have the id 1"],
    });
}

const IMAGE: (&str, &str) = ("train/images/a.png", "");

#[test]
fn yolo_descriptions_and_lines() {
    const SET: &[&str] = &["train/a.png 64x48: bolt box 16,12,32,24"];
    const LABEL: (&str, &str) = ("train/labels/a.txt", "0 .5 .5 .5 .5\n");
    for (name, files) in [
        (
            "settings beside it",
            &[
                IMAGE,
                LABEL,
                ("args.yaml", "names: [wrong]\nmodel: x.pt\n"),
                ("data.yaml", "train: train/images\nnames: [bolt]\n"),
            ][..],
        ),
        (
            "numbers in quotes",
            &[
                IMAGE,
                LABEL,
                ("data.yaml", "train: train/images\nnames: {'0': bolt}\n"),
            ],
        ),
        (
            "paths of Windows",
            &[
                IMAGE,
                LABEL,
                (
                    "data.yaml",
                    "train: C:\\set\\train\\images\nnames: [bolt]\n",
                ),
            ],
        ),
        (
            "names beside labels",
            &[IMAGE, LABEL, ("train/labels/classes.txt", "bolt\n")],
        ),
        (
            "a folder around it",
            &[
                ("parts/train/images/a.png", ""),
                ("parts/train/labels/a.txt", "0 .5 .5 .5 .5\n"),
                ("parts/data.yaml", "train: train/images\nnames: [bolt]\n"),
            ],
        ),
    ] {
        check(&Case {
            name,
            files,
            set: SET,
            problems: &[],
        });
    }
    for (name, line, problem) in [
        ("pixels", "0 14 10 20 10\n", "not in pixels"),
        (
            "key points",
            "0 .5 .5 .4 .4 .4 .4 2 .6 .6 1\n",
            "`kpt_shape`",
        ),
        ("a confidence", "0 .5 .5 .5 .5 .9\n", "confidence"),
        ("a name", "bolt .5 .5 .5 .5\n", "`bolt` is not a number"),
        (
            "no class of this number",
            "3 .5 .5 .5 .5\n",
            "class `3` has no name",
        ),
    ] {
        let files = [
            IMAGE,
            ("train/labels/a.txt", line),
            ("data.yaml", "train: train/images\nnames: [bolt]\n"),
        ];
        check(&Case {
            name,
            files: &files,
            set: &["train/a.png 64x48: ?"],
            problems: &[problem],
        });
    }
    refused(
        "no names",
        &[IMAGE, LABEL],
        "without the names of its classes",
    );
    refused(
        "tabs",
        &[IMAGE, LABEL, ("data.yml", "train: a\nnames:\n\t- bolt\n")],
        "tabs",
    );
}

#[test]
fn yolo_turned_boxes_have_four_corners() {
    check(&Case {
        name: "turned",
        files: &[
            ("train/images/a.png", ""),
            (
                "train/labels/a.txt",
                "0 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n0 .5 .25 .625 .4166667 .5 .5833333 .375 .4166667\n",
            ),
            ("data.yaml", "train: train/images\nnames: [bolt]\n"),
        ],
        set: &[
            "train/a.png 64x48: bolt turned by 0 in 16,12,32,24; bolt turned by 45 in 24,12,16,16",
        ],
        problems: &[],
    });
}

#[test]
fn cvat_tracks_have_the_frames_on_which_they_are_seen() {
    const TRACKS: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><mode>interpolation</mode><labels>
    <label><name>car</name><color>#ff0000</color><type>rectangle</type></label>
    <label><name>hand</name><type>skeleton</type><svg>&lt;line x1="1" data-type="edge" data-node-from="1" data-node-to="2"&gt;&lt;/line&gt;</svg></label>
    <label><name>wrist</name><type>points</type><parent>hand</parent></label>
    <label><name>thumb</name><type>points</type><parent>hand</parent></label>
  </labels></task></meta>
  <track id="0" label="car" source="manual">
    <box frame="0" keyframe="1" outside="0" occluded="0" xtl="4.00" ytl="5.00" xbr="24.00" ybr="15.00" z_order="0"></box>
    <box frame="1" keyframe="0" outside="0" occluded="1" xtl="6.00" ytl="5.00" xbr="26.00" ybr="15.00" z_order="0"><attribute name="plate">X</attribute></box>
    <box frame="2" keyframe="1" outside="1" occluded="0" xtl="6.00" ytl="5.00" xbr="26.00" ybr="15.00" z_order="0"></box>
  </track>
  <track id="1" label="hand" source="manual">
    <skeleton frame="1" keyframe="1" z_order="0">
      <points label="thumb" outside="1" occluded="0" keyframe="1" points="1.00,2.00"></points>
      <points label="wrist" outside="0" occluded="1" keyframe="1" points="10.00,12.00"></points>
    </skeleton>
  </track>
</annotations>"#;
    check(&Case {
        name: "tracks",
        files: &[
            ("annotations.xml", TRACKS),
            ("images/frame_000000.png", ""),
            ("images/frame_000001.png", ""),
            ("images/frame_000002.png", ""),
        ],
        set: &[
            "frame_000000.png 64x48: car box 4,5,20,10",
            "frame_000001.png 64x48: car box 6,5,20,10 occluded; hand points (10,12,1) (0,0,0)",
            "frame_000002.png 64x48: ",
        ],
        problems: &[],
    });
}

#[test]
fn tables() {
    check(&Case {
        name: "RetinaNet",
        files: &[
            ("a.png", ""),
            ("b.png", ""),
            (
                "annotations.csv",
                "a.png,4,5,24,15,bolt\na.png,30,20,40,30,nut\nb.png,,,,,\n",
            ),
        ],
        set: &[
            "a.png 64x48: bolt box 4,5,20,10; nut box 30,20,10,10",
            "b.png 64x48: ",
        ],
        problems: &[],
    });
    check(&Case {
        name: "Open Images with a class that has no name",
        files: &[
            ("a.png", ""),
            (
                "train-annotations-bbox.csv",
                "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\na,x,/m/01,1,0.25,0.75,0.25,0.75,0,1,1,0,0\na,x,/m/02,1,0,0.5,0,0.5,-1,-1,-1,-1,-1\n",
            ),
            ("class-descriptions-boxable.csv", "/m/01,Bolt\n"),
        ],
        set: &["train/a.png 64x48: Bolt box 16,12,32,24 crowd truncated; /m/02 box 0,0,32,24"],
        problems: &[],
    });
}

#[test]
fn folders_are_labels_only_if_nothing_else_tells_what_is_on_the_images() {
    check(&Case {
        name: "a tree with a text about itself",
        files: &[
            ("cat/a.png", ""),
            ("dog/b.png", ""),
            ("README.txt", "cats"),
            ("classes.txt", "cat\ndog\n"),
        ],
        set: &["cat/a.png 64x48: cat image", "dog/b.png 64x48: dog image"],
        problems: &[],
    });
    check(&Case {
        name: "folders around a tree",
        files: &[
            ("download/pets/cat/a.png", ""),
            ("download/pets/dog/b.png", ""),
        ],
        set: &["cat/a.png 64x48: cat image", "dog/b.png 64x48: dog image"],
        problems: &[],
    });
    check(&Case {
        name: "a label called train",
        files: &[("bus/a.png", ""), ("train/b.png", "")],
        set: &[
            "bus/a.png 64x48: bus image",
            "train/b.png 64x48: train image",
        ],
        problems: &[],
    });
    check(&Case {
        name: "MVTec AD",
        files: &[
            ("train/good/a.png", ""),
            ("test/broken/b.png", ""),
            ("ground_truth/broken/b_mask.png", ""),
            ("license.txt", "x"),
        ],
        set: &[
            "test/broken/b.png 64x48: broken image",
            "train/good/a.png 64x48: good image",
        ],
        problems: &[],
    });
    check(&Case {
        name: "images beside the parts",
        files: &[("train/cat/a.png", ""), ("more/b.png", "")],
        set: &["train/cat/a.png 64x48: cat image"],
        problems: &["1 images lie beside the parts of the set"],
    });
    for (name, files, reason) in [
        (
            "DOTA",
            &[("train/images/a.png", ""), ("train/labelTxt/a.txt", "x")][..],
            "labelTxt is DOTA",
        ),
        (
            "ICDAR",
            &[("train/images/a.png", ""), ("train/gt_a.txt", "1,2,3")],
            "gt_a.txt",
        ),
        (
            "masks",
            &[("images/a.png", ""), ("masks/a.png", "")],
            "`images/a.png`",
        ),
        (
            "a table",
            &[("data/a.png", ""), ("labels.csv", "filepath\na.png\n")],
            "labels.csv",
        ),
        (
            "CVAT",
            &[
                ("task_0/data/a.png", ""),
                (
                    "task_0/annotations.json",
                    r#"[{"version": 0, "tags": [], "shapes": [], "tracks": []}]"#,
                ),
            ],
            "a backup of CVAT",
        ),
        (
            "Hugging Face",
            &[("train/a.png", ""), ("train/metadata.jsonl", "{}")],
            "JSON lines",
        ),
    ] {
        refused(name, files, reason);
    }
}

#[test]
fn zip_files_within_a_zip_file_are_read() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/formats");
    let plain = fixtures.join("coco-category-zero/in");
    let plain = SetFiles::find(&plain, None).unwrap();
    let packed = SetFiles::find(&fixtures.join("nested-zip/download.zip"), None).unwrap();
    assert!(packed.is_unpacked() && packed.format() == Format::Coco);
    let read = |files: &SetFiles| {
        let report = files.read(&ReadOptions::default()).unwrap();
        assert_eq!(report.problems, []);
        let mut lines = lines(&report);
        for line in &mut lines {
            *line = line.rsplit('/').next().unwrap().to_owned();
        }
        lines
    };
    assert_eq!(read(&packed), read(&plain));
    let folder = packed.path().to_owned();
    drop(packed);
    assert!(!folder.exists(), "the temporary folder is left behind");
    let scratch = tempfile::tempdir().unwrap();
    let damaged = scratch.path().join("damaged.zip");
    fs::write(&damaged, "PK no archive").unwrap();
    let error = SetFiles::find(&damaged, None).unwrap_err().to_string();
    assert!(
        error.contains("damaged.zip") && error.contains("the archive is damaged"),
        "{error}"
    );
}

#[test]
fn columns_of_a_table_that_are_no_marks_are_no_labels() {
    check(&Case {
        name: "the index that pandas writes, and a number for each image",
        files: &[
            ("a.png", ""),
            ("b.png", ""),
            (
                "labels.csv",
                ",filename,bolt,nut,age\n0,a.png,1,0,33\n1,b.png,0,1.0,1\n",
            ),
        ],
        set: &["a.png 64x48: bolt image", "b.png 64x48: nut image"],
        problems: &[],
    });
}

#[test]
fn a_table_without_labels_is_refused() {
    let case = Case {
        name: "numbers only",
        files: &[("a.png", ""), ("labels.csv", "filename,age\na.png,33\n")],
        set: &[],
        problems: &[],
    };
    let error = found(&case).unwrap_err();
    assert!(error.contains("filename, class"), "{error}");
}
