//! Hugging Face's files beside a model: `config.json` and `preprocessor_config.json`.

use serde_json::Value;

use super::Origin;
use super::draft::Draft;
use super::evidence::Evidence;
use crate::DeployError;
use crate::custom::{Channels, Interpolation};
use crate::folder;

const PROCESSOR: &str = "preprocessor_config.json";
/// Keys that are read.
const READ: [&str; 18] = [
    "crop_pct",
    "crop_size",
    "do_center_crop",
    "do_flip_channel_order",
    "do_normalize",
    "do_rescale",
    "do_resize",
    "feature_extractor_type",
    "image_mean",
    "image_processor_type",
    "image_std",
    "include_top",
    "pad_size",
    "resample",
    "rescale_factor",
    "rescale_offset",
    "size",
    "size_divisor",
];
/// Keys that change no pixel of one RGB image.
const HARMLESS: [&str; 17] = [
    "_valid_processor_keys",
    "annotation_format",
    "data_format",
    "default_to_square",
    "device",
    "disable_grouping",
    "do_convert_annotations",
    "do_convert_rgb",
    // Images are padded to the largest of a batch, which has one here.
    "do_pad",
    "do_reduce_labels",
    "format",
    "input_data_format",
    "processor_class",
    "return_segmentation_masks",
    "return_tensors",
    "ignore_index",
    "num_labels",
];
/// Processors whose code does more than their keys say.
const OWN_RULES: [&str; 5] = ["Levit", "Bridgetower", "Vilt", "Glpn", "Mask2Former"];

/// Reads what lies beside the model.
pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<(), DeployError> {
    let file = |name: &str| -> Result<Option<Value>, DeployError> {
        let path = evidence.model.with_file_name(name);
        path.exists().then(|| folder::read_json(&path)).transpose()
    };
    if let Some(config) = file("config.json")? {
        labels(&config, draft);
    }
    if let Some(processor) = file(PROCESSOR)? {
        check(&processor, evidence)?;
        pixels(&processor, draft);
        fit(&processor, evidence, draft)?;
    }
    Ok(())
}

fn labels(config: &Value, draft: &mut Draft) {
    let Some(names) = config["id2label"].as_object() else {
        return;
    };
    let names: Option<Vec<String>> = (0..names.len())
        .map(|class| names.get(&class.to_string())?.as_str().map(str::to_owned))
        .collect();
    draft.labels = names;
}

/// Refuses what is not understood.
fn check(processor: &Value, evidence: &Evidence<'_>) -> Result<(), DeployError> {
    let keys = processor.as_object().into_iter().flatten();
    let strange = keys
        .filter(|(_, value)| !value.is_null() && value.as_bool() != Some(false))
        .map(|(key, _)| key.as_str())
        .find(|key| !READ.contains(key) && !HARMLESS.contains(key));
    if let Some(key) = strange {
        return Err(refused(evidence, &format!("its `{key}` is not understood")));
    }
    let kind = ["image_processor_type", "feature_extractor_type"];
    let kind = kind.iter().find_map(|key| processor[key].as_str());
    let kind = kind.filter(|kind| OWN_RULES.iter().any(|own| kind.starts_with(own)));
    if let Some(kind) = kind {
        let reason = format!("`{kind}` does more to images than its keys say");
        return Err(refused(evidence, &reason));
    }
    Ok(())
}

fn refused(evidence: &Evidence<'_>, reason: &str) -> DeployError {
    evidence.refused(format!(
        "{PROCESSOR} beside it: {reason}; move the file away, and say what it means with --set \
         input.resize, input.mean and input.scale"
    ))
}

fn is_on(processor: &Value, key: &str, default: bool) -> bool {
    processor[key].as_bool().unwrap_or(default)
}

fn pixels(processor: &Value, draft: &mut Draft) {
    let factor = processor["rescale_factor"].as_f64().unwrap_or(1.0 / 255.0);
    let factor = if is_on(processor, "do_rescale", true) {
        factor
    } else {
        1.0
    };
    // `EfficientNet`: 1 is taken off the rescaled pixels.
    let offset = f64::from(u8::from(is_on(processor, "rescale_offset", false)));
    let numbers = |key: &str| -> Option<Vec<f64>> {
        processor[key]
            .as_array()?
            .iter()
            .map(Value::as_f64)
            .collect()
    };
    let given = numbers("image_mean").zip(numbers("image_std"));
    let (mean, mut deviation) = match (processor["do_normalize"].as_bool(), given) {
        (Some(true), Some(given)) => given,
        (Some(false), _) => (vec![0.0; 3], vec![1.0; 3]),
        _ => return,
    };
    // `EfficientNet` as well: the result is divided by the deviation once more.
    if is_on(processor, "include_top", false) {
        for value in &mut deviation {
            *value *= *value;
        }
    }
    let mean: Vec<f64> = mean.iter().map(|mean| (mean + offset) / factor).collect();
    let scale: Vec<f64> = deviation.iter().map(|value| value / factor).collect();
    draft.pixels(&mean, &scale, Origin::File, PROCESSOR);
    if is_on(processor, "do_flip_channel_order", false) {
        draft.input.channels = Channels::Bgr;
        draft.say("input.channels", Origin::File, PROCESSOR);
    }
}

/// Width and height, or the length of the shorter side.
#[derive(Clone, Copy)]
enum Target {
    Sides([u32; 2]),
    Shorter(u32),
}

impl Target {
    fn of(value: &Value) -> Option<Self> {
        let side = |value: &Value| value.as_u64().and_then(|side| u32::try_from(side).ok());
        let sides = side(&value["width"]).zip(side(&value["height"]));
        let both = side(value).map(|side| (side, side));
        match sides.or(both) {
            Some((width, height)) => Some(Self::Sides([width, height])),
            None if value["longest_edge"].is_null() => {
                side(&value["shortest_edge"]).map(Self::Shorter)
            }
            None => None,
        }
    }
}

/// How images are brought to the input.
fn fit(processor: &Value, evidence: &Evidence<'_>, draft: &mut Draft) -> Result<(), DeployError> {
    let unknown = |what: &str| {
        let reason = format!("{what}, which a description cannot say");
        Err(refused(evidence, &reason))
    };
    if !is_on(processor, "do_resize", true) {
        return unknown("it does not resize images");
    }
    if processor["size"].is_null() {
        return Ok(());
    }
    if ["pad_size", "size_divisor"]
        .iter()
        .any(|key| !processor[key].is_null())
    {
        return unknown("it pads images to a size");
    }
    draft.input.interpolation = match processor["resample"].as_u64() {
        Some(3) => Interpolation::PillowBicubic,
        Some(2) => Interpolation::PillowBilinear,
        None => draft.input.interpolation,
        Some(other) => return unknown(&format!("its `resample` is {other}")),
    };
    let Some(size) = Target::of(&processor["size"]) else {
        return unknown(&format!("its `size` is {}", processor["size"]));
    };
    let crop = is_on(processor, "do_center_crop", false)
        .then(|| Target::of(&processor["crop_size"]))
        .flatten();
    let part = processor["crop_pct"].as_f64();
    let input = match (size, crop, part) {
        (Target::Shorter(side), None, Some(part)) => conv_next(draft, side, part),
        (size, Some(Target::Sides(input)), part) => {
            cut(draft, size, part.unwrap_or(1.0));
            input
        }
        (Target::Sides(input), None, None) => {
            draft.resize("stretch", 0, Origin::File, PROCESSOR);
            input
        }
        _ => {
            return unknown(&format!(
                "its `size` is {} and nothing is cut out",
                processor["size"]
            ));
        }
    };
    let open = evidence.input.shape.iter().skip(1).any(Option::is_none);
    if open {
        draft.input.size = Some(input);
        draft.say("input.size", Origin::File, PROCESSOR);
    }
    Ok(())
}

/// `ConvNeXT` and its kin: below 384 a part is cut out, from there on the image is stretched.
fn conv_next(draft: &mut Draft, side: u32, part: f64) -> [u32; 2] {
    const WHOLE: u32 = 384;
    if side < WHOLE {
        cut(draft, Target::Shorter(side), part);
    } else {
        draft.resize("stretch", 0, Origin::File, PROCESSOR);
    }
    [side; 2]
}

/// Scales to a size over a part of 0 to 1, then cuts the middle out.
fn cut(draft: &mut Draft, size: Target, part: f64) {
    let scaled = |side: u32| (f64::from(side) / part) as u32;
    match size {
        Target::Shorter(side) => draft.input.shorter_side = Some(scaled(side)),
        Target::Sides(sides) => draft.input.scaled_size = Some(sides.map(scaled)),
    }
    let why = format!("{PROCESSOR}: scaled, the middle cut out");
    draft.resize("crop", 0, Origin::File, &why);
}
