//! `straylight ood eval`.

use std::path::PathBuf;

use clap::Args;
use straylight::ood::{Caption, Evaluation, Metrics, ModelBinding, OodModel, read_arrays};

use crate::exit::{Exit, Outcome};
use crate::output;

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
    /// Write the report as a page with ROC, histograms and the worst errors.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Scores both files and compares, detector by detector and combined.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let model = OodModel::load(&arguments.model, ModelBinding::Any)?;
    let known = read_arrays(&arguments.id)?.set;
    let strange = read_arrays(&arguments.ood)?.set;
    let evaluation = Evaluation::new(&model, &known, &strange, |_, _| Caption::default())?;
    let evaluation = evaluation.ok_or("one of the files holds no images")?;
    if let Some(path) = &arguments.html {
        let page = evaluation.to_html(&format!("OOD model {}", arguments.model.display()));
        straylight::write_atomically(path, page.as_bytes())?;
    }
    if let Some(path) = &arguments.json {
        output::json(&evaluation, path)?;
    }
    if arguments.json.as_deref() != Some("-".as_ref()) {
        output::line("detector                          AUROC   TPR at 1 % FPR");
        output::line(&row("score (the combination)", &evaluation.model));
        for (name, metrics) in &evaluation.detectors {
            output::line(&row(name, metrics));
        }
    }
    Ok(Exit::Success)
}

fn row(name: &str, metrics: &Metrics) -> String {
    format!(
        "{name:32}  {:.4}  {:.4}",
        metrics.auroc, metrics.tpr_at_1_fpr
    )
}
