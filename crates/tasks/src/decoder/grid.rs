//! Raw outputs of detectors whose boxes are relative to the cells of grids.
//!
//! Without anchors (YOLOX): centre = (value + cell) x stride, side = exp(value) x stride, one
//! candidate a cell. With anchors (`YOLOv5`, whose values are behind the sigmoid already):
//! centre = (2 value - 0.5 + cell) x stride, side = (2 value)^2 x anchor, anchor by anchor, each
//! over all cells. Grids come by rising stride.

use crate::Size;

/// The grids of a detector.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Pixels of the network's input for each cell, one for each grid.
    pub strides: Vec<u32>,
    /// Width and height of each anchor in pixels, for each grid; empty for detectors without.
    pub anchors: Vec<Vec<[f32; 2]>>,
}

/// Where the candidates lie.
pub(super) struct Cells {
    /// Column, row, stride, and the anchor's sides.
    cells: Vec<[f32; 5]>,
    has_anchors: bool,
}

impl Grid {
    /// The cells of all candidates; an error when there are not `count` of them.
    pub(super) fn cells(&self, network: Size, count: usize) -> Result<Cells, String> {
        let mut cells = Vec::new();
        for (index, &stride) in self.strides.iter().enumerate() {
            let stride = stride.max(1);
            let (columns, rows) = (network.width / stride, network.height / stride);
            let none = vec![[0.0; 2]];
            let anchors = self.anchors.get(index).unwrap_or(&none);
            for &[width, height] in anchors {
                for row in 0..rows {
                    for column in 0..columns {
                        cells.push([column as f32, row as f32, stride as f32, width, height]);
                    }
                }
            }
        }
        if cells.len() != count {
            return Err(format!(
                "grids of strides {:?} have {} candidates on an input of {} x {}, the output has {count}",
                self.strides,
                cells.len(),
                network.width,
                network.height
            ));
        }
        Ok(Cells {
            cells,
            has_anchors: !self.anchors.is_empty(),
        })
    }
}

impl Cells {
    /// Centre and sides in pixels.
    pub(super) fn decoded(&self, place: usize, [x, y, width, height]: [f32; 4]) -> [f32; 4] {
        let Some(&[column, row, stride, across, down]) = self.cells.get(place) else {
            return [f32::NAN; 4];
        };
        if self.has_anchors {
            let side = |value: f32, anchor: f32| (2.0 * value).powi(2) * anchor;
            return [
                (2.0 * x - 0.5 + column) * stride,
                (2.0 * y - 0.5 + row) * stride,
                side(width, across),
                side(height, down),
            ];
        }
        [
            (x + column) * stride,
            (y + row) * stride,
            width.exp() * stride,
            height.exp() * stride,
        ]
    }
}
