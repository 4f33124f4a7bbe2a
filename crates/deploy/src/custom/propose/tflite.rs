//! TFLite models that OpenVINO does not compute as TFLite does.

use straylight_engine::graph::{ModelDetail, ModelFacts, TfliteModel, TfliteOperator, TfliteType};

/// Convolutions and linear layers of this many may be off by a few steps of 1/256.
const SHALLOW: usize = 4;
/// `CONV_2D`, `DEPTHWISE_CONV_2D`, `FULLY_CONNECTED`.
const LINEAR: [i32; 3] = [3, 4, 9];

/// Why a model cannot be run, or not with TFLite's results; `None` when it can.
pub(super) fn refusal(facts: &ModelFacts) -> Option<String> {
    let ModelDetail::Tflite(model) = &facts.detail else {
        return None;
    };
    foreign(model).or_else(|| other_integers(model))
}

/// An operation of another maker.
fn foreign(model: &TfliteModel) -> Option<String> {
    let mut names = model.operators.iter().map(|one| one.custom.as_str());
    let name = names.find(|name| !name.is_empty())?;
    let way_out = if name == "TFLite_Detection_PostProcess" {
        "export the detector without it (its raw boxes and scores), or as ONNX or SavedModel"
    } else {
        "export the model without it"
    };
    Some(format!(
        "it has the operation `{name}`, which OpenVINO does not know: {way_out}"
    ))
}

/// Deep networks of integers whose weights have a scale for each channel.
///
/// OpenVINO 2026.4 rounds otherwise than TFLite; measured with `MobileNetV2` of 53 layers: up
/// to 0.3 in a probability.
fn other_integers(model: &TfliteModel) -> Option<String> {
    let layers = model.operators.iter().filter(|one| is_integer_layer(one));
    let layers = layers.count();
    (layers > SHALLOW).then(|| {
        format!(
            "it computes with 8-bit integers, and the weights of {layers} layers have a scale for each \
             channel: OpenVINO rounds such networks otherwise than TFLite, and the deeper they are the \
             further scores are off (by 0.3 with MobileNetV2); export it without quantisation, or \
             quantise an OpenVINO model with NNCF"
        )
    })
}

fn is_integer_layer(operator: &TfliteOperator) -> bool {
    let [Some(values), Some(weights), ..] = operator.inputs.as_slice() else {
        return false;
    };
    let scales = weights
        .quantisation
        .as_ref()
        .map_or(0, |one| one.scale.len());
    LINEAR.contains(&operator.code) && values.element == TfliteType::I8 && scales > 1
}
