//! Which label of the project an output of the model means.
//!
//! A model names its labels by `label_ids` and by `labels`, in the order of its outputs. A
//! label is matched by id first, then by name, then by the name with blanks written as
//! underscores (older exports). `otx_empty_lbl` is the empty label. Where several labels of the
//! task share a name and there are no ids, the n-th occurrence in the model means the n-th
//! label of that name in the project.

use straylight_core::{Label, ScoredLabel, Task};

use crate::DeployError;
use crate::config::Config;

/// The name that older exports give to the empty label.
const EMPTY_LABEL: &str = "otx_empty_lbl";

/// The labels of one task in the order of the model's outputs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TaskLabels {
    by_output: Vec<Label>,
    names: Vec<String>,
    empty: Option<Label>,
}

impl TaskLabels {
    /// Matches a model's labels with those of its task.
    pub(crate) fn new(config: &Config, task: &Task) -> Result<Self, DeployError> {
        let names = config.words("labels");
        if names.is_empty() {
            let reason = "is missing: the model does not say what its outputs mean";
            return Err(config.wrong("labels", reason));
        }
        let ids = config.words("label_ids");
        let mut by_output: Vec<Label> = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let earlier = names[..index].iter().filter(|other| *other == name).count();
            let found = find(&task.labels, ids.get(index).copied(), name, earlier);
            let found = found.ok_or_else(|| unknown(config, task, name))?;
            by_output.push(found.clone());
        }
        let names = names.into_iter().map(str::to_owned).collect();
        let empty = task.labels.iter().find(|label| label.is_empty).cloned();
        Ok(Self {
            by_output,
            names,
            empty,
        })
    }

    /// How many labels the model knows.
    pub(crate) fn len(&self) -> usize {
        self.by_output.len()
    }

    /// The label that an output of the model means.
    pub(crate) fn get(&self, output: usize) -> Option<&Label> {
        self.by_output.get(output)
    }

    /// The index of the output that the model itself calls `name`.
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    /// All labels in the order of the model's outputs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Label> {
        self.by_output.iter()
    }

    /// The label that says that nothing is there, if the task has one.
    pub(crate) fn empty(&self) -> Option<&Label> {
        self.empty.as_ref()
    }

    /// The label of an output with its probability.
    pub(crate) fn scored(&self, output: usize, probability: f32) -> Option<ScoredLabel> {
        Some(ScoredLabel::new(self.get(output)?, probability))
    }
}

fn find<'a>(
    labels: &'a [Label],
    id: Option<&str>,
    name: &str,
    earlier: usize,
) -> Option<&'a Label> {
    let by_id = |id: &str| labels.iter().find(|label| label.id == id);
    if let Some(label) = id.and_then(by_id).or_else(|| by_id(name)) {
        return Some(label);
    }
    if name == EMPTY_LABEL {
        return labels.iter().find(|label| label.is_empty);
    }
    let exact = labels.iter().filter(|label| label.name == name);
    let legacy = labels
        .iter()
        .filter(|label| label.name != name && label.name.replace(' ', "_") == name);
    let same_name: Vec<&Label> = exact.chain(legacy).collect();
    same_name
        .get(earlier.min(same_name.len().saturating_sub(1)))
        .copied()
}

fn unknown(config: &Config, task: &Task, name: &str) -> DeployError {
    let known: Vec<&str> = task
        .labels
        .iter()
        .map(|label| label.name.as_str())
        .collect();
    let reason = format!(
        "`{name}` is not a label of task `{}`, which has {}",
        task.title,
        known.join(", ")
    );
    config.wrong("labels", reason)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;
    use straylight_core::{Color, TaskType};
    use straylight_engine::graph::ModelInfo;

    use super::*;

    fn label(id: &str, name: &str, is_empty: bool) -> Label {
        Label {
            id: id.to_owned(),
            name: name.to_owned(),
            color: Color::BLACK,
            group: String::new(),
            is_empty,
            is_anomalous: false,
            hotkey: String::new(),
            parent_id: None,
        }
    }

    fn match_labels(
        labels: Vec<Label>,
        names: &str,
        ids: &str,
    ) -> Result<Vec<String>, DeployError> {
        let info: ModelInfo = [("labels", names), ("label_ids", ids)]
            .into_iter()
            .collect();
        let config = Config::new(Path::new("model.xml"), Some(&info), &Value::Null);
        let task = Task {
            id: String::new(),
            title: "T".to_owned(),
            task_type: TaskType::Classification,
            labels,
        };
        TaskLabels::new(&config, &task)
            .map(|labels| labels.iter().map(|label| label.id.clone()).collect())
    }

    fn project() -> Vec<Label> {
        vec![
            label("1", "old coin", false),
            label("2", "bird", false),
            label("3", "No object", true),
        ]
    }

    #[test]
    fn labels_match_by_id_name_and_legacy_name() {
        struct Case(&'static str, &'static str, [&'static str; 2]);
        for Case(names, ids, expected) in [
            Case("bird old_coin", "", ["2", "1"]),
            Case("renamed old_coin", "2 1", ["2", "1"]),
            Case("2 1", "", ["2", "1"]),
            Case("bird otx_empty_lbl", "2 None", ["2", "3"]),
        ] {
            assert_eq!(
                match_labels(project(), names, ids).unwrap(),
                expected,
                "{names}"
            );
        }
    }

    #[test]
    fn labels_that_share_a_name_are_told_apart() {
        let twins = || vec![label("1", "a", false), label("2", "a", false)];
        assert_eq!(match_labels(twins(), "a a", "2 1").unwrap(), ["2", "1"]);
        assert_eq!(match_labels(twins(), "a a", "").unwrap(), ["1", "2"]);
    }

    #[test]
    fn a_label_that_the_project_does_not_have_is_named() {
        let text = match_labels(project(), "cat", "").unwrap_err().to_string();
        assert!(
            text.contains("`cat`") && text.contains("old coin") && text.contains("model.xml"),
            "{text}"
        );
        let text = match_labels(project(), "", "").unwrap_err().to_string();
        assert!(
            text.contains("labels") && text.contains("missing"),
            "{text}"
        );
    }
}
