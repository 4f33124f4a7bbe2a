use serde::{Deserialize, Serialize};

use crate::trigger::{CountMode, LabelMode};

/// Any trigger that can be saved: its name, then its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TriggerConfig {
    /// Every image.
    AlwaysTrigger(AlwaysTriggerConfig),
    /// A probability below a threshold.
    ConfidenceTrigger(ConfidenceTriggerConfig),
    /// Nothing found.
    EmptyLabelTrigger(EmptyLabelTriggerConfig),
    /// Certain labels.
    LabelTrigger(LabelTriggerConfig),
    /// The number of objects.
    ObjectCountTrigger(ObjectCountTriggerConfig),
    /// Out of distribution; written as the SDK does.
    #[serde(rename = "OODTrigger")]
    OodTrigger(OodTriggerConfig),
    /// A random share of all images.
    SampleTrigger(SampleTriggerConfig),
    /// All of several triggers.
    AndTrigger(TriggerListConfig),
    /// Any of several triggers.
    OrTrigger(TriggerListConfig),
    /// The contrary of a trigger.
    NotTrigger(NotTriggerConfig),
}

impl TriggerConfig {
    /// Whether the released Python SDK (2.13.1) has this trigger.
    pub fn is_known_to_sdk(&self) -> bool {
        matches!(
            self,
            Self::AlwaysTrigger(_)
                | Self::ConfidenceTrigger(_)
                | Self::EmptyLabelTrigger(_)
                | Self::LabelTrigger(_)
                | Self::ObjectCountTrigger(_)
        )
    }
}

/// `AlwaysTrigger` has no settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlwaysTriggerConfig {}

/// Settings of a `ConfidenceTrigger`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfidenceTriggerConfig {
    /// Probability, `0..=1`, below which the trigger fires.
    #[serde(default = "half")]
    pub threshold: f64,
    /// Labels whose probabilities count; all when absent.
    #[serde(default)]
    pub label_names: Option<Vec<String>>,
}

/// `EmptyLabelTrigger` has no settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmptyLabelTriggerConfig {}

/// Settings of a `LabelTrigger`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelTriggerConfig {
    /// Labels to look for.
    pub label_names: Vec<String>,
    /// Whether any of them is enough (`OR`) or all are needed (`AND`).
    #[serde(default)]
    pub mode: LabelMode,
}

/// Settings of an `ObjectCountTrigger`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectCountTriggerConfig {
    /// Number of objects to compare with.
    #[serde(default = "one")]
    pub threshold: u32,
    /// Labels whose objects count; all when absent.
    #[serde(default)]
    pub label_names: Option<Vec<String>>,
    /// How the number is compared.
    #[serde(default)]
    pub mode: CountMode,
}

/// Settings of an `OODTrigger`; the model itself is saved with the deployment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OodTriggerConfig {
    /// Score, `0..=1`, from which on the trigger fires; the model's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// Share of in-distribution images, `0..=1`, that may be called strange; instead of a
    /// threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_alarm_rate: Option<f64>,
    /// What files of the Python SDK may hold in this place; read and forgotten.
    #[serde(default, skip_serializing)]
    pub ood_model: Option<serde::de::IgnoredAny>,
}

/// Settings of a `SampleTrigger`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SampleTriggerConfig {
    /// Share of all images, `0..=1`.
    pub rate: f64,
    /// Another seed draws other images.
    #[serde(default)]
    pub seed: u64,
}

/// Settings of an `AndTrigger` or `OrTrigger`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TriggerListConfig {
    /// The triggers that are combined.
    pub triggers: Vec<TriggerConfig>,
}

/// Settings of a `NotTrigger`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotTriggerConfig {
    /// The trigger that must not fire.
    pub trigger: Box<TriggerConfig>,
}

fn half() -> f64 {
    0.5
}

fn one() -> u32 {
    1
}
