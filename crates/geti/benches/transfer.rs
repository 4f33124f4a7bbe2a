//! Small images to our own server and back, over TLS on loopback, by number of threads.
//!
//! Client and server share the machine, so the numbers are of both together.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "the server is shared with the tests"
)]

#[path = "../tests/against_server/running.rs"]
mod running;

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use divan::counter::ItemsCount;
use straylight_core::{NoProgress, RgbImage, TaskType};
use straylight_geti::{ClientOptions, DatasetApi, DownloadOptions, Geti, ProjectPlan, TaskPlan};
use straylight_image::encode_jpeg;
use straylight_server::SdkGeneration;

use crate::running::Running;

/// Images a round.
const IMAGES: usize = 200;

fn main() {
    divan::main();
}

/// An empty dataset and a folder of images that differ.
fn prepare(server: &Running, threads: usize) -> (DatasetApi, std::path::PathBuf) {
    let options = ClientOptions {
        threads,
        ..ClientOptions::default()
    };
    let geti = Geti::connect_with(&server.details, options).unwrap();
    let plan = ProjectPlan::single("p", TaskPlan::new(TaskType::Classification, ["a", "b"]));
    let project = geti
        .create_project(&plan.request(geti.version()).unwrap())
        .unwrap();
    let api = geti.at(&project.id);
    let dataset = api.dataset(&api.training_dataset().unwrap().id);
    let folder = server.path("source");
    fs::create_dir(&folder).unwrap();
    for n in 0..IMAGES {
        let pixels = (0..64 * 64 * 3).map(|i| (i * 7 + n * 13) as u8).collect();
        let image = RgbImage::new(64, 64, pixels).unwrap();
        fs::write(
            folder.join(format!("{n}.jpg")),
            encode_jpeg(&image, 90).unwrap(),
        )
        .unwrap();
    }
    (dataset, folder)
}

#[divan::bench(args = [1, 4, 8], sample_count = 3, sample_size = 1)]
fn upload(bencher: divan::Bencher<'_, '_>, threads: usize) {
    bencher
        .counter(ItemsCount::new(IMAGES))
        .with_inputs(|| {
            let server = Running::start(SdkGeneration::Current);
            let (dataset, folder) = prepare(&server, threads);
            (server, dataset, folder)
        })
        .bench_values(|(server, dataset, folder)| {
            let upload = dataset.upload_image_folder(&folder, &NoProgress).unwrap();
            assert_eq!(upload.transfer.done.len(), IMAGES);
            server
        });
}

#[divan::bench(args = [1, 4, 8], sample_count = 3, sample_size = 1)]
fn download(bencher: divan::Bencher<'_, '_>, threads: usize) {
    let server = Running::start(SdkGeneration::Current);
    let (dataset, folder) = prepare(&server, threads);
    let upload = dataset.upload_image_folder(&folder, &NoProgress).unwrap();
    let images = upload.transfer.all().unwrap();
    let round = AtomicU64::new(0);
    bencher.counter(ItemsCount::new(IMAGES)).bench(|| {
        let folder = server.path(&format!("round-{}", round.fetch_add(1, Ordering::Relaxed)));
        let options = DownloadOptions::default();
        let files = dataset
            .download_images(&images, &folder, options, &NoProgress)
            .unwrap();
        assert_eq!(files.done.len(), IMAGES);
    });
}
