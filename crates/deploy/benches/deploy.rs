//! What an image costs on its way through the demo's deployment: decoding, pre-processing,
//! inference with and without activations and saliency maps, post-processing of a detector,
//! and streams over all cores.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use divan::Bencher;
use divan::counter::ItemsCount;
use straylight_core::{Frame, TaskType};
use straylight_deploy::{Deployment, Keep, LoadOptions, StreamOptions};
use straylight_engine::Hint;
use straylight_tasks::{
    Geometry, OutputTensor, Outputs, ResizeType, Size, TaskConfig, TensorData, post_processor,
};

fn main() {
    divan::main();
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn photo() -> PathBuf {
    root().join("fixtures/demo_io/jpeg_420.jpg")
}

fn frame() -> Frame {
    straylight_image::read_frame(&photo()).unwrap()
}

/// The demo's deployment for one image at a time, or for many at once.
fn deployment(hint: Hint) -> &'static Arc<Deployment> {
    static LATENCY: OnceLock<Arc<Deployment>> = OnceLock::new();
    static THROUGHPUT: OnceLock<Arc<Deployment>> = OnceLock::new();
    let cell = if hint == Hint::Latency {
        &LATENCY
    } else {
        &THROUGHPUT
    };
    cell.get_or_init(|| {
        let options = LoadOptions {
            hint,
            ..LoadOptions::default()
        };
        Arc::new(Deployment::from_folder(root().join("assets/demo/deployment"), &options).unwrap())
    })
}

#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let bytes = std::fs::read(photo()).unwrap();
    bencher.bench(|| straylight_image::decode(&bytes).unwrap());
}

#[divan::bench]
fn resize_to_the_model_s_input(bencher: Bencher<'_, '_>) {
    let frame = frame();
    bencher.bench(|| straylight_image::resize::bilinear_openvino(frame.image(), 224, 224));
}

#[divan::bench]
fn infer(bencher: Bencher<'_, '_>) {
    let (deployment, frame) = (deployment(Hint::Latency), frame());
    bencher.bench(|| deployment.infer(&frame).unwrap());
}

#[divan::bench]
fn infer_with_activations(bencher: Bencher<'_, '_>) {
    let (deployment, frame) = (deployment(Hint::Latency), frame());
    bencher.bench(|| deployment.infer_with(&frame, Keep::ACTIVATIONS).unwrap());
}

#[divan::bench]
fn explain(bencher: Bencher<'_, '_>) {
    let (deployment, frame) = (deployment(Hint::Latency), frame());
    bencher.bench(|| deployment.explain(&frame).unwrap());
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn stream_of_200_frames(bencher: Bencher<'_, '_>) {
    let (deployment, frame) = (deployment(Hint::Throughput), frame());
    bencher.counter(ItemsCount::new(200_usize)).bench(|| {
        let inputs = std::iter::repeat_n(frame.clone(), 200);
        let results = deployment
            .infer_unordered(inputs, StreamOptions::default())
            .unwrap();
        assert_eq!(results.filter(|result| result.outcome.is_ok()).count(), 200);
    });
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn stream_of_200_files(bencher: Bencher<'_, '_>) {
    let deployment = deployment(Hint::Throughput);
    bencher.counter(ItemsCount::new(200_usize)).bench(|| {
        let inputs = std::iter::repeat_n(photo(), 200);
        let results = deployment
            .infer_unordered(inputs, StreamOptions::default())
            .unwrap();
        assert_eq!(results.filter(|result| result.outcome.is_ok()).count(), 200);
    });
}

/// A detector's 200 boxes of 80 classes, thresholded and suppressed.
#[divan::bench]
fn post_process_200_boxes(bencher: Bencher<'_, '_>) {
    let boxes: Vec<f32> = (0..200)
        .flat_map(|row| {
            let (x, y) = ((row * 37 % 400) as f32, (row * 53 % 400) as f32);
            [x, y, x + 60.0, y + 50.0, 1.0 - row as f32 / 400.0]
        })
        .collect();
    let labels: Vec<i64> = (0..200).map(|row| row % 80).collect();
    let entries = [
        ("model_type", "SSD".to_owned()),
        ("labels", vec!["c"; 80].join(" ")),
        ("nms_execute", "True".to_owned()),
    ];
    let entries = entries.map(|(key, value)| (key.to_owned(), value));
    let config = TaskConfig::from_model_info(&entries.into()).unwrap();
    let post = post_processor(TaskType::Detection, &config, &[]).unwrap();
    let geometry = Geometry {
        image: Size::new(1920, 1080),
        network: Size::new(512, 512),
        resize: ResizeType::Standard,
    };
    let tensor = |name, shape, data| OutputTensor { name, shape, data };
    bencher.bench(|| {
        let outputs = Outputs::new(vec![
            tensor("boxes", &[1, 200, 5], TensorData::F32(&boxes)),
            tensor("labels", &[1, 200], TensorData::I64(&labels)),
        ]);
        post.predict(&outputs.unwrap(), &geometry).unwrap()
    });
}
