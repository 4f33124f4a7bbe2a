use super::Pixel;

/// The pixels on and inside a closed border.
///
/// A pixel off the border is inside if a line from it to the left meets the border an odd
/// number of times. That is tested half a row below it, where no border has a corner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filled {
    left: i32,
    top: i32,
    width: usize,
    inside: Vec<bool>,
}

impl Filled {
    /// Fills the border; each pixel must be a neighbour of the one before it.
    pub(crate) fn new(border: &[Pixel]) -> Self {
        let range = |axis: usize| {
            let values = || border.iter().map(|point| point[axis]);
            (values().min().unwrap_or(0), values().max().unwrap_or(-1))
        };
        let ((left, right), (top, bottom)) = (range(0), range(1));
        let width = (right - left + 1).max(0) as usize;
        let height = (bottom - top + 1).max(0) as usize;
        let mut filled = Self {
            left,
            top,
            width,
            inside: vec![false; width * height],
        };
        filled.toggle_crossings(border);
        filled.sweep();
        for &point in border {
            filled.update(point, |_| true);
        }
        filled
    }

    /// Marks where, seen from the left, each row enters or leaves.
    fn toggle_crossings(&mut self, border: &[Pixel]) {
        for (&[x, y], &[next_x, next_y]) in border.iter().zip(border.iter().cycle().skip(1)) {
            if y != next_y {
                self.update([x.max(next_x), y.min(next_y)], |mark| !mark);
            }
        }
    }

    fn sweep(&mut self) {
        for row in self.inside.chunks_exact_mut(self.width.max(1)) {
            let mut inside = false;
            for mark in row {
                inside ^= *mark;
                *mark = inside;
            }
        }
    }

    fn place(&self, [x, y]: Pixel) -> Option<usize> {
        let column = usize::try_from(x - self.left)
            .ok()
            .filter(|&column| column < self.width)?;
        let row = usize::try_from(y - self.top).ok()?;
        Some(row * self.width + column)
    }

    fn update(&mut self, point: Pixel, change: impl FnOnce(bool) -> bool) {
        let place = self.place(point);
        if let Some(mark) = place.and_then(|place| self.inside.get_mut(place)) {
            *mark = change(*mark);
        }
    }

    /// Takes the pixels of another filled border out.
    pub(crate) fn remove(&mut self, hole: &Self) {
        let gone: Vec<Pixel> = hole.pixels().collect();
        for point in gone {
            self.update(point, |_| false);
        }
    }

    /// All pixels, row by row.
    pub(crate) fn pixels(&self) -> impl Iterator<Item = Pixel> {
        let rows = (self.top..).zip(self.inside.chunks_exact(self.width.max(1)));
        rows.flat_map(move |(y, row)| {
            let columns = (self.left..).zip(row).filter(|&(_, &inside)| inside);
            columns.map(move |(x, _)| [x, y])
        })
    }
}
