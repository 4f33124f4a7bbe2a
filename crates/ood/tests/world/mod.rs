//! A small world of classes and outliers for the tests.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test program takes what it needs; tests fail by panicking"
)]

use straylight_core::NoProgress;
use straylight_ood::{ActivationSet, FitOptions, FitReport, Head, Matrix, OodModel};

/// A small seeded generator of test data.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn uniform(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// Roughly normal: the sum of twelve uniform numbers.
    pub(crate) fn normal(&mut self) -> f32 {
        (0..12).map(|_| self.uniform()).sum::<f32>() - 6.0
    }
}

pub(crate) struct World {
    pub(crate) inside: ActivationSet,
    pub(crate) fresh: ActivationSet,
    pub(crate) outliers: ActivationSet,
    pub(crate) head: Head,
}

/// Classes about means on the axes; outliers about the middle of two axes of no class.
pub(crate) fn world(classes: usize, dimensions: usize, each: usize) -> World {
    let mut noise = Noise(7);
    let weight = Matrix::new(
        classes,
        dimensions,
        (0..classes * dimensions)
            .map(|i| {
                if i % dimensions == i / dimensions {
                    2.0
                } else {
                    0.0
                }
            })
            .collect(),
    );
    let head = Head::new(weight.unwrap(), vec![0.1; classes]).unwrap();
    let mut set = |count: usize, outliers: bool| {
        let mut features = Vec::new();
        for image in 0..count {
            for j in 0..dimensions {
                let own = if outliers {
                    dimensions - 1 - image % 2
                } else {
                    image % classes
                };
                features.push(if j == own { 4.0 } else { 0.0 } + 0.4 * noise.normal());
            }
        }
        let features = Matrix::new(count, dimensions, features).unwrap();
        let logits: Vec<f32> = features
            .iter_rows()
            .flat_map(|row| head.logits(row))
            .map(|logit| logit as f32)
            .collect();
        let logits = Matrix::new(count, classes, logits).unwrap();
        let labels = (0..count).map(|image| (image % classes) as u32).collect();
        ActivationSet::new(features)
            .unwrap()
            .with_logits(logits)
            .unwrap()
            .with_labels(labels)
            .unwrap()
    };
    let count = classes * each;
    World {
        inside: set(count, false),
        fresh: set(200, false),
        outliers: set(120, true),
        head,
    }
}

pub(crate) fn fit(
    world: &World,
    options: &FitOptions,
    with_outliers: bool,
) -> (OodModel, FitReport) {
    let outliers = with_outliers.then_some(&world.outliers);
    let options = FitOptions {
        head: Some(world.head.clone()),
        ..options.clone()
    };
    OodModel::fit(&world.inside, outliers, &options, &NoProgress).unwrap()
}
