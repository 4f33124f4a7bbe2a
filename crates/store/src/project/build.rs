use std::collections::HashMap;

use straylight_core::{Color, Connection, Label, Pipeline, Project, Task, TaskType, Timestamp};

use super::check::is_anomaly;
use super::new::{NewLabel, NewProject, NewTask};
use crate::error::StoreError;
use crate::id::object_id;

/// Colours for labels that come without one; chosen to be told apart on photographs, also by
/// people who do not see all colours (after Okabe and Ito, 2008, and darker and lighter kin).
pub const PALETTE: [Color; 16] = [
    Color::opaque([0x00, 0x72, 0xb2]),
    Color::opaque([0xe6, 0x9f, 0x00]),
    Color::opaque([0x00, 0x9e, 0x73]),
    Color::opaque([0xcc, 0x79, 0xa7]),
    Color::opaque([0x56, 0xb4, 0xe9]),
    Color::opaque([0xd5, 0x5e, 0x00]),
    Color::opaque([0xf0, 0xe4, 0x42]),
    Color::opaque([0x7b, 0x5e, 0xa7]),
    Color::opaque([0x8c, 0x56, 0x4b]),
    Color::opaque([0x17, 0xbe, 0xcf]),
    Color::opaque([0xbc, 0xbd, 0x22]),
    Color::opaque([0xe3, 0x77, 0xc2]),
    Color::opaque([0x2c, 0xa0, 0x2c]),
    Color::opaque([0x1f, 0x3b, 0x73]),
    Color::opaque([0xff, 0x98, 0x96]),
    Color::opaque([0x98, 0xdf, 0x8a]),
];

/// Gives a checked project its identifiers, colours, groups and empty labels.
pub(crate) fn build(new: &NewProject, now: Timestamp) -> Result<Project, StoreError> {
    let mut colors = ColorPicker::new(new);
    let mut tasks = vec![Task {
        id: object_id(now)?,
        title: "Dataset".to_owned(),
        task_type: TaskType::Dataset,
        labels: Vec::new(),
    }];
    for task in &new.tasks {
        tasks.push(Task {
            id: object_id(now)?,
            title: task.title.clone(),
            task_type: task.task_type,
            labels: labels(task, now, &mut colors)?,
        });
    }
    let connections = tasks.windows(2).map(|pair| Connection {
        from: pair[0].id.clone(),
        to: pair[1].id.clone(),
    });
    Ok(Project {
        id: object_id(now)?,
        name: new.name.clone(),
        creation_time: Some(now),
        pipeline: Pipeline {
            connections: connections.collect(),
            tasks,
        },
        datasets: Vec::new(),
    })
}

fn labels(
    task: &NewTask,
    now: Timestamp,
    colors: &mut ColorPicker,
) -> Result<Vec<Label>, StoreError> {
    if is_anomaly(task.task_type) {
        return anomaly_labels(task, now, colors);
    }
    let mut ids = HashMap::new();
    for label in &task.labels {
        ids.insert(label.name.as_str(), object_id(now)?);
    }
    let id_of = |name: &str| ids.get(name).cloned().unwrap_or_default();
    let label = |new: &NewLabel| Label {
        id: id_of(&new.name),
        name: new.name.clone(),
        color: new.color.unwrap_or_else(|| colors.next()),
        group: new.group.clone().unwrap_or_else(|| default_group(task)),
        is_empty: false,
        is_anomalous: false,
        hotkey: new.hotkey.clone(),
        parent_id: new.parent.as_deref().map(id_of),
    };
    let mut labels: Vec<Label> = task.labels.iter().map(label).collect();
    if let Some(name) = empty_label(task, &labels) {
        labels.push(special(name, name, Color::BLACK, now)?);
        labels
            .iter_mut()
            .last()
            .into_iter()
            .for_each(|l| l.is_empty = true);
    }
    Ok(labels)
}

/// The name of the empty label, if the task has one.
fn empty_label(task: &NewTask, labels: &[Label]) -> Option<&'static str> {
    match task.task_type {
        TaskType::Detection | TaskType::RotatedDetection => Some("No object"),
        TaskType::Segmentation | TaskType::InstanceSegmentation => Some("Empty"),
        TaskType::Classification => (!has_exclusive_group(labels)).then_some("No class"),
        _ => None,
    }
}

/// Whether two labels without parent exclude one another.
fn has_exclusive_group(labels: &[Label]) -> bool {
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    for label in labels.iter().filter(|l| l.parent_id.is_none()) {
        *sizes.entry(&label.group).or_default() += 1;
    }
    sizes.values().any(|&size| size >= 2)
}

fn anomaly_labels(
    task: &NewTask,
    now: Timestamp,
    colors: &mut ColorPicker,
) -> Result<Vec<Label>, StoreError> {
    let group = default_group(task);
    let normal = special("Normal", &group, colors.next(), now)?;
    let mut anomalous = special("Anomalous", &group, colors.next(), now)?;
    anomalous.is_anomalous = true;
    Ok(vec![normal, anomalous])
}

fn special(name: &str, group: &str, color: Color, now: Timestamp) -> Result<Label, StoreError> {
    Ok(Label {
        id: object_id(now)?,
        name: name.to_owned(),
        color,
        group: group.to_owned(),
        is_empty: false,
        is_anomalous: false,
        hotkey: String::new(),
        parent_id: None,
    })
}

fn default_group(task: &NewTask) -> String {
    format!("{} label group", task.title.to_lowercase())
}

/// Hands out colours that no label has, as long as there are any.
struct ColorPicker {
    taken: Vec<Color>,
    next: usize,
}

impl ColorPicker {
    fn new(project: &NewProject) -> Self {
        let labels = project.tasks.iter().flat_map(|t| &t.labels);
        Self {
            taken: labels.filter_map(|l| l.color).collect(),
            next: 0,
        }
    }

    fn next(&mut self) -> Color {
        loop {
            let color = nth_color(self.next);
            self.next += 1;
            if !self.taken.contains(&color) {
                self.taken.push(color);
                return color;
            }
        }
    }
}

/// The palette, then ever other mixtures: 7919 is prime, so no colour of the 2^24 comes twice.
fn nth_color(n: usize) -> Color {
    PALETTE.get(n).copied().unwrap_or_else(|| {
        let [_, r, g, b] = (n as u32).wrapping_mul(7919 * 1009).to_be_bytes();
        Color::opaque([r, g, b])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::is_object_id;

    fn built(task_type: TaskType, labels: &[&str]) -> Project {
        let new = NewProject::single("p", task_type, labels);
        build(&new, Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn empty_labels_are_made_where_the_platform_makes_them() {
        struct Case(TaskType, &'static [&'static str], &'static [&'static str]);
        for Case(task_type, labels, expected) in [
            Case(TaskType::Classification, &["a", "b"], &["a", "b"]),
            Case(TaskType::Detection, &["a"], &["a", "No object"]),
            Case(TaskType::RotatedDetection, &["a"], &["a", "No object"]),
            Case(TaskType::Segmentation, &["a"], &["a", "Empty"]),
            Case(TaskType::KeypointDetection, &["a"], &["a"]),
            Case(TaskType::Anomaly, &[], &["Normal", "Anomalous"]),
        ] {
            let project = built(task_type, labels);
            let names: Vec<_> = project.pipeline.tasks[1]
                .labels
                .iter()
                .map(|l| l.name.as_str())
                .collect();
            assert_eq!(names, expected, "{task_type:?}");
        }
    }

    #[test]
    fn labels_in_groups_of_their_own_get_no_class() {
        let mut new = NewProject::single("p", TaskType::Classification, &["a", "b"]);
        for label in &mut new.tasks[0].labels {
            label.group = Some(label.name.clone());
        }
        let project = build(&new, Timestamp::UNIX_EPOCH).unwrap();
        let last = project.pipeline.tasks[1].labels.last().unwrap();
        assert!(last.is_empty && last.name == "No class" && last.color == Color::BLACK);
    }

    #[test]
    fn identifiers_and_colours_are_unique() {
        let names: Vec<String> = (0..1000).map(|i| format!("label {i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let project = built(TaskType::Detection, &names);
        let labels = &project.pipeline.tasks[1].labels;
        let mut ids: Vec<_> = labels.iter().map(|l| &l.id).collect();
        let mut colors: Vec<_> = labels.iter().map(|l| l.color.to_string()).collect();
        assert!(ids.iter().all(|id| is_object_id(id)));
        ids.sort();
        ids.dedup();
        colors.sort();
        colors.dedup();
        assert_eq!((ids.len(), colors.len()), (1001, 1001));
    }

    #[test]
    fn tasks_are_chained_from_the_dataset_on() {
        let project = built(TaskType::Detection, &["a"]);
        let tasks = &project.pipeline.tasks;
        let edge = &project.pipeline.connections[0];
        assert_eq!((&edge.from, &edge.to), (&tasks[0].id, &tasks[1].id));
    }
}
