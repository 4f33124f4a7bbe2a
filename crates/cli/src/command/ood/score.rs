//! `straylight ood score` and `straylight ood calibrate`.

use std::path::PathBuf;

use clap::Args;
use straylight::ood::threshold::Shortfall;
use straylight::ood::{
    Dependence, ModelBinding, OodModel, ThresholdRule, read_arrays, write_scores,
};

use crate::exit::{Exit, Outcome};
use crate::output;

/// Arguments of `straylight ood score`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Folder of the fitted model.
    model: PathBuf,
    /// Array file of the images: .npz or .safetensors with `features` and what the model needs.
    images: PathBuf,
    /// File for the scores: one array a detector, and `score`, the combination in 0..1.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Scores all images of a file.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let model = OodModel::load(&arguments.model, ModelBinding::Any)?;
    let set = read_arrays(&arguments.images)?.set;
    let mut scores = model.detector_scores(&set)?;
    scores.push(("score", model.score_set(&set)?));
    write_scores(&arguments.out, &scores)?;
    output::note(&format!("{} images scored", set.len()));
    Ok(Exit::Success)
}

/// Arguments of `straylight ood calibrate`.
#[derive(Debug, Args)]
pub(crate) struct CalibrateArguments {
    /// Folder of the fitted model; its threshold is replaced.
    model: PathBuf,
    /// Array file of held-out in-distribution images.
    images: PathBuf,
    /// Promise: at most this part of in-distribution images is collected.
    #[arg(long, default_value_t = 0.01)]
    max_false_collection_rate: f64,
    /// Chance that the promise holds.
    #[arg(long, default_value_t = 0.95)]
    confidence: f64,
    /// Promise the lowest rate that the images allow instead of refusing when they are too few.
    #[arg(long)]
    relax: bool,
}

/// Finds the threshold on images that nothing was fitted on, and saves it.
pub(crate) fn calibrate(arguments: &CalibrateArguments) -> Outcome {
    let model = OodModel::load(&arguments.model, ModelBinding::Any)?;
    let held_out = read_arrays(&arguments.images)?.set;
    let scores = model.score_set(&held_out)?;
    let rule = ThresholdRule::MaxFalseCollection {
        rate: arguments.max_false_collection_rate,
        confidence: arguments.confidence,
        shortfall: if arguments.relax {
            Shortfall::Relax
        } else {
            Shortfall::Refuse
        },
    };
    let found = rule.find(&scores, &[])?.ok_or("the file holds no images")?;
    model.with_threshold(found).save(&arguments.model)?;
    output::line(&format!("threshold {:.4}", found.value));
    if let Some(promise) = found.promise {
        output::line(&output::promise(&promise));
    }
    let dependence = Dependence::of(&held_out, 0);
    for warning in dependence.iter().flat_map(Dependence::warnings) {
        output::note(&warning);
    }
    Ok(Exit::Success)
}
