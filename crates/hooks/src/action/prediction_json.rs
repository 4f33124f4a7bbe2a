//! The prediction as the Python SDK writes and reads it.
//!
//! `{"annotations":[{"labels":[{"probability":0.9,"name":"cat","color":"#112233ff"}],
//! "shape":{"x":0,"y":0,"width":64,"height":48,"type":"RECTANGLE"}}],"kind":"prediction",
//! "maps":[]}`. Whole numbers of pixels are written without a fraction, as the SDK does.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use straylight_core::{Annotation, Color, Point, Prediction, ScoredLabel, Shape};

/// A prediction in the form in which the Python SDK keeps collected predictions.
///
/// Saliency maps are left out: the file says what was predicted, not why.
#[derive(Debug, serde::Serialize)]
pub struct PredictionJson<'a> {
    annotations: Vec<AnnotationJson<'a>>,
    kind: &'static str,
    maps: [(); 0],
}

#[derive(Debug, serde::Serialize)]
struct AnnotationJson<'a> {
    labels: Vec<LabelJson<'a>>,
    shape: ShapeJson,
}

#[derive(Debug, serde::Serialize)]
struct LabelJson<'a> {
    probability: f32,
    name: &'a str,
    color: Color,
}

/// The fields of a shape in the order in which the SDK writes them.
#[derive(Debug)]
struct ShapeJson(Vec<(&'static str, Value)>);

impl<'a> PredictionJson<'a> {
    /// The form of this prediction.
    pub fn of(prediction: &'a Prediction) -> Self {
        let annotations = prediction.annotations.iter().map(annotation).collect();
        Self {
            annotations,
            kind: "prediction",
            maps: [],
        }
    }
}

impl Serialize for ShapeJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

fn annotation(annotation: &Annotation) -> AnnotationJson<'_> {
    let labels = annotation.labels.iter().map(label).collect();
    AnnotationJson {
        labels,
        shape: shape(&annotation.shape),
    }
}

fn label(label: &ScoredLabel) -> LabelJson<'_> {
    LabelJson {
        probability: label.probability,
        name: &label.name,
        color: label.color,
    }
}

fn shape(shape: &Shape) -> ShapeJson {
    let (kind, mut fields) = match shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        } => ("RECTANGLE", extent(*x, *y, *width, *height)),
        Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => ("ELLIPSE", extent(*x, *y, *width, *height)),
        Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        } => {
            let mut fields = extent(*x, *y, *width, *height);
            fields.push(("angle", pixels(*angle)));
            ("ROTATED_RECTANGLE", fields)
        }
        Shape::Polygon { points } => (
            "POLYGON",
            vec![("points", points.iter().map(point).collect())],
        ),
        Shape::Keypoint { x, y, is_visible } => {
            let fields = vec![("x", pixels(*x)), ("y", pixels(*y))];
            (
                "KEYPOINT",
                [fields, vec![("is_visible", json!(is_visible))]].concat(),
            )
        }
    };
    fields.push(("type", json!(kind)));
    ShapeJson(fields)
}

fn extent(x: f64, y: f64, width: f64, height: f64) -> Vec<(&'static str, Value)> {
    vec![
        ("x", pixels(x)),
        ("y", pixels(y)),
        ("width", pixels(width)),
        ("height", pixels(height)),
    ]
}

fn point(point: &Point) -> Value {
    json!({"x": pixels(point.x), "y": pixels(point.y)})
}

/// Whole numbers without a fraction; those beyond 2^53 keep their float form.
fn pixels(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        json!(value as i64)
    } else {
        json!(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_the_one_of_the_python_sdk() {
        let color: Color = "#112233ff".parse().unwrap();
        let label = ScoredLabel {
            id: "1".into(),
            name: "cat".into(),
            color,
            probability: 0.9,
        };
        let shape = Shape::whole_image(64, 48);
        let annotations = vec![Annotation {
            shape,
            labels: vec![label],
        }];
        let prediction = Prediction {
            annotations,
            ..Default::default()
        };
        let expected = r##"{"annotations":[{"labels":[{"probability":0.9,"name":"cat","color":"#112233ff"}],"shape":{"x":0,"y":0,"width":64,"height":48,"type":"RECTANGLE"}}],"kind":"prediction","maps":[]}"##;
        let written = serde_json::to_string(&PredictionJson::of(&prediction)).unwrap();
        assert_eq!(written, expected);
    }

    #[test]
    fn all_shapes_have_their_fields() {
        struct Case(Shape, Value);
        let point = |x, y| Point { x, y };
        for Case(given, expected) in [
            Case(
                Shape::Polygon {
                    points: vec![point(0.5, 1.0)],
                },
                json!({"points": [{"x": 0.5, "y": 1}], "type": "POLYGON"}),
            ),
            Case(
                Shape::Keypoint {
                    x: 1.0,
                    y: 2.0,
                    is_visible: true,
                },
                json!({"x": 1, "y": 2, "is_visible": true, "type": "KEYPOINT"}),
            ),
            Case(
                Shape::RotatedRectangle {
                    x: 1.0,
                    y: 2.0,
                    width: 3.0,
                    height: 4.0,
                    angle: 4.5,
                },
                json!({"x": 1, "y": 2, "width": 3, "height": 4, "angle": 4.5,
                       "type": "ROTATED_RECTANGLE"}),
            ),
        ] {
            assert_eq!(serde_json::to_value(shape(&given)).unwrap(), expected);
        }
    }
}
