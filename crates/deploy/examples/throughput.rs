//! Images a second of a deployment: `throughput DEPLOYMENT SECONDS sync|async|folder IMAGE...`.
//!
//! `sync` infers decoded images one after the other, `async` on all cores at once, `folder`
//! decodes them as well, from their files, each time. Prints one JSON object.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark may stop, and answers on standard output"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use straylight_core::Frame;
use straylight_deploy::{Deployment, Input, LoadOptions, StreamOptions};
use straylight_engine::Hint;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().unwrap();
    let (deployment, seconds, mode) = (next(), next().parse::<f64>().unwrap(), next());
    let paths: Vec<PathBuf> = arguments.map(PathBuf::from).collect();
    let options = LoadOptions {
        hint: if mode == "sync" {
            Hint::Latency
        } else {
            Hint::Throughput
        },
        ..LoadOptions::default()
    };
    let deployment = Arc::new(Deployment::from_folder(deployment, &options).unwrap());
    let run = |seconds: f64| match mode.as_str() {
        "sync" => one_by_one(&deployment, &decoded(&paths), seconds),
        "async" => all_at_once(
            &deployment,
            decoded(&paths).into_iter().map(Input::from).collect(),
            seconds,
        ),
        "folder" => all_at_once(
            &deployment,
            paths.iter().cloned().map(Input::from).collect(),
            seconds,
        ),
        other => panic!("no mode is called {other}"),
    };
    run(0.5);
    println!("{{\"images_per_second\": {}}}", run(seconds));
}

fn decoded(paths: &[PathBuf]) -> Vec<Frame> {
    let read = |path: &PathBuf| straylight_image::read_frame(path).unwrap();
    paths.iter().map(read).collect()
}

fn one_by_one(deployment: &Deployment, frames: &[Frame], seconds: f64) -> f64 {
    let start = Instant::now();
    let mut count = 0.0;
    for frame in frames.iter().cycle() {
        if start.elapsed().as_secs_f64() >= seconds {
            break;
        }
        deployment.infer(frame).unwrap();
        count += 1.0;
    }
    count / start.elapsed().as_secs_f64()
}

fn all_at_once(deployment: &Arc<Deployment>, inputs: Vec<Input>, seconds: f64) -> f64 {
    let start = Instant::now();
    let in_time = inputs
        .into_iter()
        .cycle()
        .take_while(|_| start.elapsed().as_secs_f64() < seconds);
    let results = deployment
        .infer_unordered(in_time, StreamOptions::default())
        .unwrap();
    let mut count = 0.0;
    for result in results {
        result.outcome.unwrap();
        count += 1.0;
    }
    count / start.elapsed().as_secs_f64()
}
