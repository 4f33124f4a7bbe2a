//! Detectors of the YOLO family, as far as Geti exports them or users bring them.
//!
//! `YOLOv5`, v8 and 11: rows of one output are centre x, centre y, width, height (pixels of the
//! network's input) and one score for each class; columns are candidates. YOLOX: a candidate a
//! row, with an objectness before the class scores; centres are relative to the cells of grids
//! of stride 8, 16 and 32, sides are logarithms.

use super::{Found, suppress};
use crate::numeric::argmax;
use crate::{Geometry, OutputTensor, Outputs, Suppression, TaskError};

fn only<'o, 'a>(outputs: &'o Outputs<'a>) -> Result<&'o OutputTensor<'a>, TaskError> {
    let mut results = outputs.results();
    match (results.next(), results.next()) {
        (Some(only), None) => Ok(only),
        _ => Err(outputs.unfit("detection by YOLO", "one output")),
    }
}

/// The matrix behind a leading batch extent of 1: rows and columns.
fn matrix(tensor: &OutputTensor<'_>, least_rows: usize) -> Result<(usize, usize), TaskError> {
    match *tensor.core_shape(2) {
        [rows, columns] if rows >= least_rows => Ok((rows, columns)),
        _ => Err(tensor.unfit(format!("wanted 1 x (at least {least_rows}) x N"))),
    }
}

/// Centre and sides to corners.
fn corners([x, y, width, height]: [f32; 4]) -> [f32; 4] {
    let (right, down) = (width / 2.0, height / 2.0);
    [x - right, y - down, x + right, y + down]
}

/// `YOLOv5`, `YOLOv8`, YOLO11: the best class of each candidate above the threshold.
pub(super) fn v5(
    outputs: &Outputs<'_>,
    geometry: &Geometry,
    threshold: f32,
    suppression: Option<&Suppression>,
) -> Result<Vec<Found>, TaskError> {
    let tensor = only(outputs)?;
    let (rows, columns) = matrix(tensor, 5)?;
    let values = tensor.data.to_f32();
    let at = |row: usize, column: usize| {
        values
            .get(row * columns + column)
            .copied()
            .unwrap_or(f32::NAN)
    };
    let candidates = (0..columns).filter_map(|column| {
        let (class, score) = argmax((4..rows).map(|row| at(row, column)))?;
        let found = Found {
            corners: corners([0, 1, 2, 3].map(|row| at(row, column))),
            score,
            class: class as i64,
        };
        (score > threshold).then_some(found)
    });
    let mut found = suppress(candidates.collect(), suppression);
    let mapping = geometry.mapping();
    for item in &mut found {
        item.corners = mapping.to_pixels_f64(item.corners, geometry.image);
    }
    Ok(found)
}

const STRIDES: [u32; 3] = [8, 16, 32];

/// The cells of all grids in the order of YOLOX's candidates: column, row and stride.
fn cells(geometry: &Geometry) -> impl Iterator<Item = [f32; 3]> {
    let network = geometry.network;
    STRIDES.into_iter().flat_map(move |stride| {
        let (columns, rows) = (network.width / stride, network.height / stride);
        (0..rows).flat_map(move |row| {
            (0..columns).map(move |column| [column as f32, row as f32, stride as f32])
        })
    })
}

/// YOLOX: every class of each candidate whose score (objectness x class) is above the threshold.
///
/// Corners keep their fractions until they become a shape, as in `ModelAPI`.
pub(super) fn x(
    outputs: &Outputs<'_>,
    geometry: &Geometry,
    threshold: f32,
    suppression: Option<&Suppression>,
) -> Result<Vec<Found>, TaskError> {
    let tensor = only(outputs)?;
    let (count, columns) = matrix(tensor, 0)?;
    let cells: Vec<[f32; 3]> = cells(geometry).collect();
    if columns < 6 || cells.len() != count {
        let reason = format!(
            "wanted {} candidates with 5 values and the classes",
            cells.len()
        );
        return Err(tensor.unfit(reason));
    }
    let values = tensor.data.to_f32();
    let rows = values.chunks_exact(columns).zip(cells);
    let candidates = rows.flat_map(|(row, cell)| candidate(row, cell, geometry, threshold));
    let mut found = suppress(candidates.collect(), suppression);
    let limit = [geometry.image.width as f32, geometry.image.height as f32];
    for item in &mut found {
        for (index, value) in item.corners.iter_mut().enumerate() {
            *value = value.clamp(0.0, limit[index % 2]);
        }
    }
    Ok(found)
}

/// The classes of one candidate of YOLOX.
fn candidate(row: &[f32], cell: [f32; 3], geometry: &Geometry, threshold: f32) -> Vec<Found> {
    let &[x, y, width, height, objectness, ref classes @ ..] = row else {
        return Vec::new();
    };
    if objectness.is_nan() || objectness <= threshold {
        return Vec::new();
    }
    let [column, line, stride] = cell;
    let centred = [
        (x + column) * stride,
        (y + line) * stride,
        width.exp() * stride,
        height.exp() * stride,
    ];
    let mapping = geometry.mapping();
    let mut corners = corners(centred);
    for (index, value) in corners.iter_mut().enumerate() {
        *value = mapping.coordinate(index % 2, *value);
    }
    let scores = classes.iter().map(|score| score * objectness).enumerate();
    scores
        .filter(|&(_, score)| score > threshold)
        .map(|(class, score)| Found {
            corners,
            score,
            class: class as i64,
        })
        .collect()
}
