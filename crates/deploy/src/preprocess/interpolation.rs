use straylight_core::RgbImage;
use straylight_image::resize;
use straylight_tasks::Size;

use crate::DeployError;
use crate::config::Config;

/// How an image is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interpolation {
    /// As OpenVINO's `Interpolate` does, which ModelAPI builds into its models.
    OpenVino(resize::Interpolation),
    /// As `cv2.resize` does with `INTER_LINEAR`.
    OpencvBilinear,
    /// Over all pixels that a new one covers, as Pillow does.
    PillowBilinear,
    /// The same with a cubic function.
    PillowBicubic,
}

impl Interpolation {
    /// What a model's configuration says; bilinear without a word.
    pub(super) fn of(config: &Config) -> Result<Self, DeployError> {
        match config.text("interpolation") {
            None | Some("bilinear") => Ok(Self::OpenVino(of_model_api(config)?)),
            Some("opencv_bilinear") => Ok(Self::OpencvBilinear),
            Some("pillow_bilinear") => Ok(Self::PillowBilinear),
            Some("pillow_bicubic") => Ok(Self::PillowBicubic),
            Some(other) => {
                let reason = format!(
                    "`{other}` is not known: bilinear, opencv_bilinear, pillow_bilinear, \
                     pillow_bicubic"
                );
                Err(config.wrong("interpolation", reason))
            }
        }
    }

    /// Whether it takes single pixels.
    pub(super) fn is_nearest(self) -> bool {
        self == Self::OpenVino(resize::Interpolation::Nearest)
    }

    /// Scales an image into one line for each row, of at least its length.
    pub(super) fn scale_into<'a>(
        self,
        image: &RgbImage,
        size: Size,
        lines: impl Iterator<Item = &'a mut [u8]>,
    ) {
        let (width, height) = (size.width, size.height);
        match self {
            Self::OpenVino(resize::Interpolation::Linear) => {
                resize::bilinear_openvino_into(image, width, height, lines);
            }
            Self::OpencvBilinear => resize::bilinear_cv_into(image, width, height, lines),
            _ => {
                let scaled = self.scale(image, size);
                let rows = scaled.data().chunks_exact(scaled.width() as usize * 3);
                for (row, line) in rows.zip(lines) {
                    line[..row.len()].copy_from_slice(row);
                }
            }
        }
    }

    /// Scales an image.
    pub(super) fn scale(self, image: &RgbImage, size: Size) -> RgbImage {
        let (width, height) = (size.width, size.height);
        match self {
            Self::OpenVino(filter) => resize::openvino(image, width, height, filter),
            Self::OpencvBilinear => resize::bilinear_cv(image, width, height),
            Self::PillowBilinear => resize::bilinear_pillow(image, width, height),
            Self::PillowBicubic => resize::bicubic_pillow(image, width, height),
        }
    }

    /// The filter for images of other than 8 bits; `None` when there is none.
    pub(super) fn of_values(self) -> Option<resize::Interpolation> {
        match self {
            Self::OpenVino(filter) => Some(filter),
            Self::OpencvBilinear | Self::PillowBilinear | Self::PillowBicubic => None,
        }
    }
}

/// ModelAPI's `interpolation_mode`.
fn of_model_api(config: &Config) -> Result<resize::Interpolation, DeployError> {
    let key = "interpolation_mode";
    match config.text(key).map(str::to_ascii_uppercase).as_deref() {
        None | Some("LINEAR") => Ok(resize::Interpolation::Linear),
        Some("CUBIC") => Ok(resize::Interpolation::Cubic),
        Some("NEAREST") => Ok(resize::Interpolation::Nearest),
        Some(other) => {
            let reason = format!("`{other}` is not known: known are LINEAR, CUBIC and NEAREST");
            Err(config.wrong(key, reason))
        }
    }
}
