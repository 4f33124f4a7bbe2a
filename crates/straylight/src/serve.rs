//! Deployments behind the local server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use straylight_core::{Frame, Prediction};
use straylight_deploy::{DeployError, Deployment, Keep, LoadOptions, deployment_folder};
use straylight_hooks::{DeadLetter, HookStats, Outcome as HookOutcome, render_prometheus_of};
use straylight_server::{
    HookStatus, ImportError, OwnModel, PredictError, Predicted, Predictor, PredictorLoader,
    import_deployment, import_own_model,
};
use straylight_store::{DeploymentRecord, Store};

/// Why a deployment cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError {
    /// It cannot be loaded.
    #[error(transparent)]
    Load(#[from] DeployError),
    /// It cannot be stored.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// Takes a deployment of any origin into a store: Geti's folder or zip file, a model with its
/// description, a model that describes itself.
///
/// One that is there already, with the same content, is not taken a second time.
///
/// # Errors
///
/// [`TakeError`] when it is no deployment or cannot be loaded, or when the store failed; nothing is
/// stored then.
pub fn take_deployment(
    store: &Store,
    path: &Path,
    options: &LoadOptions,
) -> Result<DeploymentRecord, TakeError> {
    let is_geti = |folder: PathBuf| folder.join("project.json").is_file();
    if deployment_folder(path).is_ok_and(is_geti) {
        return Ok(import_deployment(store, path)?);
    }
    let deployment = Deployment::from_folder(path, options)?;
    let folder = deployment.folder();
    if folder.join("project.json").is_file() {
        return Ok(import_deployment(store, folder)?);
    }
    let files = deployment.model_files()?;
    let length = |path: &PathBuf| std::fs::metadata(path).map_or(0, |meta| meta.len());
    let format = files.first().and_then(|path| path.extension());
    let model = OwnModel {
        size: files.iter().map(length).sum(),
        format: match format.and_then(|extension| extension.to_str()) {
            Some("onnx") => "ONNX".to_owned(),
            Some("tflite") => "TensorFlow Lite".to_owned(),
            _ => "OpenVINO".to_owned(),
        },
        explains: deployment.has_saliency(),
    };
    let mut project = deployment.project().clone();
    if UNTOLD.contains(&project.name.as_str()) {
        project.name = name_of(path);
    }
    Ok(import_own_model(store, folder, &project, &model)?)
}

/// Names of model files that tell one model from no other.
const UNTOLD: [&str; 4] = ["model", "best", "last", "saved_model"];

/// The name of a folder, or of a zip file without its ending.
fn name_of(path: &Path) -> String {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = if full.is_dir() {
        full.file_name()
    } else {
        full.file_stem()
    };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

/// Loads deployments with OpenVINO when the server first needs them.
#[derive(Debug, Default)]
pub struct EngineLoader {
    options: LoadOptions,
    /// What is loaded, by folder; the server decides how long it lives.
    loaded: Mutex<BTreeMap<PathBuf, Weak<Served>>>,
}

impl EngineLoader {
    /// Every deployment is loaded with these options.
    pub fn new(options: LoadOptions) -> Self {
        Self {
            options,
            loaded: Mutex::default(),
        }
    }

    fn loaded(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Weak<Served>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The statistics of the hooks of each loaded deployment, by the name of its folder.
    fn stats(&self) -> Vec<(String, Vec<HookStats>)> {
        // The lock is given back first: the last to let go of a deployment waits for its hooks.
        let alive = self.alive();
        let stats =
            |(name, served): (String, Arc<Served>)| (name, served.deployment.hooks().stats());
        alive.into_iter().map(stats).collect()
    }

    fn alive(&self) -> Vec<(String, Arc<Served>)> {
        let mut loaded = self.loaded();
        loaded.retain(|_, served| served.strong_count() > 0);
        let name = |folder: &PathBuf| folder.file_name().unwrap_or_default().display().to_string();
        let alive = loaded
            .iter()
            .filter_map(|(folder, served)| Some((name(folder), served.upgrade()?)));
        alive.collect()
    }
}

impl PredictorLoader for EngineLoader {
    fn load(&self, folder: &Path) -> Result<Arc<dyn Predictor>, PredictError> {
        let deployment = Deployment::from_folder(folder, &self.options).map_err(told)?;
        let served = Arc::new(Served { deployment });
        self.loaded()
            .insert(folder.to_owned(), Arc::downgrade(&served));
        Ok(served)
    }

    fn hook_metrics(&self) -> String {
        let all = self.stats();
        render_prometheus_of(
            "deployment",
            all.iter().map(|(name, stats)| (name.as_str(), &stats[..])),
        )
    }
}

#[derive(Debug)]
struct Served {
    deployment: Deployment,
}

impl Predictor for Served {
    fn predict(&self, frame: &Frame) -> Result<Predicted, PredictError> {
        let (prediction, outcomes) = self
            .deployment
            .infer_reporting(frame, Keep::ACTIVATIONS)
            .map_err(told)?;
        let mut outcome = Predicted {
            fired: self.fired(&outcomes),
            ..Predicted::default()
        };
        if let Some(model) = self.deployment.ood_model() {
            let score = model
                .score_detailed(&prediction.activations)
                .map_err(|error| PredictError::Failed(error.to_string()))?;
            let named = score
                .detectors
                .iter()
                .map(|(name, s)| ((*name).to_owned(), s.value()));
            outcome.scores = named.collect();
            outcome.ood_score = Some(score.score.value());
            outcome.ood_threshold = Some(model.threshold());
        }
        outcome.prediction = prediction;
        Ok(outcome)
    }

    fn explain(&self, frame: &Frame) -> Result<Prediction, PredictError> {
        self.deployment
            .predict(frame, Keep::EVERYTHING)
            .map_err(told)
    }

    fn features(&self, frame: &Frame) -> Result<Option<Arc<[f32]>>, PredictError> {
        let prediction = self.deployment.predict(frame, Keep::ACTIVATIONS);
        Ok(prediction.map_err(told)?.activations.features)
    }

    fn hooks(&self) -> Vec<HookStatus> {
        let hooks = self.deployment.hooks();
        let described = hooks.hooks().into_iter().map(|hook| format!("{hook:?}"));
        let status = |(stats, text): (HookStats, String)| {
            let dead = hooks.dead_letters(&stats.hook);
            status(&stats, text, &dead)
        };
        hooks
            .stats()
            .into_iter()
            .zip(described)
            .map(status)
            .collect()
    }
}

impl Served {
    fn fired(&self, outcomes: &[HookOutcome]) -> Vec<String> {
        let names = self
            .deployment
            .hooks()
            .stats()
            .into_iter()
            .map(|stats| stats.hook);
        let fired = |outcome: &HookOutcome| {
            matches!(
                outcome,
                HookOutcome::Queued { .. } | HookOutcome::Dropped { .. }
            )
        };
        names
            .zip(outcomes)
            .filter(|(_, outcome)| fired(outcome))
            .map(|(name, _)| name)
            .collect()
    }
}

fn status(stats: &HookStats, description: String, dead: &[DeadLetter]) -> HookStatus {
    let ledger = &stats.ledger;
    HookStatus {
        name: stats.hook.clone(),
        description,
        seen: stats.evaluated,
        fired: stats.fired,
        succeeded: ledger.delivered,
        failed: stats.retried,
        dropped: ledger.total_dropped(),
        queued: ledger.waiting(),
        // They come oldest first; the page wants the newest on top.
        dead_letters: dead.iter().rev().map(|dead| dead.error.clone()).collect(),
    }
}

/// What a caller may know of an error: what the model cannot do, but no path of the server.
fn told(error: DeployError) -> PredictError {
    match error {
        DeployError::NoExplanation { .. } | DeployError::OtherImage { .. } => {
            PredictError::Unfit(error.to_string())
        }
        DeployError::Task { source, .. } => PredictError::Unfit(source.to_string()),
        other => PredictError::Failed(other.to_string()),
    }
}
