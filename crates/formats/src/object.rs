//! What is on an image: where it is, what it is, and what else its format says about it.

use std::collections::BTreeMap;

use serde_json::Value;
use straylight_core::{Point, Shape};

use crate::Mask;

/// What else a format says about an image or an object, by name.
pub type Attributes = BTreeMap<String, Value>;

/// One object of an image, or a label of the image as a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Where it is, in pixels of the upright image.
    pub geometry: Geometry,
    /// Names of labels, at least one.
    pub labels: Vec<String>,
    /// Its key points in the order of the skeleton of its first label; empty without any.
    pub keypoints: Vec<Keypoint>,
    /// Left, top, width and height of its box, where the source states one that is not just the
    /// box around `geometry`.
    pub bounds: Option<[f64; 4]>,
    /// Its identifier in the source.
    pub id: Option<String>,
    /// Objects of one image that share a number belong together.
    pub group: Option<i64>,
    /// What sets of detection tasks mark.
    pub flags: Flags,
    /// Objects of a higher number lie above the others.
    pub z_order: i64,
    /// Everything else.
    pub attributes: Attributes,
}

/// Marks of an object in sets for detection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "independent marks of the formats"
)]
pub struct Flags {
    /// Not one object but a crowd of them (COCO's `iscrowd`, Open Images' `IsGroupOf`).
    pub crowd: bool,
    /// Too hard to be counted in an evaluation (Pascal VOC).
    pub difficult: bool,
    /// Cut by the border of the image or by its box.
    pub truncated: bool,
    /// Partly hidden by something else.
    pub occluded: bool,
}

/// Where an object is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Geometry {
    /// The whole image: a label of the image itself. A box over the whole image is not the same.
    Image,
    /// One shape as the Geti platform knows them.
    Shape(Shape),
    /// Several polygons that are parts of one object.
    Polygons(Vec<Vec<Point>>),
    /// A set of pixels, with parts and holes.
    Mask(Mask),
    /// An open line through at least two points.
    Polyline(Vec<Point>),
    /// Nothing but the object's key points.
    Keypoints,
}

/// One key point of an object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Keypoint {
    /// Pixels from the left edge; 0 if it is absent.
    pub x: f64,
    /// Pixels from the upper edge; 0 if it is absent.
    pub y: f64,
    /// Whether it was annotated and can be seen.
    pub visibility: Visibility,
}

/// Whether a key point was annotated and can be seen, numbered as in COCO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// Not annotated (0).
    Absent,
    /// Annotated, but hidden (1).
    Hidden,
    /// Annotated and seen (2).
    Visible,
}

impl Visibility {
    /// From COCO's number: 0 absent, 1 hidden, everything above visible.
    pub fn from_number(number: f64) -> Self {
        if number >= 2.0 {
            Self::Visible
        } else if number >= 1.0 {
            Self::Hidden
        } else {
            Self::Absent
        }
    }

    /// COCO's number: 0 absent, 1 hidden, 2 visible.
    pub fn number(self) -> u8 {
        self as u8
    }
}

impl Object {
    /// An object of one label about which nothing else is known.
    pub fn new(geometry: impl Into<Geometry>, label: impl Into<String>) -> Self {
        Self::with_labels(geometry, vec![label.into()])
    }

    /// An object of several labels about which nothing else is known.
    pub fn with_labels(geometry: impl Into<Geometry>, labels: Vec<String>) -> Self {
        Self {
            geometry: geometry.into(),
            labels,
            keypoints: Vec::new(),
            bounds: None,
            id: None,
            group: None,
            flags: Flags::default(),
            z_order: 0,
            attributes: Attributes::new(),
        }
    }

    /// Left, top, width and height of its box, or `None` for a label of the whole image.
    pub fn bounding_box(&self) -> Option<[f64; 4]> {
        self.bounds
            .or_else(|| self.geometry.bounding_box())
            .or_else(|| crate::geometry::around(&self.annotated_points()))
    }

    /// Takes the marks that have a place of their own out of the attributes.
    pub(crate) fn take_flags(&mut self) {
        let Flags {
            crowd,
            difficult,
            truncated,
            occluded,
        } = &mut self.flags;
        for (names, flag) in [
            (&["occluded"][..], occluded),
            (&["truncated"], truncated),
            (&["difficult"], difficult),
            (&["is_crowd", "iscrowd"], crowd),
        ] {
            for name in names {
                if let Some(is_set) = self.attributes.get(*name).and_then(truth) {
                    *flag |= is_set;
                    self.attributes.remove(*name);
                }
            }
        }
    }

    /// The key points that were annotated, seen or hidden.
    fn annotated_points(&self) -> Vec<Point> {
        let known = self.keypoints.iter();
        let known = known.filter(|point| point.visibility != Visibility::Absent);
        known
            .map(|point| Point {
                x: point.x,
                y: point.y,
            })
            .collect()
    }
}

/// A truth value, also one in words or as a number.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is_set) => Some(*is_set),
        Value::Number(number) if number.as_i64() == Some(0) => Some(false),
        Value::Number(number) if number.as_i64() == Some(1) => Some(true),
        Value::String(text) if matches!(&**text, "true" | "True" | "1") => Some(true),
        Value::String(text) if matches!(&**text, "false" | "False" | "0") => Some(false),
        _ => None,
    }
}

impl From<Shape> for Geometry {
    fn from(shape: Shape) -> Self {
        Self::Shape(shape)
    }
}

impl From<Mask> for Geometry {
    fn from(mask: Mask) -> Self {
        Self::Mask(mask)
    }
}
