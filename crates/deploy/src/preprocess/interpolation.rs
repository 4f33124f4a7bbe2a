use straylight_core::RgbImage;
use straylight_image::resize;
use straylight_tasks::Size;

use crate::DeployError;
use crate::config::Config;

/// How an image is scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interpolation {
    /// Between the two nearest pixels of each axis.
    Bilinear,
    /// Over all pixels that a new one covers, as Pillow does.
    PillowBilinear,
    /// The same with a cubic function.
    PillowBicubic,
}

impl Interpolation {
    /// What a model's configuration says; bilinear without a word.
    pub(super) fn of(config: &Config) -> Result<Self, DeployError> {
        match config.text("interpolation") {
            None | Some("bilinear") => Ok(Self::Bilinear),
            Some("pillow_bilinear") => Ok(Self::PillowBilinear),
            Some("pillow_bicubic") => Ok(Self::PillowBicubic),
            Some(other) => {
                let reason =
                    format!("`{other}` is not known: bilinear, pillow_bilinear, pillow_bicubic");
                Err(config.wrong("interpolation", reason))
            }
        }
    }

    /// Scales an image.
    pub(super) fn scale(self, image: &RgbImage, size: Size) -> RgbImage {
        let (width, height) = (size.width, size.height);
        match self {
            Self::Bilinear => resize::bilinear_openvino(image, width, height),
            Self::PillowBilinear => resize::bilinear_pillow(image, width, height),
            Self::PillowBicubic => resize::bicubic_pillow(image, width, height),
        }
    }
}
