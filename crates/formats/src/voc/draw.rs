//! Pictures of classes and of instances: a number a pixel, in the colours of the challenge.

use std::path::Path;

use straylight_core::Point;

use super::colors;
use crate::{FormatError, Geometry, Mask};

/// What is drawn of one image.
pub(super) struct Picture {
    width: usize,
    height: usize,
    /// Row by row, 0 where nothing is.
    numbers: Vec<u8>,
}

impl Picture {
    pub(super) fn new(width: u32, height: u32) -> Self {
        let (width, height) = (width as usize, height as usize);
        Self {
            width,
            height,
            numbers: vec![0; width * height],
        }
    }

    /// Draws the inside of a shape; returns how many pixels it has, and how many of them it took
    /// from others.
    ///
    /// A pixel is inside a polygon if its centre is, by the even-odd rule over all parts.
    pub(super) fn draw(&mut self, geometry: &Geometry, number: u8) -> (usize, usize) {
        let (mut pixels, mut taken) = (0, 0);
        self.each(geometry, |place| {
            pixels += 1;
            taken += usize::from(*place != 0);
            *place = number;
        });
        (pixels, taken)
    }

    fn each(&mut self, geometry: &Geometry, mut set: impl FnMut(&mut u8)) {
        match geometry {
            Geometry::Mask(mask) => self.each_of_mask(mask, &mut set),
            other => self.each_of_parts(&other.outlines(), &mut set),
        }
    }

    fn each_of_mask(&mut self, mask: &Mask, set: &mut impl FnMut(&mut u8)) {
        let height = mask.height() as usize;
        let mut at = 0;
        for (index, run) in mask.runs().iter().enumerate() {
            let end = at + *run as usize;
            if index % 2 == 1 {
                for place in at..end {
                    let (x, y) = (place / height, place % height);
                    if let Some(pixel) = self.numbers.get_mut(y * self.width + x) {
                        set(pixel);
                    }
                }
            }
            at = end;
        }
    }

    fn each_of_parts(&mut self, parts: &[Vec<Point>], set: &mut impl FnMut(&mut u8)) {
        let heights = parts.iter().flatten().map(|point| point.y);
        let (top, bottom) = heights.fold((f64::MAX, f64::MIN), |(low, high), y| {
            (low.min(y), high.max(y))
        });
        let rows = top.max(0.0) as usize..(bottom.max(0.0).ceil() as usize).min(self.height);
        for y in rows {
            let mut edges = crossings(parts, y as f64 + 0.5);
            edges.sort_by(f64::total_cmp);
            for pair in edges.chunks_exact(2) {
                // The first pixel whose centre lies right of an edge.
                let first = |edge: f64| (edge - 0.5).ceil().max(0.0) as usize;
                let (from, to) = (first(pair[0]), first(pair[1]).min(self.width));
                let row = &mut self.numbers[y * self.width..(y + 1) * self.width];
                row.get_mut(from..to)
                    .into_iter()
                    .flatten()
                    .for_each(&mut *set);
            }
        }
    }

    /// Writes the picture as a PNG file whose palette has the colours of the numbers.
    pub(super) fn write(&self, path: &Path, colors: &[[u8; 3]; 256]) -> Result<(), FormatError> {
        let mut bytes = Vec::new();
        let encoded = self.encode(&mut bytes, colors);
        encoded.map_err(|error| FormatError::Unreadable {
            file: path.to_owned(),
            message: error.to_string(),
        })?;
        Ok(straylight_files::write_unsynced(path, &bytes)?)
    }

    fn encode(&self, to: &mut Vec<u8>, colors: &[[u8; 3]; 256]) -> Result<(), png::EncodingError> {
        let mut encoder = png::Encoder::new(to, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(colors.concat());
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&self.numbers)
    }
}

/// Where a row of pixel centres crosses the edges of polygons, from the left edge of the image.
fn crossings(parts: &[Vec<Point>], y: f64) -> Vec<f64> {
    let edges = parts
        .iter()
        .flat_map(|part| part.iter().zip(part.iter().cycle().skip(1)));
    let crossed = edges.filter(|(a, b)| (a.y <= y) != (b.y <= y));
    crossed
        .map(|(a, b)| a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x))
        .collect()
}

/// The colours of numbers as the challenge has them.
pub(super) fn palette() -> [[u8; 3]; 256] {
    std::array::from_fn(|number| colors::color(number as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_whose_centre_is_inside_are_drawn() {
        let mut picture = Picture::new(6, 4);
        let point = |(x, y): (f64, f64)| Point { x, y };
        let square = |corners: [(f64, f64); 4]| corners.map(point).to_vec();
        let outer = square([(1.0, 1.0), (4.6, 1.0), (4.6, 3.4), (1.0, 3.4)]);
        let hole = square([(2.0, 2.0), (3.0, 2.0), (3.0, 3.0), (2.0, 3.0)]);
        let drawn = picture.draw(&Geometry::Polygons(vec![outer, hole]), 7);
        assert_eq!(drawn, (7, 0));
        assert_eq!(
            picture.numbers,
            [
                0, 0, 0, 0, 0, 0, //
                0, 7, 7, 7, 7, 0, //
                0, 7, 0, 7, 7, 0, //
                0, 0, 0, 0, 0, 0,
            ]
        );
        let beyond = square([(-9.0, -9.0), (2.0, -9.0), (2.0, 9.0), (-9.0, 9.0)]);
        let drawn = picture.draw(&Geometry::Polygons(vec![beyond]), 9);
        assert_eq!(drawn, (8, 2));
    }
}
