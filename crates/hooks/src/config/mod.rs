//! The configuration of hooks: a closed set of plain settings that build into open traits.
//!
//! [`parse_hooks`] and [`render_hooks`] read and write the `hook_config.json` of a deployment,
//! [`HookConfig::build`] makes a hook of its settings, and [`HookConfig::of`] goes back.

mod action;
mod build;
mod error;
mod file;
mod hook;
mod object_sinks;
mod remote;
mod sdk;
mod secrets;
#[cfg(test)]
mod tests;
mod trigger;

pub use action::{ActionConfig, FileSystemConfig, LocalDatasetConfig, LogLevel};
pub use build::BuildContext;
pub use error::ConfigError;
pub use file::{HOOK_CONFIG_VERSION, parse_hooks, render_hooks};
pub use hook::{BreakerConfig, HookConfig, QueueConfig, RetryConfig};
pub use object_sinks::{MqttConfig, S3Config};
pub use remote::{GetiConfig, HttpConfig, SessionConfig};
pub use secrets::{
    FolderVault, MovedSecret, SecretVault, load_hooks, move_secrets_out, secrets_in_clear_text,
};
pub use trigger::{
    AlwaysTriggerConfig, ConfidenceTriggerConfig, EmptyLabelTriggerConfig, LabelTriggerConfig,
    NotTriggerConfig, ObjectCountTriggerConfig, OodTriggerConfig, SampleTriggerConfig,
    TriggerConfig, TriggerListConfig,
};
