use serde::{Deserialize, Serialize};

use super::{Id, MediaIdentifier, Shape, Time, time};

/// `POST .../pipelines/active:predict`: which stored image to predict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictRequest {
    /// Identifier of the image.
    pub image_id: Id,
    /// Identifier of its dataset.
    pub dataset_id: Id,
}

/// The answer of `active:predict`: exactly these keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The shapes found.
    pub predictions: Vec<PredictedAnnotation>,
    /// When it was made.
    #[serde(
        default,
        deserialize_with = "time::lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub created: Option<Time>,
    /// What it is about; left out when the image was sent along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_identifier: Option<MediaIdentifier>,
}

/// One shape of a prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictedAnnotation {
    /// What.
    pub labels: Vec<PredictedLabel>,
    /// Where.
    pub shape: Shape,
}

/// A label of a prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PredictedLabel {
    /// Identifier of the project's label.
    pub id: Id,
    /// Probability in `0..=1`.
    pub probability: f64,
}

/// The answer of `active:explain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// One saliency map a label.
    pub maps: Vec<SaliencyMapData>,
    /// When it was made.
    #[serde(
        default,
        deserialize_with = "time::lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub created: Option<Time>,
    /// What it is about; left out when the image was sent along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_identifier: Option<MediaIdentifier>,
}

/// A saliency map as an image file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaliencyMapData {
    /// The image file in base64.
    pub data: String,
    /// Identifier of the label; left out for a map of the whole image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_id: Option<Id>,
}
