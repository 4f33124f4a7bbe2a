use std::collections::HashMap;

use serde_json::Value;
use straylight_core::Color;

use super::project::ProjectApi;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Method, Request, Target};
use crate::wire::{NewLabel, Project};

/// What is to be changed of a label that a project has; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LabelChange {
    /// The colour in which it is drawn.
    pub color: Option<Color>,
    /// Keyboard shortcut.
    pub hotkey: Option<String>,
}

impl ProjectApi {
    /// Adds labels to a task; without a task, to the only one that the project has.
    ///
    /// A label without a group gets one of its own, so that it excludes no other.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] if the project has no such task, or several and none is named.
    pub fn add_labels(
        &self,
        task_id: Option<&str>,
        labels: &[NewLabel],
    ) -> Result<Project, GetiError> {
        let mut project = self.as_json()?;
        let mut tasks: Vec<&mut Value> = tasks(&mut project)
            .filter(|task| task["labels"].is_array())
            .filter(|task| task_id.is_none_or(|id| task["id"] == id))
            .collect();
        let [task] = tasks.as_mut_slice() else {
            return Err(not_one(tasks.len(), task_id));
        };
        for label in labels {
            let group = label.group.clone().unwrap_or_else(|| label.name.clone());
            let mut label = to_value(label)?;
            label["group"] = group.into();
            if let Some(list) = task["labels"].as_array_mut() {
                list.push(label);
            }
        }
        self.replace(project)
    }

    /// Changes colours and shortcuts of labels, which are known by their names.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] if the project has no label of a name.
    pub fn change_labels(
        &self,
        changes: &HashMap<String, LabelChange>,
    ) -> Result<Project, GetiError> {
        let mut project = self.as_json()?;
        let mut unknown: Vec<&str> = changes.keys().map(String::as_str).collect();
        for label in tasks(&mut project).filter_map(|task| task["labels"].as_array_mut()) {
            for label in label {
                let name = label["name"].as_str().unwrap_or_default().to_owned();
                if let Some(change) = changes.get(&name) {
                    change.write(label);
                    unknown.retain(|other| *other != name);
                }
            }
        }
        if let Some(name) = unknown.first() {
            let message = format!("the project has no label `{name}`");
            return Err(GetiError::new(ErrorKind::Argument, message));
        }
        self.replace(project)
    }

    /// The project with all keys that the server gives it, known here or not.
    fn as_json(&self) -> Result<Value, GetiError> {
        self.geti().transport().json(&Request::get(self.path("")))
    }

    fn replace(&self, mut project: Value) -> Result<Project, GetiError> {
        drop_empty(&mut project);
        let request = Request::new(Method::Put, Target::Api(self.path("")));
        self.geti()
            .transport()
            .json(&request.repeatable().json(&project)?)
    }
}

impl LabelChange {
    fn write(&self, label: &mut Value) {
        if let Some(color) = self.color {
            label["color"] = color.to_string().into();
        }
        if let Some(hotkey) = &self.hotkey {
            label["hotkey"] = hotkey.as_str().into();
        }
    }
}

fn tasks(project: &mut Value) -> impl Iterator<Item = &mut Value> {
    let tasks = project.pointer_mut("/pipeline/tasks");
    tasks
        .and_then(Value::as_array_mut)
        .into_iter()
        .flat_map(|tasks| tasks.iter_mut())
}

fn not_one(found: usize, task_id: Option<&str>) -> GetiError {
    match task_id {
        Some(id) => GetiError::new(
            ErrorKind::Argument,
            format!("the project has no task `{id}` with labels"),
        ),
        None => GetiError::new(
            ErrorKind::Argument,
            format!("the project has {found} tasks with labels"),
        )
        .with_hint("name the task that the labels are for"),
    }
}

fn to_value(label: &NewLabel) -> Result<Value, GetiError> {
    serde_json::to_value(label)
        .map_err(|error| GetiError::new(ErrorKind::Argument, error.to_string()))
}

/// Servers take neither null nor empty texts in the request that replaces a project.
fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, inner| !inner.is_null() && inner.as_str() != Some(""));
            object.values_mut().for_each(drop_empty);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_and_empty_texts_are_dropped_and_empty_lists_kept() {
        let mut value = json!({"a": null, "b": "", "c": [{"d": null, "e": 0}], "f": [], "g": "x"});
        drop_empty(&mut value);
        assert_eq!(value, json!({"c": [{"e": 0}], "f": [], "g": "x"}));
    }

    #[test]
    fn it_is_said_which_task_is_missing() {
        assert!(not_one(2, None).to_string().contains("2 tasks"));
        assert!(not_one(0, Some("t")).to_string().contains("no task `t`"));
    }
}
