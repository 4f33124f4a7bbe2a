//! What the integration tests share.
#![allow(dead_code, missing_docs, unreachable_pub)]
#![allow(clippy::unwrap_used, clippy::new_ret_no_self)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use straylight_core::{Dataset, ImageFormat, Project, TaskType, Timestamp};
use straylight_store::{Clock, Collected, NewImage, NewProject, Store, StoreOptions};

/// A clock that stands at the system's time until it is moved.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(Timestamp::now().as_microsecond())))
    }

    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

pub fn options(clock: &Arc<ManualClock>) -> StoreOptions {
    StoreOptions::default().with_clock(clock.clone())
}

pub fn project(store: &Store) -> (Project, Dataset) {
    let new = NewProject::single("birds", TaskType::Classification, &["cat", "dog"]);
    let project = store.create_project(&new).unwrap();
    let dataset = project.datasets[0].clone();
    (project, dataset)
}

pub fn image(name: &str) -> NewImage {
    NewImage::new(name, name.as_bytes().into(), ImageFormat::Png, (4, 3))
}

pub fn stray(name: &str, score: f64, hook: &str, reason: &str) -> NewImage {
    NewImage {
        idempotency_key: Some(format!("{hook}/{name}")),
        collected: Some(Collected {
            hook: hook.to_owned(),
            reason: reason.to_owned(),
            ood_score: Some(score),
            scores: [("knn".to_owned(), score)].into(),
            uncertainty: Some(score / 2.0),
        }),
        ..image(name)
    }
}

/// All files below a directory, relative to it.
pub fn files_below(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files_below(&path)),
            path => found.push(path),
        }
    }
    found
}
