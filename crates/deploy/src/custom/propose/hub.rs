//! Hugging Face's files beside a model: `config.json` and `preprocessor_config.json`.

use serde_json::Value;

use super::Origin;
use super::draft::Draft;
use super::evidence::Evidence;
use crate::DeployError;
use crate::custom::Interpolation;
use crate::folder;

/// Reads what lies beside the model.
pub(super) fn read(evidence: &Evidence<'_>, draft: &mut Draft) -> Result<(), DeployError> {
    let file = |name: &str| -> Result<Option<Value>, DeployError> {
        let path = evidence.model.with_file_name(name);
        path.exists().then(|| folder::read_json(&path)).transpose()
    };
    if let Some(config) = file("config.json")? {
        labels(&config, draft);
    }
    if let Some(processor) = file("preprocessor_config.json")? {
        pixels(&processor, draft);
        fit(&processor, evidence, draft);
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

fn pixels(processor: &Value, draft: &mut Draft) {
    let rescales = processor["do_rescale"].as_bool().unwrap_or(true);
    let normalises = processor["do_normalize"].as_bool();
    let factor = processor["rescale_factor"].as_f64().unwrap_or(1.0 / 255.0);
    let factor = if rescales { 1.0 / factor } else { 1.0 };
    let numbers = |key: &str| -> Option<Vec<f64>> {
        processor[key]
            .as_array()?
            .iter()
            .map(Value::as_f64)
            .collect()
    };
    let scaled = |values: &[f64]| {
        values
            .iter()
            .map(|value| value * factor)
            .collect::<Vec<_>>()
    };
    match (normalises, numbers("image_mean"), numbers("image_std")) {
        (Some(true), Some(mean), Some(deviation)) => {
            draft.pixels(
                &scaled(&mean),
                &scaled(&deviation),
                Origin::File,
                "preprocessor_config.json",
            );
        }
        (Some(false), _, _) => {
            draft.pixels(
                &[],
                &[factor],
                Origin::File,
                "preprocessor_config.json: no mean",
            );
        }
        _ => {}
    }
}

fn fit(processor: &Value, evidence: &Evidence<'_>, draft: &mut Draft) {
    let side = |value: &Value| value.as_u64().and_then(|side| u32::try_from(side).ok());
    let size = &processor["size"];
    let shortest = side(&size["shortest_edge"]);
    let crop = &processor["crop_size"];
    let crops = processor["do_center_crop"].as_bool().unwrap_or(false);
    let (width, height) = if crops {
        (
            side(&crop["width"]).or(side(crop)),
            side(&crop["height"]).or(side(crop)),
        )
    } else {
        (
            side(&size["width"]).or(side(size)),
            side(&size["height"]).or(side(size)),
        )
    };
    draft.input.interpolation = match processor["resample"].as_u64() {
        Some(3) => Interpolation::PillowBicubic,
        Some(2) => Interpolation::PillowBilinear,
        _ => draft.input.interpolation,
    };
    if let (true, Some(shortest)) = (crops, shortest) {
        draft.input.shorter_side = Some(shortest);
        draft.resize(
            "crop",
            0,
            Origin::File,
            "preprocessor_config.json: shorter side, middle cut out",
        );
    } else if width.is_some() {
        draft.resize("stretch", 0, Origin::File, "preprocessor_config.json");
    }
    let open = evidence.input.shape.iter().skip(1).any(Option::is_none);
    if let (true, Some(width), Some(height)) = (open, width, height) {
        draft.input.size = Some([width, height]);
        draft.say("input.size", Origin::File, "preprocessor_config.json");
    }
}
