use std::collections::HashSet;

use straylight_core::TaskType;

use super::new::{NewLabel, NewProject, NewTask};

/// Names that labels may not have: the platform makes them itself.
const RESERVED: [&str; 3] = ["no class", "no object", "empty"];
/// The greatest number of labels of a project.
const MAX_LABELS: usize = 1000;
/// The greatest length of a name in characters.
const MAX_NAME: usize = 200;

/// A project was described in a way that no project can be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidProject {
    /// The platform's code, such as `duplicate_label_names`.
    pub code: &'static str,
    /// What is wrong and where.
    pub message: String,
}

fn invalid(code: &'static str, message: impl Into<String>) -> InvalidProject {
    InvalidProject {
        code,
        message: message.into(),
    }
}

/// Checks all that can be wrong with a new project, with the platform's codes.
pub(crate) fn check(project: &NewProject) -> Result<(), InvalidProject> {
    check_name(&project.name)?;
    check_pipeline(&project.tasks)?;
    let labels: Vec<&NewLabel> = project.tasks.iter().flat_map(|t| &t.labels).collect();
    check_labels(&labels)?;
    project.tasks.iter().try_for_each(check_task)?;
    check_groups(&project.tasks)
}

fn check_name(name: &str) -> Result<(), InvalidProject> {
    if name.trim().is_empty() {
        return Err(invalid("empty_project_name", "a project needs a name"));
    }
    if name.chars().count() > MAX_NAME {
        let message = format!("a project's name has at most {MAX_NAME} characters");
        return Err(invalid("bad_request", message));
    }
    Ok(())
}

fn check_pipeline(tasks: &[NewTask]) -> Result<(), InvalidProject> {
    let trainable = tasks.iter().filter(|t| t.task_type.is_trainable()).count();
    if trainable == 0 {
        return Err(invalid(
            "taskless_project",
            "a project needs a trainable task",
        ));
    }
    if trainable > 2 {
        return Err(invalid(
            "too_many_tasks",
            "a project has at most two trainable tasks",
        ));
    }
    if tasks.iter().any(|t| t.task_type == TaskType::Dataset) {
        return Err(invalid(
            "invalid_task_type",
            "a project has one dataset task, the first",
        ));
    }
    if let Some(title) = repeated(tasks.iter().map(|t| t.title.to_lowercase())) {
        let message = format!("two tasks have the title `{title}`");
        return Err(invalid("duplicate_task_names", message));
    }
    Ok(())
}

fn check_labels(labels: &[&NewLabel]) -> Result<(), InvalidProject> {
    if labels.len() > MAX_LABELS {
        let message = format!("a project has at most {MAX_LABELS} labels");
        return Err(invalid("too_many_labels", message));
    }
    labels
        .iter()
        .try_for_each(|label| check_label_name(label))?;
    let names = labels.iter().map(|l| l.name.clone());
    if let Some(name) = repeated(names) {
        let message = format!("two labels are named `{name}`");
        return Err(invalid("duplicate_label_names", message));
    }
    let colors = labels.iter().filter_map(|l| l.color.map(|c| c.to_string()));
    if let Some(color) = repeated(colors) {
        let message = format!("two labels have the colour {color}");
        return Err(invalid("duplicate_label_colors", message));
    }
    let hotkeys = labels.iter().map(|l| l.hotkey.to_lowercase());
    if let Some(hotkey) = repeated(hotkeys.filter(|key| !key.is_empty())) {
        let message = format!("two labels have the shortcut `{hotkey}`");
        return Err(invalid("duplicate_label_hotkeys", message));
    }
    Ok(())
}

fn check_label_name(label: &NewLabel) -> Result<(), InvalidProject> {
    let name = label.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        let message = format!("a label's name has 1 to {MAX_NAME} characters");
        return Err(invalid("bad_request", message));
    }
    if RESERVED.contains(&name.to_lowercase().as_str()) {
        let message = format!("`{name}` is reserved: the empty label is made by itself");
        return Err(invalid("reserved_empty_label", message));
    }
    Ok(())
}

fn check_task(task: &NewTask) -> Result<(), InvalidProject> {
    for label in &task.labels {
        let known = |parent: &String| task.labels.iter().any(|l| &l.name == parent);
        if let Some(parent) = label.parent.as_ref().filter(|p| !known(p)) {
            let message = format!(
                "`{}` has the parent `{parent}`, which is no label",
                label.name
            );
            return Err(invalid("parent_label_not_found", message));
        }
        if is_own_ancestor(label, &task.labels) {
            let message = format!("`{}` stands above itself", label.name);
            return Err(invalid("parent_label_not_found", message));
        }
    }
    let top = task.labels.iter().filter(|l| l.parent.is_none()).count();
    let (fits, wanted) = match task.task_type {
        TaskType::Classification => (top >= 2, "at least two labels"),
        TaskType::Crop => (task.labels.is_empty(), "no labels"),
        t if is_anomaly(t) => (task.labels.is_empty(), "no labels of its own"),
        _ => (top >= 1, "at least one label"),
    };
    if fits {
        return Ok(());
    }
    let message = format!("the task `{}` needs {wanted}", task.title);
    Err(invalid("bad_number_of_labels", message))
}

fn is_own_ancestor(label: &NewLabel, labels: &[NewLabel]) -> bool {
    let above = |l: &NewLabel| labels.iter().find(|o| Some(&o.name) == l.parent.as_ref());
    // A chain longer than the number of labels goes round in a circle.
    let chain = std::iter::successors(above(label), |l| above(l)).take(labels.len() + 1);
    chain.count() > labels.len()
}

/// One group may not span tasks.
fn check_groups(tasks: &[NewTask]) -> Result<(), InvalidProject> {
    let mut seen = HashSet::new();
    for task in tasks {
        let groups: HashSet<&String> = task
            .labels
            .iter()
            .filter_map(|l| l.group.as_ref())
            .collect();
        if let Some(group) = groups.iter().find(|group| seen.contains(*group)) {
            let message = format!("the group `{group}` has labels of two tasks");
            return Err(invalid("multi_task_label_group", message));
        }
        seen.extend(groups);
    }
    Ok(())
}

pub(crate) fn is_anomaly(task_type: TaskType) -> bool {
    matches!(
        task_type,
        TaskType::Anomaly
            | TaskType::AnomalyClassification
            | TaskType::AnomalyDetection
            | TaskType::AnomalySegmentation
    )
}

fn repeated(values: impl Iterator<Item = String>) -> Option<String> {
    let mut seen = HashSet::new();
    values.into_iter().find(|value| !seen.insert(value.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(task_type: TaskType, labels: Vec<NewLabel>) -> NewProject {
        let mut task = NewTask::new(task_type, &[]);
        task.labels = labels;
        NewProject {
            name: "p".to_owned(),
            tasks: vec![task],
        }
    }

    fn child(name: &str, parent: &str) -> NewLabel {
        NewLabel {
            parent: Some(parent.to_owned()),
            ..NewLabel::named(name)
        }
    }

    fn label(name: &str, color: &str, hotkey: &str) -> NewLabel {
        NewLabel {
            color: color.parse().ok(),
            hotkey: hotkey.to_owned(),
            ..NewLabel::named(name)
        }
    }

    #[test]
    fn wrong_labels_get_the_platforms_codes() {
        use TaskType::{Anomaly, Classification, Detection};
        struct Case(TaskType, Vec<NewLabel>, Option<&'static str>);
        let named = NewLabel::named;
        for Case(task_type, labels, code) in [
            Case(Classification, vec![named("a"), named("b")], None),
            Case(
                Classification,
                vec![named("a")],
                Some("bad_number_of_labels"),
            ),
            Case(Detection, vec![named("a")], None),
            Case(Detection, vec![], Some("bad_number_of_labels")),
            Case(Anomaly, vec![], None),
            Case(Anomaly, vec![named("a")], Some("bad_number_of_labels")),
            Case(
                Detection,
                vec![named("a"), named("a")],
                Some("duplicate_label_names"),
            ),
            Case(
                Detection,
                vec![named("No Object")],
                Some("reserved_empty_label"),
            ),
            Case(Detection, vec![named(" ")], Some("bad_request")),
            Case(
                Detection,
                vec![label("a", "#112233", ""), label("b", "#112233ff", "")],
                Some("duplicate_label_colors"),
            ),
            Case(
                Detection,
                vec![label("a", "", "ctrl+1"), label("b", "", "CTRL+1")],
                Some("duplicate_label_hotkeys"),
            ),
            Case(
                Detection,
                vec![named("a"), child("b", "c")],
                Some("parent_label_not_found"),
            ),
            Case(
                Detection,
                vec![named("z"), child("a", "b"), child("b", "a")],
                Some("parent_label_not_found"),
            ),
            Case(
                Classification,
                vec![named("a"), named("b"), child("c", "a")],
                None,
            ),
        ] {
            let found = check(&project(task_type, labels.clone()))
                .err()
                .map(|e| e.code);
            assert_eq!(found, code, "{task_type:?} {labels:?}");
        }
    }

    #[test]
    fn wrong_pipelines_get_the_platforms_codes() {
        struct Case(&'static str, Vec<NewTask>, &'static str);
        let task = |title: &str, label: &str| NewTask {
            title: title.to_owned(),
            ..NewTask::new(TaskType::Detection, &[label])
        };
        let dataset = NewTask::new(TaskType::Dataset, &[]);
        let mut shared = [task("a", "x"), task("b", "y")];
        for task in &mut shared {
            task.labels[0].group = Some("g".to_owned());
        }
        for Case(name, tasks, code) in [
            Case("", vec![task("a", "x")], "empty_project_name"),
            Case("p", vec![], "taskless_project"),
            Case(
                "p",
                vec![task("a", "x"), task("A", "y")],
                "duplicate_task_names",
            ),
            Case(
                "p",
                vec![task("a", "x"), task("b", "y"), task("c", "z")],
                "too_many_tasks",
            ),
            Case("p", vec![task("a", "x"), dataset], "invalid_task_type"),
            Case("p", shared.to_vec(), "multi_task_label_group"),
        ] {
            let project = NewProject {
                name: name.to_owned(),
                tasks,
            };
            assert_eq!(check(&project).err().map(|e| e.code), Some(code));
        }
    }
}
