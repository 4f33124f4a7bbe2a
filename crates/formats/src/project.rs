//! What the labels of a project of the Geti platform are in a set of annotated files.

use std::collections::HashSet;

use serde_json::Value;
use straylight_core::{Label, Project, Shape, Task, TaskType};

use crate::{ClassLabel, Geometry, Keypoint, Object, Skeleton, Visibility};

/// What objects with key points are called: a project names their points alone.
const KEYPOINT_CLASS: &str = "object";

/// The labels of a project as classes of a set, and its annotations as objects.
///
/// The classes are all labels of the project in its own order, whatever images have: so every
/// export numbers them in the same way. The label that says that nothing is there is none of
/// them: an image that has it is an image without objects.
#[derive(Debug, Clone)]
pub struct ProjectLabels {
    classes: Vec<ClassLabel>,
    empty: HashSet<String>,
    /// Labels that hold for the whole image.
    of_images: HashSet<String>,
    /// Names of the key points, if the project has a task for them.
    points: Vec<String>,
}

impl ProjectLabels {
    /// Those of a project; `structure` is the `keypoint_structure` of its task, if it has one.
    pub fn of(project: &Project, structure: Option<&Value>) -> Self {
        let tasks: Vec<&Task> = project.trainable_tasks().collect();
        let labels = |fits: fn(&Label) -> bool| {
            let all = tasks.iter().flat_map(|task| &task.labels);
            all.filter(move |label| fits(label))
        };
        let of_images = tasks.iter().filter(|task| is_of_images(task.task_type));
        let of_points = |task: &&&Task| task.task_type == TaskType::KeypointDetection;
        let points: Vec<&Label> = tasks
            .iter()
            .filter(of_points)
            .flat_map(|t| &t.labels)
            .collect();
        let mut classes: Vec<ClassLabel> = labels(|label| !label.is_empty)
            .filter(|label| !points.contains(label))
            .map(|label| class(label, &tasks))
            .collect();
        if !points.is_empty() {
            classes.push(keypoint_class(&points, structure));
        }
        Self {
            classes,
            empty: labels(|label| label.is_empty)
                .map(|label| label.name.clone())
                .collect(),
            of_images: of_images
                .flat_map(|task| &task.labels)
                .map(|label| label.name.clone())
                .collect(),
            points: points.into_iter().map(|label| label.name.clone()).collect(),
        }
    }

    /// The classes, used or not, in the order of the project.
    pub fn classes(&self) -> &[ClassLabel] {
        &self.classes
    }

    /// What an annotation of an image of this size says is on it.
    pub fn objects(
        &self,
        shapes: impl IntoIterator<Item = (Shape, Vec<String>)>,
        (width, height): (u32, u32),
    ) -> Vec<Object> {
        let mut objects = Vec::new();
        let mut points = vec![None; self.points.len()];
        for (shape, mut labels) in shapes {
            labels.retain(|label| !self.empty.contains(label));
            if labels.is_empty() || self.is_point(&shape, &labels, &mut points) {
                continue;
            }
            let whole = shape.is_whole_image(width, height);
            let geometry = match shape {
                _ if whole && labels.iter().all(|label| self.of_images.contains(label)) => {
                    Geometry::Image
                }
                shape => Geometry::Shape(shape),
            };
            objects.push(Object::with_labels(geometry, labels));
        }
        objects.extend(skeleton_object(&points));
        objects
    }

    /// Whether a shape is one of the key points, which is then kept in its place.
    fn is_point(&self, shape: &Shape, labels: &[String], points: &mut [Option<Keypoint>]) -> bool {
        let Shape::Keypoint { x, y, is_visible } = *shape else {
            return false;
        };
        let place = labels
            .first()
            .and_then(|label| self.points.iter().position(|name| name == label));
        let Some(place) = place.and_then(|place| points.get_mut(place)) else {
            return false;
        };
        let visibility = if is_visible {
            Visibility::Visible
        } else {
            Visibility::Hidden
        };
        *place = Some(Keypoint { x, y, visibility });
        true
    }
}

fn is_of_images(task_type: TaskType) -> bool {
    matches!(
        task_type,
        TaskType::Classification | TaskType::AnomalyClassification | TaskType::Anomaly
    )
}

fn class(label: &Label, tasks: &[&Task]) -> ClassLabel {
    let mut all = tasks.iter().flat_map(|task| &task.labels);
    let parent = label
        .parent_id
        .as_ref()
        .and_then(|id| all.find(|other| other.id == *id));
    ClassLabel {
        color: Some(label.color),
        parent: parent.map(|parent| parent.name.clone()),
        ..ClassLabel::named(&label.name)
    }
}

/// The one class of a project of key points: Geti knows one object of them on an image.
fn keypoint_class(points: &[&Label], structure: Option<&Value>) -> ClassLabel {
    // Edges name labels by identifier or, before the server knew those, by name.
    let place = |node: &Value| {
        let node = node.as_str()?;
        points
            .iter()
            .position(|label| label.id == node || label.name == node)
    };
    let edges = structure.and_then(|structure| structure["edges"].as_array());
    let edges = edges.into_iter().flatten().filter_map(|edge| {
        let nodes = edge["nodes"].as_array()?;
        Some((place(nodes.first()?)?, place(nodes.get(1)?)?))
    });
    let skeleton = Skeleton {
        points: points.iter().map(|label| label.name.clone()).collect(),
        edges: edges.collect(),
        mirror: Vec::new(),
    };
    ClassLabel {
        skeleton: Some(skeleton),
        ..ClassLabel::named(KEYPOINT_CLASS)
    }
}

fn skeleton_object(points: &[Option<Keypoint>]) -> Option<Object> {
    points.iter().any(Option::is_some).then(|| {
        let absent = Keypoint {
            x: 0.0,
            y: 0.0,
            visibility: Visibility::Absent,
        };
        let mut object = Object::new(Geometry::Keypoints, KEYPOINT_CLASS);
        object.keypoints = points.iter().map(|point| point.unwrap_or(absent)).collect();
        object
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn project(task_type: &str, labels: &[(&str, bool)]) -> Project {
        let labels = labels.iter().map(|(name, is_empty)| {
            json!({"id": format!("id {name}"), "name": name, "color": "#010203ff", "is_empty": is_empty})
        });
        let tasks = json!([{"title": "Dataset", "task_type": "dataset"},
            {"title": "Task", "task_type": task_type, "labels": labels.collect::<Vec<_>>()}]);
        serde_json::from_value(json!({"name": "p", "pipeline": {"tasks": tasks}})).unwrap()
    }

    fn names(labels: &ProjectLabels) -> Vec<&str> {
        labels
            .classes()
            .iter()
            .map(|class| class.name.as_str())
            .collect()
    }

    #[test]
    fn an_image_of_nothing_has_no_objects() {
        let labels = ProjectLabels::of(
            &project(
                "detection",
                &[("nut", false), ("bolt", false), ("No object", true)],
            ),
            None,
        );
        assert_eq!(names(&labels), ["nut", "bolt"]);
        let whole = Shape::whole_image(64, 48);
        let nothing = [(whole.clone(), vec!["No object".to_owned()])];
        assert_eq!(labels.objects(nothing, (64, 48)), []);
        let bolt = [(whole.clone(), vec!["bolt".to_owned()])];
        assert_eq!(labels.objects(bolt, (64, 48)), [Object::new(whole, "bolt")]);
    }

    #[test]
    fn labels_of_a_classification_are_of_the_image() {
        let labels = ProjectLabels::of(&project("classification", &[("cat", false)]), None);
        let cat = [(Shape::whole_image(64, 48), vec!["cat".to_owned()])];
        assert_eq!(
            labels.objects(cat, (64, 48)),
            [Object::new(Geometry::Image, "cat")]
        );
    }

    #[test]
    fn key_points_are_one_object() {
        let structure = json!({"edges": [{"nodes": ["id eye", "nose"]}, {"nodes": ["x", "nose"]}]});
        let project = project(
            "keypoint_detection",
            &[("nose", false), ("eye", false), ("ear", false)],
        );
        let labels = ProjectLabels::of(&project, Some(&structure));
        assert_eq!(names(&labels), [KEYPOINT_CLASS]);
        let skeleton = labels.classes()[0].skeleton.clone().unwrap();
        assert_eq!((skeleton.points.len(), skeleton.edges), (3, vec![(1, 0)]));
        let point = |x, name: &str| {
            (
                Shape::Keypoint {
                    x,
                    y: 2.0,
                    is_visible: x < 5.0,
                },
                vec![name.to_owned()],
            )
        };
        let objects = labels.objects([point(4.0, "ear"), point(6.0, "nose")], (64, 48));
        assert_eq!(objects.len(), 1);
        let found: Vec<(f64, u8)> = objects[0]
            .keypoints
            .iter()
            .map(|p| (p.x, p.visibility.number()))
            .collect();
        assert_eq!(found, [(6.0, 1), (0.0, 0), (4.0, 2)]);
    }
}
