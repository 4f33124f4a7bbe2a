use std::path::Path;

use yaml_rust2::{Yaml, YamlLoader};

use crate::{FormatError, folder};

const LISTS: [&str; 3] = ["obj.names", "classes.txt", "labels.txt"];

/// More classes than this are taken for a damaged file.
const MOST_CLASSES: usize = 100_000;

/// The names of the classes by number: from the YAML files of a folder, else from lists.
///
/// A name is empty where a number has none.
pub(super) fn find(root: &Path) -> Result<Option<Vec<String>>, FormatError> {
    let mut files = folder::with_extension(root, "yaml")?;
    files.extend(folder::with_extension(root, "yml")?);
    for file in files.into_iter().filter(|file| file.parent() == Some(root)) {
        let text = straylight_files::read_to_string(&file).unwrap_or_default();
        if let Some(names) = from_yaml(&text) {
            return Ok(Some(names));
        }
    }
    for file in LISTS.map(|name| root.join(name)) {
        if file.is_file() {
            let text = straylight_files::read_to_string(&file)?;
            return Ok(Some(
                text.lines().map(|line| line.trim().to_owned()).collect(),
            ));
        }
    }
    Ok(None)
}

fn from_yaml(text: &str) -> Option<Vec<String>> {
    let documents = YamlLoader::load_from_str(text).ok()?;
    match &documents.first()?["names"] {
        Yaml::Array(list) => Some(list.iter().map(scalar).collect()),
        Yaml::Hash(map) => {
            let mut names = Vec::new();
            for (number, name) in map {
                let number = usize::try_from(number.as_i64()?).ok()?;
                if number >= MOST_CLASSES {
                    return None;
                }
                names.resize(names.len().max(number + 1), String::new());
                names[number] = scalar(name);
            }
            Some(names)
        }
        _ => None,
    }
}

/// YAML takes `1`, `yes` and `null` for something else than text; as names they are text.
fn scalar(value: &Yaml) -> String {
    match value {
        Yaml::String(text) | Yaml::Real(text) => text.clone(),
        Yaml::Integer(number) => number.to_string(),
        Yaml::Boolean(truth) => truth.to_string(),
        Yaml::Null => "null".to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_all_notations() {
        struct Case(&'static str, Option<&'static [&'static str]>);
        for Case(text, wanted) in [
            Case("names: [cat, 'big dog', 3]", Some(&["cat", "big dog", "3"])),
            Case(
                "path: .\nnames:\n  0: cat\n  2: dog\n",
                Some(&["cat", "", "dog"]),
            ),
            Case("names:\n- cat\n- dog\n", Some(&["cat", "dog"])),
            Case("nc: 2", None),
            Case("names: {99999999999: cat}", None),
            Case("names: [", None),
            Case("", None),
        ] {
            assert_eq!(
                from_yaml(text).as_deref(),
                wanted
                    .map(|w| w.iter().map(ToString::to_string).collect::<Vec<_>>())
                    .as_deref(),
                "{text}"
            );
        }
    }
}
