use std::path::PathBuf;
use std::sync::Arc;

use straylight_store::Store;

use super::{
    ActionConfig, ConfigError, HookConfig, LocalDatasetConfig, MqttConfig, OodTriggerConfig,
    S3Config, TriggerConfig,
};
use crate::action::{
    Action, ActionError, FileSystemDataCollection, GetiDataCollection, HttpRequestAction,
    LocalDatasetCollection, LocalStore,
};
use crate::hook::PostInferenceHook;
use crate::trigger::{
    AlwaysTrigger, AndTrigger, ConfidenceTrigger, EmptyLabelTrigger, LabelTrigger, NotTrigger,
    ObjectCountTrigger, OodScorer, OodTrigger, OrTrigger, SampleTrigger, Trigger,
};

/// What hooks are built with.
#[derive(Clone, Default)]
pub struct BuildContext {
    /// The deployment's OOD model, if it has one.
    pub ood_model: Option<Arc<dyn OodScorer>>,
    /// The store for hooks that name none.
    pub store: Option<Arc<Store>>,
    /// Folder to which relative target folders belong; the current folder when absent.
    pub folder: Option<PathBuf>,
}

impl HookConfig {
    /// Builds the hook; opens no file and no connection.
    pub fn build(&self, context: &BuildContext) -> Result<PostInferenceHook, ConfigError> {
        let trigger = self.trigger.build(context)?;
        let action = self.action.build(context)?;
        Ok(PostInferenceHook::new(trigger, action, self.options()))
    }
}

impl TriggerConfig {
    /// Builds the trigger.
    pub fn build(&self, context: &BuildContext) -> Result<Box<dyn Trigger>, ConfigError> {
        Ok(match self {
            Self::AlwaysTrigger(_) => Box::new(AlwaysTrigger),
            Self::ConfidenceTrigger(config) => {
                share("ConfidenceTrigger.threshold", config.threshold)?;
                Box::new(ConfidenceTrigger::new(
                    config.threshold,
                    config.label_names.clone(),
                ))
            }
            Self::EmptyLabelTrigger(_) => Box::new(EmptyLabelTrigger),
            Self::LabelTrigger(config) => {
                Box::new(LabelTrigger::new(config.label_names.clone(), config.mode))
            }
            Self::ObjectCountTrigger(config) => Box::new(ObjectCountTrigger::new(
                config.threshold,
                config.label_names.clone(),
                config.mode,
            )),
            Self::OodTrigger(config) => Box::new(ood_trigger(config, context)?),
            Self::SampleTrigger(config) => {
                share("SampleTrigger.rate", config.rate)?;
                Box::new(SampleTrigger::new(config.rate, config.seed))
            }
            Self::AndTrigger(list) => Box::new(AndTrigger(build_all(&list.triggers, context)?)),
            Self::OrTrigger(list) => Box::new(OrTrigger(build_all(&list.triggers, context)?)),
            Self::NotTrigger(config) => Box::new(NotTrigger(config.trigger.build(context)?)),
        })
    }
}

fn build_all(
    configs: &[TriggerConfig],
    context: &BuildContext,
) -> Result<Vec<Box<dyn Trigger>>, ConfigError> {
    configs.iter().map(|config| config.build(context)).collect()
}

fn ood_trigger(
    config: &OodTriggerConfig,
    context: &BuildContext,
) -> Result<OodTrigger, ConfigError> {
    // First: what is out of its range is so with any model.
    for (key, value) in [
        ("OODTrigger.threshold", config.threshold),
        ("OODTrigger.false_alarm_rate", config.false_alarm_rate),
    ] {
        value.map_or(Ok(()), |value| share(key, value))?;
    }
    let model = context.ood_model.clone().ok_or(ConfigError::Unmet {
        what: "OODTrigger",
        needs: "an OOD model",
        hint: "fit one and save it with the deployment",
    })?;
    match (config.threshold, config.false_alarm_rate) {
        (None, None) => Ok(OodTrigger::new(model)),
        (Some(threshold), None) => Ok(OodTrigger::with_threshold(model, threshold)),
        (None, Some(rate)) => Ok(OodTrigger::with_false_alarm_rate(model, rate)?),
        (Some(_), Some(_)) => Err(ConfigError::Value {
            key: "OODTrigger".to_owned(),
            what: "give `threshold` or `false_alarm_rate`, not both".to_owned(),
        }),
    }
}

fn share(key: &str, value: f64) -> Result<(), ConfigError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(ConfigError::Value {
        key: key.to_owned(),
        what: format!("{value} is not in 0..=1"),
    })
}

impl ActionConfig {
    /// Builds the action; opens no file and no connection.
    pub fn build(&self, context: &BuildContext) -> Result<Box<dyn Action>, ConfigError> {
        Ok(match self {
            Self::FileSystemDataCollection(config) => {
                let mut options = config.options();
                if let Some(folder) = &context.folder {
                    options.target_folder = folder.join(&options.target_folder);
                }
                Box::new(FileSystemDataCollection::new(options))
            }
            Self::LocalDatasetCollection(config) => Box::new(local_dataset(config, context)?),
            Self::GetiDataCollection(config) => Box::new(GetiDataCollection::new(config.clone())),
            Self::HttpRequestAction(config) => {
                let action = HttpRequestAction::new(config.clone());
                Box::new(action.map_err(|error| wrong("HttpRequestAction", &error))?)
            }
            Self::S3Collection(config) => s3(config)?,
            Self::MqttPublish(config) => mqtt(config)?,
        })
    }
}

fn wrong(action: &str, error: &ActionError) -> ConfigError {
    ConfigError::Value {
        key: action.to_owned(),
        what: error.to_string(),
    }
}

#[cfg(feature = "s3")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
fn s3(config: &S3Config) -> Result<Box<dyn Action>, ConfigError> {
    Ok(Box::new(crate::action::S3Collection::new(config.clone())))
}

#[cfg(not(feature = "s3"))]
fn s3(_config: &S3Config) -> Result<Box<dyn Action>, ConfigError> {
    Err(ConfigError::Unmet {
        what: "S3Collection",
        needs: "a program with the feature `s3`",
        hint: "build it with `--features s3`",
    })
}

#[cfg(feature = "mqtt")]
fn mqtt(config: &MqttConfig) -> Result<Box<dyn Action>, ConfigError> {
    let action = crate::action::MqttPublish::new(config.clone());
    Ok(Box::new(
        action.map_err(|error| wrong("MqttPublish", &error))?,
    ))
}

#[cfg(not(feature = "mqtt"))]
fn mqtt(_config: &MqttConfig) -> Result<Box<dyn Action>, ConfigError> {
    Err(ConfigError::Unmet {
        what: "MqttPublish",
        needs: "a program with the feature `mqtt`",
        hint: "build it with `--features mqtt`",
    })
}

fn local_dataset(
    config: &LocalDatasetConfig,
    context: &BuildContext,
) -> Result<LocalDatasetCollection, ConfigError> {
    let store = match (&config.store_folder, &context.store) {
        (Some(folder), Some(store)) if store.root() == folder => {
            LocalStore::Open(Arc::clone(store))
        }
        (Some(folder), _) => LocalStore::Folder(folder.clone()),
        (None, Some(store)) => LocalStore::Open(Arc::clone(store)),
        (None, None) => {
            return Err(ConfigError::Unmet {
                what: "LocalDatasetCollection",
                needs: "a local store",
                hint: "name its folder as `store_folder`",
            });
        }
    };
    Ok(LocalDatasetCollection::new(
        store,
        &config.project,
        &config.dataset,
    ))
}
