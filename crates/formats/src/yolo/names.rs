//! What `data.yaml`, `obj.names` or `classes.txt` says about a set.

use std::path::{Path, PathBuf};

use yaml_rust2::{Yaml, YamlLoader};

use crate::folder::has_extension;
use crate::{FormatError, text};

const LISTS: [&str; 5] = [
    "obj.names",
    "classes.txt",
    "labels.txt",
    "_darknet.labels",
    "classes.names",
];

/// More classes than this are taken for a damaged file.
const MOST_CLASSES: usize = 100_000;

/// What a set says about its classes and parts.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Description {
    /// The file that says it.
    pub(super) file: PathBuf,
    /// Names by number; empty where a number has none.
    pub(super) names: Vec<String>,
    /// Number of key points and of numbers for each (2 or 3).
    pub(super) keypoints: Option<(usize, usize)>,
    /// What each key point becomes in a mirrored image.
    pub(super) mirror: Vec<usize>,
    /// Names of the key points.
    pub(super) point_names: Vec<String>,
    /// Paths of images by subset, as they are written.
    pub(super) parts: Vec<(String, String)>,
    /// How many classes it says that there are.
    pub(super) count: Option<usize>,
    /// Whether names were made up from the number of classes.
    pub(super) unnamed: bool,
}

impl Description {
    /// Whether it is a list of names that only Darknet and Roboflow write.
    pub(crate) fn is_darknet(&self) -> bool {
        let name = self.file.file_name().unwrap_or_default();
        name == "obj.names" || name == "_darknet.labels"
    }

    /// Whether it comes from a YAML file, which nothing but YOLO has.
    pub(crate) fn is_yaml(&self) -> bool {
        let extension = self.file.extension().unwrap_or_default();
        extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
    }
}

/// What the files of a folder say: the YAML files, else lists of names.
pub(crate) fn find(all: &[PathBuf]) -> Result<Option<Description>, FormatError> {
    let with = |extension| {
        let files = all
            .iter()
            .filter(move |file| has_extension(file, extension));
        files.cloned()
    };
    let mut found = Vec::new();
    for file in with("yaml").chain(with("yml")) {
        let text = text::read(&file).unwrap_or_default();
        match from_yaml(&text) {
            Some(description) => found.push(Description {
                file,
                ..description
            }),
            // A description by its name says why it is none.
            None if is_data(&file) => return read(&file).map(Some),
            None => {}
        }
    }
    // Settings of a training lie beside the description of the set, and have `names` as well.
    found.sort_by_key(|found| {
        let depth = found.file.components().count();
        let is_data = is_data(&found.file);
        (found.parts.is_empty(), depth, !is_data, found.file.clone())
    });
    if let Some(first) = found.into_iter().next() {
        return Ok(Some(first));
    }
    let is_list = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default();
        LISTS.iter().any(|list| name == *list)
    };
    let mut lists: Vec<PathBuf> = with("names").chain(with("labels")).collect();
    lists.extend(with("txt").filter(is_list));
    lists.sort_by_key(|file| (file.components().count(), file.clone()));
    match lists.into_iter().next() {
        Some(file) => read(&file).map(Some),
        None => Ok(None),
    }
}

/// Whether a YAML file has the name that tools give to descriptions of sets.
fn is_data(file: &Path) -> bool {
    let stem = file.file_stem().unwrap_or_default();
    stem == "data" || stem == "dataset"
}

/// What one file says: a YAML file, or a list with one name a line.
pub(crate) fn read(file: &Path) -> Result<Description, FormatError> {
    let bad = |message: String| FormatError::Unreadable {
        file: file.to_owned(),
        message,
    };
    let text = text::read(file).map_err(bad)?;
    let named = Description {
        file: file.to_owned(),
        ..Description::default()
    };
    let found = if named.is_yaml() {
        let why = YamlLoader::load_from_str(&text)
            .err()
            .map(|error| error.to_string());
        let why = why.unwrap_or_else(|| "it has no `names`".to_owned());
        from_yaml(&text).ok_or_else(|| bad(why))?
    } else {
        let names = text.lines().map(|line| line.trim().to_owned()).collect();
        Description {
            names,
            ..Description::default()
        }
    };
    Ok(Description {
        file: file.to_owned(),
        ..found
    })
}

pub(super) fn from_yaml(text: &str) -> Option<Description> {
    let documents = YamlLoader::load_from_str(text).ok()?;
    let yaml = documents.first()?;
    let names = names(&yaml["names"]);
    let unnamed = names.is_none();
    let count = yaml["nc"]
        .as_i64()
        .and_then(|count| usize::try_from(count).ok());
    let counted = || {
        let count = count.filter(|count| *count <= MOST_CLASSES)?;
        let is_set = !yaml["train"].is_badvalue() || !yaml["val"].is_badvalue();
        is_set.then(|| (0..count).map(|number| format!("class_{number}")).collect())
    };
    Some(Description {
        names: names.or_else(counted)?,
        keypoints: keypoints(&yaml["kpt_shape"]),
        mirror: numbers(&yaml["flip_idx"]),
        point_names: point_names(&yaml["kpt_names"]),
        parts: parts(yaml),
        count,
        unnamed,
        file: PathBuf::new(),
    })
}

fn names(yaml: &Yaml) -> Option<Vec<String>> {
    match yaml {
        Yaml::Array(list) => Some(list.iter().map(scalar).collect()),
        Yaml::Hash(map) => {
            let mut names = Vec::new();
            for (number, name) in map {
                let number = number
                    .as_i64()
                    .or_else(|| number.as_str()?.trim().parse().ok());
                let number = usize::try_from(number?).ok()?;
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

fn numbers(yaml: &Yaml) -> Vec<usize> {
    let list = yaml.as_vec().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|number| usize::try_from(number.as_i64()?).ok())
        .collect()
}

fn keypoints(yaml: &Yaml) -> Option<(usize, usize)> {
    match numbers(yaml)[..] {
        [count, size @ (2 | 3)] if (1..=1000).contains(&count) => Some((count, size)),
        _ => None,
    }
}

/// A list of names, or such a list for each class.
fn point_names(yaml: &Yaml) -> Vec<String> {
    let list = match yaml {
        Yaml::Hash(map) => map.values().next().and_then(Yaml::as_vec),
        yaml => yaml.as_vec(),
    };
    list.map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(scalar)
        .collect()
}

/// The paths of `train`, `val` and `test`: a folder, a list of images, or several of them.
fn parts(yaml: &Yaml) -> Vec<(String, String)> {
    let mut parts = Vec::new();
    for key in ["train", "val", "valid", "validation", "test", "minival"] {
        let paths = match &yaml[key] {
            Yaml::String(path) => vec![path.clone()],
            Yaml::Array(paths) => paths
                .iter()
                .filter_map(Yaml::as_str)
                .map(str::to_owned)
                .collect(),
            _ => Vec::new(),
        };
        parts.extend(
            paths
                .into_iter()
                .map(|path| (path.replace('\\', "/"), key.to_owned())),
        );
    }
    parts
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
            Case("names: {'0': cat, '1': dog}", Some(&["cat", "dog"])),
            Case("names:\n- cat\n- dog\n", Some(&["cat", "dog"])),
            Case("train: a\nnc: 2", Some(&["class_0", "class_1"])),
            Case("nc: 2", None),
            Case("names: {99999999999: cat}", None),
            Case("names: [", None),
            Case("", None),
        ] {
            let found = from_yaml(text).map(|found| found.names);
            let wanted = wanted.map(|names| names.iter().map(ToString::to_string).collect());
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn key_points_and_parts_are_read() {
        let text = "names: [person]\nkpt_shape: [3, 3]\nflip_idx: [0, 2, 1]\nkpt_names: {0: [a, b, c]}\n\
                    train: [x, y.txt]\nval: z\ntest:\n";
        let found = from_yaml(text).unwrap();
        assert_eq!(
            (found.keypoints, found.mirror),
            (Some((3, 3)), vec![0, 2, 1])
        );
        assert_eq!(found.point_names, ["a", "b", "c"]);
        let parts = [("x", "train"), ("y.txt", "train"), ("z", "val")];
        assert_eq!(
            found.parts,
            parts.map(|(path, key)| (path.to_owned(), key.to_owned()))
        );
    }
}
