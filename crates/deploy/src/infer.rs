//! `Deployment::infer`, and the OOD model and hooks that it serves, at work and on disk.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use straylight_core::{Activations, Frame, ModelScore, Prediction, Progress};
use straylight_files::{self as files, FileError};
use straylight_hooks::config::{
    BuildContext, ConfigError, FolderVault, HookConfig, load_hooks, parse_hooks, render_hooks,
    secrets_in_clear_text,
};
use straylight_hooks::trigger::{Needs, OodScorer};
use straylight_hooks::{HookError, HookSet, HookSetOptions, Outcome, PostInferenceHook};
use straylight_ood::{ModelBinding, ModelFileError, OodModel};

use crate::model::TaskModel;
use crate::{
    DeployError, Deployment, JpegDecoding, Keep, LoadOptions, SavedHooks, SavedOodModel, identity,
};

/// Name of the file with the hooks.
const HOOKS: &str = "hook_config.json";
/// Name of the folder with the OOD model.
const OOD: &str = "ood";

/// What is said of a limit that can tell nothing.
const NO_FEATURES: &str = "limits.same_object (`object` on the command line) compares feature vectors, and the \
    deployment gives none; `straylight deployment init MODEL` adds them to a model where it can";
/// What is said of an OOD model that does not say for which deployment it was fitted.
const UNBOUND: &str = "the OOD model does not say for which model it was fitted; fit it again \
    (`straylight ood fit`) so that it is checked";
/// What is said of an OOD model whose hash covers less than today's.
const OLDER: &str = "the OOD model was fitted by an older version, which remembered graph and weights \
    only; fit it again (`straylight ood fit`) so that all settings of the model are checked";

impl Deployment {
    /// The attached hooks: their counters, and waiting for them.
    pub fn hooks(&self) -> &HookSet {
        &self.hooks
    }

    /// Attaches a hook; it sees every image inferred from now on.
    ///
    /// # Errors
    ///
    /// [`HookError`] when it cannot run as it is configured, or needs what the deployment does not give.
    pub fn add_hook(&self, hook: PostInferenceHook) -> Result<(), HookError> {
        self.check_hook(&hook)?;
        self.hooks.add(hook)
    }

    /// Refuses a hook whose limits need feature vectors that the deployment does not give.
    pub fn check_hook(&self, hook: &PostInferenceHook) -> Result<(), HookError> {
        if hook.options().limits.same_object.is_none() || self.has_features() {
            return Ok(());
        }
        Err(HookError::Invalid {
            hook: hook
                .options()
                .name
                .clone()
                .unwrap_or_else(|| hook.trigger().name().to_owned()),
            what: NO_FEATURES.to_owned(),
        })
    }

    /// Removes all hooks after they delivered what they had accepted.
    pub fn clear_hooks(&self) {
        self.hooks.clear();
    }

    /// The OOD model, if one was fitted or saved with the deployment.
    pub fn ood_model(&self) -> Option<Arc<OodModel>> {
        self.ood_model
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sets the OOD model that is saved with the deployment; attached hooks keep theirs.
    ///
    /// From now on JPEG files are decoded as they were for its fit.
    ///
    /// # Errors
    ///
    /// [`DeployError::OtherJpegDecoding`] when another decoding was asked for, or it is not known.
    pub fn set_ood_model(&self, model: Arc<OodModel>) -> Result<(), DeployError> {
        let fitted = decoding_of(&model);
        let asked = self.asked_decoding.or(fitted).unwrap_or_default();
        if fitted != Some(asked) {
            let fitted = model.provenance().jpeg_decoding.clone();
            return Err(DeployError::OtherJpegDecoding {
                fitted: fitted.unwrap_or_else(|| JpegDecoding::Whole.name().to_owned()),
                asked: asked.name(),
            });
        }
        *self
            .ood_model
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(model);
        Ok(())
    }

    /// How JPEG files are decoded: as was asked for, else as for the OOD model, else scaled.
    pub fn jpeg_decoding(&self) -> JpegDecoding {
        let of_model = || decoding_of(self.ood_model().as_deref()?);
        self.asked_decoding.or_else(of_model).unwrap_or_default()
    }

    /// Infers one image; the attached hooks see it.
    ///
    /// The prediction owns its data. It holds the score of the OOD model if there is one, and the
    /// activations that the hooks needed, for no second inference. A hook never makes inference
    /// fail, and never makes it wait unless its queue is full (see
    /// [`Overflow`](straylight_hooks::Overflow)) or it has no threads of its own. One exception: while
    /// many pixels wait for a hook that writes on this machine, up to a quarter of a second.
    pub fn infer(&self, frame: &Frame) -> Result<Prediction, DeployError> {
        self.infer_with(frame, Keep::NOTHING)
    }

    /// Infers one image as [`Deployment::infer`] does, and keeps what is asked for as well.
    pub fn infer_with(&self, frame: &Frame, keep: Keep) -> Result<Prediction, DeployError> {
        Ok(self.infer_reporting(frame, keep)?.0)
    }

    /// Infers one image as [`Deployment::infer_with`] does, and tells what each hook decided, in
    /// the order of the hooks.
    pub fn infer_reporting(
        &self,
        frame: &Frame,
        keep: Keep,
    ) -> Result<(Prediction, Vec<Outcome>), DeployError> {
        let model = self.ood_model();
        let keeps = keep.activations || self.hooks.needs() != Needs::NOTHING;
        let activations = keeps || model.is_some();
        let needed = Keep {
            activations,
            ..Keep::NOTHING
        };
        let mut prediction = self.predict(frame, keep.union(needed))?;
        prediction.ood_score = model.and_then(|model| score(&model, &prediction.activations));
        if !keeps {
            prediction.activations = Activations::default();
        }
        let outcomes = self.hooks.submit(frame, &prediction);
        Ok((prediction, outcomes))
    }

    /// Infers one image with all activations and a saliency map for each label; the attached
    /// hooks see it.
    ///
    /// # Errors
    ///
    /// [`DeployError::NoExplanation`] when the first task's model has no saliency maps.
    pub fn explain(&self, frame: &Frame) -> Result<Prediction, DeployError> {
        self.infer_with(frame, Keep::EVERYTHING)
    }

    /// Identifies what the deployment computes: 64 hexadecimal digits, the BLAKE3 hash of its
    /// graphs, weights, configurations and description.
    ///
    /// A process reads each version of a file once.
    pub fn model_hash(&self) -> Result<String, DeployError> {
        let files = self.model_files()?;
        Ok(identity::of(&files, self.described.as_deref())?)
    }

    /// Reads the OOD model and the hooks that were saved with the deployment.
    pub(crate) fn load_hooks_and_ood_model(
        &self,
        options: &LoadOptions,
        progress: &dyn Progress,
    ) -> Result<(), DeployError> {
        let folder = self.folder.join(OOD);
        if options.ood_model == SavedOodModel::Attach && OodModel::exists(&folder) {
            let model = self.load_ood_model(&folder, progress)?;
            self.set_ood_model(Arc::new(model))?;
        }
        let path = self.folder.join(HOOKS);
        if options.hooks == SavedHooks::Ignore || !path.exists() {
            return Ok(());
        }
        let model = self.ood_model().map(|model| model as Arc<dyn OodScorer>);
        let context = BuildContext {
            ood_model: model,
            ..BuildContext::default()
        };
        for config in read_hooks(&path, options.hook_state.as_deref())? {
            self.add_hook(config.build(&context)?)?;
        }
        Ok(())
    }

    /// Reads an OOD model that belongs to this deployment.
    ///
    /// # Errors
    ///
    /// [`DeployError::OodModel`] when it cannot be read or was fitted for another deployment.
    pub fn load_ood_model(
        &self,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<OodModel, DeployError> {
        let hash = self.model_hash()?;
        let older = match OodModel::load(folder, ModelBinding::Model(&hash)) {
            Ok(model) => {
                if model.provenance().model_hash.is_none() {
                    progress.note(&format!("note: {}: {UNBOUND}", folder.display()));
                }
                return Ok(model);
            }
            Err(error @ ModelFileError::OtherModel { .. }) => error,
            Err(error) => return Err(error.into()),
        };
        let files = self.models.iter().flat_map(TaskModel::graph_and_weights);
        let hash = identity::older(&files.collect::<Vec<_>>())?;
        // The first error names the hash that a new fit would have.
        let model = OodModel::load(folder, ModelBinding::Model(&hash)).map_err(|_| older)?;
        progress.note(&format!("note: {}: {OLDER}", folder.display()));
        Ok(model)
    }

    /// Writes the OOD model and the hooks into a folder with a copy of the deployment.
    pub(crate) fn save_hooks_and_ood_model(&self, copy: &Path) -> Result<(), DeployError> {
        remove(&copy.join(OOD))?;
        if let Some(model) = self.ood_model() {
            model.save(&copy.join(OOD))?;
        }
        let path = copy.join(HOOKS);
        let hooks = self.hooks.hooks();
        if hooks.is_empty() {
            return Ok(remove(&path)?);
        }
        let configs = hooks
            .iter()
            .map(|hook| HookConfig::of(hook))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(files::write_atomically(
            &path,
            render_hooks(&configs)?.as_bytes(),
        )?)
    }
}

/// How JPEG files were decoded for the fit of an OOD model; `None` for a way that is not known.
fn decoding_of(model: &OodModel) -> Option<JpegDecoding> {
    let named = model.provenance().jpeg_decoding.as_deref();
    // Versions that did not say decoded all pixels, and so are arrays.
    let named = named.unwrap_or(JpegDecoding::Whole.name());
    let known = [JpegDecoding::Scaled, JpegDecoding::Whole];
    known.into_iter().find(|known| known.name() == named)
}

/// The score that goes with a prediction; an image that cannot be scored has none.
fn score(model: &Arc<OodModel>, activations: &Activations) -> Option<ModelScore> {
    let score = model.score(activations);
    let score = score.inspect_err(|error| tracing::warn!(%error, "no OOD score"));
    Some(ModelScore {
        value: score.ok()?.value(),
        model: Arc::as_ptr(model).addr(),
    })
}

/// Folder in the hooks' state folder for secrets that were in clear text; no hook has its name.
const SECRETS: &str = ".secrets";

/// Reads saved hooks; secrets in clear text, which the Python SDK leaves, move into the state
/// folder, with a warning. Where nothing can be written they stay, with a warning as well.
fn read_hooks(path: &Path, state: Option<&Path>) -> Result<Vec<HookConfig>, DeployError> {
    if let Some(state) = state {
        match load_hooks(path, &FolderVault(state.join(SECRETS))) {
            Ok((hooks, _)) => return Ok(hooks),
            Err(ConfigError::File(error)) => tracing::warn!(%error, "secrets are not moved out"),
            Err(error) => return Err(error.into()),
        }
    }
    let hooks = parse_hooks(&files::read_to_string(path)?, path)?;
    for what in secrets_in_clear_text(&hooks) {
        let file = path.display();
        tracing::warn!(%file, "{what} is in clear text: refer to it as `env:NAME` or `file:PATH`");
    }
    Ok(hooks)
}

/// An empty set of hooks with what the user chose for all of them.
pub(crate) fn hook_set(options: &LoadOptions) -> HookSet {
    HookSet::new(HookSetOptions {
        state_folder: options.hook_state.clone(),
        ..HookSetOptions::default()
    })
}

/// Removes a file or a folder that may be there.
fn remove(path: &Path) -> Result<(), FileError> {
    let removed = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else if path.exists() {
        std::fs::remove_file(path)
    } else {
        Ok(())
    };
    removed.map_err(|source| FileError::new("remove", path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDK_FILE: &str = r#"{"post_inference_hooks":[{"PostInferenceHook":{
        "trigger":{"AlwaysTrigger":{}},"action":{"HttpRequestAction":{"url":"http://h/",
        "headers":{"Authorization":"swordfish"}}}}}]}"#;

    #[test]
    fn secrets_in_clear_text_move_into_the_state_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(HOOKS);
        std::fs::write(&path, SDK_FILE).unwrap();
        let in_place = read_hooks(&path, None).unwrap();
        assert_eq!(secrets_in_clear_text(&in_place).len(), 1);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), SDK_FILE);
        let state = folder.path().join("state");
        let moved = read_hooks(&path, Some(&state)).unwrap();
        assert!(secrets_in_clear_text(&moved).is_empty());
        assert!(
            !std::fs::read_to_string(&path)
                .unwrap()
                .contains("swordfish")
        );
        assert_eq!(std::fs::read_dir(state.join(SECRETS)).unwrap().count(), 1);
        assert_eq!(read_hooks(&path, Some(&state)).unwrap(), moved);
    }
}
