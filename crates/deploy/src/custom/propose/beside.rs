//! `metadata.yaml`, which Ultralytics writes beside exports whose format holds no metadata.

use std::collections::BTreeMap;
use std::path::Path;

use yaml_rust2::{Yaml, YamlLoader};

use crate::DeployError;

const FILE: &str = "metadata.yaml";

/// Its entries, with values as Python writes them: so they stand in the metadata of ONNX files.
pub(super) fn read(model: &Path) -> Result<BTreeMap<String, String>, DeployError> {
    let path = model.with_file_name(FILE);
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let text = straylight_files::read_to_string(&path)?;
    entries(&text).map_err(|reason| DeployError::Json { path, reason })
}

fn entries(text: &str) -> Result<BTreeMap<String, String>, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    let [Yaml::Hash(entries)] = documents.as_slice() else {
        return Err("is not one table of keys and values".to_owned());
    };
    let named = entries
        .iter()
        .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), top(value))));
    Ok(named.collect())
}

/// A text stands without quotes at the top.
fn top(value: &Yaml) -> String {
    value.as_str().map_or_else(|| python(value), str::to_owned)
}

/// A value as Python's `repr` has it.
fn python(value: &Yaml) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Yaml::String(text) => {
            let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
            format!("'{escaped}'")
        }
        Yaml::Boolean(true) => "True".to_owned(),
        Yaml::Boolean(false) => "False".to_owned(),
        Yaml::Integer(number) => number.to_string(),
        Yaml::Real(number) => number.clone(),
        Yaml::Array(items) => format!("[{}]", list(items.iter().map(python).collect())),
        Yaml::Hash(entries) => {
            let entry =
                |(key, value): (&Yaml, &Yaml)| format!("{}: {}", python(key), python(value));
            format!("{{{}}}", list(entries.iter().map(entry).collect()))
        }
        Yaml::Null | Yaml::Alias(_) | Yaml::BadValue => "None".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_as_in_the_metadata_of_onnx() {
        let text = "task: detect\nimgsz:\n- 320\n- 256\nnames:\n  0: it's\n  1: '1'\n\
                    args:\n  nms: true\nend2end: false\n";
        let entries = entries(text).unwrap();
        for (key, value) in [
            ("task", "detect"),
            ("imgsz", "[320, 256]"),
            ("names", r"{0: 'it\'s', 1: '1'}"),
            ("args", "{'nms': True}"),
            ("end2end", "False"),
        ] {
            assert_eq!(entries[key], value, "{key}");
        }
        assert!(super::entries("- 1").is_err() && super::entries("a: [").is_err());
    }
}
