//! `straylight ood show`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use straylight::ood::{ModelBinding, OodModel};

use crate::exit::{Exit, Outcome};
use crate::output;

/// Arguments of `straylight ood show`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Folder of the fitted model.
    model: PathBuf,
}

/// Prints what is known of a fitted model as JSON.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let model = OodModel::load(&arguments.model, ModelBinding::Any)?;
    let shown = json!({
        "kind": model.kind(),
        "dimensions": model.dimensions(),
        "classes": model.classes(),
        "detectors": model.detectors().collect::<Vec<_>>(),
        "threshold": model.threshold_details(),
        "provenance": model.provenance(),
    });
    output::json(&shown, "-".as_ref())?;
    Ok(Exit::Success)
}
