/// The part of a black and white picture in which something is white.
///
/// Everything outside the part is black; masks of small objects in large images stay small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mask {
    /// Column of the part's left edge in the picture.
    pub(crate) left: i32,
    /// Row of the part's upper edge in the picture.
    pub(crate) top: i32,
    /// Extent to the right; `pixels` holds whole rows of it.
    pub(crate) width: usize,
    /// Rows from top to bottom, one byte a pixel, 0 is black.
    pub(crate) pixels: Vec<u8>,
}

impl Mask {
    /// The number of rows.
    pub(crate) fn height(&self) -> usize {
        self.pixels.len().checked_div(self.width).unwrap_or(0)
    }

    /// The rows with their numbers in the picture.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (i32, &[u8])> {
        (self.top..).zip(self.pixels.chunks_exact(self.width.max(1)))
    }

    /// The smallest part of a picture of whole rows that holds all values that are `white`.
    pub(crate) fn of<T: Copy>(picture: &[T], width: usize, white: impl Fn(T) -> bool) -> Self {
        let rows = || picture.chunks_exact(width.max(1)).enumerate();
        let mut bounds: Option<[usize; 4]> = None;
        for (y, row) in rows() {
            let Some(first) = row.iter().position(|&value| white(value)) else {
                continue;
            };
            let last = row.iter().rposition(|&value| white(value)).unwrap_or(first);
            let [left, top, right, _] = bounds.unwrap_or([first, y, last, y]);
            bounds = Some([left.min(first), top, right.max(last), y]);
        }
        let Some([left, top, right, bottom]) = bounds else {
            return Self {
                left: 0,
                top: 0,
                width: 0,
                pixels: Vec::new(),
            };
        };
        let inside = rows().skip(top).take(bottom - top + 1);
        let parts = inside.filter_map(|(_, row)| row.get(left..=right));
        Self {
            left: left as i32,
            top: top as i32,
            width: right - left + 1,
            pixels: parts
                .flatten()
                .map(|&value| u8::from(white(value)))
                .collect(),
        }
    }
}
