//! Any bytes in the place of an annotation file are read or reported; what was read is written in
//! every format and read again without a complaint.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use straylight_formats::{Format, ReadOptions, SetFiles, WriteOptions, read, write};

static IMAGE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let pixels = straylight_core::RgbImage::filled(4, 3, [9; 3]).expect("a size");
    straylight_image::encode_png(&pixels).expect("a PNG file")
});

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("a file");
}

/// Where the bytes stand, and the format that reads them; there may be several places for one.
const PLACES: [(Format, &str); 20] = [
    (Format::Coco, "annotations/instances_a.json"),
    (Format::Coco, "annotations/panoptic_a.json"),
    (Format::Datumaro, "annotations/a.json"),
    (Format::PascalVoc, "Annotations/a.xml"),
    (Format::PascalVoc, "labelmap.txt"),
    (Format::PascalVoc, "ImageSets/Main/a.txt"),
    (Format::PascalVoc, "SegmentationClass/a.png"),
    (Format::Yolo, "data.yaml"),
    (Format::Yolo, "labels/a.txt"),
    (Format::Yolo, "classes.txt"),
    (Format::DirectoryTree, "cat/b.png"),
    (Format::Geti, "annotations/a.json"),
    (Format::Geti, "project.json"),
    (Format::Cvat, "annotations.xml"),
    (Format::Labelme, "a.json"),
    (Format::LabelStudio, "tasks.json"),
    (Format::FiftyOne, "samples.json"),
    (Format::Kitti, "training/label_2/a.txt"),
    (Format::Csv, "labels.csv"),
    (Format::Csv, "train-annotations-bbox.csv"),
];

pub(crate) fn fuzz(input: &[u8]) {
    let Some((&which, bytes)) = input.split_first() else {
        return;
    };
    let (format, place) = PLACES[usize::from(which) % PLACES.len()];
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("set");
    put(&folder, "images/a.png", &IMAGE);
    match place {
        "labels/a.txt" => put(&folder, "classes.txt", b"cat\ndog\n"),
        "classes.txt" => put(&folder, "labels/a.txt", b"1 .5 .5 .5 .5\n"),
        "ImageSets/Main/a.txt" => put(&folder, "SegmentationClass/a.png", &IMAGE),
        "SegmentationClass/a.png" => put(&folder, "ImageSets/Segmentation/a.txt", b"a\n"),
        "project.json" => put(&folder, "annotations/a.json", b"{\"annotations\": []}"),
        _ => {}
    }
    put(&folder, place, bytes);
    let _ = SetFiles::find(&folder, None);
    let Ok(report) = read(&folder, format, &ReadOptions::default()) else {
        return;
    };
    for to in Format::writable() {
        let out = scratch.path().join(to.name());
        let options = WriteOptions {
            copy_images: to != Format::DirectoryTree,
            ..WriteOptions::default()
        };
        // Only names that cannot be files, or that would be one file, are refused.
        if write(&report.set, &out, to, &options).is_err() {
            continue;
        }
        if let Ok(again) = read(&out, to, &ReadOptions::default()) {
            assert!(
                again.problems.is_empty(),
                "{format} to {to}: {:?}",
                again.problems
            );
        }
    }
}

/// The number of the place that a real file probably stands in.
pub(crate) fn lead(path: &Path) -> Vec<u8> {
    let path = path.to_string_lossy();
    let known = [
        ("coco", 0),
        ("panoptic", 1),
        ("datumaro/", 2),
        ("voc", 3),
        ("yaml", 7),
        ("txt", 8),
        ("geti", 11),
        ("cvat", 13),
        ("labelme", 14),
        ("label-studio", 15),
        ("fiftyone", 16),
        ("kitti", 17),
        ("csv", 18),
    ];
    // The last that fits: folders have the names of formats as well.
    let places = known.map(|(part, which)| (path.rfind(part), which));
    let best = places.iter().filter(|(place, _)| place.is_some()).max();
    vec![best.map_or(0, |(_, which)| *which)]
}
