use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use straylight_geti::SecretRef;

use super::{GetiConfig, HttpConfig, MqttConfig, S3Config};
use crate::action::{FileSystemOptions, PictureFormat};

/// Any action that can be saved: its name, then its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ActionConfig {
    /// Files in a folder.
    FileSystemDataCollection(FileSystemConfig),
    /// A dataset of the local store.
    LocalDatasetCollection(LocalDatasetConfig),
    /// A dataset of a Geti server.
    GetiDataCollection(GetiConfig),
    /// A request to a URL.
    HttpRequestAction(HttpConfig),
    /// A bucket of an object store that speaks S3.
    S3Collection(S3Config),
    /// A topic of an MQTT broker.
    MqttPublish(MqttConfig),
}

/// How loudly the Python SDK's actions speak; kept for its sake, Straylight logs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Each delivery is a debug message.
    #[default]
    Debug,
    /// Each delivery is an information message.
    Info,
}

/// Settings of a `FileSystemDataCollection`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSystemConfig {
    /// Folder that receives the subfolders.
    pub target_folder: PathBuf,
    /// Put before the image's name in file names.
    #[serde(default)]
    pub file_name_prefix: String,
    /// Whether predictions are written.
    #[serde(default = "yes")]
    pub save_predictions: bool,
    /// Whether scores are written.
    #[serde(default = "yes")]
    pub save_scores: bool,
    /// Whether pictures with the prediction drawn on them are written.
    #[serde(default = "yes")]
    pub save_overlays: bool,
    /// For the Python SDK.
    #[serde(default)]
    pub log_level: LogLevel,
    /// The form of the pictures; unknown to the Python SDK, absent when PNG.
    #[serde(default, skip_serializing_if = "is_default")]
    pub picture_format: PictureFormat,
    /// Longest side of an overlay, 0 for the image's own size as in the Python SDK; unknown to
    /// it, absent when 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub overlay_side: u32,
}

impl ActionConfig {
    /// The action as the released Python SDK (2.13.1) knows it, or `None` if it does not.
    pub(super) fn for_sdk(&self) -> Option<Self> {
        match self {
            Self::FileSystemDataCollection(config) => {
                let config = FileSystemConfig {
                    picture_format: PictureFormat::Png,
                    overlay_side: 0,
                    ..config.clone()
                };
                Some(Self::FileSystemDataCollection(config))
            }
            Self::HttpRequestAction(config) => http_for_sdk(config),
            // The SDK logs in while it reads this one, with a secret that must not be here.
            Self::LocalDatasetCollection(_)
            | Self::GetiDataCollection(_)
            | Self::S3Collection(_)
            | Self::MqttPublish(_) => None,
        }
    }
}

/// The SDK would send a reference to a secret as it stands: such a hook is not for it.
fn http_for_sdk(config: &HttpConfig) -> Option<ActionConfig> {
    let is_reference = |value: &String| value.parse::<SecretRef>().is_ok();
    if config.headers.values().any(is_reference) {
        return None;
    }
    let HttpConfig {
        url,
        method,
        headers,
        include_prediction_data,
        log_level,
        ..
    } = config.clone();
    let plain = HttpConfig::new(url);
    let config = HttpConfig {
        method,
        headers,
        include_prediction_data,
        log_level,
        ..plain
    };
    Some(ActionConfig::HttpRequestAction(config))
}

impl FileSystemConfig {
    /// The settings of these options.
    pub(crate) fn from_options(options: &FileSystemOptions) -> Self {
        Self {
            target_folder: options.target_folder.clone(),
            file_name_prefix: options.file_name_prefix.clone(),
            save_predictions: options.save_predictions,
            save_scores: options.save_scores,
            save_overlays: options.save_overlays,
            log_level: LogLevel::default(),
            picture_format: options.picture_format,
            overlay_side: options.overlay_side,
        }
    }

    /// The options of these settings.
    pub fn options(&self) -> FileSystemOptions {
        FileSystemOptions {
            target_folder: self.target_folder.clone(),
            file_name_prefix: self.file_name_prefix.clone(),
            save_predictions: self.save_predictions,
            save_scores: self.save_scores,
            save_overlays: self.save_overlays,
            picture_format: self.picture_format,
            overlay_side: self.overlay_side,
        }
    }
}

/// Settings of a `LocalDatasetCollection`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalDatasetConfig {
    /// Folder of the store; the one that the program uses when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_folder: Option<PathBuf>,
    /// Name or id of the project.
    pub project: String,
    /// Name of the dataset; created when missing.
    pub dataset: String,
}

fn yes() -> bool {
    true
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
