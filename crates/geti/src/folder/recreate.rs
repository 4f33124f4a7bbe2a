//! The request that makes a project like one that was downloaded.

use std::collections::HashMap;

use serde_json::Value;
use straylight_core::TaskType;

use crate::api::ServerVersion;
use crate::wire::{
    Connection, KeypointStructure, Label, NewConnection, NewLabel, NewPipeline, NewProject,
    NewTask, Open, Project, Task,
};

/// The request: identifiers become titles and names, and what servers add themselves (empty
/// labels, labels of anomaly tasks) is left out.
pub(crate) fn recreate(project: &Project, name: &str, version: &ServerVersion) -> NewProject {
    let titles: HashMap<&str, &str> = project
        .pipeline
        .tasks
        .iter()
        .map(|task| (task.id.as_str(), task.title.as_str()))
        .collect();
    let tasks = project
        .pipeline
        .tasks
        .iter()
        .map(|task| new_task(task, version))
        .collect();
    let connections = project
        .pipeline
        .connections
        .iter()
        .map(|edge| by_title(edge, &titles))
        .collect();
    NewProject {
        name: name.to_owned(),
        pipeline: NewPipeline { connections, tasks },
    }
}

fn by_title(edge: &Connection, titles: &HashMap<&str, &str>) -> NewConnection {
    let title = |key: &String| {
        titles
            .get(key.as_str())
            .map_or(key.clone(), |t| (*t).to_owned())
    };
    NewConnection {
        from: title(&edge.from),
        to: title(&edge.to),
    }
}

fn new_task(task: &Task, version: &ServerVersion) -> NewTask {
    let task_type = match task.task_type {
        Open::Known(
            TaskType::AnomalyClassification
            | TaskType::AnomalyDetection
            | TaskType::AnomalySegmentation,
        ) if version.has_one_anomaly_task() => Open::Known(TaskType::Anomaly),
        ref other => other.clone(),
    };
    let anomalous = task.labels().iter().any(|label| label.is_anomalous);
    let names: HashMap<&str, &str> = task
        .labels()
        .iter()
        .map(|label| (label.id.as_str(), label.name.as_str()))
        .collect();
    let labels = task
        .labels()
        .iter()
        .filter(|label| !label.is_empty && !anomalous);
    let labels = labels.map(|label| new_label(label, &names)).collect();
    NewTask {
        title: task.title.clone(),
        task_type,
        labels: task.is_trainable().then_some(labels),
        keypoint_structure: task.keypoint_structure.as_ref().map(|s| by_name(s, &names)),
    }
}

fn new_label(label: &Label, names: &HashMap<&str, &str>) -> NewLabel {
    let parent = label.parent_id.as_ref().filter(|id| !id.is_empty());
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    NewLabel {
        name: label.name.clone(),
        group: given(&label.group),
        color: Some(label.color),
        hotkey: given(&label.hotkey),
        parent_id: parent.map(|id| {
            names
                .get(id.as_str())
                .map_or(id.clone(), |n| (*n).to_owned())
        }),
        ..NewLabel::default()
    }
}

/// A structure whose labels are named, not identified.
fn by_name(structure: &KeypointStructure, names: &HashMap<&str, &str>) -> KeypointStructure {
    let renamed = |values: &[Value]| values.iter().map(|v| rename(v, names)).collect();
    KeypointStructure {
        edges: renamed(&structure.edges),
        positions: renamed(&structure.positions),
    }
}

fn rename(value: &Value, names: &HashMap<&str, &str>) -> Value {
    match value {
        Value::String(id) => names
            .get(id.as_str())
            .map_or(value.clone(), |n| (*n).into()),
        Value::Array(items) => items.iter().map(|item| rename(item, names)).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, inner)| (key.clone(), rename(inner, names)))
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn identifiers_become_titles_and_names() {
        let label = |id: &str, name: &str, empty: bool, parent: Option<&str>| {
            json!({"id": id, "name": name, "color": "#010203ff", "group": "g", "is_empty": empty,
                "hotkey": "", "parent_id": parent})
        };
        let project: Project =
            serde_json::from_value(json!({"id": "p", "name": "old", "pipeline": {
            "connections": [{"from": "1", "to": "2"}],
            "tasks": [{"id": "1", "title": "Dataset", "task_type": "dataset"},
                {"id": "2", "title": "K", "task_type": "keypoint_detection",
                 "labels": [label("a", "nose", false, None), label("b", "tip", false, Some("a")),
                    label("c", "Empty", true, None)],
                 "keypoint_structure": {"edges": [{"nodes": ["a", "b"]}],
                    "positions": [{"label": "a", "x": 0.5, "y": 0.5}]}}]}}))
            .unwrap();
        let request = recreate(&project, "new", &"2.13.0".parse().unwrap());
        assert_eq!(
            serde_json::to_value(request).unwrap(),
            json!({"name": "new", "pipeline": {
                "connections": [{"from": "Dataset", "to": "K"}],
                "tasks": [{"title": "Dataset", "task_type": "dataset"},
                    {"title": "K", "task_type": "keypoint_detection",
                     "labels": [{"name": "nose", "group": "g", "color": "#010203ff"},
                        {"name": "tip", "group": "g", "color": "#010203ff", "parent_id": "nose"}],
                     "keypoint_structure": {"edges": [{"nodes": ["nose", "tip"]}],
                        "positions": [{"label": "nose", "x": 0.5, "y": 0.5}]}}]}})
        );
    }
}
