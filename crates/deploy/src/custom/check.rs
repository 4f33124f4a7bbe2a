use std::path::Path;

use straylight_core::{Frame, Prediction, TaskType};
use straylight_engine::graph::IrModel;

use super::{ModelDescription, find};
use crate::{DeployError, Deployment, Keep, LoadOptions, folder};

/// What a deployment says about one picture, and what it lacks.
#[derive(Debug)]
pub struct CheckReport {
    /// The prediction with all activations that the model gives.
    pub prediction: Prediction,
    /// What is missing or looks wrong, one sentence each; empty when all is well.
    pub missing: Vec<String>,
    /// The layer whose values [`CheckReport::add_features`] can make the feature vector.
    pub penultimate: Option<String>,
}

/// Runs a deployment on a picture and looks for what is missing.
pub fn check(
    path: &Path,
    frame: &Frame,
    options: &LoadOptions,
) -> Result<CheckReport, DeployError> {
    let deployment = Deployment::from_folder(path, options)?;
    let prediction = deployment.predict(frame, Keep::ACTIVATIONS)?;
    let mut missing = Vec::new();
    let activations = &prediction.activations;
    let mut penultimate = None;
    if activations.features.is_none() {
        missing.push(
            "The model has no feature vector: OOD detectors that need one are left out.".to_owned(),
        );
        missing.extend(bare_format(path)?);
        penultimate = deployment.head_weights()?.map(|head| head.source);
    }
    if activations.probabilities.is_some() && activations.logits.is_none() {
        missing.push(
            "The model gives probabilities, no logits: OOD detectors on logits are left out."
                .to_owned(),
        );
    }
    let (scores, labels) = (
        activations.probabilities.as_ref().map(|all| all.len()),
        deployment.classes().len(),
    );
    if scores.is_some_and(|scores| scores != labels) {
        let scores = scores.unwrap_or_default();
        missing.push(format!(
            "The model gives {scores} class scores, and there are {labels} labels."
        ));
    }
    if prediction.annotations.is_empty() {
        missing.push("Nothing was found in this picture.".to_owned());
    }
    Ok(CheckReport {
        prediction,
        missing,
        penultimate,
    })
}

/// Why a deployment of Geti's is left as it is.
const OF_GETI: &str = "the deployment is Geti's; deploy a model version with an explainability (XAI) \
     head instead";
/// Why a detector is left as it is, and an IR model whose end is unknown.
const NO_HEAD: &str = "no linear layer was found at its end; export it with its features as an \
     output, and name that in outputs.features";

fn refuse(path: &Path, reason: &str) -> Result<(), DeployError> {
    Err(DeployError::NoFeatures {
        path: path.to_owned(),
        reason: reason.to_owned(),
    })
}

fn is_ir(model: &Path) -> bool {
    model
        .extension()
        .is_some_and(|extension| extension == "xml")
}

/// How a model becomes one that can be changed.
fn convert(model: &Path) -> String {
    let (file, ir) = (model.display(), model.with_extension("xml"));
    let ir = ir.display();
    format!(
        "only an OpenVINO IR model can be changed; convert it with OpenVINO's converter (`ovc \
         {file}`), then describe the result (`straylight deployment init --force {ir}`)"
    )
}

/// What to do about a described classifier that is no IR and has no feature vector.
fn bare_format(path: &Path) -> Result<Option<String>, DeployError> {
    let Some(file) = find(&folder::find(path)?) else {
        return Ok(None);
    };
    let ModelDescription { model, task, .. } = ModelDescription::read(&file)?;
    let is_other = task == TaskType::Classification && !is_ir(&model);
    Ok(is_other.then(|| format!("To add one: {}.", convert(&model))))
}

impl CheckReport {
    /// Makes the penultimate layer an output named `feature_vector` of the described IR model,
    /// and names it in the description; both files are replaced atomically.
    ///
    /// # Errors
    ///
    /// [`DeployError::NoFeatures`] when the deployment is Geti's, the model is no IR, or does not
    /// end in a linear layer; the reason says what to do instead.
    pub fn add_features(&self, path: &Path) -> Result<(), DeployError> {
        let folder = folder::find(path)?;
        let Some(file) = find(&folder) else {
            return refuse(&folder, OF_GETI);
        };
        let mut description = ModelDescription::read(&file)?;
        let model = file.with_file_name(&description.model);
        if description.task == TaskType::Classification && !is_ir(&model) {
            return refuse(&model, &convert(&description.model));
        }
        let Some(layer) = &self.penultimate else {
            return refuse(&model, NO_HEAD);
        };
        let text = IrModel::read(&model)?.with_output(layer, "feature_vector")?;
        description.outputs.features = Some("feature_vector".to_owned());
        straylight_files::write_atomically(&model, text.as_bytes())?;
        let json = file.with_file_name("straylight.json");
        straylight_files::write_atomically(&json, description.to_json().as_bytes())?;
        Ok(())
    }
}
