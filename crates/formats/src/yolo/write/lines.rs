use std::collections::HashMap;
use std::fmt::Write;

use straylight_core::{Point, Shape};

use super::YoloTask;
use super::join::join;
use super::task::is_turned;
use crate::clip::{Clipped, clip};
use crate::geometry::{corners, flat};
use crate::loss::Losses;
use crate::{
    AnnotatedImage, AnnotatedSet, Became, Feature, Geometry, Keypoint, Object, Visibility,
};

/// Writes the lines of label files, all of one kind.
pub(super) struct Lines<'a> {
    pub(super) task: YoloTask,
    /// Key points of each object; 0 for other tasks than pose.
    pub(super) points: usize,
    numbers: HashMap<&'a str, usize>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(set: &'a AnnotatedSet, task: YoloTask) -> Self {
        let of_objects = set.images.iter().flat_map(|image| &image.objects);
        let of_objects = of_objects.map(|object| object.keypoints.len()).max();
        let of_labels = set
            .labels
            .iter()
            .filter_map(|label| label.skeleton.as_ref());
        let of_labels = of_labels.map(|skeleton| skeleton.points.len()).max();
        let points = of_objects.max(of_labels).unwrap_or(0);
        Self {
            task,
            points: if task == YoloTask::Pose { points } else { 0 },
            numbers: set
                .label_names()
                .enumerate()
                .map(|(number, name)| (name, number))
                .collect(),
        }
    }

    /// The lines of one image.
    pub(super) fn of(&self, image: &AnnotatedImage, losses: &mut Losses<'_>) -> String {
        let mut text = String::new();
        for object in &image.objects {
            if object.flags.crowd {
                losses.add(Feature::CrowdObject, Became::LeftOut);
                continue;
            }
            self.marks(object, losses);
            let Some(pixels) = self.pixels(object, image, losses) else {
                continue;
            };
            let mut numbers = String::with_capacity(pixels.len() * 20);
            add_parts(&mut numbers, &pixels, image);
            if self.task == YoloTask::Pose {
                self.add_points(&mut numbers, object, image, losses);
            }
            if object.labels.len() > 1 {
                losses.add(Feature::SeveralLabels, Became::Objects);
            }
            for number in object
                .labels
                .iter()
                .filter_map(|label| self.numbers.get(&**label))
            {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{number}{numbers}");
            }
        }
        text
    }

    fn marks(&self, object: &Object, losses: &mut Losses<'_>) {
        crate::platform::flags(object, losses);
        let count = usize::from(object.group.is_some());
        losses.add_some(Feature::Group, Became::LeftOut, count);
        let count = usize::from(!object.attributes.is_empty());
        losses.add_some(Feature::Attribute, Became::LeftOut, count);
        if self.task != YoloTask::Pose && !object.keypoints.is_empty() {
            losses.add(Feature::Skeleton, Became::LeftOut);
        }
    }

    /// The numbers after the class in pixels, before key points; `None` if nothing can be written.
    fn pixels(
        &self,
        object: &Object,
        image: &AnnotatedImage,
        losses: &mut Losses<'_>,
    ) -> Option<Vec<f64>> {
        let what = feature(&object.geometry);
        if matches!(what, Feature::Keypoint | Feature::Polyline) {
            losses.add(what, Became::LeftOut);
            return None;
        }
        match self.task {
            YoloTask::Segment => Self::outline(object, image, losses),
            YoloTask::Obb => turned_box(object, image, losses),
            _ => {
                let kept = matches!(what, Feature::Box | Feature::Skeleton);
                losses.add_some(what, Became::Box, usize::from(!kept));
                let [x, y, width, height] = upright_box(object, image, losses)?;
                Some(vec![x + width / 2.0, y + height / 2.0, width, height])
            }
        }
    }

    fn outline(
        object: &Object,
        image: &AnnotatedImage,
        losses: &mut Losses<'_>,
    ) -> Option<Vec<f64>> {
        let what = feature(&object.geometry);
        let parts = match &object.geometry {
            Geometry::Mask(mask) => {
                let outlines = mask.outlines();
                losses.add_some(Feature::Hole, Became::Filled, outlines.holes.len());
                outlines.outer
            }
            Geometry::Image | Geometry::Keypoints => {
                let [x, y, width, height] = upright_box(object, image, losses)?;
                vec![corners(&Shape::Rectangle {
                    x,
                    y,
                    width,
                    height,
                })]
            }
            geometry => geometry.outlines(),
        };
        let kept = matches!(what, Feature::Polygon | Feature::Parts);
        losses.add_some(what, Became::Polygon, usize::from(!kept));
        let mut cut = false;
        let parts = parts.into_iter().filter_map(|points| {
            let shape = Shape::Polygon { points };
            match clip(&shape, (image.width, image.height)) {
                Clipped::Inside => Some(corners(&shape)),
                Clipped::Cut(shape) => {
                    cut = true;
                    Some(corners(&shape))
                }
                Clipped::Outside => None,
            }
        });
        let points = join(parts.collect());
        let outcome = if points.is_empty() {
            Became::LeftOut
        } else {
            Became::Clipped
        };
        losses.add_some(
            Feature::OutOfImage,
            outcome,
            usize::from(cut || points.is_empty()),
        );
        (!points.is_empty()).then(|| flat(&points))
    }

    fn add_points(
        &self,
        numbers: &mut String,
        object: &Object,
        image: &AnnotatedImage,
        losses: &mut Losses<'_>,
    ) {
        let (width, height) = (f64::from(image.width), f64::from(image.height));
        let absent = Keypoint {
            x: 0.0,
            y: 0.0,
            visibility: Visibility::Absent,
        };
        for index in 0..self.points {
            let mut point = object.keypoints.get(index).copied().unwrap_or(absent);
            let inside = (0.0..=width).contains(&point.x) && (0.0..=height).contains(&point.y);
            if !inside {
                losses.add(Feature::OutOfImage, Became::LeftOut);
                point = absent;
            }
            add_parts(numbers, &[point.x, point.y], image);
            // Writing to a string cannot fail.
            let _ = write!(numbers, " {}", point.visibility.number());
        }
    }
}

/// What a geometry is called in a list of losses.
fn feature(geometry: &Geometry) -> Feature {
    match geometry {
        Geometry::Image => Feature::ImageLabel,
        Geometry::Keypoints => Feature::Skeleton,
        Geometry::Polygons(_) => Feature::Parts,
        Geometry::Mask(_) => Feature::Mask,
        Geometry::Polyline(_) => Feature::Polyline,
        Geometry::Shape(shape) => match shape {
            Shape::Rectangle { .. } => Feature::Box,
            Shape::Ellipse { .. } => Feature::Ellipse,
            Shape::RotatedRectangle { .. } => Feature::RotatedBox,
            Shape::Polygon { .. } => Feature::Polygon,
            Shape::Keypoint { .. } => Feature::Keypoint,
        },
    }
}

/// The part of an object's box that lies on the image.
fn upright_box(
    object: &Object,
    image: &AnnotatedImage,
    losses: &mut Losses<'_>,
) -> Option<[f64; 4]> {
    let whole = [0.0, 0.0, f64::from(image.width), f64::from(image.height)];
    let [x, y, width, height] = object.bounding_box().unwrap_or(whole);
    let shape = Shape::Rectangle {
        x,
        y,
        width,
        height,
    };
    match clip(&shape, (image.width, image.height)) {
        Clipped::Inside if width > 0.0 && height > 0.0 => Some([x, y, width, height]),
        Clipped::Cut(Shape::Rectangle {
            x,
            y,
            width,
            height,
        }) => {
            losses.add(Feature::OutOfImage, Became::Clipped);
            Some([x, y, width, height])
        }
        Clipped::Inside => {
            losses.add(Feature::NoArea, Became::LeftOut);
            None
        }
        _ => {
            losses.add(Feature::OutOfImage, Became::LeftOut);
            None
        }
    }
}

/// Four corners, each moved onto the image if it lies beyond: trainers refuse the whole image else.
fn turned_box(
    object: &Object,
    image: &AnnotatedImage,
    losses: &mut Losses<'_>,
) -> Option<Vec<f64>> {
    let what = feature(&object.geometry);
    let points = match &object.geometry {
        Geometry::Shape(shape) if is_turned(&object.geometry) => corners(shape),
        _ => {
            losses.add_some(what, Became::Box, usize::from(what != Feature::Box));
            let [x, y, width, height] = upright_box(object, image, losses)?;
            corners(&Shape::Rectangle {
                x,
                y,
                width,
                height,
            })
        }
    };
    let (width, height) = (f64::from(image.width), f64::from(image.height));
    let onto = |p: &Point| Point {
        x: p.x.clamp(0.0, width),
        y: p.y.clamp(0.0, height),
    };
    let moved: Vec<Point> = points.iter().map(onto).collect();
    if crate::geometry::area(&moved) <= 0.0 {
        losses.add(Feature::OutOfImage, Became::LeftOut);
        return None;
    }
    losses.add_some(
        Feature::OutOfImage,
        Became::Clipped,
        usize::from(moved != points),
    );
    Some(flat(&moved))
}

/// Adds pixels as parts of the width and the height in turn, a blank before each.
fn add_parts(text: &mut String, pixels: &[f64], image: &AnnotatedImage) {
    let sides = [f64::from(image.width), f64::from(image.height)];
    for (pixels, side) in pixels.iter().zip(sides.into_iter().cycle()) {
        // Writing to a string cannot fail.
        let _ = write!(text, " {}", (pixels / side).clamp(0.0, 1.0));
    }
}
