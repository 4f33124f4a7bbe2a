use std::fmt;
use std::str::FromStr;

use straylight_core::Shape;

use crate::{AnnotatedSet, Geometry, Object};

/// What a YOLO model is trained for; each has lines of its own, and a set has lines of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum YoloTask {
    /// Upright boxes.
    Detect,
    /// Polygons.
    Segment,
    /// Upright boxes with key points.
    Pose,
    /// Turned boxes.
    Obb,
}

const NAMES: [(YoloTask, &str); 4] = [
    (YoloTask::Detect, "detect"),
    (YoloTask::Segment, "segment"),
    (YoloTask::Pose, "pose"),
    (YoloTask::Obb, "obb"),
];

/// A text is no task of YOLO.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no task of YOLO; choose one of detect, segment, pose, obb")]
pub struct UnknownYoloTask(String);

impl YoloTask {
    /// The task that keeps most of what a set holds: key points, else polygons, else turned boxes.
    pub(super) fn of(set: &AnnotatedSet) -> Self {
        let any = |fits: fn(&Object) -> bool| {
            let mut objects = set.images.iter().flat_map(|image| &image.objects);
            objects.any(fits)
        };
        if any(|object| !object.keypoints.is_empty()) {
            Self::Pose
        } else if any(|object| has_outline(&object.geometry)) {
            Self::Segment
        } else if any(|object| is_turned(&object.geometry)) {
            Self::Obb
        } else {
            Self::Detect
        }
    }
}

/// Whether a shape says more than a box does.
fn has_outline(geometry: &Geometry) -> bool {
    matches!(
        geometry,
        Geometry::Polygons(_)
            | Geometry::Mask(_)
            | Geometry::Shape(Shape::Polygon { .. } | Shape::Ellipse { .. })
    )
}

pub(super) fn is_turned(geometry: &Geometry) -> bool {
    matches!(geometry, Geometry::Shape(Shape::RotatedRectangle { .. }))
}

impl fmt::Display for YoloTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = NAMES.iter().find(|(task, _)| task == self);
        f.write_str(found.map_or("", |(_, name)| name))
    }
}

impl FromStr for YoloTask {
    type Err = UnknownYoloTask;

    fn from_str(text: &str) -> Result<Self, UnknownYoloTask> {
        let found = NAMES
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(text));
        found
            .map(|(task, _)| *task)
            .ok_or_else(|| UnknownYoloTask(text.to_owned()))
    }
}
