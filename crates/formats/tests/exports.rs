//! Layouts of exports that people published: what tools write beside the set, or call otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::fs;
use std::path::Path;

use straylight_core::RgbImage;
use straylight_formats::{Format, ReadOptions, ReadReport, SetFiles};
use straylight_image::encode_png;
use support::lines;
use tempfile::TempDir;

/// A folder with files of text; those without text are images of 64 x 48 pixels of one colour.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let scratch = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let pixels = || encode_png(&RgbImage::filled(64, 48, [9; 3]).unwrap()).unwrap();
        let bytes = if text.is_empty() {
            pixels()
        } else {
            text.as_bytes().to_vec()
        };
        put(scratch.path(), name, &bytes);
    }
    scratch
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join("set").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn read(folder: &TempDir) -> Result<(Format, ReadReport), String> {
    let files = SetFiles::find(&folder.path().join("set"), None).map_err(|e| e.to_string())?;
    let report = files.read(&ReadOptions::default());
    Ok((files.format(), report.map_err(|e| e.to_string())?))
}

#[track_caller]
fn check(name: &str, files: &[(&str, &str)], format: Format, wanted: &[&str]) -> Vec<String> {
    let (found, report) = read(&folder(files)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(found, format, "{name}");
    assert_eq!(lines(&report), wanted, "{name}: {:?}", report.problems);
    assert_eq!(report.problems, [], "{name}");
    report.notes.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn refused(files: &[(&str, &str)], reason: &str) {
    let error = read(&folder(files)).unwrap_err();
    assert!(error.contains(reason), "{error}");
}

const NAMES: (&str, &str) = ("data.yaml", "names: [bolt, nut]");
const LINE: &str = "1 0.5 0.5 0.5 0.5\n";

#[test]
fn labels_of_yolo_are_found_whatever_their_folder_is_called() {
    let nut = ["a.png 64x48: nut box 16,12,32,24"];
    for (images, labels) in [
        ("Images/a.png", "Annotations/a.txt"),
        ("Images/a.png", "Labels/a.txt"),
        ("images/a.png", "txt/a.txt"),
        ("images/a.png", "elsewhere/more/A.TXT"),
        ("a.png", "a.TXT"),
    ] {
        check(
            labels,
            &[NAMES, (images, ""), (labels, LINE)],
            Format::Yolo,
            &nut,
        );
    }
    // Two images could be meant, or the text is something else.
    let none = ["train/a.png 64x48: ?", "val/a.png 64x48: ?"];
    for (name, text) in [("txt/a.txt", LINE), ("a.txt", "About this photo")] {
        let images = [("images/train/a.png", ""), ("images/val/a.png", "")];
        let files = [NAMES, images[0], images[1], (name, text)];
        check(name, &files, Format::Yolo, &none);
    }
}

#[test]
fn images_outside_of_the_folder_of_images_are_part_of_a_yolo_set_if_they_have_labels() {
    let notes = check(
        "beside",
        &[
            ("train/_darknet.labels", "bolt\nnut\n"),
            ("train/a.png", ""),
            ("train/a.txt", LINE),
            ("images/shown.png", ""),
            ("docs/curve.png", ""),
        ],
        Format::Yolo,
        &[
            "shown.png 64x48: ?",
            "train/a.png 64x48: nut box 16,12,32,24",
        ],
    );
    assert_eq!(
        notes,
        [".: 1 images outside of `images` and without labels are passed over"]
    );
}

#[test]
fn turned_boxes_of_dota_are_read_with_the_names_of_a_yaml_file() {
    let text = "imagesource:GoogleEarth\ngsd:0.1\n10 10 30 10 30 20 10 20 nut 0\n\
                10 10 30 12 29 22 9 20 bolt 1\n";
    let labels = ("train/labelTxt/a.txt", text);
    let image = ("train/images/a.png", "");
    check(
        "dota",
        &[NAMES, image, labels],
        Format::Yolo,
        &["train/a.png 64x48: nut turned by 0 in 10,10,20,10; \
           bolt turned by 6 in 9,10,21,12 difficult"],
    );
    refused(&[image, labels], "without the names of its classes");
    let unknown = ("train/labelTxt/a.txt", "10 10 30 10 30 20 10 20 screw 0\n");
    let (_, report) = read(&folder(&[NAMES, image, unknown])).unwrap();
    let problem = report.problems[0].to_string();
    assert!(
        problem.starts_with("train/labelTxt/a.txt: line 1: class `screw` is none"),
        "{problem}"
    );
}

#[test]
fn captions_are_no_instances_even_with_a_category() {
    let images = r#""images": [{"id": 1, "file_name": "a.png"}]"#;
    let instances = format!(
        r#"{{{images}, "categories": [{{"id": 1, "name": "bolt"}}],
        "annotations": [{{"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 5, 20, 10]}}]}}"#
    );
    let captions = format!(
        r#"{{{images}, "categories": [], "annotations": [{{"id": 1, "image_id": 1, "category_id": 0, "caption": "hello"}}]}}"#
    );
    let captions = ("annotations/captions_train.json", &*captions);
    let all = [
        ("a.png", ""),
        ("annotations/instances_train.json", &*instances),
        captions,
    ];
    let wanted = ["train/a.png 64x48: bolt box 4,5,20,10"];
    let notes = check("captions", &all, Format::Coco, &wanted);
    assert_eq!(
        notes,
        ["annotations/captions_train.json: captions are passed over"]
    );
    refused(&[("a.png", ""), captions], "COCO captions");
}

const XML: &str = "<annotation><object><name>bolt</name><bndbox><xmin>4</xmin><ymin>5</ymin>\
                   <xmax>24</xmax><ymax>15</ymax></bndbox></object></annotation>";

#[test]
fn lists_of_pascal_voc_may_lie_deeper_and_have_comments() {
    let files = [
        ("example.png", ""),
        ("VOC2007/ImageSets/Main/val.txt", "# a comment\na\n"),
        ("VOC2007/JPEGImages/a.png", ""),
        ("VOC2007/Annotations/a.xml", XML),
        ("VOC2012/ImageSets/Main/train.txt", "b\n"),
        ("VOC2012/JPEGImages/b.png", ""),
        ("VOC2012/Annotations/b.xml", XML),
    ];
    let (_, report) = read(&folder(&files)).unwrap();
    let found: Vec<String> = lines(&report);
    assert_eq!(report.problems, []);
    assert_eq!(
        found,
        [
            "val/VOC2007/JPEGImages/a.png 64x48: bolt box 4,5,20,10",
            "train/VOC2012/JPEGImages/b.png 64x48: bolt box 4,5,20,10",
        ]
    );
}

#[test]
fn pictures_beside_the_images_of_pascal_voc_are_no_images() {
    let files = [
        ("JPEGImages/a.png", ""),
        ("JPEGImages/b.png", ""),
        ("AnnotationsVisualization/a.png", ""),
        ("Annotations/a.xml", XML),
    ];
    let wanted = ["a.png 64x48: bolt box 4,5,20,10", "b.png 64x48: ?"];
    check("visualization", &files, Format::PascalVoc, &wanted);
}

#[test]
fn masks_of_pascal_voc_need_neither_xml_nor_lists() {
    let scratch = folder(&[
        ("JPEGImages/a.png", ""),
        ("SegmentationClassVisualization/a.png", ""),
        ("class_names.txt", "_background_\nbolt\nnut\n"),
    ]);
    // Colour 2 of the challenge.
    let mut pixels = RgbImage::filled(64, 48, [0; 3]).unwrap().into_data();
    for x in 10..14 {
        pixels[x * 3..x * 3 + 3].copy_from_slice(&[0, 128, 0]);
    }
    let mask = RgbImage::new(64, 48, pixels).unwrap();
    put(
        scratch.path(),
        "SegmentationClass/a.png",
        &encode_png(&mask).unwrap(),
    );
    let (format, report) = read(&scratch).unwrap();
    assert_eq!((format, &*report.problems), (Format::PascalVoc, &[][..]));
    assert_eq!(lines(&report), ["a.png 64x48: nut mask of 4 in 10,0,4,1"]);
    let labels: Vec<&str> = report.set.label_names().collect();
    assert_eq!(labels, ["bolt", "nut"]);
}

#[test]
fn parts_of_open_images_and_kitti_are_those_of_their_files() {
    let files = [
        ("images/train/a.png", ""),
        ("images/test/b.png", ""),
        ("annotations/class-descriptions.csv", "/m/1,bolt\n"),
        (
            "annotations/oidv6-train-annotations-bbox.csv",
            "ImageID,LabelName,XMin,XMax,YMin,YMax\na,/m/1,0.5,0.75,0.25,0.5\n",
        ),
        (
            "annotations/image_ids_and_rotation.csv",
            "ImageID,Subset,OriginalURL\na,train,x\nb,test,y\n",
        ),
    ];
    let wanted = [
        "train/a.png 64x48: bolt box 32,12,16,12",
        "test/b.png 64x48: ?",
    ];
    let (_, report) = read(&folder(&files)).unwrap();
    let mut found = lines(&report);
    found.sort_unstable_by_key(|line| line.starts_with("test"));
    assert_eq!(found, wanted, "{:?}", report.problems);
    let kitti = [
        ("image_2/val/a.png", ""),
        (
            "label_2/val/a.txt",
            "Car 0.0 0 -1.6 1 2 3 4 1 1 1 1 1 1 0\n",
        ),
    ];
    let wanted = ["val/a.png 64x48: Car box 1,2,2,2"];
    check("kitti", &kitti, Format::Kitti, &wanted);
}

#[test]
fn labelme_files_that_name_themselves_are_about_the_image_of_their_stem() {
    let json = r#"{"shapes": [{"label": "bolt", "points": [[4, 5], [24, 15]], "shape_type": "rectangle"}],
        "imagePath": "a.json", "imageData": null, "imageWidth": 64, "imageHeight": 48}"#;
    let files = [("a.png", ""), ("a.json", json)];
    let wanted = ["a.png 64x48: bolt box 4,5,20,10"];
    check("itself", &files, Format::Labelme, &wanted);
}

#[test]
fn formats_that_are_not_read_are_named_wherever_they_lie() {
    let city = [
        ("one/gtFine/train/x/a_gtFine_instanceIds.png", ""),
        ("two/leftImg8bit/train/x/a_leftImg8bit.png", ""),
    ];
    refused(&city, "is Cityscapes");
    let parquet = [
        ("data.parquet", "PAR1"),
        ("metadata.json", r#"{"version": "1.13.12", "schema": {}}"#),
        ("images/a.png", ""),
    ];
    refused(&parquet, "Datumaro's Parquet form");
}

#[test]
fn images_that_no_label_file_is_about_are_told() {
    let files = [
        ("data.yaml", "names: [bolt, nut]\nnc: 3"),
        ("train/bolt/a.png", ""),
    ];
    let notes = check("yolo", &files, Format::Yolo, &["train/bolt/a.png 64x48: ?"]);
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert_eq!(notes[0], "data.yaml: `nc` is 3, and `names` has 2");
    assert!(
        notes[1].contains("no label file belongs to any of 1 images"),
        "{notes:?}"
    );
}

#[test]
fn addresses_of_images_end_before_their_question_mark() {
    let coco = r#"{"images": [{"id": 1, "file_name": "https://host/set/a.png?size=1#x"}],
        "categories": [{"id": 1, "name": "bolt"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 5, 20, 10]}]}"#;
    let files = [("images/a.png", ""), ("coco.json", coco)];
    let wanted = ["a.png 64x48: bolt box 4,5,20,10"];
    check("address", &files, Format::Coco, &wanted);
}

#[test]
fn points_of_labelme_are_key_points_of_one_object() {
    let json = r#"{"shapes": [{"label": "bolt", "points": [[4, 5], [24, 15]], "shape_type": "points"}],
        "imagePath": "a.png", "imageData": null, "imageWidth": 64, "imageHeight": 48}"#;
    let files = [("a.png", ""), ("a.json", json)];
    let wanted = ["a.png 64x48: bolt points (4,5,2) (24,15,2)"];
    check("points", &files, Format::Labelme, &wanted);
}

#[test]
fn shapes_of_cvat_without_a_label_are_listed() {
    let xml = r#"<annotations><image id="0" name="a.png" width="64" height="48">
        <box label="" xtl="1" ytl="2" xbr="3" ybr="4"/>
        <box label="bolt" xtl="4" ytl="5" xbr="24" ybr="15"/></image></annotations>"#;
    let (_, report) = read(&folder(&[("a.png", ""), ("annotations.xml", xml)])).unwrap();
    assert_eq!(lines(&report), ["a.png 64x48: bolt box 4,5,20,10"]);
    let problem = report.problems[0].to_string();
    assert!(
        problem.contains("box in line 2: it has no `label`"),
        "{problem}"
    );
}
