//! The hooks in a deployment folder, looked at and changed without loading a model.

mod check;
mod draft;
mod limit;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use straylight_core::Label;
use straylight_deploy::{DeployError, deployment_folder};
use straylight_files::FileError;
use straylight_hooks::config::{
    BuildContext, ConfigError, FolderVault, HookConfig, MovedSecret, move_secrets_out, parse_hooks,
    render_hooks,
};
use straylight_hooks::trigger::OodScorer;
use straylight_ood::{ModelBinding, ModelFileError, OodModel};

pub use draft::{ActionDraft, DraftError, HookDraft, TriggerKind};
pub use limit::{Limit, LimitError};

/// Name of the file with the hooks.
const FILE: &str = "hook_config.json";
/// Name of the folder with the OOD model.
const OOD: &str = "ood";

/// The hooks of a deployment folder cannot be read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookFileError {
    /// The folder is no deployment.
    #[error(transparent)]
    Deployment(#[from] DeployError),
    /// The configuration of the hooks.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The OOD model saved with the deployment.
    #[error(transparent)]
    OodModel(#[from] ModelFileError),
    /// A hook of this name or number is not there.
    #[error("there is no hook `{wanted}`; there are: {there}")]
    NoHook {
        /// What was asked for.
        wanted: String,
        /// The names that there are.
        there: String,
    },
    /// A hook that cannot work.
    #[error("{}", .0.join("; "))]
    Mistaken(Vec<String>),
    /// A hook of this name is there already.
    #[error("there is a hook named `{0}` already; remove it or choose another name")]
    Taken(String),
}

/// What hooks are built with: the deployment's OOD model.
pub(crate) fn context(model: Option<Arc<OodModel>>) -> BuildContext {
    BuildContext {
        ood_model: model.map(|model| model as Arc<dyn OodScorer>),
        ..BuildContext::default()
    }
}

/// The hooks that are saved with a deployment.
#[derive(Debug, Clone)]
pub struct HookFile {
    folder: PathBuf,
    /// The hooks in their order.
    pub hooks: Vec<HookConfig>,
}

impl HookFile {
    /// Reads the hooks of a deployment folder; a deployment without hooks has an empty list.
    pub fn open(deployment: &Path) -> Result<Self, HookFileError> {
        let folder = deployment_folder(deployment)?;
        let path = folder.join(FILE);
        let hooks = if path.exists() {
            read_hooks(&path)?
        } else {
            Vec::new()
        };
        Ok(Self { folder, hooks })
    }

    /// Reads the hooks of a deployment folder, changes them and writes them, while every other
    /// process that does so waits.
    pub fn change<T>(
        deployment: &Path,
        change: impl FnOnce(&mut Self) -> Result<T, HookFileError>,
    ) -> Result<T, HookFileError> {
        let folder = deployment_folder(deployment)?;
        let _turn = lock(&folder).map_err(|error| FileError::new("lock", &folder, error))?;
        let mut file = Self::open(deployment)?;
        let changed = change(&mut file)?;
        file.save()?;
        Ok(changed)
    }

    /// The file that the hooks are in.
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// The name of each hook: its own, or the one made of position, trigger and action.
    pub fn names(&self) -> Vec<String> {
        names(&self.hooks)
    }

    /// Adds a hook at the end.
    ///
    /// # Errors
    ///
    /// A name that is taken, a label that the deployment does not have, and a setting out of its
    /// range. What may come later, such as an OOD model or a secret, is left to [`HookFile::check`].
    pub fn add(&mut self, hook: HookConfig) -> Result<(), HookFileError> {
        let taken = hook.name.as_ref();
        if let Some(name) = taken.filter(|name| self.names().contains(name)) {
            return Err(HookFileError::Taken(name.clone()));
        }
        let model = self.ood_model()?.map(Arc::new);
        let mistakes = check::mistakes(&hook, model, &self.label_names());
        if !mistakes.is_empty() {
            return Err(HookFileError::Mistaken(mistakes));
        }
        self.hooks.push(hook);
        Ok(())
    }

    /// Removes a hook by its name or its number, counted from 1.
    pub fn remove(&mut self, wanted: &str) -> Result<HookConfig, HookFileError> {
        let names = self.names();
        let by_number = || wanted.parse::<usize>().ok()?.checked_sub(1);
        let place = names
            .iter()
            .position(|name| name == wanted)
            .or_else(by_number);
        match place.filter(|&place| place < self.hooks.len()) {
            Some(place) => Ok(self.hooks.remove(place)),
            None => Err(HookFileError::NoHook {
                wanted: wanted.to_owned(),
                there: if names.is_empty() {
                    "none".to_owned()
                } else {
                    names.join(", ")
                },
            }),
        }
    }

    /// Puts secrets that are in clear text into files of a folder; the hooks then refer to them.
    pub fn move_secrets(&mut self, folder: &Path) -> Result<Vec<MovedSecret>, HookFileError> {
        let vault = FolderVault(folder.to_owned());
        Ok(move_secrets_out(&mut self.hooks, &vault)?)
    }

    /// Hooks that lose images when their queue is full, each with a sentence about it.
    pub fn losses(&self) -> Vec<String> {
        check::losses(&self.hooks, &self.names())
    }

    /// Writes the hooks back; without any the file is removed.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ClearText`] when a secret is in clear text, besides trouble with the file.
    pub fn save(&self) -> Result<(), HookFileError> {
        let path = self.path();
        if !self.hooks.is_empty() {
            let text = render_hooks(&self.hooks)?;
            return Ok(straylight_files::write_atomically(&path, text.as_bytes())?);
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(FileError::new("remove", path, error).into())
            }
            _ => Ok(()),
        }
    }

    /// The OOD model saved with the deployment, if there is one.
    pub fn ood_model(&self) -> Result<Option<OodModel>, HookFileError> {
        let folder = self.folder.join(OOD);
        if !OodModel::exists(&folder) {
            return Ok(None);
        }
        Ok(Some(OodModel::load(&folder, ModelBinding::Any)?))
    }

    /// Says what keeps the hooks from working, one sentence each; nothing when all is well.
    ///
    /// No server is contacted and nothing is written.
    pub fn check(&self) -> Result<Vec<String>, HookFileError> {
        let model = self.ood_model()?.map(Arc::new);
        Ok(check::problems(
            &self.hooks,
            &self.names(),
            model,
            &self.label_names(),
        ))
    }

    /// Names of the project's labels; empty when they are not told by a project file.
    fn label_names(&self) -> Vec<String> {
        let read = || {
            let text = straylight_files::read_to_string(&self.folder.join("project.json")).ok()?;
            serde_json::from_str::<straylight_core::Project>(&text).ok()
        };
        let name = |label: &Label| label.name.clone();
        let tasks = read()
            .map(|project| project.pipeline.tasks)
            .unwrap_or_default();
        tasks
            .iter()
            .flat_map(|task| &task.labels)
            .map(name)
            .collect()
    }
}

/// Keeps other processes from changing the hooks of a folder until it is dropped.
fn lock(folder: &Path) -> std::io::Result<File> {
    // A folder itself can be locked on Unix, so that nothing is left behind.
    let file = if cfg!(unix) {
        File::open(folder)?
    } else {
        let path = folder.join("hook_config.lock");
        File::options().create(true).append(true).open(path)?
    };
    file.lock()?;
    Ok(file)
}

/// Reads the hooks of any `hook_config.json`.
pub fn read_hooks(path: &Path) -> Result<Vec<HookConfig>, HookFileError> {
    Ok(parse_hooks(&straylight_files::read_to_string(path)?, path)?)
}

/// The name of each hook: its own, or the one made of position, trigger and action.
pub fn names(hooks: &[HookConfig]) -> Vec<String> {
    let name = |(place, hook): (usize, &HookConfig)| {
        hook.name
            .clone()
            .unwrap_or_else(|| format!("{place}-{}-{}", kind(&hook.trigger), kind(&hook.action)))
    };
    hooks.iter().enumerate().map(name).collect()
}

/// The name of a trigger or an action: the key of its only entry in JSON.
pub fn kind(config: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(config).ok();
    let key = value
        .as_ref()
        .and_then(|value| value.as_object()?.keys().next().cloned());
    key.unwrap_or_default()
}
