use straylight_core::RgbImage;

use crate::DeepImage;

/// How a camera held the image, as EXIF tag 0x0112 tells (TIFF 6.0, section 8, "Orientation").
///
/// Named by what must be done to the stored pixels to see them upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Orientation {
    /// Nothing (1).
    #[default]
    Upright,
    /// Left and right change places (2).
    FlipHorizontal,
    /// Half a turn (3).
    Rotate180,
    /// Top and bottom change places (4).
    FlipVertical,
    /// Rows become columns (5).
    Transpose,
    /// A quarter turn clockwise (6).
    Rotate90,
    /// Rows become columns, and half a turn (7).
    Transverse,
    /// A quarter turn counter-clockwise (8).
    Rotate270,
}

impl Orientation {
    /// From the tag's value; values outside 1 to 8 mean nothing and leave the image as it is.
    pub(crate) fn from_tag(value: u16) -> Self {
        match value {
            2 => Self::FlipHorizontal,
            3 => Self::Rotate180,
            4 => Self::FlipVertical,
            5 => Self::Transpose,
            6 => Self::Rotate90,
            7 => Self::Transverse,
            8 => Self::Rotate270,
            _ => Self::Upright,
        }
    }

    /// The value of the EXIF tag, 1 to 8.
    pub fn tag(self) -> u16 {
        self as u16 + 1
    }

    /// Whether width and height change places.
    pub fn swaps_sides(self) -> bool {
        matches!(
            self,
            Self::Transpose | Self::Rotate90 | Self::Transverse | Self::Rotate270
        )
    }

    /// Turns the stored pixels upright.
    pub(crate) fn apply(self, image: RgbImage) -> RgbImage {
        if self == Self::Upright {
            return image;
        }
        let walk = Walk::new(self, image.width() as usize, image.height() as usize);
        let data = walk.collect(image.data());
        // The walk visits every pixel once, so the buffer fits and the fall-back is not reached.
        RgbImage::new(walk.width as u32, walk.height as u32, data).unwrap_or(image)
    }
}

impl Orientation {
    /// Turns the stored pixels of 16 bits upright.
    pub(crate) fn apply_deep(self, image: DeepImage) -> DeepImage {
        if self == Self::Upright {
            return image;
        }
        let walk = Walk::new(self, image.width() as usize, image.height() as usize);
        let data = walk.collect(image.data());
        DeepImage::new(walk.width as u32, walk.height as u32, data).unwrap_or(image)
    }
}

/// A way through the stored pixels that yields the upright image row by row.
struct Walk {
    width: usize,
    height: usize,
    start: isize,
    step_x: isize,
    step_y: isize,
}

impl Walk {
    fn new(orientation: Orientation, width: usize, height: usize) -> Self {
        let (w, h) = (width as isize, height as isize);
        let last = w * h - 1;
        let (start, step_x, step_y) = match orientation {
            Orientation::Upright => (0, 1, w),
            Orientation::FlipHorizontal => (w - 1, -1, w),
            Orientation::Rotate180 => (last, -1, -w),
            Orientation::FlipVertical => (last + 1 - w, 1, -w),
            Orientation::Transpose => (0, w, 1),
            Orientation::Rotate90 => (last + 1 - w, -w, 1),
            Orientation::Transverse => (last, -w, -1),
            Orientation::Rotate270 => (w - 1, w, -1),
        };
        let (width, height) = if orientation.swaps_sides() {
            (height, width)
        } else {
            (width, height)
        };
        Self {
            width,
            height,
            start,
            step_x,
            step_y,
        }
    }

    /// Square blocks keep a turn by 90 degrees in the cache: 32 x 32 pixels are 3 kB a side.
    fn collect<T: Copy + Default>(&self, source: &[T]) -> Vec<T> {
        const BLOCK: usize = 32;
        let mut data = vec![T::default(); self.width * self.height * 3];
        for block_y in (0..self.height).step_by(BLOCK) {
            for block_x in (0..self.width).step_by(BLOCK) {
                for y in block_y..(block_y + BLOCK).min(self.height) {
                    let end = (block_x + BLOCK).min(self.width);
                    let row = &mut data[(y * self.width + block_x) * 3..(y * self.width + end) * 3];
                    self.copy_run(source, block_x, y, row);
                }
            }
        }
        data
    }

    fn copy_run<T: Copy>(&self, source: &[T], x: usize, y: usize, run: &mut [T]) {
        let mut at = self.start + x as isize * self.step_x + y as isize * self.step_y;
        for pixel in run.chunks_exact_mut(3) {
            let from = at as usize * 3;
            pixel.copy_from_slice(&source[from..from + 3]);
            at += self.step_x;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Six pixels that differ: 0 1 2 above 3 4 5.
    fn letters() -> RgbImage {
        RgbImage::new(3, 2, (0..6).flat_map(|v| [v; 3]).collect()).unwrap()
    }

    #[test]
    fn every_orientation_is_undone() {
        struct Case(u16, u32, &'static [u8]);
        for Case(tag, width, wanted) in [
            Case(0, 3, &[0, 1, 2, 3, 4, 5]),
            Case(1, 3, &[0, 1, 2, 3, 4, 5]),
            Case(2, 3, &[2, 1, 0, 5, 4, 3]),
            Case(3, 3, &[5, 4, 3, 2, 1, 0]),
            Case(4, 3, &[3, 4, 5, 0, 1, 2]),
            Case(5, 2, &[0, 3, 1, 4, 2, 5]),
            Case(6, 2, &[3, 0, 4, 1, 5, 2]),
            Case(7, 2, &[5, 2, 4, 1, 3, 0]),
            Case(8, 2, &[2, 5, 1, 4, 0, 3]),
            Case(9, 3, &[0, 1, 2, 3, 4, 5]),
        ] {
            let upright = Orientation::from_tag(tag).apply(letters());
            let seen: Vec<u8> = upright.data().iter().step_by(3).copied().collect();
            assert_eq!(
                (upright.width(), seen.as_slice()),
                (width, wanted),
                "tag {tag}"
            );
        }
    }

    proptest! {
        #[test]
        fn turning_there_and_back_changes_nothing(w in 1u32..80, h in 1u32..80) {
            let data = (0..w * h * 3).map(|v| v as u8).collect();
            let image = RgbImage::new(w, h, data).unwrap();
            let turned = Orientation::Rotate90.apply(image.clone());
            prop_assert_eq!((turned.width(), turned.height()), (h, w));
            prop_assert_eq!(Orientation::Rotate270.apply(turned), image);
        }
    }
}
