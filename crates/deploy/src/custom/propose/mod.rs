//! A description for a bare model, by evidence.
//!
//! Evidence is what the file says (metadata, names of tensors, their types and shapes, kinds of
//! nodes), what lies beside it (`labels.txt`, Ultralytics' `metadata.yaml`, Hugging Face's
//! `config.json` and `preprocessor_config.json`), and the numbers that the graph gives for a few made-up images. A
//! family of models is told by several of them together. Where they allow two readings that give
//! different numbers, nothing is proposed: the error says which key decides, with lines to copy.

mod anomaly;
mod beside;
mod classifier;
mod detr;
mod draft;
mod evidence;
mod hub;
mod libreyolo;
mod model_info;
mod normalisation;
mod onnx_image;
mod parts;
mod probe;
mod said;
mod segmentation;
mod set;
mod tflite;
mod trial;
mod ultralytics;
mod yolo;

use std::path::Path;

use straylight_engine::Runtime;

use super::ModelDescription;
use crate::DeployError;
use draft::Draft;
use evidence::Evidence;
pub use said::{Origin, Said};
pub use set::Assignment;

/// A description that fits a model, and where each part of it comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The description.
    pub description: ModelDescription,
    /// Each fact with its origin, in the order of the description.
    pub said: Vec<Said>,
    /// What is missing or worth a look, one sentence each.
    pub notes: Vec<String>,
}

/// Proposes a description for a model.
///
/// `assignments` decide what the model does not say; they win over everything else.
///
/// # Errors
///
/// [`DeployError::Engine`] when the model cannot be read, [`DeployError::BareModel`] when it is of
/// no known family, [`DeployError::Undecided`] when a key must be said,
/// [`DeployError::Config`] for an assignment that does not fit, and whatever loading the description
/// or inferring one made-up image with it fails with.
pub fn propose(
    model: &Path,
    runtime: &Runtime,
    assignments: &[Assignment],
) -> Result<Proposal, DeployError> {
    let mut evidence = Evidence::of(model, runtime)?;
    let labels = assignments.iter().find(|one| one.key() == "labels");
    if let Some(labels) = labels.and_then(|one| one.value().as_array()) {
        let names = labels
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned));
        evidence.labels = Some(names.collect());
    }
    let mut draft = Draft::default();
    hub::read(&evidence, &mut draft)?;
    onnx_image::read(&evidence, &mut draft)?;
    family(&evidence, &mut draft, assignments)?;
    normalisation::settle(&evidence, &mut draft, assignments)?;
    let mut proposal = draft.finish(&evidence, assignments)?;
    proposal
        .notes
        .extend(trial::run(&evidence, &proposal.description)?);
    Ok(proposal)
}

/// Finds the family of a model; the first that its evidence fits.
fn family(
    evidence: &Evidence<'_>,
    draft: &mut Draft,
    assignments: &[Assignment],
) -> Result<(), DeployError> {
    draft.image(evidence)?;
    let families = [
        model_info::read,
        libreyolo::read,
        ultralytics::read,
        anomaly::read,
        parts::tensorflow,
        detr::read,
        parts::read,
        yolo::read,
        segmentation::read,
        classifier::read,
    ];
    let is_said = |key: &str| {
        assignments
            .iter()
            .any(|one| key.split(", ").any(|part| part == one.key()))
    };
    for family in families {
        match family(evidence, draft) {
            Ok(false) => {}
            Ok(true) => return Ok(()),
            Err(DeployError::Undecided { key, .. }) if is_said(&key) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    // Whoever names the outputs needs no family.
    if assignments
        .iter()
        .any(|one| one.key().starts_with("outputs."))
    {
        return Ok(());
    }
    Err(evidence.refused(format!(
        "no family of models has these outputs: {}",
        evidence.listed()
    )))
}
