//! The published JSON schema of descriptions says what the program reads.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::path::Path;

use serde_json::{Value, json};
use straylight_deploy::custom::ModelDescription;

fn schema() -> Value {
    common::json(&common::root().join("docs/src/straylight.schema.json"))
}

/// A description with every key.
fn full() -> Value {
    json!({
        "version": 1, "model": "m.onnx", "name": "n", "task": "detection", "labels": ["a", "b"],
        "empty_label": "No object",
        "input": {
            "size": [640, 480], "layout": "NCHW", "channels": "rgb", "mean": [1.0], "scale": [2.0],
            "resize": "fit", "shorter_side": 256, "scaled_size": [256, 256], "padding_multiple": 32,
            "interpolation": "pillow_bicubic", "pad_value": 114
        },
        "outputs": {
            "scores": "s", "activation": "sigmoid", "one_score": true, "features": "f",
            "saliency_map": "m", "boxes": "b", "box_format": "centre", "classes": "c", "count": "n",
            "detections": "d", "columns": ["x"], "candidates": "rows", "coordinates": "fractions",
            "first_class": 1, "background": 0, "several_classes": true,
            "grid": {"strides": [8], "anchors": [[[1.0, 2.0]]]}, "masks": "k", "mask_area": "input",
            "mask_activation": "none", "prototypes": "p", "key_points": ["nose"], "anomaly_map": "a"
        },
        "options": {}
    })
}

/// The paths of all properties of a schema.
fn properties(schema: &Value, path: &str, found: &mut Vec<String>) {
    for (key, value) in schema["properties"].as_object().into_iter().flatten() {
        let own = format!("{path}/{key}");
        properties(value, &own, found);
        found.push(own);
    }
}

/// The paths of all keys of a description.
fn keys(value: &Value, path: &str, found: &mut Vec<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let own = format!("{path}/{key}");
        keys(value, &own, found);
        found.push(own);
    }
}

fn parses(description: &Value) -> Result<(), String> {
    let parsed: Result<ModelDescription, _> = serde_json::from_value(description.clone());
    parsed.map(drop).map_err(|error| error.to_string())
}

#[test]
fn the_schema_has_the_keys_of_the_program() {
    let description: ModelDescription = serde_json::from_value(full()).unwrap();
    let (mut expected, mut found) = (Vec::new(), Vec::new());
    keys(&serde_json::to_value(description).unwrap(), "", &mut found);
    properties(&schema(), "", &mut expected);
    expected.retain(|path| path != "/$schema" && !path.starts_with("/options"));
    found.retain(|path| !path.starts_with("/options"));
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn the_schema_has_the_words_of_the_program() {
    let (schema, mut paths) = (schema(), Vec::new());
    properties(&schema, "", &mut paths);
    let mut words = 0;
    for path in paths {
        let in_schema = path.replace('/', "/properties/");
        let property = schema.pointer(&in_schema).unwrap();
        let (listed, is_list) = match (&property["enum"], &property["items"]["enum"]) {
            (Value::Array(listed), _) => (listed, false),
            (_, Value::Array(listed)) => (listed, true),
            _ => continue,
        };
        for word in listed.iter().chain(&[json!("nonsense")]) {
            let mut description = full();
            let value = if is_list { json!([word]) } else { word.clone() };
            *description.pointer_mut(&path).unwrap() = value;
            // Two words are checked later, with the rest of the description.
            let free = path == "/input/layout" || path == "/input/resize";
            let wanted = word != "nonsense" || free;
            assert_eq!(parses(&description).is_ok(), wanted, "{path} = {word}");
            words += 1;
        }
    }
    assert!(words > 50, "{words}");
}

#[test]
fn options_are_those_of_the_schema() {
    let schema = schema();
    let options = schema["properties"]["options"]["properties"]
        .as_object()
        .unwrap();
    let text = |key: &str| {
        json!({"version": 1, "model": "m.onnx", "task": "classification", "labels": ["a"],
               "outputs": {"scores": "s"}, "options": {key: 1}})
        .to_string()
    };
    let path = Path::new("straylight.json");
    for key in options.keys() {
        ModelDescription::parse(&text(key), path).unwrap();
    }
    let error = ModelDescription::parse(&text("treshold"), path).unwrap_err();
    let known = error.to_string();
    assert!(
        options.keys().all(|key| known.contains(key.as_str())),
        "{known}"
    );
}
