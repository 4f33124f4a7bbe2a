//! Any bytes in the place of an annotation file are read or reported; what was read is written in
//! every format and read again without a complaint.
#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use straylight_formats::{Format, ReadOptions, WriteOptions, read, write};

static IMAGE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let pixels = straylight_core::RgbImage::filled(4, 3, [9; 3]).expect("a size");
    straylight_image::encode_png(&pixels).expect("a PNG file")
});

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, bytes).expect("a file");
}

fuzz_target!(|input: (u8, &[u8])| {
    let (which, bytes) = input;
    let formats: Vec<Format> = Format::all().collect();
    let format = formats[usize::from(which) % formats.len()];
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path();
    put(folder, "images/a.png", &IMAGE);
    match format {
        Format::PascalVoc => put(folder, "Annotations/a.xml", bytes),
        Format::Yolo if which & 128 == 0 => put(folder, "data.yaml", bytes),
        Format::Yolo => {
            put(folder, "classes.txt", b"cat\ndog\n");
            put(folder, "labels/a.txt", bytes);
        }
        Format::DirectoryTree => put(folder, "cat/b.png", bytes),
        Format::Cvat => put(folder, "annotations.xml", bytes),
        Format::Kitti => put(folder, "training/label_2/a.txt", bytes),
        Format::Csv => put(folder, "labels.csv", bytes),
        _ => put(folder, "annotations/a.json", bytes),
    }
    let Ok(report) = read(folder, format, &ReadOptions::default()) else { return };
    for to in Format::writable() {
        let out = folder.join("out").join(to.name());
        let options = WriteOptions { copy_images: to != Format::DirectoryTree };
        write(&report.set, &out, to, &options).expect("what was read can be written");
        if let Ok(again) = read(&out, to, &ReadOptions::default()) {
            assert!(again.problems.is_empty(), "{format} to {to}: {:?}", again.problems);
        }
    }
});
