use serde::{Deserialize, Serialize};
use straylight_core::TaskType;

/// How a model's image is made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InputDescription {
    /// Width and height that images are brought to, for a model that leaves its size open;
    /// without it such a model gets each image at its own size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[u32; 2]>,
    /// Order of the axes, `NCHW` or `NHWC`; told by the shape if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    /// Order of the channels.
    pub channels: Channels,
    /// Subtracted from each channel (0 to 255), one value or three.
    pub mean: Vec<f64>,
    /// Each channel is divided by it, one value or three.
    pub scale: Vec<f64>,
    /// `stretch`, `fit`, `letterbox` or `crop` (Geti's names `standard`, `fit_to_window` and
    /// `fit_to_window_letterbox` are known as well: the last scales places back by one factor for
    /// both sides); `stretch` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<String>,
    /// For `crop`: the length to which the shorter side is scaled before the middle is cut out;
    /// without it the largest square is cut out and scaled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shorter_side: Option<u32>,
    /// For `crop`: width and height to which the image is stretched before the middle is cut out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaled_size: Option<[u32; 2]>,
    /// For `letterbox` and a model that leaves its size open: only as much padding as makes each
    /// side a multiple of it, so that `size` is the largest input, not each one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub padding_multiple: Option<u32>,
    /// How pixels between pixels are found.
    #[serde(skip_serializing_if = "Interpolation::is_usual")]
    pub interpolation: Interpolation,
    /// Grey level of the padding.
    pub pad_value: u8,
}

/// The order of a model's colour channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red first.
    #[default]
    Rgb,
    /// Blue first.
    Bgr,
}

/// How an image is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpolation {
    /// Between the two nearest pixels of each axis, as OpenCV, OpenVINO and `TensorFlow` do.
    #[default]
    Bilinear,
    /// The same in the fixed-point arithmetic of `cv2.resize`: it differs by one level of 255 in
    /// some pixels.
    OpencvBilinear,
    /// Over all pixels that a new one covers, as Pillow and `torchvision` do.
    PillowBilinear,
    /// The same with a cubic function.
    PillowBicubic,
}

impl Interpolation {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// Its name in `model_info`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bilinear => "bilinear",
            Self::OpencvBilinear => "opencv_bilinear",
            Self::PillowBilinear => "pillow_bilinear",
            Self::PillowBicubic => "pillow_bicubic",
        }
    }
}

impl InputDescription {
    /// The name of its resizing in `model_info`.
    pub(super) fn resize_type(&self) -> &str {
        match self.resize.as_deref() {
            None | Some("stretch") => "standard",
            Some("fit") => "fit_to_window",
            Some(other) => other,
        }
    }

    /// The first key that cannot be, and why.
    pub(super) fn check(&self, task: TaskType) -> Result<(), (&'static str, String)> {
        let layout = self.layout.as_deref();
        if layout.is_some_and(|layout| layout != "NCHW" && layout != "NHWC") {
            return Err(("input.layout", "is neither NCHW nor NHWC".to_owned()));
        }
        if self.size.is_some_and(|size| size.contains(&0)) {
            return Err(("input.size", "no side can be 0".to_owned()));
        }
        self.check_cut(task)?;
        match self.padding_multiple {
            Some(0) => Err(("input.padding_multiple", "cannot be 0".to_owned())),
            Some(_) if self.resize_type() != "letterbox" => {
                let reason = "goes with `resize: letterbox` only";
                Err(("input.padding_multiple", reason.to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// What is cut out of a scaled image.
    fn check_cut(&self, task: TaskType) -> Result<(), (&'static str, String)> {
        let key = match (self.shorter_side, self.scaled_size) {
            (None, None) => return Ok(()),
            (Some(_), Some(_)) => {
                let reason = "excludes `shorter_side`";
                return Err(("input.scaled_size", reason.to_owned()));
            }
            (Some(_), None) => "input.shorter_side",
            (None, Some(_)) => "input.scaled_size",
        };
        if self.resize_type() != "crop" {
            return Err((key, "goes with `resize: crop` only".to_owned()));
        }
        if task != TaskType::Classification {
            let reason = "is for classifiers: places are lost that are cut away";
            return Err((key, reason.to_owned()));
        }
        Ok(())
    }
}
