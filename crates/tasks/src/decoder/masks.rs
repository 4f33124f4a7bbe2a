//! Masks of objects: given one by one, or as shares of prototypes.
//!
//! Prototypes (YOLACT; D. Bolya et al., "YOLACT: Real-time Instance Segmentation", ICCV 2019):
//! the mask of an object is the sigmoid of the sum of all prototypes, each times the object's
//! coefficient, cut to the object's box.

use super::rows::table;
use super::{Activation, Candidate, Column, Decoder, RowLayout, Source, role};
use crate::instances::RawMask;
use crate::numeric::sigmoid;
use crate::{Geometry, OutputTensor, Outputs, Size, TaskError};

/// Largest side of the mask that is made of prototypes.
const LARGEST: usize = 256;

/// Masks of fewer white cells are looked at in the network's pixels as well.
const SPECKS: usize = 64;

/// What the extents of a mask stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MaskArea {
    /// The box of its object.
    #[default]
    Box,
    /// The network's input, with its padding.
    Input,
}

/// Where the masks of a detector are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Masks {
    /// An output `masks`: one for each candidate.
    Each {
        /// What a mask covers.
        area: MaskArea,
        /// What has to be done to get probabilities.
        activation: Activation,
    },
    /// An output `prototypes`, and coefficients among the columns.
    Prototypes,
}

impl Decoder {
    /// The mask of a candidate over its box in the image; `None` if it is of prototypes and empty, as
    /// Ultralytics leaves such objects out.
    pub(crate) fn mask(
        &self,
        item: &Candidate,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Option<RawMask>, TaskError> {
        match (self.masks, &self.source) {
            (Some(Masks::Each { area, activation }), _) => {
                let plane = given(item, role(outputs, "masks")?, activation)?;
                Ok(Some(match area {
                    MaskArea::Box => plane.into_raw(),
                    MaskArea::Input => plane.cut(
                        &self.box_in(item, &plane, geometry),
                        self.sides(item, geometry),
                    ),
                }))
            }
            (Some(Masks::Prototypes), Source::Rows(layout)) => {
                let plane = self.of_prototypes(item, layout, outputs)?;
                let cells = self.box_in(item, &plane, geometry);
                let cut = plane.cut(&cells, self.sides(item, geometry));
                let white = cut.levels.iter().filter(|&&level| level > 0.0).count();
                let shows = white > SPECKS || plane.shows(item.corners, geometry.network);
                Ok(shows.then(|| cut.map(sigmoid)))
            }
            _ => Err(outputs.unfit(
                "an instance segmentation",
                "masks, or prototypes and coefficients",
            )),
        }
    }

    /// Cells of the mask that is made: pixels of the image, as far as sensible.
    fn sides(&self, item: &Candidate, geometry: &Geometry) -> [usize; 2] {
        let [left, upper, right, lower] = self.in_image(item, geometry).corners;
        [right - left, lower - upper].map(|side| (side as usize).clamp(1, LARGEST))
    }

    /// The candidate's box in cells of a plane that covers the network's input.
    fn box_in(&self, item: &Candidate, plane: &Plane, geometry: &Geometry) -> [f32; 4] {
        // The box is that of the image, rounded and clipped, since the mask is pasted there.
        let corners = self.in_image(item, geometry).corners;
        let mapping = geometry.mapping();
        let cells = [
            plane.width as f32 / geometry.network.width.max(1) as f32,
            plane.height as f32 / geometry.network.height.max(1) as f32,
        ];
        let mut result = corners;
        for (index, edge) in result.iter_mut().enumerate() {
            let axis = index % 2;
            let pixel = (*edge - mapping.origin[axis] as f32) / mapping.scale[axis] as f32
                + mapping.pad[axis] as f32;
            *edge = pixel * cells[axis];
        }
        result
    }

    fn of_prototypes(
        &self,
        item: &Candidate,
        layout: &RowLayout,
        outputs: &Outputs<'_>,
    ) -> Result<Plane, TaskError> {
        let prototypes = role(outputs, "prototypes")?;
        let &[planes, height, width] = prototypes.core_shape(3) else {
            return Err(prototypes.unfit("wanted prototypes x height x width"));
        };
        let widths = self.widths(outputs);
        let tensor = role(outputs, "detections")?;
        let table = table(tensor, layout, widths)?;
        let Some(first) = layout.start(Column::MaskCoefficients, widths) else {
            return Err(tensor.unfit("there are no coefficients of masks"));
        };
        let values = prototypes.data.to_f32();
        let area = height * width;
        let mut levels = vec![0.0_f32; area];
        for plane in 0..planes {
            let coefficient = table.at(item.place, first + plane);
            let prototype = values
                .get(plane * area..(plane + 1) * area)
                .unwrap_or_default();
            for (level, value) in levels.iter_mut().zip(prototype) {
                *level += coefficient * value;
            }
        }
        Ok(Plane {
            width,
            height,
            levels,
        })
    }
}

/// The mask of a candidate that is given as it is.
fn given(
    item: &Candidate,
    tensor: &OutputTensor<'_>,
    activation: Activation,
) -> Result<Plane, TaskError> {
    let [.., height, width] = *tensor.shape else {
        return Err(tensor.unfit("wanted N x height x width"));
    };
    let area = height * width;
    let part = tensor.data.part(item.place * area, area);
    let levels = part.ok_or_else(|| tensor.unfit("there are fewer masks than boxes"))?;
    let plane = Plane {
        width,
        height,
        levels: levels.into_owned(),
    };
    Ok(match activation {
        Activation::Sigmoid => plane.map(sigmoid),
        _ => plane,
    })
}

/// One mask.
struct Plane {
    width: usize,
    height: usize,
    levels: Vec<f32>,
}

impl Plane {
    fn into_raw(self) -> RawMask {
        RawMask {
            width: self.width,
            levels: self.levels,
        }
    }

    fn map(mut self, change: impl Fn(f32) -> f32) -> Self {
        for level in &mut self.levels {
            *level = change(*level);
        }
        self
    }

    /// A part of the plane, scaled to so many cells, each the value at its middle.
    fn cut(&self, [left, upper, right, lower]: &[f32; 4], [columns, rows]: [usize; 2]) -> RawMask {
        let across = (right - left) / columns as f32;
        let down = (lower - upper) / rows as f32;
        let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
        let levels = places.map(|(column, row)| {
            self.at(
                left + (column as f32 + 0.5) * across,
                upper + (row as f32 + 0.5) * down,
            )
        });
        RawMask {
            width: columns,
            levels: levels.collect(),
        }
    }

    /// Whether a pixel of the network's input that lies in a box is above 0: so Ultralytics tells
    /// empty masks.
    fn shows(&self, [left, upper, right, lower]: [f32; 4], network: Size) -> bool {
        let across = self.width as f32 / network.width.max(1) as f32;
        let down = self.height as f32 / network.height.max(1) as f32;
        let pixels = |from: f32, to: f32, limit: u32| {
            let last = to.ceil().clamp(0.0, limit as f32);
            from.ceil().max(0.0) as u32..last as u32
        };
        let (columns, rows) = (
            pixels(left, right, network.width),
            pixels(upper, lower, network.height),
        );
        rows.into_iter().any(|row| {
            let y = (row as f32 + 0.5) * down;
            let mut columns = columns.clone();
            columns.any(|column| self.at((column as f32 + 0.5) * across, y) > 0.0)
        })
    }

    /// The value at a place, between the middles of cells.
    fn at(&self, x: f32, y: f32) -> f32 {
        let (column, across) = split(x - 0.5, self.width);
        let (row, down) = split(y - 0.5, self.height);
        let level = |column: usize, row: usize| {
            let column = column.min(self.width.saturating_sub(1));
            let row = row.min(self.height.saturating_sub(1));
            self.levels
                .get(row * self.width + column)
                .copied()
                .unwrap_or(0.0)
        };
        let mix = |a: f32, b: f32, part: f32| a + (b - a) * part;
        let upper = mix(level(column, row), level(column + 1, row), across);
        let lower = mix(level(column, row + 1), level(column + 1, row + 1), across);
        mix(upper, lower, down)
    }
}

/// The cell left of a place, and how far behind it the place lies.
fn split(place: f32, cells: usize) -> (usize, f32) {
    let place = place.clamp(0.0, cells.saturating_sub(1) as f32);
    (place as usize, place.fract())
}

impl RawMask {
    fn map(mut self, change: impl Fn(f32) -> f32) -> Self {
        for level in &mut self.levels {
            *level = change(*level);
        }
        self
    }
}
