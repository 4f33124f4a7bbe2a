//! From the model's classes to the project's labels.

use std::collections::HashMap;

use straylight_core::{Color, Label, ScoredLabel};

use crate::{TaskConfig, TaskError};

/// The names under which exports of Geti 2's and Geti 3's training list the empty label.
pub const EMPTY_NAMES: [&str; 2] = ["otx_empty_lbl", "getitune_empty_lbl"];

/// The project's label for each class of a model.
///
/// Matched by id; else by a name that is an id; else by name; else by name with blanks written
/// as underscores. Labels that share a name are told apart by their ids, or, without ids,
/// given out in the project's order.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelLabels {
    by_class: Vec<Label>,
    empty: Option<Label>,
}

impl ModelLabels {
    /// Matches the classes of a model to the labels of its task.
    ///
    /// A class that the project does not know (its label was deleted after the training) keeps
    /// the model's own name, and a warning names it. Without any class names the task's labels
    /// are taken in order, the empty one left out.
    pub fn new(config: &TaskConfig, task_labels: &[Label]) -> Self {
        let empty = task_labels.iter().find(|label| label.is_empty).cloned();
        let by_class = if config.labels.is_empty() {
            task_labels
                .iter()
                .filter(|label| !label.is_empty)
                .cloned()
                .collect()
        } else {
            Matching::new(config, task_labels, empty.as_ref()).all()
        };
        Self { by_class, empty }
    }

    /// The label of a class; an error if the model has no such class.
    pub fn get(&self, class: i64) -> Result<&Label, TaskError> {
        let index = usize::try_from(class).ok();
        let label = index.and_then(|index| self.by_class.get(index));
        label.ok_or(TaskError::NoSuchLabel {
            class,
            labels: self.by_class.len(),
        })
    }

    /// The label of a class with a probability; an empty label always has 0, as in Geti.
    pub(crate) fn scored(&self, class: i64, probability: f32) -> Result<ScoredLabel, TaskError> {
        Ok(scored(self.get(class)?, probability))
    }

    /// All labels in the order of the model's classes.
    pub fn all(&self) -> &[Label] {
        &self.by_class
    }

    /// The task's empty label ("No object", "No class").
    pub fn empty(&self) -> Option<&Label> {
        self.empty.as_ref()
    }
}

/// A label with a probability; an empty label always has 0, as in Geti.
///
/// Scores of models that are none are cut to 0 and 1.
pub(crate) fn scored(label: &Label, probability: f32) -> ScoredLabel {
    let probability = if label.is_empty { 0.0 } else { probability };
    ScoredLabel::new(label, probability.clamp(0.0, 1.0))
}

struct Matching<'a> {
    config: &'a TaskConfig,
    labels: &'a [Label],
    empty: Option<&'a Label>,
    seen: HashMap<&'a str, usize>,
}

impl<'a> Matching<'a> {
    fn new(config: &'a TaskConfig, labels: &'a [Label], empty: Option<&'a Label>) -> Self {
        Self {
            config,
            labels,
            empty,
            seen: HashMap::new(),
        }
    }

    fn all(mut self) -> Vec<Label> {
        let config = self.config;
        let ids = config.label_ids.iter().map(Option::as_deref);
        let ids = ids.chain(std::iter::repeat(None));
        let pairs = config.labels.iter().zip(ids);
        pairs.map(|(name, id)| self.one(name, id)).collect()
    }

    fn one(&mut self, name: &'a str, id: Option<&str>) -> Label {
        let by_id = |wanted: &str| self.labels.iter().find(|label| label.id == wanted);
        let found = id.and_then(by_id).or_else(|| by_id(name));
        let found = found.or_else(|| self.by_name(name));
        found.cloned().unwrap_or_else(|| unknown(name, id))
    }

    fn by_name(&mut self, name: &'a str) -> Option<&'a Label> {
        if EMPTY_NAMES.contains(&name) {
            return self.empty;
        }
        let turn = self.seen.entry(name).or_default();
        let place = *turn;
        *turn += 1;
        let repeated = self
            .config
            .labels
            .iter()
            .filter(|other| *other == name)
            .count()
            > 1;
        let exact = self.labels.iter().find(|label| label.name == name);
        if let (Some(label), false) = (exact, repeated) {
            return Some(label);
        }
        let legacy = |label: &&Label| label.name == name || label.name.replace(' ', "_") == name;
        self.labels.iter().filter(legacy).nth(place)
    }
}

/// A label for a class that the project does not have.
fn unknown(name: &str, id: Option<&str>) -> Label {
    let is_empty = EMPTY_NAMES.contains(&name);
    if !is_empty {
        tracing::warn!(
            label = name,
            "the model's label is not in the project; it keeps its name"
        );
    }
    Label {
        id: id.unwrap_or(name).to_owned(),
        name: name.to_owned(),
        color: Color::BLACK,
        group: String::new(),
        is_empty,
        is_anomalous: false,
        hotkey: String::new(),
        parent_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::label;

    fn names(labels: &str, ids: &str, task: &[Label]) -> Vec<String> {
        let entries = [("labels", labels), ("label_ids", ids)];
        let entries = entries.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let config = TaskConfig::from_model_info(&entries.into()).unwrap();
        let labels = ModelLabels::new(&config, task);
        labels
            .all()
            .iter()
            .map(|label| format!("{}/{}", label.id, label.name))
            .collect()
    }

    #[test]
    fn ids_come_before_names() {
        struct Case(&'static str, &'static str, [&'static str; 2]);
        let task = [
            label("1", "cat"),
            label("2", "old coin"),
            label("3", "old_coin"),
        ];
        for Case(labels, ids, expected) in [
            Case("cat old_coin", "1 2", ["1/cat", "2/old coin"]),
            Case("old_coin cat", "1 2", ["1/cat", "2/old coin"]),
            Case("cat old_coin", "", ["1/cat", "3/old_coin"]),
            Case("old_coin old_coin", "", ["2/old coin", "3/old_coin"]),
            Case("2 1", "None None", ["2/old coin", "1/cat"]),
            Case("renamed dog", "1 9", ["1/cat", "9/dog"]),
        ] {
            assert_eq!(names(labels, ids, &task), expected, "{labels} | {ids}");
        }
    }

    #[test]
    fn two_labels_of_one_name_are_told_apart() {
        let task = [label("1", "cat"), label("2", "cat")];
        assert_eq!(names("cat cat", "2 1", &task), ["2/cat", "1/cat"]);
        assert_eq!(names("cat cat", "", &task), ["1/cat", "2/cat"]);
    }

    #[test]
    fn the_empty_label_has_its_own_name_and_no_probability() {
        let mut empty = label("0", "No object");
        empty.is_empty = true;
        for name in EMPTY_NAMES {
            let config = [("labels".to_owned(), format!("{name} cat"))];
            let config = TaskConfig::from_model_info(&config.into()).unwrap();
            let labels = ModelLabels::new(&config, &[label("1", "cat"), empty.clone()]);
            assert_eq!(labels.get(0).unwrap().name, "No object");
            assert_eq!(labels.scored(0, 0.9).unwrap().probability.to_bits(), 0);
            assert!(labels.get(2).is_err() && labels.get(-1).is_err());
        }
    }

    #[test]
    fn without_class_names_the_task_decides() {
        assert_eq!(
            names("", "", &[label("1", "a"), label("2", "b")]),
            ["1/a", "2/b"]
        );
    }
}
