//! What ONNX defines that a model may say of its image: `Image.BitmapPixelFormat`,
//! `Image.NominalPixelRange` and `Image.ColorSpaceGamma` in its metadata (ONNX, "Metadata").

use super::Origin;
use super::draft::Draft;
use super::evidence::Evidence;
use crate::DeployError;
use crate::custom::Channels;

const FORMAT: &str = "Image.BitmapPixelFormat";
const RANGE: &str = "Image.NominalPixelRange";
const GAMMA: &str = "Image.ColorSpaceGamma";

/// Reads what the metadata say; refuses what is not done here.
pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<(), DeployError> {
    let refused = |key: &str, value: &str| {
        Err(evidence.refused(format!(
            "its metadata say `{key}` = `{value}`, which is not done to images here"
        )))
    };
    match evidence.metadata(FORMAT) {
        None => {}
        Some("Rgb8" | "Rgba8") => draft.say("input.channels", Origin::File, FORMAT),
        Some("Bgr8" | "Bgra8") => {
            draft.input.channels = Channels::Bgr;
            draft.say("input.channels", Origin::File, FORMAT);
        }
        Some(other) => return refused(FORMAT, other),
    }
    match evidence.metadata(RANGE) {
        None => {}
        Some("NominalRange_0_255") => draft.pixels(&[], &[], Origin::File, RANGE),
        Some("Normalized_0_1") => draft.pixels(&[], &[255.0], Origin::File, RANGE),
        Some("Normalized_1_1") => draft.pixels(&[127.5], &[127.5], Origin::File, RANGE),
        Some(other) => return refused(RANGE, other),
    }
    match evidence.metadata(GAMMA) {
        None | Some("SRGB") => Ok(()),
        Some(other) => refused(GAMMA, other),
    }
}
