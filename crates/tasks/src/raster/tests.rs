//! Against what OpenCV gives (`fixtures/tasks/raster.json`), and against what must always hold.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Fixture {
    masks: Vec<MaskCase>,
    paste: Vec<PasteCase>,
    nearest: Vec<NearestCase>,
    blur: Vec<BlurCase>,
}

#[derive(Deserialize)]
struct MaskCase {
    rows: Vec<String>,
    regions: Vec<Region>,
}

#[derive(Deserialize)]
struct Region {
    points: Vec<Pixel>,
    corners: Vec<Pixel>,
    holes: Vec<Vec<Pixel>>,
    outermost: bool,
    area: f64,
    simplified: usize,
    filled: usize,
    rectangle: [[f64; 2]; 4],
}

#[derive(Deserialize)]
struct PasteCase {
    width: usize,
    levels: Vec<f32>,
    target: (i32, i32),
    rows: Vec<String>,
}

#[derive(Deserialize)]
struct NearestCase {
    source: usize,
    target: u32,
    places: Vec<usize>,
}

#[derive(Deserialize)]
struct BlurCase {
    width: usize,
    side: u32,
    plane: Vec<f32>,
    blurred: Vec<f32>,
}

fn fixture() -> Fixture {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/tasks/raster.json"
    );
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn mask_of(rows: &[String]) -> Mask {
    let width = rows.first().map_or(0, String::len);
    Mask::of(rows.concat().as_bytes(), width, |byte| byte == b'1')
}

#[test]
fn contours_are_those_of_opencv() {
    for case in fixture().masks {
        let found = contours(&mask_of(&case.rows));
        assert_eq!(found.len(), case.regions.len(), "{:#?}", case.rows);
        for (contour, region) in found.iter().zip(&case.regions) {
            assert_eq!(contour.points, region.points, "{:#?}", case.rows);
            assert_eq!(
                corners_of(&contour.points),
                region.corners,
                "{:#?}",
                case.rows
            );
            assert_eq!(contour.is_outermost, region.outermost, "{:#?}", case.rows);
            let mut holes = contour.holes.clone();
            holes.sort();
            assert_eq!(holes, region.holes, "{:#?}", case.rows);
            assert_eq!(area(&contour.points), region.area);
            let corners = simplified_len(&contour.points);
            assert!(
                corners.abs_diff(region.simplified) <= 1,
                "{:?}",
                region.points
            );
            assert_eq!(corners > 2, region.simplified > 2, "{:?}", region.points);
        }
    }
}

#[test]
fn filled_contours_are_those_of_opencv() {
    for region in fixture().masks.into_iter().flat_map(|case| case.regions) {
        let mut filled = Filled::new(&region.points);
        for hole in &region.holes {
            filled.remove(&Filled::new(hole));
        }
        assert_eq!(
            filled.pixels().count(),
            region.filled,
            "{:?}",
            region.points
        );
    }
}

/// Where several rectangles are equally small, OpenCV's rounding decides among them.
#[test]
fn smallest_rectangles_are_those_of_opencv() {
    let regions = || fixture().masks.into_iter().flat_map(|case| case.regions);
    let mut different = 0;
    for region in regions() {
        let rectangle = smallest_rectangle(&region.corners).unwrap();
        let corners = rectangle.corners();
        let is_corner = |expected: &[f64; 2]| {
            corners
                .iter()
                .any(|c| (c[0] - expected[0]).abs().max((c[1] - expected[1]).abs()) < 0.01)
        };
        if !region.rectangle.iter().all(is_corner) {
            let [a, b, c, _] = region.rectangle;
            let side = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
            let theirs = side(a, b) * side(b, c);
            let ours = rectangle.size[0] * rectangle.size[1];
            assert!(
                (ours - theirs).abs() < 0.01,
                "{:?}: {ours} {theirs}",
                region.corners
            );
            different += 1;
        }
    }
    assert!(
        different * 50 <= regions().count(),
        "{different} of {}",
        regions().count()
    );
}

#[test]
fn pasted_masks_are_those_of_opencv() {
    for case in fixture().paste {
        let part = Part {
            columns: (0, case.target.0),
            rows: (0, case.target.1),
        };
        let mask = paste(&case.levels, case.width, case.target, part, (0, 0));
        let digits = mask.pixels.iter().map(|pixel| char::from(b'0' + pixel));
        assert_eq!(digits.collect::<String>(), case.rows.concat());
    }
}

#[test]
fn a_part_of_a_pasted_mask_is_that_part() {
    let levels: Vec<f32> = (0..25_u8)
        .map(|place| f32::from(place * 7 % 10) / 10.0)
        .collect();
    let whole = Part {
        columns: (0, 17),
        rows: (0, 13),
    };
    let part = Part {
        columns: (3, 11),
        rows: (2, 9),
    };
    let all = paste(&levels, 5, (17, 13), whole, (0, 0));
    let some = paste(&levels, 5, (17, 13), part, (100, 200));
    assert_eq!(
        (some.left, some.top, some.width, some.height()),
        (103, 202, 8, 7)
    );
    for (y, row) in some.rows() {
        let begin = (y as usize - 200) * 17 + 3;
        assert_eq!(row, &all.pixels[begin..begin + 8]);
    }
}

#[test]
fn nearest_pixels_are_those_of_opencv() {
    for case in fixture().nearest {
        assert_eq!(nearest(case.source, case.target), case.places);
    }
}

#[test]
fn blurred_planes_are_those_of_opencv() {
    for case in fixture().blur {
        let result = blur(&case.plane, case.width, case.side);
        assert_eq!(result.len(), case.blurred.len());
        for (a, b) in result.iter().zip(&case.blurred) {
            assert!((a - b).abs() < 2e-6, "side {}: {a} {b}", case.side);
        }
    }
}

fn picture() -> impl Strategy<Value = (usize, Vec<u8>)> {
    (1_usize..14, 1_usize..14).prop_flat_map(|(width, height)| {
        let pixels = proptest::collection::vec(0_u8..2, width * height);
        pixels.prop_map(move |pixels| (width, pixels))
    })
}

proptest! {
    #[test]
    fn borders_hold_all_that_is_white_and_regions_without_holes_nothing_else(
        (width, pixels) in picture()
    ) {
        let mask = Mask::of(&pixels, width, |pixel| pixel == 1);
        let mut covered = BTreeSet::new();
        for contour in contours(&mask) {
            let filled: BTreeSet<Pixel> = Filled::new(&contour.points).pixels().collect();
            let white = |&[x, y]: &Pixel| pixels[y as usize * width + x as usize] == 1;
            prop_assert!(contour.points.iter().all(white));
            if contour.holes.is_empty() {
                prop_assert!(filled.iter().all(white));
            }
            covered.extend(filled);
        }
        for (place, _) in pixels.iter().enumerate().filter(|&(_, &pixel)| pixel == 1) {
            let pixel = [(place % width) as i32, (place / width) as i32];
            prop_assert!(covered.contains(&pixel));
        }
    }

    #[test]
    fn the_smallest_rectangle_holds_all_points_and_is_no_larger_than_an_upright_one(
        points in proptest::collection::vec([-40_i32..40, -40_i32..40], 1..30)
    ) {
        let rectangle = smallest_rectangle(&points).unwrap();
        prop_assert!((0.0..90.0).contains(&rectangle.angle));
        let (sin, cos) = rectangle.angle.to_radians().sin_cos();
        for point in &points {
            let [x, y] = [0, 1].map(|axis| f64::from(point[axis]) - rectangle.centre[axis]);
            prop_assert!((x * cos + y * sin).abs() <= rectangle.size[0] / 2.0 + 1e-6);
            prop_assert!((y * cos - x * sin).abs() <= rectangle.size[1] / 2.0 + 1e-6);
        }
        let reach = |axis: usize| {
            let values = || points.iter().map(|point| point[axis]);
            f64::from(values().max().unwrap() - values().min().unwrap())
        };
        prop_assert!(rectangle.size[0] * rectangle.size[1] <= reach(0) * reach(1) + 1e-6);
    }
}
