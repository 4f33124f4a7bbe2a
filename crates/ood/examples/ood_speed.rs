//! Times scoring, search and fit on arrays of one's own; `benchmarks/ood/speed.py` calls it
//! beside other libraries on the same arrays.
//!
//! Usage: `ood_speed ARRAYS.npz QUERIES.npz [OUTLIERS.npz]`, prints JSON.
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

/// Seconds to build the index, milliseconds a search, and distances of every query: to the first
/// neighbour, the mean of ten, the tenth.
fn search(train: &ActivationSet, queries: &ActivationSet) -> (f64, f64, Vec<Vec<f64>>) {
    let spec = |which| DetectorSpec::Knn {
        which,
        squared: true,
        k: 10,
        normalise: false,
    };
    let start = Instant::now();
    let index = spec(Neighbour::Kth)
        .fit_alone(train, None)
        .expect("an index");
    let seconds = start.elapsed().as_secs_f64();
    let milliseconds = each(queries, |row| {
        std::hint::black_box(index.score(&Query::of(queries, row)).expect("a score"));
    });
    let distances = [Neighbour::First, Neighbour::Mean, Neighbour::Kth].map(|which| {
        let index = spec(which).fit_alone(train, None).expect("an index");
        let score = |row| {
            index
                .score(&Query::of(queries, row))
                .expect("a score")
                .value()
        };
        (0..queries.len()).map(score).collect()
    });
    (seconds, milliseconds, distances.into())
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let train = read_arrays(Path::new(&arguments[1])).expect("the arrays");
    let queries = read_arrays(Path::new(&arguments[2]))
        .expect("the queries")
        .set;
    let (index_seconds, knn_ms, distances) = search(&train.set, &queries);
    let options = FitOptions {
        head: train.head.clone(),
        ..FitOptions::default()
    };
    let (model, default_seconds) = fitted(&train.set, None, &options);
    let images: Vec<_> = (0..queries.len()).map(|row| queries.image(row)).collect();
    let default_ms = each(&queries, |row| {
        std::hint::black_box(model.score(&images[row]).expect("a score"));
    });
    let outliers = arguments.get(3).map(|path| {
        let file = read_arrays(Path::new(path)).expect("the outliers");
        file.set
    });
    let geti = |reconstruction| {
        let options = FitOptions {
            reconstruction,
            ..FitOptions::of(ModelKind::Geti)
        };
        let (model, seconds) = fitted(&train.set, Some(outliers.as_ref()?), &options);
        let milliseconds = each(&queries, |row| {
            std::hint::black_box(model.score(&images[row]).expect("a score"));
        });
        Some((seconds, milliseconds))
    };
    let (with, without) = (geti(true), geti(false));
    let report = serde_json::json!({
        "straylight knn_ms": knn_ms,
        "straylight knn index_s": index_seconds,
        "straylight default score_ms": default_ms,
        "straylight default fit_s": default_seconds,
        "straylight geti FRE fit_s": with.map(|times| times.0),
        "straylight geti FRE score_ms": with.map(|times| times.1),
        "straylight geti kNN + MSP fit_s": without.map(|times| times.0),
        "straylight geti kNN + MSP score_ms": without.map(|times| times.1),
        "distances": distances,
    });
    println!("{report}");
}
