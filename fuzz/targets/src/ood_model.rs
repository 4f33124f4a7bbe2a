//! The files of a saved OOD model, damaged in any way: loading gives a model that can be asked, or
//! an error that names the file.

use arbitrary::{Result, Unstructured};
use straylight_core::{Activations, NoProgress};
use straylight_ood::{ActivationSet, FitOptions, Matrix, ModelBinding, ModelKind, OodModel};

const DIMENSIONS: usize = 4;
const CLASSES: usize = 2;

/// Images whose numbers all differ.
fn set(count: usize, shift: f32) -> ActivationSet {
    let wave = |i: usize| (i as f32 * 0.7 + shift).sin() * 3.0;
    let features = (0..count * DIMENSIONS).map(wave).collect();
    let logits = (0..count * CLASSES).map(|i| wave(3 * i)).collect();
    let labels = (0..count).map(|image| (image % CLASSES) as u32).collect();
    ActivationSet::new(Matrix::new(count, DIMENSIONS, features).expect("a matrix"))
        .and_then(|set| set.with_logits(Matrix::new(count, CLASSES, logits)?))
        .and_then(|set| set.with_labels(labels))
        .expect("a set")
}

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let kind = *input.choose(&[ModelKind::Default, ModelKind::Geti])?;
    let options = FitOptions {
        trees: 2,
        folds: 2,
        ..FitOptions::of(kind)
    };
    let outliers = set(12, 9.0);
    let fitted = OodModel::fit(&set(24, 0.0), Some(&outliers), &options, &NoProgress);
    let (model, _) = fitted.expect("a fit of good images");
    let folder = tempfile::tempdir().expect("a folder");
    model.save(folder.path()).expect("saved");
    for entry in std::fs::read_dir(folder.path()).expect("its files") {
        let path = entry.expect("a file").path();
        let mut bytes = std::fs::read(&path).expect("read");
        for _ in 0..input.int_in_range(0..=4)? {
            let place = input.choose_index(bytes.len())?;
            bytes[place] = input.arbitrary()?;
        }
        if input.ratio(1, 8)? {
            bytes.truncate(input.choose_index(bytes.len())?);
        }
        std::fs::write(&path, bytes).expect("written");
    }
    match OodModel::load(folder.path(), ModelBinding::Any) {
        Ok(model) => {
            let image = Activations {
                features: Some(vec![0.5; DIMENSIONS].into()),
                logits: Some(vec![0.25; CLASSES].into()),
                probabilities: None,
            };
            let _ = model.score(&image);
        }
        Err(error) => assert!(error.to_string().contains("ood_"), "{error}"),
    }
    Ok(())
}

pub(crate) fn fuzz(data: &[u8]) {
    // Too little data is no finding.
    let _ = run(&mut Unstructured::new(data));
}
