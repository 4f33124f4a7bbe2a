use serde::{Deserialize, Serialize};

use super::annotation::TaskAnnotationState;
use super::{Id, Open, Time, number, time};

/// What a medium is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A still image.
    Image,
    /// A video.
    Video,
    /// One frame of a video.
    VideoFrame,
}

/// An image or a video of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// Identifier.
    pub id: Id,
    /// The uploaded file's name without its last extension; need not be unique.
    pub name: String,
    /// Image or video.
    #[serde(rename = "type")]
    pub kind: Open<MediaKind>,
    /// When it was uploaded.
    #[serde(default, deserialize_with = "time::lenient")]
    pub upload_time: Option<Time>,
    /// Who uploaded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uploader_id: Option<Id>,
    /// Path of its thumbnail on the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<String>,
    /// How far the server is with it; optional key, refused by SDK 2.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Preprocessing>,
    /// Whether each task's annotation is there.
    #[serde(default, deserialize_with = "number::or_default")]
    pub annotation_state_per_task: Vec<TaskAnnotationState>,
    /// Size, format and place.
    pub media_information: MediaInformation,
}

/// How far the server is with the preparation of a medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// The state.
    pub status: Open<PreprocessingStatus>,
}

/// A state of the preparation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PreprocessingStatus {
    /// Waiting.
    Scheduled,
    /// Being prepared.
    InProgress,
    /// Ready to be displayed.
    Finished,
    /// Could not be prepared.
    Failed,
}

/// Size, format and place of a medium.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaInformation {
    /// Path of the file; ends in `/display/full`, `/display/stream` or the medium's id.
    #[serde(default, deserialize_with = "number::or_default")]
    pub display_url: String,
    /// Height in pixels; 0 while the server prepares the medium.
    #[serde(default, deserialize_with = "number::count")]
    pub height: u64,
    /// Width in pixels; 0 while the server prepares the medium.
    #[serde(default, deserialize_with = "number::count")]
    pub width: u64,
    /// Size of the file in bytes; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Extension of the file with its dot; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<String>,
    /// Frames of a video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_count: Option<u64>,
    /// Every how many frames one is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_stride: Option<u64>,
    /// Frames a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_rate: Option<f64>,
    /// Length of a video in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
}
