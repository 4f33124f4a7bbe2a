//! What an annotation must fulfil before it is stored.

use std::collections::{HashMap, HashSet};

use straylight_core::{Label, Project, TaskType};
use straylight_geti::wire::{Annotation, ErrorCode, MAX_POLYGON_POINTS, Shape, is_uuid};

use super::{ApiError, ApiResult, lookup};

/// Checks labels and shapes against the project and the size of the image in pixels.
pub(super) fn check(
    project: &Project,
    size: (u32, u32),
    annotations: &[Annotation],
) -> ApiResult<()> {
    let labels = lookup::label_names(project);
    let whole_image_labels = classification_labels(project);
    check_ids(annotations)?;
    let mut has_empty = false;
    for annotation in annotations {
        let used = used_labels(&labels, annotation)?;
        check_exclusive(&used)?;
        check_shape(&annotation.shape, size)?;
        let only_classes = used
            .iter()
            .all(|l| whole_image_labels.contains(l.id.as_str()));
        let single_task = project.trainable_tasks().count() == 1;
        if only_classes && single_task && !is_whole(&annotation.shape, size) {
            return Err(ApiError::bad(
                "A label of a classification holds for the whole image",
            ));
        }
        has_empty |= used.iter().any(|l| l.is_empty);
    }
    if has_empty && annotations.len() > 1 {
        return Err(conflict(
            "An empty label cannot stand beside another annotation",
        ));
    }
    Ok(())
}

fn conflict(message: &str) -> ApiError {
    ApiError::new(ErrorCode::ConflictingExclusiveLabels, message)
}

fn check_ids(annotations: &[Annotation]) -> ApiResult<()> {
    let mut seen = HashSet::new();
    for id in annotations.iter().filter_map(|a| a.id.as_deref()) {
        if !is_uuid(id) {
            return Err(ApiError::bad("The id of an annotation must be a UUID"));
        }
        if !seen.insert(id.to_lowercase()) {
            let message = format!("Two annotations have the id {id}");
            return Err(ApiError::new(ErrorCode::DuplicatedAnnotationId, message));
        }
    }
    Ok(())
}

fn classification_labels(project: &Project) -> HashSet<&str> {
    let tasks = project.pipeline.tasks.iter();
    let whole = tasks.filter(|t| {
        matches!(
            t.task_type,
            TaskType::Classification | TaskType::AnomalyClassification | TaskType::Anomaly
        )
    });
    whole
        .flat_map(|t| &t.labels)
        .map(|l| l.id.as_str())
        .collect()
}

fn used_labels<'a>(
    labels: &HashMap<&str, &'a Label>,
    annotation: &Annotation,
) -> ApiResult<Vec<&'a Label>> {
    if annotation.labels.is_empty() {
        return Err(ApiError::bad("An annotation needs a label"));
    }
    let find = |label: &straylight_geti::wire::ScoredLabel| {
        if !(0.0..=1.0).contains(&label.probability) {
            return Err(ApiError::bad("A probability is a number from 0 to 1"));
        }
        let id = label.id.as_deref().unwrap_or_default();
        let found = labels.get(id).copied();
        found.ok_or_else(|| {
            let shown: String = id.chars().take(60).collect();
            ApiError::new(
                ErrorCode::LabelNotFound,
                format!("The project has no label `{shown}`"),
            )
        })
    };
    annotation.labels.iter().map(find).collect()
}

/// Two labels of one group exclude one another, unless one stands above the other.
fn check_exclusive(labels: &[&Label]) -> ApiResult<()> {
    for (index, a) in labels.iter().enumerate() {
        for b in &labels[index + 1..] {
            let related =
                a.parent_id.as_ref() == Some(&b.id) || b.parent_id.as_ref() == Some(&a.id);
            let empty_and_other = a.is_empty || b.is_empty;
            if a.id == b.id || empty_and_other || (a.group == b.group && !related) {
                return Err(conflict("Labels of one annotation exclude one another"));
            }
        }
    }
    Ok(())
}

fn is_whole(shape: &Shape, (width, height): (u32, u32)) -> bool {
    let shape: straylight_core::Shape = shape.clone().into();
    shape.is_whole_image(width, height)
}

/// A shape lies in the image and is at least one pixel large.
fn check_shape(shape: &Shape, (width, height): (u32, u32)) -> ApiResult<()> {
    let (w, h) = (f64::from(width), f64::from(height));
    // Half a pixel of slack: tools round in different ways.
    let inside = |x: f64, y: f64| (-0.5..=w + 0.5).contains(&x) && (-0.5..=h + 0.5).contains(&y);
    let fits = match shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        }
        | Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => *width >= 1.0 && *height >= 1.0 && inside(*x, *y) && inside(x + width, y + height),
        Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        } => *width >= 1.0 && *height >= 1.0 && inside(*x, *y) && angle.is_finite(),
        Shape::Polygon { points } => {
            (3..=MAX_POLYGON_POINTS).contains(&points.len())
                && points.iter().all(|p| inside(p.x, p.y))
        }
        Shape::Keypoint { x, y, .. } => inside(*x, *y),
    };
    if fits {
        Ok(())
    } else {
        Err(ApiError::bad(
            "A shape must lie in the image and be at least 1 px large",
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use straylight_store::{NewProject, Store};

    use super::*;

    fn project(task_type: TaskType) -> Project {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        store
            .create_project(&NewProject::single("p", task_type, &["a", "b"]))
            .unwrap()
    }

    fn code(project: &Project, annotations: Value) -> Option<String> {
        let annotations: Vec<Annotation> = serde_json::from_value(annotations).unwrap();
        match check(project, (64, 48), &annotations) {
            Ok(()) => None,
            Err(ApiError::Coded(code, _)) => Some(code.as_str().to_owned()),
            Err(other) => panic!("{other:?}"),
        }
    }

    fn rectangle(label: &[&str], [x, y, width, height]: [f64; 4]) -> Value {
        let labels: Vec<Value> = label
            .iter()
            .map(|id| json!({"id": id, "probability": 1.0}))
            .collect();
        json!({"labels": labels,
               "shape": {"type": "RECTANGLE", "x": x, "y": y, "width": width, "height": height}})
    }

    #[test]
    fn classifications_label_the_whole_image_with_one_class() {
        let project = project(TaskType::Classification);
        let labels = &project.pipeline.tasks[1].labels;
        let (a, b) = (labels[0].id.as_str(), labels[1].id.as_str());
        let whole = [0.0, 0.0, 64.0, 48.0];
        assert_eq!(code(&project, json!([rectangle(&[a], whole)])), None);
        assert_eq!(code(&project, json!([])), None);
        let cases = [
            (
                json!([rectangle(&[a], [0.0, 0.0, 64.0, 47.0])]),
                "bad_request",
            ),
            (
                json!([rectangle(&[a, b], whole)]),
                "conflicting_exclusive_labels",
            ),
            (
                json!([rectangle(&[a, a], whole)]),
                "conflicting_exclusive_labels",
            ),
            (json!([rectangle(&["x"], whole)]), "label_not_found"),
            (json!([rectangle(&[], whole)]), "bad_request"),
        ];
        for (annotations, expected) in cases {
            assert_eq!(
                code(&project, annotations.clone()).as_deref(),
                Some(expected),
                "{annotations}"
            );
        }
    }

    #[test]
    fn objects_lie_in_the_image() {
        let project = project(TaskType::Detection);
        let labels = &project.pipeline.tasks[1].labels;
        let (a, empty) = (labels[0].id.as_str(), labels[2].id.as_str());
        let bad = Some("bad_request".to_owned());
        assert_eq!(
            code(&project, json!([rectangle(&[a], [1.0, 1.0, 9.0, 9.0])])),
            None
        );
        assert_eq!(
            code(&project, json!([rectangle(&[a], [1.0, 1.0, 0.5, 9.0])])),
            bad
        );
        assert_eq!(
            code(&project, json!([rectangle(&[a], [60.0, 1.0, 9.0, 9.0])])),
            bad
        );
        assert_eq!(
            code(
                &project,
                json!([rectangle(&[a], [f64::from(f32::MAX), 1.0, 9.0, 9.0])])
            ),
            bad
        );
        let both = json!([
            rectangle(&[a], [1.0, 1.0, 9.0, 9.0]),
            rectangle(&[empty], [0.0, 0.0, 64.0, 48.0])
        ]);
        assert_eq!(
            code(&project, both).as_deref(),
            Some("conflicting_exclusive_labels")
        );
        let points: Vec<Value> = (0..5001).map(|_| json!({"x": 1, "y": 1})).collect();
        let polygon =
            json!([{"labels": [{"id": a}], "shape": {"type": "POLYGON", "points": points}}]);
        assert_eq!(code(&project, polygon), bad);
    }

    #[test]
    fn identifiers_of_annotations_are_unique_uuids() {
        let project = project(TaskType::Detection);
        let a = project.pipeline.tasks[1].labels[0].id.as_str();
        let mut one = rectangle(&[a], [1.0, 1.0, 9.0, 9.0]);
        one["id"] = json!("4d4f4c2e-0000-4000-8000-00000000000a");
        let twice = json!([one, one]);
        assert_eq!(
            code(&project, twice).as_deref(),
            Some("duplicated_annotation_id")
        );
        one["id"] = json!("x");
        assert_eq!(code(&project, json!([one])).as_deref(), Some("bad_request"));
    }
}
