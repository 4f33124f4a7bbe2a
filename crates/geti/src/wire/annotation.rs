use serde::{Deserialize, Serialize};
use straylight_core::Color;

use super::{Id, Open, Shape, Time, number, time};

/// Whether an annotation of a task is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnnotationState {
    /// All of it.
    Annotated,
    /// Some tasks of a chain.
    PartiallyAnnotated,
    /// Nothing.
    None,
    /// A person should look at it again.
    ToRevisit,
}

/// The annotation state of one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskAnnotationState {
    /// Identifier of the task.
    pub task_id: Id,
    /// Its state; may be null.
    #[serde(default)]
    pub state: Option<Open<AnnotationState>>,
}

/// What a scene is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MediaIdentifier {
    /// An image.
    Image {
        /// Its identifier.
        image_id: Id,
    },
    /// A whole video.
    Video {
        /// Its identifier.
        video_id: Id,
    },
    /// One frame of a video.
    VideoFrame {
        /// The video.
        video_id: Id,
        /// The frame, counted from 0.
        frame_index: u64,
    },
}

/// Whether a scene was made by people or by a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SceneKind {
    /// By people.
    #[default]
    Annotation,
    /// By a model.
    Prediction,
}

/// An annotation scene as the server answers it: all keys of the platform, no others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnnotationScene {
    /// Identifier; left out in downloaded files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// `annotation`, or `prediction`.
    #[serde(default)]
    pub kind: SceneKind,
    /// What it is about; left out in downloaded files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_identifier: Option<MediaIdentifier>,
    /// When it was last changed; left out in downloaded files.
    #[serde(
        default,
        deserialize_with = "time::lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub modified: Option<Time>,
    /// Labels for which the whole scene should be looked at again.
    #[serde(default, deserialize_with = "number::or_default")]
    pub labels_to_revisit_full_scene: Vec<Id>,
    /// Whether each task's annotation is there.
    #[serde(default, deserialize_with = "number::or_default")]
    pub annotation_state_per_task: Vec<TaskAnnotationState>,
    /// The shapes with their labels.
    #[serde(default)]
    pub annotations: Vec<Annotation>,
}

/// `POST .../annotations`: a scene to be stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewAnnotationScene {
    /// The shapes with their labels, at least one.
    pub annotations: Vec<Annotation>,
    /// What it is about.
    pub media_identifier: MediaIdentifier,
}

/// One shape with its labels; the optional keys are left out when they are `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    /// UUID within the scene.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// When it was last changed.
    #[serde(
        default,
        deserialize_with = "time::lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub modified: Option<Time>,
    /// Labels for which it should be looked at again; a server always writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels_to_revisit: Option<Vec<Id>>,
    /// Where.
    pub shape: Shape,
    /// What.
    pub labels: Vec<ScoredLabel>,
}

/// A label of an annotation; a server writes id, probability and source, and no name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredLabel {
    /// Identifier of the project's label; left out in files without ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Probability in `0..=1`; 1 for a person's annotation.
    #[serde(default = "certain")]
    pub probability: f64,
    /// Name of the project's label; only a client may write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Colour of the project's label; only a client may write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<LabelSource>,
}

fn certain() -> f64 {
    1.0
}

/// Who gave a label; all three keys are written, null where nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSource {
    /// A person.
    #[serde(default)]
    pub user_id: Option<Id>,
    /// A model.
    #[serde(default)]
    pub model_id: Option<Id>,
    /// The group of that model.
    #[serde(default)]
    pub model_storage_id: Option<Id>,
}

/// `GET .../videos/{v}/annotations/latest`: the annotated frames of a video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoAnnotations {
    /// One scene a frame.
    pub video_annotations: Vec<AnnotationScene>,
    /// Range and totals.
    #[serde(default)]
    pub video_annotation_properties: VideoAnnotationProperties,
}

/// Which frames a [`VideoAnnotations`] covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoAnnotationProperties {
    /// Frames of the video.
    #[serde(default, deserialize_with = "number::count")]
    pub total_count: u64,
    /// First frame asked for.
    #[serde(default, deserialize_with = "number::count")]
    pub start_frame: u64,
    /// Last frame asked for.
    #[serde(default, deserialize_with = "number::count")]
    pub end_frame: u64,
    /// Annotated frames asked for.
    #[serde(default, deserialize_with = "number::count")]
    pub requested_frames: u64,
}
