use serde::Deserialize;
use serde_json::{Map, Value};
use straylight_core::{Point, Shape};

use super::brush;
use crate::{Geometry, Object, geometry};

/// One entry of `result`.
#[derive(Deserialize)]
pub(super) struct Region {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) value: Map<String, Value>,
    #[serde(default)]
    pub(super) original_width: Option<f64>,
    #[serde(default)]
    pub(super) original_height: Option<f64>,
    #[serde(default)]
    pub(super) image_rotation: Option<f64>,
}

/// Keys under which labels stand.
const LABELS: [&str; 7] = [
    "rectanglelabels",
    "polygonlabels",
    "ellipselabels",
    "keypointlabels",
    "brushlabels",
    "labels",
    "bitmasklabels",
];

/// The labels of a value.
pub(super) fn labels(value: &Map<String, Value>) -> Vec<String> {
    let lists = LABELS.iter().filter_map(|key| value.get(*key)?.as_array());
    lists
        .flatten()
        .filter_map(|label| label.as_str().map(str::to_owned))
        .collect()
}

/// The object of a region on an image of this size; its labels may stand in another region.
pub(super) fn object(
    region: &Region,
    labels: Vec<String>,
    size: (u32, u32),
) -> Result<Object, String> {
    if labels.is_empty() {
        return Err("it has no label".to_owned());
    }
    if region.image_rotation.is_some_and(|angle| angle != 0.0) {
        return Err(
            "the image was turned while it was annotated, which is not supported".to_owned(),
        );
    }
    let mut object = Object::with_labels(geometry(&region.value, size)?, labels);
    object.id.clone_from(&region.id);
    Ok(object)
}

/// Width and height of the image, and the numbers of a value.
struct Scaled<'a> {
    value: &'a Map<String, Value>,
    width: f64,
    height: f64,
}

impl Scaled<'_> {
    fn number(&self, key: &str) -> Result<f64, String> {
        let number = self.value.get(key).and_then(Value::as_f64);
        number.ok_or_else(|| format!("`{key}` is missing"))
    }

    fn across(&self, key: &str) -> Result<f64, String> {
        Ok(cleaned(self.number(key)? * self.width / 100.0))
    }

    fn down(&self, key: &str) -> Result<f64, String> {
        Ok(cleaned(self.number(key)? * self.height / 100.0))
    }
}

/// Takes away what dividing and multiplying again added.
fn cleaned(pixels: f64) -> f64 {
    (pixels * 1e6).round() / 1e6
}

fn geometry(value: &Map<String, Value>, size: (u32, u32)) -> Result<Geometry, String> {
    let scaled = Scaled {
        value,
        width: f64::from(size.0),
        height: f64::from(size.1),
    };
    let has = |key: &str| value.contains_key(key);
    if has("rle") {
        let bytes = value["rle"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let bytes: Option<Vec<u8>> = bytes
            .iter()
            .map(|byte| u8::try_from(byte.as_u64()?).ok())
            .collect();
        return brush::decode(&bytes.ok_or("`rle` is no list of bytes")?, size).map(Into::into);
    }
    if has("points") {
        return polygon(&scaled);
    }
    if has("radiusX") {
        return ellipse(&scaled);
    }
    if has("height") {
        return rectangle(&scaled);
    }
    if has("x") {
        let (x, y) = (scaled.across("x")?, scaled.down("y")?);
        return Ok(Shape::Keypoint {
            x,
            y,
            is_visible: true,
        }
        .into());
    }
    Err("it has no shape that is known".to_owned())
}

/// Turned clockwise about its upper left corner.
fn rectangle(scaled: &Scaled<'_>) -> Result<Geometry, String> {
    let [x, y] = [scaled.across("x")?, scaled.down("y")?];
    let [width, height] = [scaled.across("width")?, scaled.down("height")?];
    let upright = geometry::rectangle(&[x, y, width, height])?;
    let angle = scaled.number("rotation").unwrap_or(0.0);
    if angle == 0.0 {
        return Ok(upright.into());
    }
    let centre = Point {
        x: x + width / 2.0,
        y: y + height / 2.0,
    };
    let centre = geometry::turned_about(&[centre], Point { x, y }, angle);
    let Point { x, y } = centre[0];
    Ok(Shape::RotatedRectangle {
        x,
        y,
        width,
        height,
        angle,
    }
    .into())
}

fn polygon(scaled: &Scaled<'_>) -> Result<Geometry, String> {
    let pairs = scaled.value["points"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let number = |pair: &Value, index: usize, side: f64| {
        let number = pair
            .get(index)
            .and_then(Value::as_f64)
            .ok_or("a point of it is no pair of numbers")?;
        Ok::<f64, String>(cleaned(number * side / 100.0))
    };
    let mut flat = Vec::new();
    for pair in pairs {
        flat.extend([
            number(pair, 0, scaled.width)?,
            number(pair, 1, scaled.height)?,
        ]);
    }
    geometry::polygon(&flat).map(Into::into)
}

fn ellipse(scaled: &Scaled<'_>) -> Result<Geometry, String> {
    let [x, y] = [scaled.across("x")?, scaled.down("y")?];
    let [rx, ry] = [scaled.across("radiusX")?, scaled.down("radiusY")?];
    geometry::rectangle(&[x - rx, y - ry, 2.0 * rx, 2.0 * ry])?;
    let upright = Shape::Ellipse {
        x: x - rx,
        y: y - ry,
        width: 2.0 * rx,
        height: 2.0 * ry,
    };
    let angle = scaled.number("rotation").unwrap_or(0.0);
    if angle == 0.0 {
        return Ok(upright.into());
    }
    let points = geometry::turned_about(&geometry::corners(&upright), Point { x, y }, angle);
    Ok(Shape::Polygon { points }.into())
}
