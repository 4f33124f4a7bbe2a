use serde::{Deserialize, Serialize};
use straylight_core::TaskType;
use straylight_tasks as tasks;
pub use straylight_tasks::Column;

/// What a model's outputs mean, by their names; outputs that are not named are not used.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputDescription {
    /// Class scores: of the image, of each box (N, or N x classes), or of each pixel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores: Option<String>,
    /// What has to be done with scores to get probabilities; a classifier without it finds out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<Activation>,
    /// Whether a classifier has one score for two labels: that of the second.
    #[serde(skip_serializing_if = "is_false")]
    pub one_score: bool,
    /// The feature vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<String>,
    /// One saliency map a class, 8 bits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saliency_map: Option<String>,
    /// Boxes: N x 4, or N x 5 with the score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boxes: Option<String>,
    /// What the four numbers of `boxes` are.
    #[serde(skip_serializing_if = "BoxFormat::is_usual")]
    pub box_format: BoxFormat,
    /// Classes of the boxes, of the pixels, or whether the image is anomalous.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<String>,
    /// How many of the boxes count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<String>,
    /// All of a detector's results in one tensor of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detections: Option<String>,
    /// What the columns of `detections` are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// The axis of `detections` along which the candidates lie; found out by its length if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Axis>,
    /// In what boxes are measured.
    pub coordinates: Coordinates,
    /// Number of the first label in `classes`: 1 where 0 is the background.
    #[serde(skip_serializing_if = "is_zero")]
    pub first_class: i64,
    /// Place of the background among the scores.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<usize>,
    /// Whether a box may count for several classes.
    #[serde(skip_serializing_if = "is_false")]
    pub several_classes: bool,
    /// The grids to which raw boxes refer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<GridDescription>,
    /// Masks of the boxes, or of what is anomalous.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masks: Option<String>,
    /// What a mask covers.
    #[serde(skip_serializing_if = "MaskArea::is_usual")]
    pub mask_area: MaskArea,
    /// What has to be done with a mask to get probabilities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_activation: Option<Activation>,
    /// Prototypes of masks, for `columns` with `mask_coefficients`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prototypes: Option<String>,
    /// Names of the key points of each box, for `columns` with `key_points`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_points: Vec<String>,
    /// How anomalous each pixel is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anomaly_map: Option<String>,
}

/// What has to be done with scores to get probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Nothing.
    None,
    /// The sigmoid of each.
    Sigmoid,
    /// The softmax over the classes.
    Softmax,
}

/// The four numbers of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BoxFormat {
    /// Left, upper, right, lower edge.
    #[default]
    Corners,
    /// Upper, left, lower, right edge.
    CornersYx,
    /// Column and row of the centre, width, height.
    Centre,
    /// Left and upper edge, width, height.
    LeftTopSize,
}

/// In what a detector measures boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coordinates {
    /// Pixels of the model's input.
    #[default]
    Pixels,
    /// Parts of the input's sides, 0 to 1.
    Fractions,
    /// Pixels of the image.
    ImagePixels,
    /// Parts of the image's sides, 0 to 1.
    ImageFractions,
}

/// An axis of a tensor of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Axis {
    /// Each candidate is a row.
    Rows,
    /// Each candidate is a column.
    Columns,
}

/// What a mask covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaskArea {
    /// The box of its object.
    #[default]
    Box,
    /// The model's input.
    Input,
}

/// The grids to which raw boxes refer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GridDescription {
    /// Pixels for each cell, one for each grid, rising.
    pub strides: Vec<u32>,
    /// Width and height of each anchor, for each grid; empty for detectors without anchors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub anchors: Vec<Vec<[f32; 2]>>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_false(switch: &bool) -> bool {
    !switch
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl BoxFormat {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl MaskArea {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

impl From<Activation> for tasks::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::None => Self::None,
            Activation::Sigmoid => Self::Sigmoid,
            Activation::Softmax => Self::Softmax,
        }
    }
}

impl From<BoxFormat> for tasks::BoxFormat {
    fn from(format: BoxFormat) -> Self {
        match format {
            BoxFormat::Corners => Self::Corners,
            BoxFormat::CornersYx => Self::CornersYx,
            BoxFormat::Centre => Self::Centre,
            BoxFormat::LeftTopSize => Self::LeftTopSize,
        }
    }
}

impl From<Coordinates> for tasks::BoxUnit {
    fn from(coordinates: Coordinates) -> Self {
        match coordinates {
            Coordinates::Pixels => Self::Pixels,
            Coordinates::Fractions => Self::Fractions,
            Coordinates::ImagePixels => Self::ImagePixels,
            Coordinates::ImageFractions => Self::ImageFractions,
        }
    }
}

/// Tasks that find boxes.
pub(super) fn finds_boxes(task: TaskType) -> bool {
    matches!(
        task,
        TaskType::Detection
            | TaskType::RotatedDetection
            | TaskType::InstanceSegmentation
            | TaskType::KeypointDetection
    )
}

/// Tasks that say whether an image is normal.
pub(super) fn is_anomaly(task: TaskType) -> bool {
    matches!(
        task,
        TaskType::Anomaly
            | TaskType::AnomalyClassification
            | TaskType::AnomalyDetection
            | TaskType::AnomalySegmentation
    )
}

impl OutputDescription {
    /// The first key that cannot be, and why.
    pub(super) fn check(
        &self,
        task: TaskType,
        labels: usize,
    ) -> Result<(), (&'static str, String)> {
        let wrong = |key, reason: &str| Err((key, reason.to_owned()));
        let lacks = |name: &Option<String>| name.is_none();
        match task {
            TaskType::Classification if lacks(&self.scores) => {
                wrong("outputs.scores", "a classifier needs it")
            }
            TaskType::Classification if self.one_score && labels != 2 => {
                wrong("outputs.one_score", "is for two labels")
            }
            TaskType::Segmentation if lacks(&self.scores) && lacks(&self.classes) => wrong(
                "outputs.scores",
                "a segmentation needs it, or outputs.classes",
            ),
            _ if is_anomaly(task) && labels != 2 => wrong(
                "labels",
                "an anomaly model has two: the normal one, then the anomalous one",
            ),
            _ if is_anomaly(task) && lacks(&self.scores) && lacks(&self.anomaly_map) => wrong(
                "outputs.scores",
                "an anomaly model needs it, or outputs.anomaly_map",
            ),
            TaskType::Classification | TaskType::Segmentation => Ok(()),
            _ if is_anomaly(task) => Ok(()),
            _ if finds_boxes(task) => self.check_boxes(task),
            _ => wrong("task", "no model does this"),
        }
    }

    fn check_boxes(&self, task: TaskType) -> Result<(), (&'static str, String)> {
        let wrong = |key, reason: &str| Err((key, reason.to_owned()));
        let has = |column| self.columns.contains(&column);
        match (&self.boxes, &self.detections) {
            (None, None) => {
                return wrong(
                    "outputs.boxes",
                    "a detector needs it, or outputs.detections",
                );
            }
            (Some(_), Some(_)) => {
                return wrong("outputs.detections", "excludes outputs.boxes");
            }
            (Some(_), None) if !self.columns.is_empty() => {
                return wrong("outputs.columns", "goes with outputs.detections");
            }
            _ => {}
        }
        if has(Column::MaskCoefficients) != self.prototypes.is_some() {
            return wrong(
                "outputs.prototypes",
                "goes with a column `mask_coefficients`",
            );
        }
        let points = has(Column::KeyPoints) || has(Column::KeyPointsWithoutScore);
        if points == self.key_points.is_empty() {
            return wrong("outputs.key_points", "goes with a column `key_points`");
        }
        match task {
            TaskType::InstanceSegmentation if self.masks.is_none() && self.prototypes.is_none() => {
                wrong(
                    "outputs.masks",
                    "an instance segmentation needs it, or outputs.prototypes",
                )
            }
            TaskType::RotatedDetection if !has(Column::Angle) => {
                wrong("outputs.columns", "a rotated detection needs an `angle`")
            }
            TaskType::KeypointDetection if !points => wrong(
                "outputs.columns",
                "a key point detection needs `key_points`",
            ),
            _ => Ok(()),
        }
    }
}
