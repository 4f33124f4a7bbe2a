use super::Mask;

/// A part of a picture: first column and row, and those behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) columns: (i32, i32),
    pub(crate) rows: (i32, i32),
}

/// Scales grey levels bilinearly to `target` (columns, rows) and keeps what is above 0.5.
///
/// Only the pixels of `part` are computed; they land at `offset` plus their place. Centres of
/// pixels lie at halves, edges are repeated, arithmetic is in `f32`, columns first.
pub(crate) fn paste(
    levels: &[f32],
    width: usize,
    target: (i32, i32),
    part: Part,
    offset: (i32, i32),
) -> Mask {
    let height = levels.len().checked_div(width).unwrap_or(0);
    let columns = taps(width, target.0, part.columns);
    let rows = taps(height, target.1, part.rows);
    let mut across = Across {
        levels,
        width,
        columns: &columns,
        rows: [None, None],
    };
    let mut pixels = Vec::with_capacity(columns.len() * rows.len());
    for tap in &rows {
        let (upper, lower) = across.pair(tap.near, tap.far);
        let pairs = upper.iter().zip(lower);
        pixels.extend(pairs.map(|(&a, &b)| u8::from(tap.mix(a, b) > 0.5)));
    }
    Mask {
        left: offset.0 + part.columns.0,
        top: offset.1 + part.rows.0,
        width: columns.len(),
        pixels,
    }
}

/// From where one target pixel comes: two neighbours and the weight of the farther one.
#[derive(Debug, Clone, Copy)]
struct Tap {
    near: usize,
    far: usize,
    weight: f32,
}

impl Tap {
    fn mix(self, near: f32, far: f32) -> f32 {
        near * (1.0 - self.weight) + far * self.weight
    }
}

fn taps(source: usize, target: i32, part: (i32, i32)) -> Vec<Tap> {
    let last = source.saturating_sub(1);
    let scale = source as f64 / f64::from(target.max(1));
    let tap = |place: i32| {
        let position = ((f64::from(place) + 0.5) * scale - 0.5) as f32;
        let floor = position.floor();
        if floor < 0.0 || floor as usize >= last {
            let near = if floor < 0.0 { 0 } else { last };
            return Tap {
                near,
                far: near,
                weight: 0.0,
            };
        }
        let near = floor as usize;
        Tap {
            near,
            far: near + 1,
            weight: position - floor,
        }
    };
    (part.0..part.1).map(tap).collect()
}

/// Source rows scaled horizontally; the two that are in use are kept.
struct Across<'a> {
    levels: &'a [f32],
    width: usize,
    columns: &'a [Tap],
    rows: [Option<(usize, Vec<f32>)>; 2],
}

impl Across<'_> {
    fn pair(&mut self, near: usize, far: usize) -> (&[f32], &[f32]) {
        // Going down, the lower row of one target row is the upper row of a later one.
        if self.rows[0].as_ref().is_none_or(|(row, _)| *row != near) {
            self.rows.swap(0, 1);
        }
        self.fill(0, near);
        self.fill(1, far);
        let [upper, lower] = &self.rows;
        (
            upper.as_ref().map_or(&[], |(_, row)| row.as_slice()),
            lower.as_ref().map_or(&[], |(_, row)| row.as_slice()),
        )
    }

    fn fill(&mut self, slot: usize, row: usize) {
        if self.rows[slot]
            .as_ref()
            .is_some_and(|(kept, _)| *kept == row)
        {
            return;
        }
        let begin = row * self.width;
        let source = self.levels.get(begin..begin + self.width).unwrap_or(&[]);
        let at = |place: usize| source.get(place).copied().unwrap_or(0.0);
        let scaled = self
            .columns
            .iter()
            .map(|tap| tap.mix(at(tap.near), at(tap.far)));
        self.rows[slot] = Some((row, scaled.collect()));
    }
}

/// For each of `target` pixels, the nearest of `source` ones, as `INTER_NEAREST` takes it.
pub(crate) fn nearest(source: usize, target: u32) -> Vec<usize> {
    let scale = source as f64 / f64::from(target.max(1));
    let last = source.saturating_sub(1);
    let place = |place: u32| ((f64::from(place) * scale).floor() as usize).min(last);
    (0..target).map(place).collect()
}
