//! Drawn pictures: never a panic, always the same, nothing hidden.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use straylight_core::{
    Annotation, Color, Point, Prediction, RgbImage, SaliencyMap, ScoredLabel, Shape,
};
use straylight_image::Visualizer;

fn label(rgb: [u8; 3]) -> ScoredLabel {
    ScoredLabel {
        id: "1".into(),
        name: "über-label".into(),
        color: Color::opaque(rgb),
        probability: 0.75,
    }
}

fn one(shape: Shape, rgb: [u8; 3]) -> Prediction {
    let labels = vec![label(rgb)];
    Prediction {
        annotations: vec![Annotation { shape, labels }],
        ..Prediction::default()
    }
}

fn bare() -> Visualizer {
    Visualizer {
        labels: false,
        fill: 0,
        enlarge_to: 0,
        ..Visualizer::default()
    }
}

fn shapes() -> [Shape; 5] {
    let (x, y, width, height) = (60.0, 40.0, 80.0, 60.0);
    let point = |x, y| Point { x, y };
    [
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        },
        Shape::Ellipse {
            x,
            y,
            width,
            height,
        },
        Shape::RotatedRectangle {
            x: 100.0,
            y: 70.0,
            width,
            height,
            angle: 20.0,
        },
        Shape::Polygon {
            points: vec![point(x, y), point(150.0, 60.0), point(80.0, 120.0)],
        },
        Shape::Keypoint {
            x: 100.0,
            y: 70.0,
            is_visible: true,
        },
    ]
}

/// A line in the very colour of the background is seen by its seams.
#[test]
fn every_shape_can_be_seen_on_any_background() {
    for background in [[0; 3], [255; 3], [128; 3], [255, 0, 0], [255, 255, 0]] {
        let image = RgbImage::filled(200, 150, background).unwrap();
        for shape in shapes() {
            let picture = bare().draw(&image, &one(shape.clone(), background), None);
            let off = |pixel: &&[u8]| {
                pixel
                    .iter()
                    .zip(background)
                    .any(|(a, b)| a.abs_diff(b) > 60)
            };
            let seen = picture.data().chunks(3).filter(off).count();
            assert!(seen >= 12, "{shape:?} on {background:?}: {seen} pixels");
        }
    }
}

#[test]
fn a_shape_is_drawn_where_it_is() {
    let image = RgbImage::filled(200, 150, [0; 3]).unwrap();
    let touched = |shape: Shape| {
        let picture = bare().draw(&image, &one(shape, [0, 255, 0]), None);
        move |x: u32, y: u32| picture.pixel(x, y).unwrap() != [0; 3]
    };
    let [rectangle, ellipse, turned, polygon, keypoint] = shapes().map(touched);
    assert!(rectangle(60, 40) && rectangle(139, 99) && !rectangle(100, 70) && !rectangle(30, 70));
    assert!(ellipse(60, 70) && ellipse(100, 40) && !ellipse(60, 40) && !ellipse(100, 70));
    // A turn of 20 degrees clockwise: the right end goes down, the corners leave their places.
    assert!(turned(137, 83) && turned(62, 56) && !turned(138, 42) && !turned(100, 70));
    assert!(polygon(60, 40) && polygon(105, 50) && !polygon(90, 70) && !polygon(140, 110));
    assert!(keypoint(100, 70) && !keypoint(110, 70));
}

#[test]
fn small_images_are_enlarged_by_a_whole_factor() {
    let image = RgbImage::filled(64, 48, [7; 3]).unwrap();
    let prediction = one(Shape::whole_image(64, 48), [255, 0, 0]);
    let picture = Visualizer::default().draw(&image, &prediction, Some(0.5));
    assert_eq!((picture.width(), picture.height()), (320, 240));
    assert_eq!(picture.pixel(310, 120), Some([7; 3]));
    let never = Visualizer {
        enlarge_to: 0,
        ..Visualizer::default()
    };
    assert_eq!(never.draw(&image, &prediction, None).width(), 64);
}

#[test]
fn the_score_changes_the_picture_and_nothing_else_does() {
    let image = RgbImage::filled(320, 240, [90; 3]).unwrap();
    let draw = |score| Visualizer::default().draw(&image, &Prediction::default(), score);
    assert_eq!(draw(None), image);
    assert_ne!(draw(Some(0.1)), draw(Some(0.9)));
    assert_eq!(draw(Some(0.1)), draw(Some(0.1)));
    assert_ne!(draw(Some(f64::NAN)), image);
}

#[test]
fn saliency_is_hot_where_the_map_is() {
    let image = RgbImage::filled(320, 320, [128; 3]).unwrap();
    let map = SaliencyMap {
        label_id: "1".into(),
        label_name: String::new(),
        width: 2,
        height: 1,
        data: vec![0, 255],
    };
    let visualizer = Visualizer {
        labels: false,
        ..Visualizer::default()
    };
    let picture = visualizer.draw_saliency(&image, &map);
    let [cold, hot] = [
        picture.pixel(10, 160).unwrap(),
        picture.pixel(310, 160).unwrap(),
    ];
    assert!(
        cold[2] > cold[0] && hot[0] > hot[2] + 50,
        "{cold:?} {hot:?}"
    );
    let broken = SaliencyMap {
        data: vec![0],
        ..map
    };
    assert_eq!(visualizer.draw_saliency(&image, &broken), image);
}

fn coordinate() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => -300.0..600.0,
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e9, 0.0]),
    ]
}

fn any_shape() -> impl Strategy<Value = Shape> {
    let four = || (coordinate(), coordinate(), coordinate(), coordinate());
    let point = (coordinate(), coordinate()).prop_map(|(x, y)| Point { x, y });
    prop_oneof![
        four().prop_map(|(x, y, width, height)| Shape::Rectangle {
            x,
            y,
            width,
            height
        }),
        four().prop_map(|(x, y, width, height)| Shape::Ellipse {
            x,
            y,
            width,
            height
        }),
        (four(), coordinate()).prop_map(|((x, y, width, height), angle)| {
            Shape::RotatedRectangle {
                x,
                y,
                width,
                height,
                angle,
            }
        }),
        prop::collection::vec(point, 0..6).prop_map(|points| Shape::Polygon { points }),
        (coordinate(), coordinate(), any::<bool>())
            .prop_map(|(x, y, is_visible)| Shape::Keypoint { x, y, is_visible }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn no_shape_breaks_the_drawing(
        shape in any_shape(), width in 1u32..90, height in 1u32..90, enlarge_to in 0u32..200,
    ) {
        let image = RgbImage::filled(width, height, [50; 3]).unwrap();
        let visualizer = Visualizer { enlarge_to, ..Visualizer::default() };
        let prediction = one(shape, [255, 128, 0]);
        let picture = visualizer.draw(&image, &prediction, Some(0.5));
        prop_assert_eq!(&visualizer.draw(&image, &prediction, Some(0.5)), &picture);
        prop_assert!(picture.width().is_multiple_of(width));
    }
}

#[test]
fn a_large_image_is_shrunk_first_and_its_boxes_follow() {
    let image = RgbImage::filled(400, 200, [0; 3]).unwrap();
    let shape = Shape::Rectangle {
        x: 100.0,
        y: 50.0,
        width: 200.0,
        height: 100.0,
    };
    let visualizer = Visualizer {
        shrink_to: 100,
        ..bare()
    };
    let picture = visualizer.draw(&image, &one(shape, [255, 0, 0]), None);
    assert_eq!((picture.width(), picture.height()), (100, 50));
    let red = |columns: std::ops::Range<usize>| {
        let mut pixels = columns.map(|x| &picture.data()[(25 * 100 + x) * 3..][..2]);
        pixels.any(|pixel| pixel[0] > 128 && pixel[1] < 64)
    };
    assert!(red(23..28) && red(73..78), "the sides");
    assert!(!red(0..23) && !red(28..73) && !red(78..100), "elsewhere");
}

#[test]
fn pictures_shrink_by_a_whole_factor_where_that_leaves_enough() {
    struct Case(u32, u32);
    for Case(width, wanted) in [
        Case(1024, 512),
        Case(1920, 640),
        Case(4000, 571),
        Case(700, 640),
        Case(641, 640),
        Case(640, 640),
    ] {
        let visualizer = Visualizer {
            shrink_to: 640,
            ..bare()
        };
        let image = RgbImage::filled(width, 8, [9; 3]).unwrap();
        let picture = visualizer.draw(&image, &Prediction::default(), None);
        assert_eq!(picture.width(), wanted, "{width}");
    }
}
