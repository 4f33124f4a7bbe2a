//! Projects of key points: their labels are the points of one kind of object.

use std::f64::consts::TAU;

use serde_json::json;
use straylight_core::TaskType;
use straylight_formats::{AnnotatedSet, ClassLabel, Keypoint, Object, Skeleton, Visibility};
use straylight_geti::wire::KeypointStructure;
use straylight_geti::{ErrorKind, GetiError, TaskPlan};

/// A task for key points of these names; each edge joins two of them.
///
/// In the template the points stand on a circle.
///
/// # Errors
/// An edge names a point that is not there.
pub fn keypoint_task(points: &[String], edges: &[(String, String)]) -> Result<TaskPlan, GetiError> {
    if let Some(name) = edges
        .iter()
        .flat_map(|(a, b)| [a, b])
        .find(|name| !points.contains(name))
    {
        let message = format!("an edge names `{name}`, which is no label");
        return Err(GetiError::new(ErrorKind::Argument, message)
            .with_hint(format!("the labels are {}", points.join(", "))));
    }
    let place = |index: usize| {
        let angle = TAU * index as f64 / points.len() as f64;
        (0.5 + 0.4 * angle.sin(), 0.5 - 0.4 * angle.cos())
    };
    let places: Vec<(f64, f64)> = (0..points.len()).map(place).collect();
    Ok(task(points, edges, &places))
}

/// An edge as users write it, `nose-left eye`; names may have a hyphen themselves.
///
/// # Errors
/// It names no two of the points.
pub fn parse_edge(text: &str, points: &[String]) -> Result<(String, String), GetiError> {
    let known = |name: &str| points.iter().any(|point| point == name);
    let mut hyphens = text
        .match_indices('-')
        .map(|(at, _)| (&text[..at], &text[at + 1..]));
    let found = hyphens.find(|(a, b)| known(a) && known(b));
    let found = found.map(|(a, b)| (a.to_owned(), b.to_owned()));
    found.ok_or_else(|| {
        let message = format!("`{text}` joins no two labels");
        GetiError::new(ErrorKind::Argument, message).with_hint("write an edge as LABEL-LABEL")
    })
}

/// The task for the key points of a set.
///
/// # Errors
/// No label of the set has key points, or several have different ones: a project has one kind.
pub(super) fn task_of(set: &AnnotatedSet) -> Result<TaskPlan, GetiError> {
    let mut labels = set.labels.iter().filter(|label| label.skeleton.is_some());
    let first = labels.next();
    let Some((label, skeleton)) = first.and_then(|label| Some((label, label.skeleton.as_ref()?)))
    else {
        let message = "the set has no label with key points";
        return Err(GetiError::new(ErrorKind::Argument, message));
    };
    if let Some(other) = labels.find(|other| other.skeleton.as_ref() != Some(skeleton)) {
        let message = format!(
            "`{}` and `{}` have different key points",
            label.name, other.name
        );
        return Err(GetiError::new(ErrorKind::Argument, message).with_hint(
            "a project has one kind of them: choose one with --filter, in a set of its own",
        ));
    }
    let name = |index: usize| skeleton.points.get(index).cloned();
    let edges = skeleton.edges.iter();
    let edges: Vec<_> = edges
        .filter_map(|&(a, b)| Some((name(a)?, name(b)?)))
        .collect();
    let places = template(set, label, skeleton);
    Ok(task(&skeleton.points, &edges, &places))
}

/// Where the points lie in the boxes of the objects, on average.
fn template(set: &AnnotatedSet, label: &ClassLabel, skeleton: &Skeleton) -> Vec<(f64, f64)> {
    let mut sums = vec![(0.0, 0.0, 0.0); skeleton.points.len()];
    let objects = set.images.iter().flat_map(|image| &image.objects);
    for object in objects.filter(|object| object.labels.contains(&label.name)) {
        for ((x, y, count), point) in sums.iter_mut().zip(&object.keypoints) {
            if let Some((across, down)) = within_box(object, point) {
                (*x, *y, *count) = (*x + across, *y + down, *count + 1.0);
            }
        }
    }
    let mean = |(x, y, count): (f64, f64, f64)| {
        if count > 0.0 {
            (x / count, y / count)
        } else {
            (0.5, 0.5)
        }
    };
    sums.into_iter().map(mean).collect()
}

fn within_box(object: &Object, point: &Keypoint) -> Option<(f64, f64)> {
    let [left, top, width, height] = object.bounding_box()?;
    let known = point.visibility != Visibility::Absent && width > 0.0 && height > 0.0;
    let part = |value: f64, start: f64, length: f64| ((value - start) / length).clamp(0.0, 1.0);
    known.then(|| (part(point.x, left, width), part(point.y, top, height)))
}

fn task(points: &[String], edges: &[(String, String)], places: &[(f64, f64)]) -> TaskPlan {
    let edges = edges.iter().map(|(a, b)| json!({"nodes": [a, b]}));
    let positions = points.iter().zip(places);
    let positions = positions.map(|(label, (x, y))| json!({"label": label, "x": x, "y": y}));
    let structure = KeypointStructure {
        edges: edges.collect(),
        positions: positions.collect(),
    };
    let plan = TaskPlan::new(
        TaskType::KeypointDetection,
        points.iter().map(String::as_str),
    );
    plan.with_keypoints(structure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_told_apart_from_hyphens_in_names() {
        let points = ["nose", "left-eye", "ear"].map(str::to_owned);
        let edge = |text| parse_edge(text, &points).ok();
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(edge("nose-ear"), pair("nose", "ear"));
        assert_eq!(edge("left-eye-ear"), pair("left-eye", "ear"));
        assert_eq!(edge("nose-left-eye"), pair("nose", "left-eye"));
        assert_eq!((edge("nose"), edge("nose-mouth")), (None, None));
    }

    #[test]
    fn a_task_has_its_points_and_edges() {
        let points = ["a", "b"].map(str::to_owned);
        let plan = keypoint_task(&points, &[("a".to_owned(), "b".to_owned())]).unwrap();
        let structure = plan.keypoints.unwrap();
        assert_eq!(structure.edges, [json!({"nodes": ["a", "b"]})]);
        assert_eq!(structure.positions[0]["label"], "a");
        let wrong = keypoint_task(&points, &[("a".to_owned(), "c".to_owned())]);
        assert!(wrong.unwrap_err().to_string().contains("`c`"));
    }
}
