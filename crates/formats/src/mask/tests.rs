use proptest::prelude::*;

use super::*;
use crate::geometry;

#[test]
fn a_block_becomes_its_four_corners() {
    // 4 x 3 pixels, columns 1 and 2 of rows 1 and 2 are inside.
    let mask = Mask::from_runs(4, 3, &[4, 2, 1, 2, 3]).unwrap();
    let wanted = [(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0)];
    let wanted = wanted.map(|(x, y)| Point { x, y }).to_vec();
    assert_eq!(
        mask.outlines(),
        Outlines {
            outer: vec![wanted],
            holes: Vec::new()
        }
    );
    assert_eq!(mask.bounding_box(), Some([1.0, 1.0, 2.0, 2.0]));
    assert_eq!(mask.area(), 4);
}

/// Packed by `pycocotools` 2.0: `encode` of the block above, and of a pixel and a larger one.
#[test]
fn packed_counts_are_those_of_pycocotools() {
    let block = Mask::from_packed(4, 3, "42102").unwrap();
    assert_eq!(block.runs(), [4, 2, 1, 2, 3]);
    let packed = format!("01l8h0cG{}[<", "0".repeat(63));
    let mask = Mask::from_packed(50, 40, &packed).unwrap();
    assert_eq!(mask.packed(), packed);
    let areas: Vec<f64> = mask
        .outlines()
        .outer
        .iter()
        .map(|o| geometry::area(o))
        .collect();
    assert_eq!(areas, [1.0, 825.0]);
    assert!(Mask::from_packed(4, 3, "\u{7f}").is_err());
    assert!(Mask::from_packed(4, 3, &"P".repeat(40)).is_err());
}

#[test]
fn wrong_sums_are_refused() {
    assert!(Mask::from_runs(4, 3, &[11]).is_err());
    assert!(Mask::from_runs(4, 3, &[u64::MAX, 13]).is_err());
    assert!(Mask::from_runs(4, 3, &[]).is_err());
    assert_eq!(
        Mask::from_runs(2, 2, &[0, 1, 0, 1, 2]).unwrap().runs(),
        [0, 2, 2]
    );
}

#[test]
fn parts_that_touch_at_a_corner_are_apart() {
    let mask = Mask::from_pixels(4, 4, |x, y| (x < 2) == (y < 2));
    assert_eq!(mask.outlines().outer.len(), 2);
    let ring = Mask::from_pixels(3, 3, |x, y| (x, y) != (1, 1)).outlines();
    assert_eq!((ring.outer.len(), ring.holes.len()), (1, 1));
}

fn pixels() -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(any::<bool>(), 30)
}

fn mask(pixels: &[bool]) -> Mask {
    Mask::from_pixels(6, 5, |x, y| pixels[(y * 6 + x) as usize])
}

proptest! {
    /// The area of the outer borders without that of the holes is the number of pixels.
    #[test]
    fn outlines_cover_the_mask(pixels in pixels()) {
        let outlines = mask(&pixels).outlines();
        let sum = |rings: &[Vec<Point>]| rings.iter().map(|ring| geometry::area(ring)).sum::<f64>();
        let covered = sum(&outlines.outer) - sum(&outlines.holes);
        prop_assert_eq!(covered as usize, pixels.iter().filter(|inside| **inside).count());
        for ring in outlines.outer.iter().chain(&outlines.holes) {
            prop_assert!(ring.len() >= 4 && ring.len() % 2 == 0);
        }
    }

    #[test]
    fn packing_loses_nothing(pixels in pixels()) {
        let mask = mask(&pixels);
        prop_assert_eq!(Mask::from_packed(6, 5, &mask.packed()).unwrap(), mask.clone());
        let same = mask.rearranged(6, 5, |x, y| (x, y));
        prop_assert_eq!(same, mask);
    }

    #[test]
    fn values_become_masks(values in prop::collection::vec(0_u32..4, 30)) {
        for (value, found) in Mask::of_values(6, 5, &values) {
            let wanted = Mask::from_pixels(6, 5, |x, y| values[(y * 6 + x) as usize] == value);
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn any_text_is_survived(text in ".{0,20}") {
        let _ = Mask::from_packed(6, 5, &text);
    }
}
