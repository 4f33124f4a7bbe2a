use serde::{Deserialize, Serialize};

/// A point in pixels; the origin is the image's upper left corner, `y` points down.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f64,
    /// Pixels from the upper edge.
    pub y: f64,
}

/// Where in an image a label holds, in absolute pixels, as the Geti REST API writes shapes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Shape {
    /// An upright rectangle given by its upper left corner and its size.
    Rectangle {
        /// Left edge.
        x: f64,
        /// Upper edge.
        y: f64,
        /// Extent to the right.
        width: f64,
        /// Extent downwards.
        height: f64,
    },
    /// An upright ellipse given by its bounding box.
    Ellipse {
        /// Left edge of the bounding box.
        x: f64,
        /// Upper edge of the bounding box.
        y: f64,
        /// Width of the bounding box.
        width: f64,
        /// Height of the bounding box.
        height: f64,
    },
    /// A rectangle turned about its centre.
    RotatedRectangle {
        /// Column of the centre.
        x: f64,
        /// Row of the centre.
        y: f64,
        /// Extent along the turned horizontal axis.
        width: f64,
        /// Extent along the turned vertical axis.
        height: f64,
        /// Clockwise angle in degrees.
        angle: f64,
    },
    /// A closed polygon of at least three points.
    Polygon {
        /// Corners in order; the last is joined to the first.
        points: Vec<Point>,
    },
    /// A single key point.
    Keypoint {
        /// Pixels from the left edge.
        x: f64,
        /// Pixels from the upper edge.
        y: f64,
        /// Whether it can be seen or is only inferred.
        is_visible: bool,
    },
}

impl Shape {
    /// The rectangle that covers an image of this size in pixels: the shape of an image-level label.
    pub fn whole_image(width: u32, height: u32) -> Self {
        Self::Rectangle {
            x: 0.0,
            y: 0.0,
            width: f64::from(width),
            height: f64::from(height),
        }
    }

    /// Whether this is the rectangle that covers an image of this size.
    pub fn is_whole_image(&self, width: u32, height: u32) -> bool {
        *self == Self::whole_image(width, height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_one_of_the_rest_api() {
        let shape: Shape =
            serde_json::from_str(r#"{"x":0,"y":1,"width":64,"height":48,"type":"RECTANGLE"}"#)
                .unwrap();
        assert_eq!(
            shape,
            Shape::Rectangle {
                x: 0.0,
                y: 1.0,
                width: 64.0,
                height: 48.0
            }
        );
        let turned = serde_json::to_value(Shape::RotatedRectangle {
            x: 1.0,
            y: 2.0,
            width: 3.0,
            height: 4.0,
            angle: 45.0,
        });
        assert_eq!(turned.unwrap()["type"], "ROTATED_RECTANGLE");
    }
}
