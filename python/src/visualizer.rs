//! Predictions drawn onto images, and image files.

use std::path::PathBuf;

use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use straylight::image::{Visualizer, encode_jpeg, encode_png};
use straylight::{SaliencyMap, write_atomically};

use crate::error::{Outcome, Raised};
use crate::{convert, frame};

/// JPEG quality of files that are saved.
const JPEG_QUALITY: u8 = 95;

/// Draws a prediction; gives uint8 of shape (height, width, 3).
#[pyfunction]
#[pyo3(signature = (image, prediction, labels, probabilities, fill, score = None))]
pub(crate) fn draw<'py>(
    py: Python<'py>,
    image: &Bound<'py, PyAny>,
    prediction: &Bound<'py, PyAny>,
    labels: bool,
    probabilities: bool,
    fill: u8,
    score: Option<f64>,
) -> PyResult<Bound<'py, PyAny>> {
    let pixels = frame::rgb_image(image)?;
    let prediction = convert::from_python(prediction)?;
    let visualizer = Visualizer {
        labels,
        probabilities,
        fill,
        ..Visualizer::default()
    };
    let drawn = py.detach(|| visualizer.draw(&pixels, &prediction, score));
    Ok(frame::array(py, drawn)?.into_any())
}

/// Lays a saliency map, uint8 of shape (rows, columns), over an image.
#[pyfunction]
pub(crate) fn draw_saliency<'py>(
    py: Python<'py>,
    image: &Bound<'py, PyAny>,
    map: PyReadonlyArray2<'py, u8>,
    label_name: String,
    heat: u8,
    labels: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let pixels = frame::rgb_image(image)?;
    let [height, width] = [map.shape().first(), map.shape().get(1)].map(|n| *n.unwrap_or(&0));
    let map = SaliencyMap {
        label_id: String::new(),
        label_name,
        width: width as u32,
        height: height as u32,
        data: map.as_array().iter().copied().collect(),
    };
    let visualizer = Visualizer {
        heat,
        labels,
        ..Visualizer::default()
    };
    let drawn = py.detach(|| visualizer.draw_saliency(&pixels, &map));
    Ok(frame::array(py, drawn)?.into_any())
}

/// An image as the bytes of a PNG.
#[pyfunction]
pub(crate) fn png<'py>(
    py: Python<'py>,
    image: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let pixels = frame::rgb_image(image)?;
    let bytes = py.detach(|| encode_png(&pixels)).map_err(Raised::from)?;
    Ok(PyBytes::new(py, &bytes))
}

/// Writes an image as PNG or, by the extension, as JPEG; as a whole or not at all.
#[pyfunction]
pub(crate) fn write_image(py: Python<'_>, image: &Bound<'_, PyAny>, path: PathBuf) -> PyResult<()> {
    let pixels = frame::rgb_image(image)?;
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let write = || -> Outcome<()> {
        let bytes = match extension.as_str() {
            "png" => encode_png(&pixels)?,
            "jpg" | "jpeg" => encode_jpeg(&pixels, JPEG_QUALITY)?,
            _ => return Err(Raised::value("images are written as .png, .jpg or .jpeg")),
        };
        write_atomically(&path, &bytes).map_err(|error| Raised::new("FileError", error))
    };
    Ok(py.detach(write)?)
}
