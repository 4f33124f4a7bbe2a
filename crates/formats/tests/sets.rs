//! What can be asked of a set of annotated images.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use straylight_core::RgbImage;
use straylight_formats::{Filter, Format, ReadOptions, read};
use straylight_image::encode_png;

#[test]
fn sets_are_counted_and_filtered() {
    let scratch = tempfile::tempdir().unwrap();
    let pixels = encode_png(&RgbImage::filled(40, 30, [9; 3]).unwrap()).unwrap();
    for name in ["cat/a.png", "cat/b.png", "dog/c.png"] {
        let path = scratch.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &pixels).unwrap();
    }
    let options = ReadOptions::default();
    let report = read(scratch.path(), Format::DirectoryTree, &options).unwrap();
    let mut set = report.set;
    let counts: Vec<(String, usize)> = set
        .counts()
        .into_iter()
        .map(|c| (c.name, c.images))
        .collect();
    assert_eq!(counts, [("cat".to_owned(), 2), ("dog".to_owned(), 1)]);
    set.retain(&Filter::any_of(["dog", "bird"]));
    assert_eq!(set.images.len(), 1);
    set.retain(&"not dog".parse().unwrap());
    assert_eq!((set.images.len(), set.label_names().count()), (0, 2));
}
