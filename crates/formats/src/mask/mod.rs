//! Sets of pixels, run-length encoded as COCO does, and their outlines as polygons.

mod counts;
mod rle;
mod trace;

use std::collections::BTreeMap;

pub(crate) use rle::Rle;
use straylight_core::Point;

/// Masks of more pixels are refused: their outlines would need too much memory.
const MOST_PIXELS: u64 = 1 << 28;

/// Pixels of an image that belong to an object: any number of parts, with holes.
///
/// Kept as COCO's run lengths: numbers of pixels outside and inside in turn, beginning with
/// outside, down the columns from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    width: u32,
    height: u32,
    runs: Vec<u32>,
}

/// The pixels of a mask within its box, row by row.
pub(crate) struct Crop {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) inside: Vec<bool>,
}

impl Mask {
    /// From run lengths, which must sum to the number of pixels; says what is wrong with them.
    pub fn from_runs(width: u32, height: u32, runs: &[u64]) -> Result<Self, String> {
        let pixels = u64::from(width) * u64::from(height);
        let total = runs
            .iter()
            .try_fold(0_u64, |sum, run| sum.checked_add(*run));
        if total != Some(pixels) {
            return Err(format!("the mask's counts do not sum to {pixels} pixels"));
        }
        if pixels > MOST_PIXELS {
            return Err(format!("a mask of {width} x {height} pixels is too large"));
        }
        Ok(Self {
            width,
            height,
            runs: joined(runs.iter().map(|run| *run as u32)),
        })
    }

    /// From the packed text of `pycocotools`.
    pub fn from_packed(width: u32, height: u32, counts: &str) -> Result<Self, String> {
        Self::from_runs(width, height, &counts::unpack(counts)?)
    }

    /// From pixels row by row, true inside; their number must be `width * height`.
    pub fn from_pixels(width: u32, height: u32, inside: impl Fn(u32, u32) -> bool) -> Self {
        let mut runs = vec![0];
        let mut last = false;
        for x in 0..width {
            for y in 0..height {
                if inside(x, y) != last {
                    last = !last;
                    runs.push(0);
                }
                if let Some(run) = runs.last_mut() {
                    *run += 1;
                }
            }
        }
        Self {
            width,
            height,
            runs,
        }
    }

    /// Width in pixels of the image that it is for.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels of the image that it is for.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Run lengths, outside first, down the columns.
    pub fn runs(&self) -> &[u32] {
        &self.runs
    }

    /// The run lengths as `pycocotools` packs them.
    pub fn packed(&self) -> String {
        counts::pack(&self.runs)
    }

    /// Number of pixels inside.
    pub fn area(&self) -> u64 {
        self.runs
            .iter()
            .skip(1)
            .step_by(2)
            .map(|run| u64::from(*run))
            .sum()
    }

    /// Begin and end of each run inside, down the columns.
    fn inside(&self) -> impl Iterator<Item = (u32, u32)> {
        let mut at = 0;
        self.runs
            .iter()
            .enumerate()
            .filter_map(move |(index, run)| {
                let begin = at;
                at += run;
                (index % 2 == 1 && *run > 0).then_some((begin, at))
            })
    }

    /// Left, top, width and height of the box around the pixels; `None` without any.
    pub fn bounding_box(&self) -> Option<[f64; 4]> {
        let [left, top, right, bottom] = self.edges()?;
        Some([left, top, right - left, bottom - top].map(f64::from))
    }

    /// Left, top, right and lower edge of the box around the pixels.
    fn edges(&self) -> Option<[u32; 4]> {
        let height = self.height;
        self.inside()
            .fold(None, |edges: Option<[u32; 4]>, (begin, end)| {
                let (left, right) = (begin / height, (end - 1) / height);
                let (top, bottom) = if left == right {
                    (begin % height, (end - 1) % height)
                } else {
                    (0, height - 1)
                };
                let [l, t, r, b] = edges.unwrap_or([left, top, 0, 0]);
                Some([l.min(left), t.min(top), r.max(right + 1), b.max(bottom + 1)])
            })
    }

    /// The pixels within the box around them.
    pub(crate) fn crop(&self) -> Option<Crop> {
        let [left, top, right, bottom] = self.edges()?;
        let (width, height) = ((right - left) as usize, (bottom - top) as usize);
        let mut inside = vec![false; width * height];
        for (begin, end) in self.inside() {
            for place in begin..end {
                let (x, y) = (place / self.height - left, place % self.height - top);
                inside[y as usize * width + x as usize] = true;
            }
        }
        Some(Crop {
            left,
            top,
            width,
            height,
            inside,
        })
    }

    /// Borders along the edges of pixels: outer ones, and those of holes. Parts that touch only
    /// at a corner are apart.
    pub fn outlines(&self) -> Outlines {
        let Some(crop) = self.crop() else {
            return Outlines::default();
        };
        let (left, top) = (f64::from(crop.left), f64::from(crop.top));
        let mut outlines = Outlines::default();
        for ring in trace::trace(&crop.inside, crop.width, crop.height) {
            let rings = if ring.is_hole {
                &mut outlines.holes
            } else {
                &mut outlines.outer
            };
            let moved = |(x, y): &(u32, u32)| Point {
                x: f64::from(*x) + left,
                y: f64::from(*y) + top,
            };
            rings.push(ring.corners.iter().map(moved).collect());
        }
        outlines
    }

    /// Masks of the values of a picture of numbers, in the order of the numbers; `row by row`.
    pub(crate) fn of_values(width: u32, height: u32, values: &[u32]) -> BTreeMap<u32, Self> {
        let mut runs: BTreeMap<u32, (Vec<u32>, u32)> = BTreeMap::new();
        let columns = (0..width as usize)
            .flat_map(|x| (0..height as usize).map(move |y| y * width as usize + x));
        let mut last = None;
        for (at, index) in columns.enumerate() {
            let value = values[index];
            let (runs, end) = runs.entry(value).or_default();
            if last == Some(value) && !runs.is_empty() {
                if let Some(run) = runs.last_mut() {
                    *run += 1;
                }
            } else {
                runs.extend([at as u32 - *end, 1]);
            }
            *end = at as u32 + 1;
            last = Some(value);
        }
        let pixels = width * height;
        let whole = |(value, (mut runs, end)): (u32, (Vec<u32>, u32))| {
            if end < pixels {
                runs.push(pixels - end);
            }
            (
                value,
                Self {
                    width,
                    height,
                    runs,
                },
            )
        };
        runs.into_iter().map(whole).collect()
    }

    /// The mask moved onto another grid: `place` says from where the pixel of each place comes.
    pub(crate) fn rearranged(
        &self,
        width: u32,
        height: u32,
        place: impl Fn(u32, u32) -> (u32, u32),
    ) -> Self {
        let mut pixels = vec![false; self.width as usize * self.height as usize];
        for (begin, end) in self.inside() {
            pixels[begin as usize..end as usize].fill(true);
        }
        Self::from_pixels(width, height, |x, y| {
            let (from_x, from_y) = place(x, y);
            pixels[(from_x * self.height + from_y) as usize]
        })
    }
}

/// The borders of a mask as polygons.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlines {
    /// One for each part, clockwise.
    pub outer: Vec<Vec<Point>>,
    /// One for each hole, counter-clockwise.
    pub holes: Vec<Vec<Point>>,
}

/// Runs without empty ones in between, which tools may write.
fn joined(runs: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut all: Vec<u32> = Vec::new();
    for (index, run) in runs.enumerate() {
        let inside = index % 2 == 1;
        let last_inside = all.len().is_multiple_of(2);
        match all.last_mut() {
            _ if run == 0 && index > 0 => {}
            Some(last) if inside == last_inside => *last += run,
            None if inside => all.extend([0, run]),
            _ => all.push(run),
        }
    }
    all
}

#[cfg(test)]
mod tests;
