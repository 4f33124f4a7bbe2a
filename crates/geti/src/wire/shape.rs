use serde::{Deserialize, Serialize};
use straylight_core::{Point, Shape as CoreShape};

use super::number;

/// A corner of a polygon in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShapePoint {
    /// Pixels from the left edge.
    #[serde(serialize_with = "number::whole")]
    pub x: f64,
    /// Pixels from the upper edge.
    #[serde(serialize_with = "number::whole")]
    pub y: f64,
}

/// A shape in absolute pixels; whole numbers are written as JSON integers.
///
/// The same data as [`straylight_core::Shape`], into which it converts and back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Shape {
    /// An upright rectangle: upper left corner and size.
    Rectangle {
        /// Left edge.
        #[serde(serialize_with = "number::whole")]
        x: f64,
        /// Upper edge.
        #[serde(serialize_with = "number::whole")]
        y: f64,
        /// Extent to the right.
        #[serde(serialize_with = "number::whole")]
        width: f64,
        /// Extent downwards.
        #[serde(serialize_with = "number::whole")]
        height: f64,
    },
    /// An upright ellipse: its bounding box.
    Ellipse {
        /// Left edge of the bounding box.
        #[serde(serialize_with = "number::whole")]
        x: f64,
        /// Upper edge of the bounding box.
        #[serde(serialize_with = "number::whole")]
        y: f64,
        /// Width of the bounding box.
        #[serde(serialize_with = "number::whole")]
        width: f64,
        /// Height of the bounding box.
        #[serde(serialize_with = "number::whole")]
        height: f64,
    },
    /// A rectangle turned about its centre.
    RotatedRectangle {
        /// Column of the centre.
        #[serde(serialize_with = "number::whole")]
        x: f64,
        /// Row of the centre.
        #[serde(serialize_with = "number::whole")]
        y: f64,
        /// Extent along the turned horizontal axis.
        #[serde(serialize_with = "number::whole")]
        width: f64,
        /// Extent along the turned vertical axis.
        #[serde(serialize_with = "number::whole")]
        height: f64,
        /// Clockwise angle in degrees.
        #[serde(serialize_with = "number::whole")]
        angle: f64,
    },
    /// A closed polygon.
    Polygon {
        /// Corners in order; the last is joined to the first.
        points: Vec<ShapePoint>,
    },
    /// A single key point.
    Keypoint {
        /// Pixels from the left edge.
        #[serde(serialize_with = "number::whole")]
        x: f64,
        /// Pixels from the upper edge.
        #[serde(serialize_with = "number::whole")]
        y: f64,
        /// Whether it can be seen.
        is_visible: bool,
    },
}

impl From<CoreShape> for Shape {
    fn from(shape: CoreShape) -> Self {
        match shape {
            CoreShape::Rectangle {
                x,
                y,
                width,
                height,
            } => Self::Rectangle {
                x,
                y,
                width,
                height,
            },
            CoreShape::Ellipse {
                x,
                y,
                width,
                height,
            } => Self::Ellipse {
                x,
                y,
                width,
                height,
            },
            CoreShape::RotatedRectangle {
                x,
                y,
                width,
                height,
                angle,
            } => Self::RotatedRectangle {
                x,
                y,
                width,
                height,
                angle,
            },
            CoreShape::Polygon { points } => Self::Polygon {
                points: points
                    .iter()
                    .map(|p| ShapePoint { x: p.x, y: p.y })
                    .collect(),
            },
            CoreShape::Keypoint { x, y, is_visible } => Self::Keypoint { x, y, is_visible },
        }
    }
}

impl From<Shape> for CoreShape {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Rectangle {
                x,
                y,
                width,
                height,
            } => Self::Rectangle {
                x,
                y,
                width,
                height,
            },
            Shape::Ellipse {
                x,
                y,
                width,
                height,
            } => Self::Ellipse {
                x,
                y,
                width,
                height,
            },
            Shape::RotatedRectangle {
                x,
                y,
                width,
                height,
                angle,
            } => Self::RotatedRectangle {
                x,
                y,
                width,
                height,
                angle,
            },
            Shape::Polygon { points } => Self::Polygon {
                points: points.iter().map(|p| Point { x: p.x, y: p.y }).collect(),
            },
            Shape::Keypoint { x, y, is_visible } => Self::Keypoint { x, y, is_visible },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_coordinates_are_integers() {
        let shape = Shape::from(CoreShape::whole_image(500, 375));
        assert_eq!(
            serde_json::to_string(&shape).unwrap(),
            r#"{"type":"RECTANGLE","x":0,"y":0,"width":500,"height":375}"#
        );
        let point = ShapePoint { x: 1.5, y: -2.0 };
        assert_eq!(
            serde_json::to_string(&point).unwrap(),
            r#"{"x":1.5,"y":-2}"#
        );
    }

    #[test]
    fn a_shape_may_be_followed_by_unknown_keys() {
        let text = r#"{"x":1,"y":2,"is_visible":true,"type":"KEYPOINT","more":[1]}"#;
        let shape: Shape = serde_json::from_str(text).unwrap();
        assert_eq!(
            shape,
            Shape::Keypoint {
                x: 1.0,
                y: 2.0,
                is_visible: true
            }
        );
    }
}
