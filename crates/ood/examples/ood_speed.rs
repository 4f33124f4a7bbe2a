//! Times scoring, search and fit on arrays of one's own; `benchmarks/ood_speed.py` calls it
//! beside other libraries on the same arrays.
//!
//! Usage: `ood_speed ARRAYS.npz QUERIES.npz [--outliers C.npz]`, prints JSON.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program for measuring"
)]

use std::path::Path;
use std::time::Instant;

use straylight_core::NoProgress;
use straylight_ood::{
    ActivationSet, DetectorSpec, FitOptions, ModelKind, Neighbour, OodModel, Query, read_arrays,
};

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Median milliseconds of one call, over all queries.
fn each(queries: &ActivationSet, mut call: impl FnMut(usize)) -> f64 {
    let rows = 0..queries.len();
    median(
        rows.map(|row| {
            let start = Instant::now();
            call(row);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect(),
    )
}

fn fitted(
    train: &ActivationSet,
    outliers: Option<&ActivationSet>,
    options: &FitOptions,
) -> (OodModel, f64) {
    let start = Instant::now();
    let (model, _) = OodModel::fit(train, outliers, options, &NoProgress).expect("the fit");
    (model, start.elapsed().as_secs_f64())
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let train = read_arrays(Path::new(&arguments[1])).expect("the arrays");
    let queries = read_arrays(Path::new(&arguments[2])).expect("the queries");
    let knn = DetectorSpec::Knn {
        which: Neighbour::Kth,
        squared: true,
        k: 10,
        normalise: false,
    };
    let start = Instant::now();
    let index = knn.fit_alone(&train.set, None).expect("the index");
    let index_seconds = start.elapsed().as_secs_f64();
    let knn_ms = each(&queries.set, |row| {
        std::hint::black_box(index.score(&Query::of(&queries.set, row)).expect("a score"));
    });
    let scores: Vec<f64> = (0..queries.set.len())
        .map(|row| {
            index
                .score(&Query::of(&queries.set, row))
                .expect("a score")
                .value()
        })
        .collect();
    let options = FitOptions {
        head: train.head.clone(),
        ..FitOptions::default()
    };
    let (model, default_seconds) = fitted(&train.set, None, &options);
    let images: Vec<_> = (0..queries.set.len())
        .map(|row| queries.set.image(row))
        .collect();
    let default_ms = each(&queries.set, |row| {
        std::hint::black_box(model.score(&images[row]).expect("a score"));
    });
    let geti_seconds = arguments.get(4).map(|path| {
        let outliers = read_arrays(Path::new(path)).expect("the outliers");
        fitted(
            &train.set,
            Some(&outliers.set),
            &FitOptions::of(ModelKind::Geti),
        )
        .1
    });
    let report = serde_json::json!({
        "images": train.set.len(), "knn_ms": knn_ms, "knn_index_seconds": index_seconds,
        "default_ms": default_ms, "default_fit_seconds": default_seconds,
        "geti_fit_seconds": geti_seconds, "knn_scores": scores,
    });
    println!("{report}");
}
