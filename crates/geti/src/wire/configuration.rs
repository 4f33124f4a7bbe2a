use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Id;

/// `GET` and `PATCH .../project_configuration` (server 2.12 and later).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProjectConfiguration {
    /// One entry a trainable task.
    pub task_configs: Vec<TaskConfig>,
}

/// The configuration of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskConfig {
    /// Identifier of the task.
    pub task_id: Id,
    /// When it may be trained.
    #[serde(default)]
    pub training: TaskTraining,
    /// Whether the server trains on its own.
    #[serde(default)]
    pub auto_training: Vec<ConfigItem>,
}

/// When a task may be trained.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskTraining {
    /// What must be there first.
    #[serde(default)]
    pub constraints: Vec<ConfigItem>,
}

/// A setting; of all that a server says about it only key and value are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigItem {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Value,
}

impl ConfigItem {
    /// A setting from its parts.
    pub fn new(key: &str, value: impl Into<Value>) -> Self {
        Self {
            key: key.to_owned(),
            value: value.into(),
        }
    }
}

impl ProjectConfiguration {
    /// Switches automatic training of every task on or off.
    pub fn set_auto_training(&mut self, enabled: bool) {
        for task in &mut self.task_configs {
            match task
                .auto_training
                .iter_mut()
                .find(|item| item.key == "enable")
            {
                Some(item) => item.value = enabled.into(),
                None => task.auto_training.push(ConfigItem::new("enable", enabled)),
            }
        }
    }
}

/// `GET .../training_configuration`: what a model was, or will be, trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainingConfiguration {
    /// Identifier of the task; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<Id>,
    /// What is done to images before.
    #[serde(default)]
    pub dataset_preparation: DatasetPreparation,
    /// Hyper-parameters, at least one pair of key and value.
    #[serde(default)]
    pub training: Vec<ConfigEntry>,
    /// Settings of the evaluation.
    #[serde(default)]
    pub evaluation: Vec<ConfigEntry>,
}

/// What is done to images before training.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DatasetPreparation {
    /// Augmentations by name.
    #[serde(default)]
    pub augmentation: Map<String, Value>,
}

/// A setting or a named group of settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConfigEntry {
    /// A setting.
    Item(ConfigItem),
    /// Groups by name.
    Group(Map<String, Value>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_training_is_set_and_other_keys_of_an_item_are_dropped() {
        let mut configuration: ProjectConfiguration = serde_json::from_str(
            r#"{"task_configs":[{"task_id":"t","training":{"constraints":[]},"auto_training":
                [{"key":"enable","value":true,"name":"On","type":"bool"}]},{"task_id":"u"}]}"#,
        )
        .unwrap();
        configuration.set_auto_training(false);
        assert_eq!(
            serde_json::to_string(&configuration).unwrap(),
            r#"{"task_configs":[{"task_id":"t","training":{"constraints":[]},"auto_training":[{"key":"enable","value":false}]},{"task_id":"u","training":{"constraints":[]},"auto_training":[{"key":"enable","value":false}]}]}"#
        );
    }

    #[test]
    fn training_settings_may_be_grouped() {
        let text = r#"{"task_id":"t","dataset_preparation":{"augmentation":{}},"training":[{"key":"max_epochs","value":10},{"early_stopping":[{"key":"enable","value":true}]}],"evaluation":[]}"#;
        let configuration: TrainingConfiguration = serde_json::from_str(text).unwrap();
        assert!(matches!(configuration.training[1], ConfigEntry::Group(_)));
        assert_eq!(serde_json::to_string(&configuration).unwrap(), text);
    }
}
