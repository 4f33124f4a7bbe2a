//! Fills a store for tests and for looking at the pages: photographs of a folder as strays with
//! made-up scores and every fifth as training image of a deployment, or many small images.
//!
//! `fill_for_tests STORE PHOTOS|COUNT`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic
)]

use std::path::{Path, PathBuf};

use straylight_core::{ImageFormat, RgbImage, Shape, TaskType, Timestamp};
use straylight_store::{Collected, NewImage, NewProject, Store, StoredAnnotation, StoredLabel};

const LABELS: [&str; 4] = ["fish", "monument", "renewable", "tool"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, what] = &arguments[..] else {
        panic!("STORE PHOTOS|COUNT")
    };
    let store = Store::open(root).expect("the store");
    let new = NewProject::single("Photographs", TaskType::Classification, &LABELS);
    let project = store.create_project(&new).expect("the project");
    let strays = store
        .get_or_create_dataset(&project.id, "OOD Images Collected")
        .expect("a dataset");
    let labels = &project.pipeline.tasks[1].labels;
    let images: Box<dyn Iterator<Item = (String, Vec<u8>)>> = match what.parse::<usize>() {
        Ok(count) => Box::new((0..count).map(|i| (format!("image_{i:06}"), small(i)))),
        Err(_) => Box::new(photos(Path::new(what)).into_iter()),
    };
    deploy(&store, &project.id);
    for (index, (name, bytes)) in images.enumerate() {
        let info = straylight_image::probe(&bytes).expect("an image");
        if what.parse::<usize>().is_err() && index % 5 == 4 {
            let new = NewImage::new(&name, bytes.into(), info.format, (info.width, info.height));
            let training = &project.datasets[0].id;
            store.add_image(training, &new).expect("a training image");
            continue;
        }
        let label = &labels[index % labels.len()];
        let score = ((index * 7919) % 1000) as f64 / 1000.0;
        let mut new = NewImage::new(&name, bytes.into(), info.format, (info.width, info.height));
        new.captured_at = Timestamp::from_second(1_790_000_000 + index as i64 * 400).ok();
        new.prediction = Some(vec![StoredAnnotation {
            id: String::new(),
            shape: Shape::whole_image(info.width, info.height),
            labels: vec![StoredLabel {
                id: label.id.clone(),
                name: label.name.clone(),
                probability: 0.3 + 0.69 * (1.0 - score),
            }],
        }]);
        new.collected = Some(Collected {
            hook: if index % 5 == 0 {
                "one in five"
            } else {
                "strays"
            }
            .to_owned(),
            reason: format!("OOD score {score:.2} is at least 0.00"),
            ood_score: Some(score),
            scores: [
                ("knn".to_owned(), score),
                ("fre".to_owned(), score * score),
                ("msp".to_owned(), 1.0 - score),
            ]
            .into(),
            uncertainty: None,
        });
        store.add_image(&strays.id, &new).expect("an image");
    }
    println!("{} {}", project.id, strays.id);
}

/// Gives a project a deployment that the stand-in of `serve_for_tests` loads.
fn deploy(store: &Store, project: &str) {
    let folder = store.root().join("made");
    std::fs::create_dir_all(&folder).expect("a folder");
    let json = store
        .project_json(project)
        .expect("the project")
        .to_string();
    std::fs::write(folder.join("project.json"), json).expect("a file");
    store
        .add_deployment(project, "made for tests", &folder, &serde_json::json!({}))
        .expect("a deployment");
    std::fs::remove_dir_all(folder).expect("the folder goes");
}

fn small(index: usize) -> Vec<u8> {
    let color = [index as u8, (index >> 8) as u8, (index >> 16) as u8];
    let image = RgbImage::filled(32, 32, color).unwrap();
    straylight_image::encode_png(&image).unwrap()
}

fn photos(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
            match entry.path() {
                path if path.is_dir() => dirs.push(path),
                path => paths.push(path),
            }
        }
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).ok()?;
        straylight_image::sniff(&bytes).filter(|f| *f != ImageFormat::Gif)?;
        Some((path.file_stem()?.to_string_lossy().into_owned(), bytes))
    };
    paths.iter().filter_map(read).collect()
}
