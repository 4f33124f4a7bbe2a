use std::str::FromStr;

use crate::ResizeType;

/// The families of models whose outputs can be read (`model_type`, as `ModelAPI` names them).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ModelType {
    /// Image classifiers of every kind.
    Classification,
    /// Detectors that give boxes, labels and scores in one of several layouts.
    Ssd,
    /// `YOLOv5`, `YOLOv8` and YOLO11: one output, 1 x (4 + classes) x N.
    YoloV5,
    /// YOLOX: one output, 1 x N x (5 + classes), relative to a grid.
    YoloX,
    /// Instance segmentation with one small mask per box.
    MaskRcnn,
    /// Instance segmentation with masks that cover the whole image.
    DetrInstanceSegmentation,
    /// Semantic segmentation.
    Segmentation,
    /// Anomaly detection of every kind.
    Anomaly,
    /// Key points by `SimCC`.
    Keypoints,
    /// Not said: the task decides.
    Unknown,
}

/// A `model_type` that no post-processing fits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this model type is not supported; known are Classification, SSD, YOLOv5, YOLOv8, YOLO11, \
     YOLOX, MaskRCNN, DETRInstSeg, Segmentation, AnomalyDetection and keypoint_detection"
)]
pub struct UnknownModelType;

impl FromStr for ModelType {
    type Err = UnknownModelType;

    fn from_str(text: &str) -> Result<Self, UnknownModelType> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "classification" => Self::Classification,
            "ssd" => Self::Ssd,
            "yolov5" | "yolov8" | "yolo11" => Self::YoloV5,
            "yolox" => Self::YoloX,
            "maskrcnn" => Self::MaskRcnn,
            "detrinstseg" => Self::DetrInstanceSegmentation,
            "segmentation" => Self::Segmentation,
            "anomalydetection" => Self::Anomaly,
            "keypoint_detection" => Self::Keypoints,
            _ => return Err(UnknownModelType),
        })
    }
}

/// Settings that a family of models has when its configuration is silent.
pub(super) struct Defaults {
    pub(super) resize: ResizeType,
    pub(super) confidence: f32,
    pub(super) iou: f64,
    pub(super) nms: bool,
    pub(super) agnostic: bool,
    pub(super) most: usize,
}

impl ModelType {
    pub(super) fn defaults(self) -> Defaults {
        let usual = Defaults {
            resize: ResizeType::Standard,
            confidence: 0.5,
            iou: 0.5,
            nms: false,
            agnostic: false,
            most: 200,
        };
        match self {
            Self::YoloV5 => Defaults {
                resize: ResizeType::FitToWindowLetterbox,
                confidence: 0.25,
                iou: 0.7,
                nms: true,
                most: 30_000,
                ..usual
            },
            Self::YoloX => Defaults {
                resize: ResizeType::FitToWindow,
                iou: 0.65,
                nms: true,
                agnostic: true,
                ..usual
            },
            _ => usual,
        }
    }
}

/// A `resize_type` that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("known are standard, fit_to_window, fit_to_window_letterbox, letterbox and crop")]
pub struct UnknownResizeType;

impl FromStr for ResizeType {
    type Err = UnknownResizeType;

    fn from_str(text: &str) -> Result<Self, UnknownResizeType> {
        match text {
            "standard" => Ok(Self::Standard),
            "fit_to_window" => Ok(Self::FitToWindow),
            "fit_to_window_letterbox" => Ok(Self::FitToWindowLetterbox),
            "letterbox" => Ok(Self::Letterbox),
            "crop" => Ok(Self::Crop),
            _ => Err(UnknownResizeType),
        }
    }
}
