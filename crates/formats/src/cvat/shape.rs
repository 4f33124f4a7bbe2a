use roxmltree::Node;
use straylight_core::{Point, Shape};

use super::read::point_index;
use crate::xml::{attribute, children};
use crate::{AnnotatedSet, Geometry, Keypoint, Mask, Object, Visibility, geometry};

/// The object of an element; none if it is outside of the image.
pub(super) fn read(
    node: Node<'_, '_>,
    label: Option<&str>,
    size: (u32, u32),
    set: &mut AnnotatedSet,
) -> Result<Option<Object>, String> {
    let label = label
        .or_else(|| node.attribute("label"))
        .filter(|label| !label.is_empty())
        .ok_or("it has no `label`")?;
    let name = node.tag_name().name();
    if is_set(node, "outside") && name != "skeleton" {
        return Ok(None);
    }
    let mut keypoints = Vec::new();
    let geometry = match name {
        "box" => rectangle(node)?,
        "polygon" => Shape::Polygon {
            points: points(node, 3)?,
        }
        .into(),
        "polyline" => Geometry::Polyline(points(node, 2)?),
        "ellipse" => ellipse(node)?,
        "mask" => mask(node, size)?,
        "points" => single_points(node, &mut keypoints)?,
        "skeleton" => {
            keypoints = skeleton(node, label, set)?;
            Geometry::Keypoints
        }
        "tag" => Geometry::Image,
        other => return Err(format!("shapes of type `{other}` are not supported")),
    };
    set.add_label(label);
    let mut object = Object::new(geometry, label);
    object.keypoints = keypoints;
    facts(node, &mut object);
    Ok(Some(object))
}

fn is_set(node: Node<'_, '_>, name: &str) -> bool {
    node.attribute(name) == Some("1")
}

fn facts(node: Node<'_, '_>, object: &mut Object) {
    object.flags.occluded = is_set(node, "occluded");
    let number = |name: &str| {
        node.attribute(name)
            .and_then(|text| text.parse::<i64>().ok())
    };
    object.z_order = number("z_order").unwrap_or(0);
    object.group = number("group_id").filter(|group| *group != 0);
    for attribute in children(node, "attribute") {
        if let Some(name) = attribute.attribute("name") {
            let text = attribute.text().unwrap_or_default().trim();
            let value = match text {
                "true" => true.into(),
                "false" => false.into(),
                text => text.into(),
            };
            object.attributes.insert(name.to_owned(), value);
        }
    }
    object.take_flags();
}

fn rectangle(node: Node<'_, '_>) -> Result<Geometry, String> {
    let [left, top] = [attribute(node, "xtl")?, attribute(node, "ytl")?];
    let [width, height] = [
        attribute(node, "xbr")? - left,
        attribute(node, "ybr")? - top,
    ];
    let upright = geometry::rectangle(&[left, top, width, height])?;
    let angle = attribute(node, "rotation").unwrap_or(0.0);
    if angle == 0.0 {
        return Ok(upright.into());
    }
    let (x, y) = (left + width / 2.0, top + height / 2.0);
    Ok(Shape::RotatedRectangle {
        x,
        y,
        width,
        height,
        angle,
    }
    .into())
}

/// `x,y;x,y;...`
fn points(node: Node<'_, '_>, least: usize) -> Result<Vec<Point>, String> {
    let text = node.attribute("points").ok_or("it has no `points`")?;
    let point = |pair: &str| {
        let (x, y) = pair.split_once(',')?;
        let number = |text: &str| {
            text.trim()
                .parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
        };
        Some(Point {
            x: number(x)?,
            y: number(y)?,
        })
    };
    let pairs = text.split(';').filter(|pair| !pair.trim().is_empty());
    let points: Option<Vec<Point>> = pairs.map(point).collect();
    let points = points.ok_or_else(|| format!("`points` is `{text}`, not x,y;x,y"))?;
    if points.len() < least {
        return Err(format!(
            "it has {} points, not {least} at least",
            points.len()
        ));
    }
    Ok(points)
}

/// Centre and radii; a turned ellipse becomes a polygon.
fn ellipse(node: Node<'_, '_>) -> Result<Geometry, String> {
    let [cx, cy] = [attribute(node, "cx")?, attribute(node, "cy")?];
    let [rx, ry] = [attribute(node, "rx")?, attribute(node, "ry")?];
    geometry::rectangle(&[cx - rx, cy - ry, 2.0 * rx, 2.0 * ry])?;
    let upright = Shape::Ellipse {
        x: cx - rx,
        y: cy - ry,
        width: 2.0 * rx,
        height: 2.0 * ry,
    };
    let angle = attribute(node, "rotation").unwrap_or(0.0);
    if angle == 0.0 {
        return Ok(upright.into());
    }
    let points =
        geometry::turned_about(&geometry::corners(&upright), Point { x: cx, y: cy }, angle);
    Ok(Shape::Polygon { points }.into())
}

/// Run lengths row by row within the box, outside first.
fn mask(node: Node<'_, '_>, (width, height): (u32, u32)) -> Result<Geometry, String> {
    let number = |name: &str| attribute(node, name).map(|pixels| pixels as i64);
    let [left, top] = [number("left")?, number("top")?];
    let [w, h] = [number("width")?, number("height")?];
    let text = node.attribute("rle").ok_or("it has no `rle`")?;
    let fits = w > 0 && h > 0 && w.checked_mul(h).is_some_and(|pixels| pixels <= 1 << 28);
    if !fits {
        return Err(format!("a mask of {w} x {h} pixels cannot be read"));
    }
    let mut inside = vec![false; (w * h) as usize];
    let mut at = 0_usize;
    for (index, run) in text.split(',').enumerate() {
        let run: usize = run
            .trim()
            .parse()
            .map_err(|_| format!("`{run}` is no run length"))?;
        let end = at.saturating_add(run);
        let pixels = inside
            .get_mut(at..end)
            .ok_or("its run lengths are more than its pixels")?;
        pixels.fill(index % 2 == 1);
        at = end;
    }
    let pixel = |x: u32, y: u32| {
        let (x, y) = (i64::from(x) - left, i64::from(y) - top);
        (0..w).contains(&x) && (0..h).contains(&y) && inside[(y * w + x) as usize]
    };
    let mask = Mask::from_pixels(width, height, pixel);
    if mask.area() == 0 {
        return Err("the mask has no pixels within the image".to_owned());
    }
    Ok(mask.into())
}

/// One point is a shape, several are the points of one object.
fn single_points(node: Node<'_, '_>, keypoints: &mut Vec<Keypoint>) -> Result<Geometry, String> {
    let points = points(node, 1)?;
    let hidden = is_set(node, "occluded");
    if let [Point { x, y }] = points[..] {
        return Ok(Shape::Keypoint {
            x,
            y,
            is_visible: !hidden,
        }
        .into());
    }
    let visibility = if hidden {
        Visibility::Hidden
    } else {
        Visibility::Visible
    };
    keypoints.extend(points.iter().map(|point| Keypoint {
        x: point.x,
        y: point.y,
        visibility,
    }));
    Ok(Geometry::Keypoints)
}

fn skeleton(
    node: Node<'_, '_>,
    label: &str,
    set: &mut AnnotatedSet,
) -> Result<Vec<Keypoint>, String> {
    let skeleton = set.label_mut(label).skeleton.get_or_insert_default();
    let absent = Keypoint {
        x: 0.0,
        y: 0.0,
        visibility: Visibility::Absent,
    };
    let mut keypoints = vec![absent; skeleton.points.len()];
    for child in children(node, "points") {
        let name = child
            .attribute("label")
            .ok_or("a point of it has no `label`")?;
        let index = point_index(skeleton, name);
        keypoints.resize(skeleton.points.len(), absent);
        if is_set(child, "outside") {
            continue;
        }
        let visibility = if is_set(child, "occluded") {
            Visibility::Hidden
        } else {
            Visibility::Visible
        };
        if let Some(point) = points(child, 1)?.first() {
            keypoints[index] = Keypoint {
                x: point.x,
                y: point.y,
                visibility,
            };
        }
    }
    Ok(keypoints)
}
