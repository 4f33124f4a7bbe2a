//! `straylight ood eval`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use straylight::ood::{Metrics, ModelBinding, OodModel, read_arrays};

use crate::exit::{Exit, Failure, Outcome};
use crate::output;

/// Name of the combined score.
const COMBINED: &str = "score";

/// Arguments of `straylight ood eval`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Folder of the fitted model.
    model: PathBuf,
    /// Array file of in-distribution images that the model was not fitted on.
    #[arg(long, value_name = "FILE")]
    id: PathBuf,
    /// Array file of outliers.
    #[arg(long, value_name = "FILE")]
    ood: PathBuf,
    /// Write the report as JSON to this file (`-`: standard output).
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Scores both files and compares, detector by detector and combined.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let model = OodModel::load(&arguments.model, ModelBinding::Any)?;
    let known = scores(&model, &arguments.id)?;
    let strange = scores(&model, &arguments.ood)?;
    let mut all = BTreeMap::new();
    for ((name, inside), (_, outside)) in known.iter().zip(&strange) {
        let threshold = (*name == COMBINED).then(|| model.threshold());
        let metrics = Metrics::new(inside, outside, threshold);
        all.insert(*name, metrics.ok_or("one of the files holds no images")?);
    }
    if let Some(path) = &arguments.json {
        output::json(&all, path)?;
    }
    if arguments.json.as_deref() != Some("-".as_ref()) {
        output::line("detector                          AUROC   TPR at 1 % FPR");
        for (name, metrics) in &all {
            output::line(&format!(
                "{name:32}  {:.4}  {:.4}",
                metrics.auroc, metrics.tpr_at_1_fpr
            ));
        }
    }
    Ok(Exit::Success)
}

/// The scores of every detector, and of the combination as the last.
fn scores(model: &OodModel, path: &Path) -> Result<Vec<(&'static str, Vec<f64>)>, Failure> {
    let set = read_arrays(path)?.set;
    let mut scores = model.detector_scores(&set)?;
    scores.push((COMBINED, model.score_set(&set)?));
    Ok(scores)
}
