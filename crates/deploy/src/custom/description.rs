use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use straylight_core::TaskType;
use yaml_rust2::{Yaml, YamlLoader};

use super::{InputDescription, OutputDescription};
use crate::DeployError;

/// The file names of a description, in the order in which they are looked for.
const FILES: [&str; 3] = ["straylight.json", "straylight.yaml", "straylight.yml"];
/// The version of the format that this program reads and writes.
const VERSION: u32 = 1;

/// The settings that `options` may hold.
const OPTIONS: [&str; 17] = [
    "agnostic_nms",
    "confidence_threshold",
    "image_threshold",
    "iou_threshold",
    "max_pred_number",
    "multilabel",
    "nms_execute",
    "nms_max_predictions",
    "normalization_scale",
    "pixel_threshold",
    "soft_threshold",
    "blur_strength",
    "tile_size",
    "tile_with_full_img",
    "tiles_overlap",
    "topk",
    "use_ellipse_shapes",
];

/// What a model's graph does not say about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelDescription {
    /// Where its JSON schema is, for editors.
    #[serde(rename = "$schema", default, skip_serializing)]
    pub schema: Option<String>,
    /// Version of the format, 1.
    pub version: u32,
    /// The model's file, beside the description.
    pub model: PathBuf,
    /// What people call it.
    #[serde(default)]
    pub name: String,
    /// What it does: `classification`, `detection`, `rotated_detection`, `instance_segmentation`,
    /// `segmentation`, `keypoint_detection` or one of the `anomaly` tasks.
    pub task: TaskType,
    /// Names of its classes in the order of its outputs.
    pub labels: Vec<String>,
    /// Name of the label for images in which nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty_label: Option<String>,
    /// How its image is made.
    #[serde(default)]
    pub input: InputDescription,
    /// What its outputs mean.
    #[serde(default)]
    pub outputs: OutputDescription,
    /// Further settings, by the names that Geti's `model_info` has for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, Value>,
}

impl ModelDescription {
    /// Reads a description from a JSON or YAML file.
    pub fn read(path: &Path) -> Result<Self, DeployError> {
        Self::parse(&straylight_files::read_to_string(path)?, path)
    }

    /// Reads a description from a text; `path` names it in errors, and `.json` asks for JSON.
    pub fn parse(text: &str, path: &Path) -> Result<Self, DeployError> {
        let wrong = |reason: String| DeployError::Json {
            path: path.to_owned(),
            reason,
        };
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        let parsed: Result<Self, _> = if is_json {
            serde_json::from_str(text)
        } else {
            serde_json::from_value(of_yaml(text).map_err(wrong)?)
        };
        let description = parsed.map_err(|error| wrong(error.to_string()))?;
        description.check(path)?;
        Ok(description)
    }

    /// What decides numbers, as text: all but its name for people.
    pub(crate) fn identity(&self) -> String {
        let nameless = Self {
            name: String::new(),
            ..self.clone()
        };
        nameless.to_json()
    }

    /// The text of the description as JSON.
    pub fn to_json(&self) -> String {
        // Plain data with text keys cannot fail to be JSON.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    fn check(&self, path: &Path) -> Result<(), DeployError> {
        let wrong = |key: &str, reason: &str| Err(DeployError::config(path, key, reason));
        if self.version != VERSION {
            return wrong("version", "this program knows version 1 only");
        }
        if self.labels.is_empty() || self.labels.iter().any(|label| label.trim().is_empty()) {
            return wrong("labels", "every class needs a name");
        }
        if self.model.components().count() != 1 {
            return wrong("model", "the model must lie beside its description");
        }
        if let Some(key) = self
            .options
            .keys()
            .find(|key| !OPTIONS.contains(&key.as_str()))
        {
            let reason = format!("this program knows {}", OPTIONS.join(", "));
            return wrong(&format!("options.{key}"), &reason);
        }
        for key in ["confidence_threshold", "iou_threshold"] {
            let value = self.options.get(key);
            let in_range =
                |value: &Value| value.as_f64().is_some_and(|one| (0.0..=1.0).contains(&one));
            if value.is_some_and(|value| !in_range(value)) {
                return wrong(&format!("options.{key}"), "wanted a number of 0 to 1");
            }
        }
        let own = |(key, reason): (&str, String)| DeployError::config(path, key, reason);
        self.input.check(self.task).map_err(own)?;
        self.outputs
            .check(self.task, self.labels.len())
            .map_err(own)
    }
}

/// The description in a folder, if there is one.
pub(crate) fn find(folder: &Path) -> Option<PathBuf> {
    FILES
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

fn of_yaml(text: &str) -> Result<Value, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    match documents.as_slice() {
        [one] => value_of(one),
        _ => Err("is not one YAML document".to_owned()),
    }
}

fn value_of(yaml: &Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Boolean(switch) => (*switch).into(),
        Yaml::Integer(number) => (*number).into(),
        Yaml::Real(text) => {
            let number: f64 = text
                .parse()
                .map_err(|_| format!("`{text}` is not a number"))?;
            number.into()
        }
        Yaml::String(text) => text.as_str().into(),
        Yaml::Array(items) => items.iter().map(value_of).collect::<Result<Value, _>>()?,
        Yaml::Hash(entries) => {
            let entry = |(key, value): (&Yaml, &Yaml)| {
                let key = key.as_str().ok_or("a key is not a text")?;
                Ok::<_, String>((key.to_owned(), value_of(value)?))
            };
            Value::Object(entries.iter().map(entry).collect::<Result<_, _>>()?)
        }
        Yaml::Alias(_) | Yaml::BadValue => return Err("has an alias or a bad value".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "version: 1\nmodel: m.onnx\ntask: detection\nlabels: [a, b]\n\
        input: {channels: bgr, mean: [1.5], pad_value: 114}\n\
        outputs: {detections: rows, columns: [left, top, right, bottom, score, class]}\n\
        options: {nms_execute: true}\n";

    fn error(text: &str) -> String {
        ModelDescription::parse(text, Path::new("straylight.yaml"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn yaml_and_json_say_the_same() {
        let yaml = ModelDescription::parse(YAML, Path::new("straylight.yaml")).unwrap();
        assert_eq!(yaml.input.channels, super::super::Channels::Bgr);
        assert_eq!(yaml.outputs.columns.len(), 6);
        let json = ModelDescription::parse(&yaml.to_json(), Path::new("straylight.json"));
        assert_eq!(json.unwrap(), yaml);
    }

    #[test]
    fn wrong_descriptions_name_the_key() {
        struct Case(&'static str, &'static str, &'static str);
        for Case(from, to, expected) in [
            Case("version: 1", "version: 7", "version"),
            Case("[a, b]", "[]", "labels"),
            Case("m.onnx", "../m.onnx", "model"),
            Case("detection\n", "crop\n", "task"),
            Case("nms_execute", "nms_exceute", "options.nms_exceute"),
            Case(
                "nms_execute: true",
                "iou_threshold: 1.5",
                "options.iou_threshold",
            ),
            Case(
                "nms_execute: true",
                "confidence_threshold: high",
                "options.confidence_threshold",
            ),
            Case("detection\n", "cooking\n", "cooking"),
            Case("options", "optoins", "optoins"),
            Case("bgr", "[", "straylight.yaml"),
        ] {
            let text = error(&YAML.replacen(from, to, 1));
            assert!(
                text.contains(expected) && text.contains("straylight.yaml"),
                "{text}"
            );
        }
    }
}
