//! COCO's run-length encoded masks, and their outlines as polygons.

use std::collections::BTreeMap;

use serde::Deserialize;
use straylight_core::Point;

/// A mask as COCO and Datumaro write it.
///
/// Runs of 0 and 1 in turn, beginning with 0, down the columns from left to right.
#[derive(Deserialize)]
pub(crate) struct Rle {
    counts: Counts,
    /// Height and width in pixels.
    size: [u32; 2],
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Counts {
    Plain(Vec<u64>),
    Packed(String),
}

/// The outer borders of a mask's parts along the edges of pixels; holes are filled.
pub(crate) fn outlines(rle: &Rle, (width, height): (u32, u32)) -> Result<Vec<Vec<Point>>, String> {
    if rle.size != [height, width] {
        let [h, w] = rle.size;
        return Err(format!(
            "the mask has {w} x {h} pixels, the image {width} x {height}"
        ));
    }
    let runs = match &rle.counts {
        Counts::Plain(runs) => runs.clone(),
        Counts::Packed(text) => unpack(text)?,
    };
    let mask = decode(&runs, width as usize, height as usize)?;
    Ok(trace(&mask, width as usize, height as usize))
}

/// Numbers of 5 bits a letter, least first, the sixth bit for "more", as `pycocotools` packs
/// them; from the third run on each is the difference from the one before the last.
fn unpack(text: &str) -> Result<Vec<u64>, String> {
    let mut runs: Vec<i64> = Vec::new();
    let (mut value, mut shift) = (0_i64, 0_u32);
    for byte in text.bytes() {
        let bits = i64::from(byte.wrapping_sub(48));
        if bits > 63 || shift > 50 {
            return Err("the mask's counts are damaged".to_owned());
        }
        value |= (bits & 31) << shift;
        shift += 5;
        if bits & 32 != 0 {
            continue;
        }
        if bits & 16 != 0 {
            value |= -1 << shift;
        }
        if let [.., before, _] = runs[..]
            && runs.len() > 2
        {
            value = value.wrapping_add(before);
        }
        runs.push(value);
        (value, shift) = (0, 0);
    }
    let unsigned = runs
        .into_iter()
        .map(u64::try_from)
        .collect::<Result<_, _>>();
    unsigned.map_err(|_| "the mask has a run of negative length".to_owned())
}

/// Row by row, true inside.
fn decode(runs: &[u64], width: usize, height: usize) -> Result<Vec<bool>, String> {
    let pixels = width * height;
    let total = runs
        .iter()
        .try_fold(0_u64, |sum, run| sum.checked_add(*run));
    if total != Some(pixels as u64) {
        return Err(format!("the mask's counts do not sum to {pixels} pixels"));
    }
    let mut mask = vec![false; pixels];
    let mut at = 0;
    for (index, run) in runs.iter().enumerate() {
        let end = at + *run as usize;
        if index % 2 == 1 {
            for place in at..end {
                mask[place % height * width + place / height] = true;
            }
        }
        at = end;
    }
    Ok(mask)
}

/// Follows the edges between inside and outside; the inside lies to the right of each.
fn trace(mask: &[bool], width: usize, height: usize) -> Vec<Vec<Point>> {
    let mut edges = edges(mask, width, height);
    let mut outlines = Vec::new();
    while let Some((&start, _)) = edges.first_key_value() {
        let outline = follow(&mut edges, start);
        // Clockwise on the screen is an outer border, the other way round a hole.
        if signed_area(&outline) > 0 {
            let point = |&(y, x): &(i64, i64)| Point {
                x: x as f64,
                y: y as f64,
            };
            outlines.push(outline.iter().map(point).collect());
        }
    }
    outlines
}

type Corner = (i64, i64);

/// From each corner (y, x) to the corners that an edge leads to.
fn edges(mask: &[bool], width: usize, height: usize) -> BTreeMap<Corner, Vec<Corner>> {
    let inside = |y: i64, x: i64| {
        let within = y >= 0 && x >= 0 && (y as usize) < height && (x as usize) < width;
        within && mask[y as usize * width + x as usize]
    };
    let mut edges: BTreeMap<Corner, Vec<Corner>> = BTreeMap::new();
    for y in 0..height as i64 {
        for x in (0..width as i64).filter(|&x| inside(y, x)) {
            for (outside, from, to) in [
                (!inside(y - 1, x), (y, x), (y, x + 1)),
                (!inside(y, x + 1), (y, x + 1), (y + 1, x + 1)),
                (!inside(y + 1, x), (y + 1, x + 1), (y + 1, x)),
                (!inside(y, x - 1), (y + 1, x), (y, x)),
            ] {
                if outside {
                    edges.entry(from).or_default().push(to);
                }
            }
        }
    }
    edges
}

/// Takes one closed border out of the edges, without corners on straight lines.
fn follow(edges: &mut BTreeMap<Corner, Vec<Corner>>, start: Corner) -> Vec<Corner> {
    let mut outline: Vec<Corner> = vec![start];
    let (mut at, mut before) = (start, None);
    while let Some(next) = take_edge(edges, at, before) {
        if let [.., first, middle] = outline[..]
            && direction(first, middle) == direction(middle, next)
        {
            outline.pop();
        }
        if next == start {
            break;
        }
        outline.push(next);
        before = Some(at);
        at = next;
    }
    outline
}

/// Where two parts touch at a corner, the sharper turn to the right keeps them apart.
fn take_edge(
    edges: &mut BTreeMap<Corner, Vec<Corner>>,
    at: Corner,
    before: Option<Corner>,
) -> Option<Corner> {
    let targets = edges.get_mut(&at)?;
    let right = before.map(|before| {
        let (dy, dx) = direction(before, at);
        (at.0 + dx, at.1 - dy)
    });
    let index = targets
        .iter()
        .position(|to| Some(*to) == right)
        .unwrap_or(0);
    let next = targets.swap_remove(index);
    if targets.is_empty() {
        edges.remove(&at);
    }
    Some(next)
}

fn direction(from: Corner, to: Corner) -> Corner {
    ((to.0 - from.0).signum(), (to.1 - from.1).signum())
}

fn signed_area(outline: &[Corner]) -> i64 {
    let next = outline.iter().cycle().skip(1);
    outline
        .iter()
        .zip(next)
        .map(|(a, b)| a.1 * b.0 - b.1 * a.0)
        .sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geometry;

    fn rle(counts: Counts, height: u32, width: u32) -> Rle {
        Rle {
            counts,
            size: [height, width],
        }
    }

    #[test]
    fn a_block_becomes_its_four_corners() {
        // 4 x 3 pixels, columns 1 and 2 of rows 1 and 2 are inside.
        let mask = rle(Counts::Plain(vec![4, 2, 1, 2, 3]), 3, 4);
        let outlines = outlines(&mask, (4, 3)).unwrap();
        let wanted = [(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0)];
        assert_eq!(outlines, [wanted.map(|(x, y)| Point { x, y }).to_vec()]);
    }

    /// Packed by `pycocotools` 2.0: `encode` of the block above, and of a pixel and a larger one.
    #[test]
    fn packed_counts_are_those_of_pycocotools() {
        assert_eq!(unpack("42102").unwrap(), [4, 2, 1, 2, 3]);
        let packed = format!("01l8h0cG{}[<", "0".repeat(63));
        let mask = rle(Counts::Packed(packed), 40, 50);
        let areas: Vec<f64> = outlines(&mask, (50, 40))
            .unwrap()
            .iter()
            .map(|o| geometry::area(o))
            .collect();
        assert_eq!(areas, [1.0, 825.0]);
        assert!(unpack("\u{7f}").is_err());
        assert!(unpack(&"P".repeat(40)).is_err());
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert!(outlines(&rle(Counts::Plain(vec![12]), 3, 4), (3, 4)).is_err());
        assert!(outlines(&rle(Counts::Plain(vec![11]), 3, 4), (4, 3)).is_err());
        assert!(outlines(&rle(Counts::Plain(vec![u64::MAX, 13]), 3, 4), (4, 3)).is_err());
    }

    proptest! {
        /// Without holes, the outlines cover as many pixels as the mask has.
        #[test]
        fn outlines_cover_the_mask(bits in prop::collection::vec(any::<bool>(), 1..12)) {
            // A skyline: columns of any height standing on the bottom row have no holes.
            let (width, height) = (bits.len(), 2);
            let mut mask = vec![true; width * height];
            mask[..width].copy_from_slice(&bits);
            let covered: f64 = trace(&mask, width, height).iter().map(|o| geometry::area(o)).sum();
            prop_assert_eq!(covered as usize, mask.iter().filter(|inside| **inside).count());
        }

        #[test]
        fn any_mask_is_traced(mask in prop::collection::vec(any::<bool>(), 30)) {
            for outline in trace(&mask, 6, 5) {
                prop_assert!(outline.len() >= 4 && geometry::area(&outline) >= 1.0);
            }
        }
    }
}
