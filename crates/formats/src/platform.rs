//! Annotations as the Geti platform holds them: one shape each, with labels.

use straylight_core::{Point, Shape};

use crate::clip::{Clipped, clip};
use crate::loss::Losses;
use crate::{AnnotatedImage, Became, ClassLabel, Feature, Geometry, Loss, Object, Visibility};

/// A shape with the names of its labels.
pub type LabelledShape = (Shape, Vec<String>);

impl AnnotatedImage {
    /// The objects as the Geti platform holds them, with what it cannot hold.
    ///
    /// Masks become their outlines, parts become objects, key points become objects of their own
    /// with the names in the skeletons of `labels`. Every shape lies within the image.
    pub fn platform_shapes(&self, labels: &[ClassLabel]) -> (Vec<LabelledShape>, Vec<Loss>) {
        self.shapes(labels, true)
    }

    /// As [`Self::platform_shapes`]; files of the platform may have shapes beyond the image.
    pub(crate) fn shapes(
        &self,
        labels: &[ClassLabel],
        clip: bool,
    ) -> (Vec<LabelledShape>, Vec<Loss>) {
        let mut losses = Vec::new();
        let mut platform = Platform {
            image: self,
            clip,
            losses: Losses::into(self, &mut losses),
            shapes: Vec::new(),
        };
        for object in &self.objects {
            platform.add(object, labels);
        }
        (platform.shapes, losses)
    }
}

struct Platform<'a> {
    image: &'a AnnotatedImage,
    clip: bool,
    losses: Losses<'a>,
    shapes: Vec<LabelledShape>,
}

impl Platform<'_> {
    fn add(&mut self, object: &Object, labels: &[ClassLabel]) {
        self.add_geometry(object);
        self.add_keypoints(object, labels);
        self.marks(object);
    }

    fn add_geometry(&mut self, object: &Object) {
        match &object.geometry {
            Geometry::Image => {
                let whole = Shape::whole_image(self.image.width, self.image.height);
                self.shapes.push((whole, object.labels.clone()));
            }
            Geometry::Shape(shape) => self.put(shape.clone(), object),
            Geometry::Polygons(parts) => self.parts(parts.clone(), object),
            Geometry::Mask(mask) => {
                let outlines = mask.outlines();
                self.losses.add(Feature::Mask, Became::Polygon);
                self.losses
                    .add_some(Feature::Hole, Became::Filled, outlines.holes.len());
                self.parts(outlines.outer, object);
            }
            Geometry::Polyline(_) => self.losses.add(Feature::Polyline, Became::LeftOut),
            Geometry::Keypoints => {}
        }
    }

    fn parts(&mut self, parts: Vec<Vec<Point>>, object: &Object) {
        if parts.len() > 1 {
            self.losses.add(Feature::Parts, Became::Objects);
        }
        for points in parts {
            self.put(Shape::Polygon { points }, object);
        }
    }

    fn put(&mut self, shape: Shape, object: &Object) {
        let shape = match clip(&shape, (self.image.width, self.image.height)) {
            _ if !self.clip => shape,
            Clipped::Inside => shape,
            Clipped::Cut(shape) => {
                self.losses.add(Feature::OutOfImage, Became::Clipped);
                shape
            }
            Clipped::Outside => return self.losses.add(Feature::OutOfImage, Became::LeftOut),
        };
        self.shapes.push((shape, object.labels.clone()));
    }

    fn add_keypoints(&mut self, object: &Object, labels: &[ClassLabel]) {
        if object.keypoints.is_empty() {
            return;
        }
        self.losses.add(Feature::Skeleton, Became::Keypoints);
        let label = object.labels.first();
        let label = label.and_then(|name| labels.iter().find(|known| known.name == *name));
        let names = label.and_then(|label| label.skeleton.as_ref());
        for (index, point) in object.keypoints.iter().enumerate() {
            if point.visibility == Visibility::Absent {
                continue;
            }
            let name = names.and_then(|skeleton| skeleton.points.get(index));
            let labels = name.map_or_else(|| object.labels.clone(), |name| vec![name.clone()]);
            let is_visible = point.visibility == Visibility::Visible;
            let shape = Shape::Keypoint {
                x: point.x,
                y: point.y,
                is_visible,
            };
            self.put(shape, &Object::with_labels(Geometry::Image, labels));
        }
    }

    fn marks(&mut self, object: &Object) {
        let groups = usize::from(object.group.is_some());
        self.losses
            .add_some(Feature::Group, Became::LeftOut, groups);
        flags(object, &mut self.losses);
        let attributes = usize::from(!object.attributes.is_empty());
        self.losses
            .add_some(Feature::Attribute, Became::LeftOut, attributes);
    }
}

/// Says that the marks of an object are left out.
pub(crate) fn flags(object: &Object, losses: &mut Losses<'_>) {
    let flags = object.flags;
    for (is_set, what) in [
        (flags.crowd, Feature::Crowd),
        (flags.difficult, Feature::Difficult),
        (flags.truncated, Feature::Truncated),
        (flags.occluded, Feature::Occluded),
    ] {
        losses.add_some(what, Became::LeftOut, usize::from(is_set));
    }
}
