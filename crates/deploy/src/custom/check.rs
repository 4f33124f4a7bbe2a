use std::path::Path;

use straylight_core::{Frame, NoProgress, Prediction};
use straylight_engine::Runtime;

use super::features::{self, TFLITE};
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
        penultimate = inner_features(path, options)?;
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
/// Why a model is left as it is whose graph is not known well enough.
const NO_LAYER: &str = "no layer was found that could be it; export the model with its features as \
     an output, and name that in outputs.features";

fn refuse(path: &Path, reason: &str) -> Result<(), DeployError> {
    Err(DeployError::NoFeatures {
        path: path.to_owned(),
        reason: reason.to_owned(),
    })
}

/// The inner tensor of a described model that can be its feature vector.
fn inner_features(path: &Path, options: &LoadOptions) -> Result<Option<String>, DeployError> {
    let Some(file) = find(&folder::find(path)?) else {
        return Ok(None);
    };
    let description = ModelDescription::read(&file)?;
    let runtime = Runtime::load(&options.runtime, &NoProgress)?;
    features::source(
        &file.with_file_name(&description.model),
        &description,
        &runtime,
    )
}

impl CheckReport {
    /// Makes an inner tensor an output named `feature_vector` of the described model, and names it
    /// in the description; both files are replaced atomically.
    ///
    /// # Errors
    ///
    /// [`DeployError::NoFeatures`] when the deployment is Geti's, the model is TFLite, or no tensor
    /// was found; the reason says what to do instead.
    pub fn add_features(&self, path: &Path) -> Result<(), DeployError> {
        let folder = folder::find(path)?;
        let Some(file) = find(&folder) else {
            return refuse(&folder, OF_GETI);
        };
        let mut description = ModelDescription::read(&file)?;
        let model = file.with_file_name(&description.model);
        let Some(tensor) = &self.penultimate else {
            let tflite = model
                .extension()
                .is_some_and(|extension| extension == "tflite");
            return refuse(&model, if tflite { TFLITE } else { NO_LAYER });
        };
        let content = features::content(&model, tensor)?;
        description.outputs.features = Some(features::NAME.to_owned());
        straylight_files::write_atomically(&model, &content)?;
        let json = file.with_file_name("straylight.json");
        straylight_files::write_atomically(&json, description.to_json().as_bytes())?;
        Ok(())
    }
}
