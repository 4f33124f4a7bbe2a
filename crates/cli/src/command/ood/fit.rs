//! `straylight ood fit`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgGroup, Args};
use straylight::fit::{DatasetImages, Fitted, Outliers, dataset_images, fit_ood};
use straylight::ood::threshold::Shortfall;
use straylight::ood::{FitOptions, FitReport, ModelKind, OodModel, ThresholdRule, read_arrays};
use straylight::{Deployment, SavedHooks, SavedOodModel};

use crate::command::engine::EngineArguments;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::progress::TerminalProgress;

/// Arguments of `straylight ood fit`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["train", "deployment"]))]
pub(crate) struct Arguments {
    /// Array file of the in-distribution images: features [n, D], optionally logits, labels, head.
    #[arg(long, value_name = "FILE", requires = "out")]
    train: Option<PathBuf>,
    /// Array file of held-out in-distribution images for the threshold.
    #[arg(long, value_name = "FILE", requires = "train")]
    calibrate: Option<PathBuf>,
    /// Deployment whose model gives the features of the images.
    #[arg(long, value_name = "FOLDER", requires = "images")]
    deployment: Option<PathBuf>,
    /// In-distribution images: a folder with a subfolder for each class, an annotated dataset in any
    /// format (also in a zip file), or a folder of pictures.
    #[arg(long, value_name = "FOLDER", requires = "deployment")]
    images: Option<PathBuf>,
    /// Real outliers: an array file, or with --deployment images as for --images.
    #[arg(long, value_name = "PATH")]
    outliers: Option<PathBuf>,
    /// Folder for the fitted model (with --train).
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Folder for the deployment with its fitted model (with --deployment).
    #[arg(long, value_name = "FOLDER", requires = "deployment")]
    save: Option<PathBuf>,
    /// Kind of model: default (needs no outliers), geti (the reference's forest), supervised.
    #[arg(long, default_value = "default")]
    kind: ModelKind,
    /// Leave the reconstruction errors out of the geti kind: faster with many images.
    #[arg(long)]
    no_reconstruction: bool,
    /// Promise: at most this part of in-distribution images is collected.
    #[arg(long, default_value_t = 0.01)]
    max_false_collection_rate: f64,
    /// Chance that the promise holds.
    #[arg(long, default_value_t = 0.95)]
    confidence: f64,
    /// Promise the lowest rate that the images allow instead of refusing when they are too few.
    #[arg(long)]
    relax: bool,
    /// A threshold of your own instead of a promise.
    #[arg(long, conflicts_with_all = ["max_false_collection_rate", "relax"])]
    threshold: Option<f64>,
    /// Where random choices begin.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Write the report as JSON to this file (`-`: standard output).
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArguments,
}

/// Fits, saves and reports.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let (report, skipped) = match (&arguments.train, &arguments.deployment, &arguments.images) {
        (Some(train), ..) => (arguments.fit_arrays(train)?, Vec::new()),
        (None, Some(deployment), Some(images)) => arguments.fit_images(deployment, images)?,
        _ => return Err("give --train FILE, or --deployment FOLDER with --images FOLDER".into()),
    };
    if let Some(target) = &arguments.json {
        output::json(&report, target)?;
    }
    if arguments.json.as_deref() != Some(Path::new("-")) {
        output::line(&as_text(&report));
    }
    for (name, reason) in &skipped {
        output::note(&format!("left out {name}: {reason}"));
    }
    Ok(if skipped.is_empty() {
        Exit::Success
    } else {
        Exit::Partial
    })
}

/// The images of a dataset; says what was passed over.
pub(super) fn listed_images(path: &Path) -> Result<DatasetImages, Failure> {
    let found = dataset_images(path)?;
    for note in &found.notes {
        output::note(&format!("note: {note}"));
    }
    Ok(found)
}

fn as_text(report: &FitReport) -> String {
    let known = report.in_distribution;
    let mut lines = vec![
        format!(
            "{} model on {} images ({} fitted, {} for the threshold, {} to judge)",
            report.kind.name(),
            known.fit + known.calibration + known.test,
            known.fit,
            known.calibration,
            known.test
        ),
        format!("threshold {:.4}", report.threshold.value),
    ];
    lines.extend(report.threshold.promise.as_ref().map(output::promise));
    let names = report
        .detectors
        .iter()
        .map(|detector| detector.name.as_str());
    lines.push(format!(
        "detectors: {}",
        names.collect::<Vec<_>>().join(", ")
    ));
    lines.extend(
        report
            .left_out
            .iter()
            .map(|left| format!("left out: {left}")),
    );
    if let Some(test) = &report.test {
        lines.push(format!(
            "on images that nothing was chosen on: AUROC {:.3}, TPR at 1 % FPR {:.3}",
            test.auroc, test.tpr_at_1_fpr
        ));
    }
    lines.extend(report.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

impl Arguments {
    fn options(&self) -> FitOptions {
        let shortfall = if self.relax {
            Shortfall::Relax
        } else {
            Shortfall::Refuse
        };
        let threshold = match self.threshold {
            Some(value) => ThresholdRule::Fixed { value },
            None => ThresholdRule::MaxFalseCollection {
                rate: self.max_false_collection_rate,
                confidence: self.confidence,
                shortfall,
            },
        };
        FitOptions {
            threshold,
            seed: self.seed,
            reconstruction: !self.no_reconstruction,
            ..FitOptions::of(self.kind)
        }
    }

    fn fit_arrays(&self, train: &Path) -> Result<FitReport, Failure> {
        let train = read_arrays(train)?;
        let read = |path: &PathBuf| read_arrays(path).map(|file| file.set);
        let calibration = self.calibrate.as_ref().map(read).transpose()?;
        let outliers = self.outliers.as_ref().map(read).transpose()?;
        let options = FitOptions {
            calibration,
            head: train.head,
            ..self.options()
        };
        let progress = TerminalProgress::new();
        let (model, report) =
            OodModel::fit_consuming(train.set, outliers.as_ref(), &options, &progress)?;
        if let Some(folder) = &self.out {
            model.save(folder)?;
        }
        Ok(report)
    }

    fn fit_images(
        &self,
        deployment: &Path,
        images: &Path,
    ) -> Result<(FitReport, Vec<(String, String)>), Failure> {
        let progress = TerminalProgress::new();
        let load = self.engine.load_options();
        let load = straylight::LoadOptions {
            hooks: SavedHooks::Ignore,
            ood_model: SavedOodModel::Ignore,
            ..load
        };
        let deployment = Deployment::from_folder_with_progress(deployment, &load, &progress)?;
        let DatasetImages {
            images, left_out, ..
        } = listed_images(images)?;
        let mut skipped = left_out;
        let outliers = match &self.outliers {
            Some(path) => {
                let found = listed_images(path)?;
                skipped.extend(found.left_out);
                Outliers::Images(found.images)
            }
            None => Outliers::Automatic,
        };
        let fitted = fit_ood(&deployment, &images, &outliers, &self.options(), &progress)?;
        let Fitted { model, report, .. } = fitted;
        skipped.extend(fitted.skipped);
        if let Some(folder) = &self.out {
            model.save(folder)?;
        }
        deployment.set_ood_model(Arc::new(model))?;
        if let Some(folder) = &self.save {
            deployment.save(folder)?;
        }
        Ok((report, skipped))
    }
}
