//! A model's configuration: typed access to the text values of `rt_info/model_info`.
//!
//! Lists are separated by blanks, booleans are `True` and `False` (Python) or `true` and
//! `false`, an absent value may also be written as an empty text or `None`. Older exports hold
//! the same keys in `config.json` beside the model; a key of the model itself wins.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::Value;
use straylight_engine::graph::ModelInfo;

use crate::{DeployError, keys};

/// The configuration of one model, with the file that errors name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    path: PathBuf,
    values: BTreeMap<String, String>,
}

impl Config {
    /// Takes the model's own keys, and those of `config.json` that it lacks.
    pub(crate) fn new(path: &Path, info: Option<&ModelInfo>, beside: &Value) -> Self {
        let mut values: BTreeMap<String, String> = BTreeMap::new();
        for (key, value) in beside.as_object().into_iter().flatten() {
            if let Some(text) = text_of(value) {
                values.insert(key.clone(), text);
            }
        }
        values.extend(older_tiling(beside));
        for (key, value) in info.into_iter().flat_map(ModelInfo::iter) {
            values.insert(key.to_owned(), value.to_owned());
        }
        keys::fill_defaults(&mut values);
        Self {
            path: path.to_owned(),
            values,
        }
    }

    /// Refuses a key that may change numbers and is not understood.
    ///
    /// # Errors
    ///
    /// [`DeployError::Config`] with the file, the key and its value.
    pub(crate) fn check_keys(&self) -> Result<(), DeployError> {
        let mut keys = self.values.keys();
        let Some(key) = keys.find(|key| !keys::is_known(key) && self.text(key).is_some()) else {
            return Ok(());
        };
        let value: String = self
            .text(key)
            .unwrap_or_default()
            .chars()
            .take(80)
            .collect();
        let reason = format!(
            "`{value}` is not understood, and may change what the model computes: remove the key if \
             it does not, or describe the model by hand (`straylight deployment init`)"
        );
        Err(self.wrong(key, reason))
    }

    /// All keys with their values.
    pub(crate) fn entries(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// The model that the configuration belongs to.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// A value as text; `None` when it is absent, empty or `None`.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        let value = self.values.get(key)?.trim();
        (!value.is_empty() && !value.eq_ignore_ascii_case("none")).then_some(value)
    }

    /// A list of words.
    pub(crate) fn words(&self, key: &str) -> Vec<&str> {
        self.text(key)
            .map(|text| text.split_whitespace().collect())
            .unwrap_or_default()
    }

    /// A number; `default` when it is absent.
    pub(crate) fn number<T: FromStr>(&self, key: &str, default: T) -> Result<T, DeployError> {
        self.text(key)
            .map_or(Ok(default), |text| self.parse(key, text))
    }

    /// A list of numbers, empty when it is absent.
    pub(crate) fn numbers<T: FromStr>(&self, key: &str) -> Result<Vec<T>, DeployError> {
        self.words(key)
            .into_iter()
            .map(|word| self.parse(key, word))
            .collect()
    }

    /// A switch; `default` when it is absent.
    pub(crate) fn switch(&self, key: &str, default: bool) -> Result<bool, DeployError> {
        let Some(text) = self.text(key) else {
            return Ok(default);
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err(self.wrong(key, format!("`{text}` is neither True nor False"))),
        }
    }

    /// An error about the value of a key.
    pub(crate) fn wrong(&self, key: &str, reason: impl Into<String>) -> DeployError {
        DeployError::config(&self.path, key, reason)
    }

    fn parse<T: FromStr>(&self, key: &str, text: &str) -> Result<T, DeployError> {
        text.parse()
            .map_err(|_| self.wrong(key, format!("`{text}` is not a number of the right kind")))
    }
}

/// The keys of a tiling as older exports write it: sizes are those of the model's input before
/// it was scaled by `tile_ir_scale_factor`.
fn older_tiling(beside: &Value) -> Vec<(String, String)> {
    let older = &beside["tiling_parameters"];
    if older["enable_tiling"]["value"] != true {
        return Vec::new();
    }
    let value = |key: &str, default: f64| older[key]["value"].as_f64().unwrap_or(default);
    let scale = value("tile_ir_scale_factor", 1.0);
    let entries = [
        ("tile_size", (value("tile_size", 400.0) * scale).trunc()),
        ("tiles_overlap", value("tile_overlap", 0.5) / scale),
        ("max_pred_number", value("tile_max_number", 100.0)),
    ];
    entries
        .map(|(key, value)| (key.to_owned(), value.to_string()))
        .into()
}

/// A JSON value as it would stand in `rt_info`; objects are left out.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(switch) => Some(switch.to_string()),
        Value::Array(values) => {
            let words: Option<Vec<String>> = values.iter().map(text_of).collect();
            words.map(|words| words.join(" "))
        }
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(entries: &[(&str, &str)]) -> Config {
        let info: ModelInfo = entries.iter().copied().collect();
        Config::new(Path::new("model.xml"), Some(&info), &Value::Null)
    }

    #[test]
    fn values_are_read_as_python_writes_them() {
        let config = config(&[
            ("mean_values", "123.675 116.28 103.53"),
            ("multilabel", "False"),
            ("hierarchical", "True"),
            ("topk", "3"),
            ("pad_value", ""),
            ("labels", "None"),
        ]);
        assert_eq!(
            config.numbers::<f32>("mean_values").unwrap(),
            [123.675, 116.28, 103.53]
        );
        assert!(!config.switch("multilabel", true).unwrap());
        assert!(config.switch("hierarchical", false).unwrap());
        assert_eq!(config.number("topk", 1_usize).unwrap(), 3);
        assert_eq!(config.number("pad_value", 7).unwrap(), 7);
        assert!(config.words("labels").is_empty());
    }

    #[test]
    fn wrong_values_name_file_key_and_value() {
        let config = config(&[
            ("topk", "many"),
            ("multilabel", "perhaps"),
            ("label_info", "{"),
        ]);
        for error in [
            config.number("topk", 1_usize).unwrap_err(),
            config.switch("multilabel", true).unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(text.contains("model.xml") && text.contains('`'), "{text}");
        }
    }

    #[test]
    fn a_key_that_is_not_understood_is_refused() {
        let known = [
            ("labels", "a"),
            ("getitune_version", "9"),
            ("optimization_config", "{}"),
        ];
        config(&known).check_keys().unwrap();
        config(&[("sharpen", "")]).check_keys().unwrap();
        let error = config(&[("sharpen", "2.5")])
            .check_keys()
            .unwrap_err()
            .to_string();
        for part in ["model.xml", "sharpen", "2.5", "remove the key"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn families_have_defaults_of_their_own() {
        let yolo = config(&[("model_type", "YOLO11"), ("pad_value", "0")]);
        assert_eq!(yolo.numbers::<f32>("scale_values").unwrap(), [255.0]);
        assert!(yolo.switch("reverse_input_channels", false).unwrap());
        assert_eq!(yolo.number("pad_value", 7).unwrap(), 0);
        assert_eq!(config(&[("model_type", "ssd")]).text("scale_values"), None);
    }

    #[test]
    fn an_older_tiling_is_understood() {
        let tiling = |enabled: bool| {
            json!({"tiling_parameters": {
                "enable_tiling": {"value": enabled}, "tile_size": {"value": 400},
                "tile_overlap": {"value": 0.2}, "tile_max_number": {"value": 1500},
                "tile_ir_scale_factor": {"value": 2.0}}})
        };
        let config = Config::new(Path::new("m"), None, &tiling(true));
        assert_eq!(config.text("tile_size"), Some("800"));
        assert_eq!(config.text("tiles_overlap"), Some("0.1"));
        assert_eq!(config.text("max_pred_number"), Some("1500"));
        assert_eq!(
            Config::new(Path::new("m"), None, &tiling(false)).text("tile_size"),
            None
        );
    }

    #[test]
    fn the_model_s_own_keys_win_over_the_file_beside_it() {
        let beside = json!({"labels": ["a", "b"], "topk": 2, "tiling_parameters": {"x": 1}});
        let info: ModelInfo = [("topk", "1")].into_iter().collect();
        let config = Config::new(Path::new("m"), Some(&info), &beside);
        assert_eq!(config.text("topk"), Some("1"));
        assert_eq!(config.words("labels"), ["a", "b"]);
        assert_eq!(config.text("tiling_parameters"), None);
    }
}
