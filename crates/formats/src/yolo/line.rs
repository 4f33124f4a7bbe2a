//! One line of a label file.

use straylight_core::{Point, Shape};

use super::names::Description;
use crate::{Geometry, Keypoint, Object, Visibility, geometry};

/// Coordinates that are as far as this beyond the image are something else.
const MOST: f64 = 2.0;

/// The object of a line on an image of this size.
pub(super) fn read(line: &str, set: &Description, size: (u32, u32)) -> Result<Object, String> {
    if let Some(object) = corners(line, set) {
        return object;
    }
    let mut words = line.split_ascii_whitespace();
    let class = words.next().unwrap_or_default();
    let number = |word: &str| {
        let number = word.parse::<f64>().ok().filter(|number| number.is_finite());
        number.ok_or_else(|| not_a_number(word))
    };
    let index = number(class)?;
    let name = set
        .names
        .get(index as usize)
        .filter(|name| !name.is_empty() && index >= 0.0 && index.fract() == 0.0);
    let name = name.ok_or_else(|| format!("class `{class}` has no name"))?;
    let numbers = words.map(number).collect::<Result<Vec<f64>, String>>()?;
    if set.keypoints.is_none() {
        parts_of_sides(&numbers)?;
    }
    let scale = Scale(f64::from(size.0), f64::from(size.1));
    if let Some((count, each)) = set.keypoints {
        return pose(&numbers, name, (count, each), scale);
    }
    match numbers[..] {
        [x, y, w, h] => Ok(Object::new(scale.rectangle([x, y, w, h])?, name.as_str())),
        [_, _, _, _, _] => Err(
            "it has a class, a box and one more number: a confidence is part of a \
                                prediction; remove the sixth column"
                .to_owned(),
        ),
        _ => Ok(Object::new(scale.polygon(&numbers)?, name.as_str())),
    }
}

/// The turned box of a line of DOTA: four corners in pixels, a name, and how difficult it is.
fn corners(line: &str, set: &Description) -> Option<Result<Object, String>> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let (numbers, rest) = words.split_at_checked(8)?;
    let numbers: Vec<f64> = numbers
        .iter()
        .map(|word| word.parse().ok())
        .collect::<Option<_>>()?;
    let name = rest
        .first()
        .filter(|name| name.parse::<f64>().is_err() && rest.len() <= 2)?;
    if !set.names.iter().any(|known| known == name) {
        return Some(Err(format!(
            "class `{name}` is none of the names in the YAML file"
        )));
    }
    Some(geometry::polygon(&numbers).map(|polygon| {
        let turned = match &polygon {
            Shape::Polygon { points } => geometry::turned_box(points),
            _ => None,
        };
        let mut object = Object::new(turned.unwrap_or(polygon), *name);
        object.flags.difficult = rest.get(1).is_some_and(|mark| *mark != "0");
        object
    }))
}

/// Whether a line is one of the two at the head of DOTA's files.
pub(super) fn is_head(line: &str) -> bool {
    line.starts_with("imagesource:") || line.starts_with("gsd:")
}

/// Refuses numbers that are pixels, or marks of key points, which are 2 for those that are seen.
fn parts_of_sides(numbers: &[f64]) -> Result<(), String> {
    match numbers.iter().find(|number| number.abs() >= MOST) {
        Some(number) => Err(format!(
            "`{number}` is no part of the image's sides: they go from 0 to 1, not in pixels; key \
             points need `kpt_shape` in the YAML file"
        )),
        None => Ok(()),
    }
}

fn not_a_number(word: &str) -> String {
    if word.contains(',') {
        return format!("`{word}` is not a number; numbers stand between blanks");
    }
    format!("`{word}` is not a number")
}

/// A box, then x, y and perhaps the visibility of each key point.
fn pose(
    numbers: &[f64],
    name: &str,
    (count, each): (usize, usize),
    scale: Scale,
) -> Result<Object, String> {
    let wanted = 4 + count * each;
    if numbers.len() != wanted && numbers.len() != 4 {
        return Err(format!(
            "it has {} numbers after the class; a box and {count} key points of {each} numbers \
             (`kpt_shape`) have {wanted}",
            numbers.len()
        ));
    }
    let (bounds, points) = numbers.split_at(4);
    let shape = scale.rectangle([bounds[0], bounds[1], bounds[2], bounds[3]])?;
    let mut object = Object::new(shape, name);
    let point = |point: &[f64]| {
        // Without a mark, Ultralytics takes a point at the origin for absent.
        let seen = if point[0] == 0.0 && point[1] == 0.0 {
            0.0
        } else {
            2.0
        };
        let visibility = Visibility::from_number(point.get(2).copied().unwrap_or(seen));
        let (x, y) = if visibility == Visibility::Absent {
            (0.0, 0.0)
        } else {
            (unscaled(point[0] * scale.0), unscaled(point[1] * scale.1))
        };
        Keypoint { x, y, visibility }
    };
    object.keypoints = points.chunks_exact(each).map(point).collect();
    Ok(object)
}

/// Width and height of the image.
#[derive(Clone, Copy)]
struct Scale(f64, f64);

impl Scale {
    fn rectangle(self, [x, y, w, h]: [f64; 4]) -> Result<Shape, String> {
        let Self(width, height) = self;
        let upright = [
            (x - w / 2.0) * width,
            (y - h / 2.0) * height,
            w * width,
            h * height,
        ];
        geometry::rectangle(&upright.map(unscaled))
    }

    fn polygon(self, numbers: &[f64]) -> Result<Geometry, String> {
        let polygon = geometry::polygon(numbers)?;
        let Shape::Polygon { points } = polygon else {
            return Ok(polygon.into());
        };
        let scaled = |p: &Point| Point {
            x: unscaled(p.x * self.0),
            y: unscaled(p.y * self.1),
        };
        Ok(Shape::Polygon {
            points: points.iter().map(scaled).collect(),
        }
        .into())
    }
}

/// Takes away what dividing by the image's size and multiplying again added: a box over the
/// whole image must be recognised as one.
fn unscaled(pixels: f64) -> f64 {
    let rounded = (pixels * 1e6).round() / 1e6;
    if rounded.is_finite() { rounded } else { pixels }
}
