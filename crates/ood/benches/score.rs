//! One score of each kind of model at 300 images of 1,280 features: `cargo bench -p straylight-ood`.
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

use divan::{Bencher, black_box};
use straylight_core::{Activations, NoProgress};
use straylight_ood::{ActivationSet, FitOptions, Matrix, ModelKind, OodModel};

const IMAGES: usize = 300;
const FEATURES: usize = 1280;
const CLASSES: usize = 4;

fn main() {
    divan::main();
}

/// Smooth numbers about a centre of each class, as features are: no two images are alike.
fn feature(image: usize, column: usize, shift: f32) -> f32 {
    let centre = ((image % CLASSES) as f32 + 1.3) * (column as f32 * 0.37).sin();
    let own = ((image * 7919 + column * 104_729) % 10_007) as f32 / 10_007.0;
    (centre + own + shift).max(0.0)
}

fn matrix(columns: usize, value: impl Fn(usize, usize) -> f32) -> Matrix {
    let cells = (0..IMAGES * columns).map(|i| value(i / columns, i % columns));
    Matrix::new(IMAGES, columns, cells.collect()).unwrap()
}

fn set(shift: f32) -> ActivationSet {
    let features = matrix(FEATURES, |row, column| feature(row, column, shift));
    let logit = |row: usize, class: usize| {
        if row % CLASSES == class {
            4.0
        } else {
            row as f32 / 300.0
        }
    };
    let labels = (0..IMAGES).map(|row| (row % CLASSES) as u32).collect();
    let set = ActivationSet::new(features).unwrap();
    let set = set.with_logits(matrix(CLASSES, logit)).unwrap();
    set.with_labels(labels).unwrap()
}

#[divan::bench(args = [ModelKind::Default, ModelKind::Geti])]
fn score(bencher: Bencher<'_, '_>, kind: ModelKind) {
    let outliers = (kind == ModelKind::Geti).then(|| set(0.8));
    let options = FitOptions::of(kind);
    let (model, _) = OodModel::fit(&set(0.0), outliers.as_ref(), &options, &NoProgress).unwrap();
    let image = Activations {
        features: Some(
            (0..FEATURES)
                .map(|column| feature(IMAGES, column, 0.1))
                .collect(),
        ),
        logits: Some(vec![3.0, 0.5, 0.1, 0.2].into()),
        probabilities: None,
    };
    bencher.bench(|| model.score(black_box(&image)).unwrap());
}
