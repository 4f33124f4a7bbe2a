//! Border following after S. Suzuki and K. Abe, "Topological structural analysis of digitized
//! binary images by border following", CVGIP 30 (1985), algorithm 1.
//!
//! White pixels hang together over corners, black ones over edges. Outer borders run
//! counter-clockwise as one looks at the picture, from their uppermost, then leftmost pixel.

use super::{Mask, Pixel};

/// The border of one white region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contour {
    /// All pixels of the outer border in order; a pixel may occur twice where the region is thin.
    pub(crate) points: Vec<Pixel>,
    /// For each hole, the white pixels around it.
    pub(crate) holes: Vec<Vec<Pixel>>,
    /// Whether no other white region surrounds this one.
    pub(crate) is_outermost: bool,
}

/// The borders of all white regions in OpenCV's order: the region found last comes first.
pub(crate) fn contours(mask: &Mask) -> Vec<Contour> {
    let mut tracer = Tracer::new(mask);
    tracer.scan();
    let mut contours = tracer.regions;
    contours.reverse();
    contours
}

/// The pixels at which a closed border changes its direction (`CHAIN_APPROX_SIMPLE`).
pub(crate) fn corners_of(points: &[Pixel]) -> Vec<Pixel> {
    let count = points.len();
    let before = points.iter().cycle().skip(count.saturating_sub(1));
    let after = points.iter().cycle().skip(1);
    let step = |from: &Pixel, to: &Pixel| [to[0] - from[0], to[1] - from[1]];
    let turns = points.iter().zip(before).zip(after);
    let turns = turns
        .filter(|((point, before), after)| count == 1 || step(before, point) != step(point, after));
    turns.map(|((&point, _), _)| point).collect()
}

/// Steps to the eight neighbours, counter-clockwise from the right (rows grow downwards).
const STEPS: [Pixel; 8] = [
    [1, 0],
    [1, -1],
    [0, -1],
    [-1, -1],
    [-1, 0],
    [-1, 1],
    [0, 1],
    [1, 1],
];
const RIGHT: usize = 0;
const LEFT: usize = 4;

/// One border: the region to which it belongs, and whether it surrounds a hole of it.
#[derive(Clone, Copy)]
struct Border {
    region: usize,
    is_hole: bool,
}

/// The picture with a black frame of one pixel; visited pixels carry the number of a border.
struct Tracer {
    stride: usize,
    origin: Pixel,
    /// 0 black, 1 white, else the number of a border plus 2, negative at a right edge.
    cells: Vec<i32>,
    borders: Vec<Border>,
    regions: Vec<Contour>,
}

impl Tracer {
    fn new(mask: &Mask) -> Self {
        let stride = mask.width + 2;
        let mut cells = vec![0; stride * (mask.height() + 2)];
        for (target, (_, row)) in cells.chunks_exact_mut(stride).skip(1).zip(mask.rows()) {
            for (cell, &pixel) in target.iter_mut().skip(1).zip(row) {
                *cell = i32::from(pixel != 0);
            }
        }
        let origin = [mask.left - 1, mask.top - 1];
        Self {
            stride,
            origin,
            cells,
            borders: Vec::new(),
            regions: Vec::new(),
        }
    }

    fn cell(&self, place: usize) -> i32 {
        self.cells.get(place).copied().unwrap_or(0)
    }

    fn neighbour(&self, place: usize, direction: usize) -> usize {
        let [x, y] = STEPS[direction % 8];
        place.wrapping_add_signed(y as isize * self.stride as isize + x as isize)
    }

    fn pixel(&self, place: usize) -> Pixel {
        let [left, top] = self.origin;
        [
            left + (place % self.stride) as i32,
            top + (place / self.stride) as i32,
        ]
    }

    /// Follows every border that begins in scan order.
    fn scan(&mut self) {
        for row in 1..(self.cells.len() / self.stride).saturating_sub(1) {
            // The border that was met last in this row, none beyond the frame.
            let mut last: Option<usize> = None;
            for place in row * self.stride + 1..(row + 1) * self.stride - 1 {
                let value = self.cell(place);
                if value == 0 {
                    continue;
                }
                if value == 1 && self.cell(place - 1) == 0 {
                    self.begin_region(place, last);
                } else if value >= 1 && self.cell(place + 1) == 0 {
                    last = border_of(value).or(last);
                    self.begin_hole(place, last);
                }
                last = border_of(self.cell(place)).or(last);
            }
        }
    }

    /// An outer border begins here; `last` tells what surrounds it.
    fn begin_region(&mut self, place: usize, last: Option<usize>) {
        let around = last.and_then(|number| self.borders.get(number).copied());
        let is_outermost = around.is_none_or(|border| {
            let surrounded = self.regions.get(border.region);
            !border.is_hole && surrounded.is_none_or(|region| region.is_outermost)
        });
        self.borders.push(Border {
            region: self.regions.len(),
            is_hole: false,
        });
        let points = self.follow(place, LEFT);
        self.regions.push(Contour {
            points,
            holes: Vec::new(),
            is_outermost,
        });
    }

    /// The border of a hole begins here; it belongs to the region of the border met last.
    fn begin_hole(&mut self, place: usize, last: Option<usize>) {
        let Some(around) = last.and_then(|number| self.borders.get(number).copied()) else {
            return;
        };
        self.borders.push(Border {
            region: around.region,
            is_hole: true,
        });
        let points = self.follow(place, RIGHT);
        if let Some(region) = self.regions.get_mut(around.region) {
            region.holes.push(points);
        }
    }

    /// Follows the newest border from its first pixel, whose neighbour at `black` is black.
    fn follow(&mut self, first: usize, black: usize) -> Vec<Pixel> {
        let mark = self.borders.len() as i32 + 1;
        // Clockwise from the black neighbour: the last pixel of the border.
        let clockwise = (1..8).map(|turn| (black + 8 - turn) % 8);
        let mut towards = clockwise;
        let Some(mut back) = towards.find(|&to| self.cell(self.neighbour(first, to)) != 0) else {
            self.set(first, -mark);
            return vec![self.pixel(first)];
        };
        let last = self.neighbour(first, back);
        let mut points = Vec::new();
        let mut place = first;
        loop {
            let (onward, passed_right) = self.turn(place, back);
            self.visit(place, mark, passed_right);
            points.push(self.pixel(place));
            let next = self.neighbour(place, onward);
            if next == first && place == last {
                return points;
            }
            back = (onward + 4) % 8;
            place = next;
        }
    }

    /// The next white neighbour counter-clockwise after `back`, and whether the right
    /// neighbour was passed as a black one. There is one: `back` itself is white.
    fn turn(&self, place: usize, back: usize) -> (usize, bool) {
        let mut passed_right = false;
        for turn in 1..8 {
            let direction = (back + turn) % 8;
            if self.cell(self.neighbour(place, direction)) != 0 {
                return (direction, passed_right);
            }
            passed_right |= direction == RIGHT;
        }
        (back, passed_right)
    }

    fn visit(&mut self, place: usize, mark: i32, is_right_edge: bool) {
        if is_right_edge {
            self.set(place, -mark);
        } else if self.cell(place) == 1 {
            self.set(place, mark);
        }
    }

    fn set(&mut self, place: usize, value: i32) {
        if let Some(cell) = self.cells.get_mut(place) {
            *cell = value;
        }
    }
}

/// The number of the border that a visited pixel belongs to.
fn border_of(value: i32) -> Option<usize> {
    usize::try_from(value.unsigned_abs()).ok()?.checked_sub(2)
}
