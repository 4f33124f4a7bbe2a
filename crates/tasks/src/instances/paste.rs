use crate::raster::{Mask, Part, paste};
use crate::{Size, Tile};

/// What a mask's extents stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pasting {
    /// The box of its object (Mask R-CNN).
    Box,
    /// The whole image (DETR).
    WholeImage,
    /// The box of its object, from its first pixel to its last (masks made for their boxes).
    Pixels,
}

/// A small mask of grey levels, white from 0.5 on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawMask {
    pub(crate) width: usize,
    pub(crate) levels: Vec<f32>,
}

impl RawMask {
    /// The mask in the image; only the part where it can be white is made.
    ///
    /// The model saw the part `frame` of the image; `corners` is the object's box in the image.
    pub(crate) fn paste(
        &self,
        pasting: Pasting,
        corners: [f32; 4],
        frame: Tile,
        image: Size,
    ) -> Mask {
        match pasting {
            Pasting::Box => self.over_box(corners, image),
            Pasting::Pixels => self.over_pixels(corners, image),
            Pasting::WholeImage => {
                let mut mask = self.over_image(frame.size);
                mask.left += frame.left as i32;
                mask.top += frame.top as i32;
                mask
            }
        }
    }

    fn height(&self) -> usize {
        self.levels.len().checked_div(self.width).unwrap_or(0)
    }

    /// Surrounded by a black frame of one cell, so that the box grows by as much, then scaled.
    fn over_box(&self, corners: [f32; 4], image: Size) -> Mask {
        let framed = self.framed();
        let height = framed.height();
        let growth = height as f64 / (height as f64 - 2.0);
        let [left, upper, right, lower] = corners.map(f64::from);
        let columns = grown(left, right, growth);
        let rows = grown(upper, lower, growth);
        let size = (extent(columns), extent(rows));
        let part = Part {
            columns: visible(columns, image.width),
            rows: visible(rows, image.height),
        };
        paste(
            &framed.levels,
            framed.width,
            size,
            part,
            (columns.0, rows.0),
        )
    }

    /// Scaled to the pixels of the box.
    fn over_pixels(&self, corners: [f32; 4], image: Size) -> Mask {
        let [left, upper, right, lower] = corners.map(|edge| edge as i32);
        let (columns, rows) = ((left, right - 1), (upper, lower - 1));
        let part = Part {
            columns: visible(columns, image.width),
            rows: visible(rows, image.height),
        };
        let size = (extent(columns), extent(rows));
        paste(&self.levels, self.width, size, part, (left, upper))
    }

    fn framed(&self) -> Self {
        let width = self.width + 2;
        let mut levels = vec![0.0; width];
        for row in self.levels.chunks_exact(self.width.max(1)) {
            levels.push(0.0);
            levels.extend_from_slice(row);
            levels.push(0.0);
        }
        levels.resize(levels.len() + width, 0.0);
        Self { width, levels }
    }

    /// Scaled to the image; columns and rows without any white cell nearby are left out.
    fn over_image(&self, image: Size) -> Mask {
        let white = Mask::of(&self.levels, self.width, |level| level > 0.5);
        let near = |first: i32, count: usize, cells: usize, pixels: u32| {
            if count == 0 {
                return (0, 0);
            }
            let scale = f64::from(pixels) / cells as f64;
            let begin = f64::from(first - 1) * scale;
            let end = (f64::from(first) + count as f64 + 1.0) * scale;
            (
                begin.floor().max(0.0) as i32,
                end.ceil().min(f64::from(pixels)) as i32,
            )
        };
        let part = Part {
            columns: near(white.left, white.width, self.width, image.width),
            rows: near(white.top, white.height(), self.height(), image.height),
        };
        let size = (image.width as i32, image.height as i32);
        paste(&self.levels, self.width, size, part, (0, 0))
    }
}

/// An interval grown about its middle; ends are cut off towards zero.
fn grown(low: f64, high: f64, factor: f64) -> (i32, i32) {
    let (middle, half) = ((high + low) * 0.5, (high - low) * 0.5 * factor);
    ((middle - half) as i32, (middle + half) as i32)
}

/// The number of pixels from the first to the last, at least one.
fn extent((first, last): (i32, i32)) -> i32 {
    last.saturating_sub(first).saturating_add(1).max(1)
}

/// The pixels of an interval that lie in the image, counted from its first pixel.
fn visible((first, last): (i32, i32), pixels: u32) -> (i32, i32) {
    let limit = i32::try_from(pixels).unwrap_or(i32::MAX);
    let begin = first.clamp(0, limit) - first;
    let end = last.saturating_add(1).clamp(0, limit) - first;
    (begin, end.max(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: Size = Size::new(20, 10);
    const FRAME: Tile = Tile {
        left: 0,
        top: 0,
        size: IMAGE,
    };

    fn full(side: usize) -> RawMask {
        RawMask {
            width: side,
            levels: vec![1.0; side * side],
        }
    }

    fn reach(mask: &Mask) -> [i32; 4] {
        let white = Mask::of(&mask.pixels, mask.width, |pixel| pixel == 1);
        let (left, top) = (mask.left + white.left, mask.top + white.top);
        [
            left,
            top,
            left + white.width as i32,
            top + white.height() as i32,
        ]
    }

    /// One column more than the box, and its lower right part: `ModelAPI`'s rounding.
    #[test]
    fn a_full_mask_fills_its_box() {
        let mask = full(4).paste(Pasting::Box, [3.0, 2.0, 15.0, 8.0], FRAME, IMAGE);
        assert_eq!(reach(&mask), [3, 2, 16, 8]);
    }

    #[test]
    fn a_mask_made_for_its_box_fills_it_exactly() {
        let mask = full(4).paste(Pasting::Pixels, [3.0, 2.0, 15.0, 8.0], FRAME, IMAGE);
        assert_eq!(reach(&mask), [3, 2, 15, 8]);
    }

    #[test]
    fn a_box_at_the_border_is_cut_off() {
        let mask = full(4).paste(Pasting::Box, [0.0, 0.0, 20.0, 10.0], FRAME, IMAGE);
        assert_eq!(
            (mask.left, mask.top, mask.width, mask.height()),
            (0, 0, 20, 10)
        );
        assert_eq!(reach(&mask), [0, 1, 20, 10]);
    }

    #[test]
    fn a_mask_over_the_image_is_made_only_where_it_is_white() {
        let mut levels = vec![0.0; 100];
        levels[55] = 1.0;
        let mask = RawMask { width: 10, levels }.paste(Pasting::WholeImage, [0.0; 4], FRAME, IMAGE);
        assert_eq!(reach(&mask), [10, 5, 12, 6]);
        assert!(mask.width < 10 && mask.height() < 5);
        let black = RawMask {
            width: 2,
            levels: vec![0.0; 4],
        };
        assert!(
            black
                .paste(Pasting::WholeImage, [0.0; 4], FRAME, IMAGE)
                .pixels
                .is_empty()
        );
    }
}
