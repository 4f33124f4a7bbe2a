//! Predictions of the core as objects of `straylight.data_models`, and back.

use std::sync::Arc;

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList};
use straylight::{
    Activations, Annotation, Color, Point, Prediction, SaliencyMap, ScoredLabel, Shape,
};

use crate::error::Raised;

/// The classes that predictions are made of.
struct Classes {
    rectangle: Py<PyAny>,
    ellipse: Py<PyAny>,
    rotated_rectangle: Py<PyAny>,
    polygon: Py<PyAny>,
    point: Py<PyAny>,
    keypoint: Py<PyAny>,
    scored_label: Py<PyAny>,
    annotation: Py<PyAny>,
    prediction: Py<PyAny>,
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

fn classes(py: Python<'_>) -> PyResult<&Classes> {
    CLASSES.get_or_try_init(py, || {
        let module = py.import("straylight.data_models")?;
        let class = |name: &str| PyResult::Ok(module.getattr(name)?.unbind());
        Ok(Classes {
            rectangle: class("Rectangle")?,
            ellipse: class("Ellipse")?,
            rotated_rectangle: class("RotatedRectangle")?,
            polygon: class("Polygon")?,
            point: class("Point")?,
            keypoint: class("Keypoint")?,
            scored_label: class("ScoredLabel")?,
            annotation: class("Annotation")?,
            prediction: class("_prediction")?,
        })
    })
}

/// A prediction as an object of Python that owns all of its data.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    prediction: &Prediction,
) -> PyResult<Bound<'py, PyAny>> {
    let annotations = PyList::empty(py);
    for annotation in &prediction.annotations {
        annotations.append(annotation_to_python(py, annotation)?)?;
    }
    let activations = &prediction.activations;
    let features = match &activations.features {
        Some(values) => Some(as_row(py, values)?),
        None => None,
    };
    let vector = |part: &Option<Arc<[f32]>>| {
        let values = part.as_deref();
        values.map(|values| PyArray1::from_slice(py, values))
    };
    classes(py)?.prediction.bind(py).call1((
        annotations,
        maps_to_python(py, &prediction.saliency_maps)?,
        features,
        vector(&activations.logits),
        vector(&activations.probabilities),
        prediction.ood_score.map(|score| score.value),
    ))
}

/// A feature vector of shape (1, D), as the models give it.
fn as_row<'py>(py: Python<'py>, values: &[f32]) -> PyResult<Bound<'py, PyArray2<f32>>> {
    PyArray1::from_slice(py, values).reshape([1, values.len()])
}

/// Saliency maps by the names of their labels, each an array of uint8 of shape (height, width).
fn maps_to_python<'py>(
    py: Python<'py>,
    maps: &[SaliencyMap],
) -> PyResult<Option<Bound<'py, PyDict>>> {
    if maps.is_empty() {
        return Ok(None);
    }
    let by_label = PyDict::new(py);
    for map in maps {
        let grey = PyArray1::from_slice(py, &map.data);
        let grey = grey.reshape([map.height as usize, map.width as usize])?;
        by_label.set_item(&map.label_name, grey)?;
    }
    Ok(Some(by_label))
}

fn annotation_to_python<'py>(
    py: Python<'py>,
    annotation: &Annotation,
) -> PyResult<Bound<'py, PyAny>> {
    let classes = classes(py)?;
    let labels = PyList::empty(py);
    for label in &annotation.labels {
        let color = label.color.to_string();
        let arguments = (label.probability, &label.name, color, &label.id);
        labels.append(classes.scored_label.bind(py).call1(arguments)?)?;
    }
    let shape = shape_to_python(py, &annotation.shape)?;
    classes.annotation.bind(py).call1((labels, shape))
}

/// A shape as an object of Python.
pub(crate) fn shape_to_python<'py>(py: Python<'py>, shape: &Shape) -> PyResult<Bound<'py, PyAny>> {
    let classes = classes(py)?;
    let n = |value: f64| number(py, value);
    match shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        } => {
            let arguments = (n(*x)?, n(*y)?, n(*width)?, n(*height)?);
            classes.rectangle.bind(py).call1(arguments)
        }
        Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => {
            let arguments = (n(*x)?, n(*y)?, n(*width)?, n(*height)?);
            classes.ellipse.bind(py).call1(arguments)
        }
        Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        } => {
            let arguments = (*angle, n(*x)?, n(*y)?, n(*width)?, n(*height)?);
            classes.rotated_rectangle.bind(py).call1(arguments)
        }
        Shape::Polygon { points } => {
            let list = PyList::empty(py);
            for point in points {
                list.append(classes.point.bind(py).call1((n(point.x)?, n(point.y)?))?)?;
            }
            classes.polygon.bind(py).call1((list,))
        }
        Shape::Keypoint { x, y, is_visible } => {
            classes
                .keypoint
                .bind(py)
                .call1((n(*x)?, n(*y)?, *is_visible))
        }
    }
}

/// Whole numbers are integers, as pixels usually are.
fn number(py: Python<'_>, value: f64) -> PyResult<Bound<'_, PyAny>> {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        Ok((value as i64).into_pyobject(py)?.into_any())
    } else {
        Ok(value.into_pyobject(py)?.into_any())
    }
}

/// A prediction or annotation scene of Python as one of the core.
pub(crate) fn from_python(prediction: &Bound<'_, PyAny>) -> PyResult<Prediction> {
    let mut annotations = Vec::new();
    for annotation in prediction.getattr("annotations")?.try_iter()? {
        let annotation = annotation?;
        let labels = annotation.getattr("labels")?;
        let labels = labels.try_iter()?.map(|label| label_from_python(&label?));
        annotations.push(Annotation {
            shape: shape_from_python(&annotation.getattr("shape")?)?,
            labels: labels.collect::<PyResult<_>>()?,
        });
    }
    let part = |name: &str| match prediction.getattr(name) {
        Ok(values) => floats(&values),
        Err(_) => Ok(None),
    };
    Ok(Prediction {
        annotations,
        saliency_maps: Vec::new(),
        left_out: 0,
        activations: Activations {
            features: part("feature_vector")?,
            logits: part("logits")?,
            probabilities: part("probabilities")?,
        },
        ood_score: None,
    })
}

/// An array of any shape as a flat list; a plain annotation scene has none.
fn floats(values: &Bound<'_, PyAny>) -> PyResult<Option<Arc<[f32]>>> {
    if values.is_none() {
        return Ok(None);
    }
    let array = values.py().import("numpy")?;
    let array = array.call_method1("asarray", (values, "float32"))?;
    let array: PyReadonlyArrayDyn<'_, f32> = array.extract()?;
    let mut list = Vec::with_capacity(array.len());
    list.extend(array.as_array().iter());
    Ok(Some(list.into()))
}

fn label_from_python(label: &Bound<'_, PyAny>) -> PyResult<ScoredLabel> {
    let text = |name: &str| -> PyResult<Option<String>> { label.getattr(name)?.extract() };
    let color = match text("color")? {
        Some(text) => text.parse().map_err(Raised::value)?,
        None => Color::BLACK,
    };
    Ok(ScoredLabel {
        id: text("id")?.unwrap_or_default(),
        name: text("name")?.unwrap_or_default(),
        color,
        probability: label.getattr("probability")?.extract()?,
    })
}

/// A shape of Python as one of the core; it is known by its `type`.
pub(crate) fn shape_from_python(shape: &Bound<'_, PyAny>) -> PyResult<Shape> {
    let n = |name: &str| -> PyResult<f64> { shape.getattr(name)?.extract() };
    let kind = shape.getattr("type")?.str()?.to_string();
    Ok(match kind.to_ascii_uppercase().as_str() {
        "RECTANGLE" => Shape::Rectangle {
            x: n("x")?,
            y: n("y")?,
            width: n("width")?,
            height: n("height")?,
        },
        "ELLIPSE" => Shape::Ellipse {
            x: n("x")?,
            y: n("y")?,
            width: n("width")?,
            height: n("height")?,
        },
        "ROTATED_RECTANGLE" => Shape::RotatedRectangle {
            x: n("x")?,
            y: n("y")?,
            width: n("width")?,
            height: n("height")?,
            angle: n("angle")?,
        },
        "POLYGON" => {
            let mut points = Vec::new();
            for point in shape.getattr("points")?.try_iter()? {
                let point = point?;
                let n = |name: &str| -> PyResult<f64> { point.getattr(name)?.extract() };
                points.push(Point {
                    x: n("x")?,
                    y: n("y")?,
                });
            }
            Shape::Polygon { points }
        }
        "KEYPOINT" => Shape::Keypoint {
            x: n("x")?,
            y: n("y")?,
            is_visible: shape.getattr("is_visible")?.extract()?,
        },
        _ => return Err(Raised::value(format!("`{kind}` is no type of shape")).into()),
    })
}
