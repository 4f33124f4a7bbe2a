//! Images of Python as frames.
//!
//! A frame owns its pixels, for hooks may keep it long after the caller has reused the array:
//! the pixels are copied once, whatever the array's strides are.

use std::path::PathBuf;

use numpy::ndarray::ArrayViewD;
use numpy::{PyArray3, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use straylight::image::read_frame;
use straylight::{Deployment, Frame, RgbImage, Timestamp};

use crate::error::{Outcome, Raised};

/// What is said of arrays that are no images.
const WANTED: &str = "an image is an array of uint8 or uint16 of shape (height, width), \
                      (height, width, 1 to 4), RGB, or the path of an image file";

/// Takes an image as a frame: an array, anything that becomes one, or the path of a file, which is
/// decoded no larger than the deployment needs.
pub(crate) fn frame(
    image: &Bound<'_, PyAny>,
    name: Option<&str>,
    deployment: Option<&Deployment>,
) -> PyResult<Frame> {
    if let Ok(path) = image.extract::<PathBuf>() {
        let frame = image
            .py()
            .detach(|| match deployment {
                Some(deployment) => deployment.read_frame(&path),
                None => read_frame(&path),
            })
            .map_err(Raised::from)?;
        return Ok(frame);
    }
    let pixels = rgb_image(image)?;
    Ok(Frame::new(
        pixels,
        name.unwrap_or_default(),
        Timestamp::now(),
    ))
}

/// Takes an array, or anything that becomes one, as an image.
pub(crate) fn rgb_image(image: &Bound<'_, PyAny>) -> PyResult<RgbImage> {
    if let Some(found) = of_array(image)? {
        return Ok(found);
    }
    let array = image
        .py()
        .import("numpy")?
        .call_method1("asarray", (image,))?;
    if let Some(found) = of_array(&array)? {
        return Ok(found);
    }
    let (kind, shape) = (array.getattr("dtype")?, array.getattr("shape")?);
    Err(Raised::value(format!("{WANTED}; this is {kind} of shape {shape}")).into())
}

fn of_array(image: &Bound<'_, PyAny>) -> PyResult<Option<RgbImage>> {
    if let Ok(array) = image.extract::<PyReadonlyArrayDyn<'_, u8>>() {
        // A slice is also given of arrays in Fortran's order, whose pixels lie otherwise.
        let contiguous = array.as_slice().ok().filter(|_| array.is_c_contiguous());
        return Ok(Some(pixels(&array.as_array(), contiguous, |value| value)?));
    }
    if let Ok(array) = image.extract::<PyReadonlyArrayDyn<'_, u16>>() {
        let high_byte = |value: u16| (value >> 8) as u8;
        return Ok(Some(pixels(&array.as_array(), None, high_byte)?));
    }
    Ok(None)
}

/// Brings 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels to RGB; alpha is dropped.
fn pixels<T: Copy>(
    array: &ArrayViewD<'_, T>,
    contiguous: Option<&[u8]>,
    byte: impl Fn(T) -> u8,
) -> Outcome<RgbImage> {
    let wrong = || Raised::value(format!("{WANTED}; this has the shape {:?}", array.shape()));
    let (height, width, channels) = match *array.shape() {
        [height, width] => (height, width, 1),
        [height, width, channels @ 1..=4] => (height, width, channels),
        _ => return Err(wrong()),
    };
    let data: Vec<u8> = match (channels, contiguous) {
        (3, Some(slice)) => slice.to_vec(),
        (3, None) => array.iter().map(|&value| byte(value)).collect(),
        _ => {
            let bytes: Vec<u8> = array.iter().map(|&value| byte(value)).collect();
            let of_pixel = |pixel: &[u8]| match *pixel {
                [r, g, b, ..] => [r, g, b],
                [grey, ..] => [grey; 3],
                [] => [0; 3],
            };
            bytes.chunks_exact(channels).flat_map(of_pixel).collect()
        }
    };
    RgbImage::new(width as u32, height as u32, data).map_err(|_| wrong())
}

/// An image as an array of uint8 of shape (height, width, 3).
pub(crate) fn array(py: Python<'_>, image: RgbImage) -> PyResult<Bound<'_, PyArray3<u8>>> {
    let shape = [image.height() as usize, image.width() as usize, 3];
    numpy::PyArray1::from_vec(py, image.into_data()).reshape(shape)
}
