//! Annotations of stored pixels onto the upright image that a viewer of EXIF shows.

use straylight_core::{Point, Shape};
use straylight_image::Orientation;

use crate::{AnnotatedImage, Geometry, Mask, Object, Visibility};

/// From places in the stored image to places in the upright one.
#[derive(Clone, Copy)]
struct Turn {
    orientation: Orientation,
    /// Width and height of the stored image.
    width: f64,
    height: f64,
}

/// Turns an image whose size and annotations are those of the stored pixels.
pub(crate) fn turn(image: &mut AnnotatedImage, orientation: Orientation) {
    let (width, height) = (f64::from(image.width), f64::from(image.height));
    let turn = Turn {
        orientation,
        width,
        height,
    };
    image
        .objects
        .iter_mut()
        .for_each(|object| turn.object(object));
    if orientation.swaps_sides() {
        std::mem::swap(&mut image.width, &mut image.height);
    }
}

impl Turn {
    fn place(self, x: f64, y: f64) -> (f64, f64) {
        let (width, height) = (self.width, self.height);
        match self.orientation {
            Orientation::Upright => (x, y),
            Orientation::FlipHorizontal => (width - x, y),
            Orientation::Rotate180 => (width - x, height - y),
            Orientation::FlipVertical => (x, height - y),
            Orientation::Transpose => (y, x),
            Orientation::Rotate90 => (height - y, x),
            Orientation::Transverse => (height - y, width - x),
            Orientation::Rotate270 => (y, width - x),
        }
    }

    fn point(self, point: &mut Point) {
        (point.x, point.y) = self.place(point.x, point.y);
    }

    fn bounds(self, bounds: &mut [f64; 4]) {
        let [x, y, width, height] = *bounds;
        let (a, b) = (self.place(x, y), self.place(x + width, y + height));
        let (left, top) = (a.0.min(b.0), a.1.min(b.1));
        *bounds = [left, top, (a.0 - b.0).abs(), (a.1 - b.1).abs()];
    }

    fn object(self, object: &mut Object) {
        match &mut object.geometry {
            Geometry::Image | Geometry::Keypoints => {}
            Geometry::Shape(shape) => self.shape(shape),
            Geometry::Polygons(parts) => parts.iter_mut().flatten().for_each(|p| self.point(p)),
            Geometry::Polyline(points) => points.iter_mut().for_each(|p| self.point(p)),
            Geometry::Mask(mask) => *mask = self.mask(mask),
        }
        if let Some(bounds) = &mut object.bounds {
            self.bounds(bounds);
        }
        for point in &mut object.keypoints {
            if point.visibility != Visibility::Absent {
                (point.x, point.y) = self.place(point.x, point.y);
            }
        }
    }

    fn shape(self, shape: &mut Shape) {
        match shape {
            Shape::Polygon { points } => points.iter_mut().for_each(|p| self.point(p)),
            Shape::Keypoint { x, y, .. } => (*x, *y) = self.place(*x, *y),
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
            } => {
                let mut bounds = [*x, *y, *width, *height];
                self.bounds(&mut bounds);
                [*x, *y, *width, *height] = bounds;
            }
            Shape::RotatedRectangle { x, y, angle, .. } => {
                (*x, *y) = self.place(*x, *y);
                *angle = self.angle(*angle);
            }
        }
    }

    /// A mirrored image turns the other way round.
    fn angle(self, angle: f64) -> f64 {
        let turned = match self.orientation {
            Orientation::Upright | Orientation::Rotate180 => angle,
            Orientation::FlipHorizontal | Orientation::FlipVertical => -angle,
            Orientation::Rotate90 | Orientation::Rotate270 => angle + 90.0,
            Orientation::Transpose | Orientation::Transverse => 90.0 - angle,
        };
        turned.rem_euclid(180.0)
    }

    fn mask(self, mask: &Mask) -> Mask {
        let (stored_width, stored_height) = (mask.width(), mask.height());
        let (width, height) = if self.orientation.swaps_sides() {
            (stored_height, stored_width)
        } else {
            (stored_width, stored_height)
        };
        let (right, bottom) = (width.saturating_sub(1), height.saturating_sub(1));
        mask.rearranged(width, height, |x, y| match self.orientation {
            Orientation::Upright => (x, y),
            Orientation::FlipHorizontal => (right - x, y),
            Orientation::Rotate180 => (right - x, bottom - y),
            Orientation::FlipVertical => (x, bottom - y),
            Orientation::Transpose => (y, x),
            Orientation::Rotate90 => (y, right - x),
            Orientation::Transverse => (bottom - y, right - x),
            Orientation::Rotate270 => (bottom - y, x),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::corners;

    const ALL: [Orientation; 8] = [
        Orientation::Upright,
        Orientation::FlipHorizontal,
        Orientation::Rotate180,
        Orientation::FlipVertical,
        Orientation::Transpose,
        Orientation::Rotate90,
        Orientation::Transverse,
        Orientation::Rotate270,
    ];

    fn image(geometry: Geometry) -> AnnotatedImage {
        AnnotatedImage {
            width: 8,
            height: 6,
            objects: vec![Object::new(geometry, "bolt")],
            ..AnnotatedImage::default()
        }
    }

    /// A mask and the box around it stay together, whichever way they are turned.
    #[test]
    fn masks_turn_as_boxes_do() {
        for orientation in ALL {
            let mut masked = image(Mask::from_pixels(8, 6, |x, y| x < 3 && y == 1).into());
            let mut boxed = image(
                Shape::Rectangle {
                    x: 0.0,
                    y: 1.0,
                    width: 3.0,
                    height: 1.0,
                }
                .into(),
            );
            turn(&mut masked, orientation);
            turn(&mut boxed, orientation);
            let bounds = |image: &AnnotatedImage| image.objects[0].bounding_box();
            assert_eq!(bounds(&masked), bounds(&boxed), "{orientation:?}");
            assert_eq!(masked.width, if orientation.swaps_sides() { 6 } else { 8 });
        }
    }

    #[test]
    fn turned_boxes_turn_as_their_corners_do() {
        let shape = Shape::RotatedRectangle {
            x: 3.0,
            y: 2.0,
            width: 2.0,
            height: 1.0,
            angle: 30.0,
        };
        for orientation in ALL {
            let mut turned = image(shape.clone().into());
            let mut polygon = image(
                Shape::Polygon {
                    points: corners(&shape),
                }
                .into(),
            );
            turn(&mut turned, orientation);
            turn(&mut polygon, orientation);
            let (a, b) = (
                turned.objects[0].bounding_box(),
                polygon.objects[0].bounding_box(),
            );
            let off = a
                .unwrap()
                .into_iter()
                .zip(b.unwrap())
                .map(|(a, b)| (a - b).abs());
            assert!(off.fold(0.0, f64::max) < 1e-9, "{orientation:?}");
        }
    }
}
