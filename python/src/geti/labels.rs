//! Labels of a project that is there.

use std::collections::HashMap;

use pyo3::prelude::*;
use straylight_geti::LabelChange;
use straylight_geti::wire::NewLabel;

use super::Client;
use crate::error::{Outcome, Raised};

#[pymethods]
impl Client {
    /// Adds labels to a task, or to the only one; gives the project.
    #[pyo3(signature = (project, task, labels))]
    fn add_labels(
        &self,
        py: Python<'_>,
        project: &str,
        task: Option<&str>,
        labels: &str,
    ) -> PyResult<String> {
        let labels: Vec<NewLabel> = serde_json::from_str(labels).map_err(Raised::from)?;
        self.json(py, |geti| geti.at(project).add_labels(task, &labels))
    }

    /// Changes colours and shortcuts of labels; gives the project.
    fn change_labels(
        &self,
        py: Python<'_>,
        project: &str,
        colors: HashMap<String, String>,
        hotkeys: HashMap<String, String>,
    ) -> PyResult<String> {
        let changes = label_changes(colors, hotkeys)?;
        self.json(py, |geti| geti.at(project).change_labels(&changes))
    }
}

fn label_changes(
    colors: HashMap<String, String>,
    hotkeys: HashMap<String, String>,
) -> Outcome<HashMap<String, LabelChange>> {
    let mut changes: HashMap<String, LabelChange> = HashMap::new();
    for (name, text) in colors {
        let color = text
            .parse()
            .map_err(|error| Raised::value(format!("the colour of `{name}`: {error}")))?;
        changes.entry(name).or_default().color = Some(color);
    }
    for (name, hotkey) in hotkeys {
        changes.entry(name).or_default().hotkey = Some(hotkey);
    }
    Ok(changes)
}
