//! What counts as equal.

use straylight_core::{Prediction, SaliencyMap, Shape};
use straylight_tasks::TaskError;

use crate::case::{Case, Expected, ExpectedShape};

const PIXEL: f64 = 1.0;
const DEGREE: f64 = 1.0;
const PROBABILITY: f64 = 1e-3;

pub(crate) fn check(group: &str, case: &Case, result: Result<Prediction, TaskError>) {
    let place = format!("{group}/{} ({})", case.name, case.about);
    match (&case.error, result) {
        (Some(part), Err(error)) => {
            let error = error.to_string();
            assert!(
                error.contains(part.as_str()),
                "{place}: `{error}` lacks `{part}`"
            );
        }
        (Some(part), Ok(prediction)) => panic!("{place}: wanted `{part}`, got {prediction:?}"),
        (None, Err(error)) => panic!("{place}: {error}"),
        (None, Ok(prediction)) => {
            check_annotations(&place, case, &prediction);
            check_maps(&place, case, &prediction.saliency_maps);
        }
    }
}

fn check_annotations(place: &str, case: &Case, prediction: &Prediction) {
    let (ours, theirs) = (&prediction.annotations, &case.annotations);
    assert_eq!(
        ours.len(),
        theirs.len(),
        "{place}: {ours:?}\nwanted {theirs:?}"
    );
    for (index, (annotation, expected)) in ours.iter().zip(theirs).enumerate() {
        let place = format!("{place}, annotation {index}");
        let fits = is_close(&annotation.shape, &expected.shape);
        assert!(
            fits,
            "{place}: {:?}\nwanted {:?}",
            annotation.shape, expected.shape
        );
        check_labels(&place, &annotation.labels, expected);
    }
}

fn check_labels(place: &str, ours: &[straylight_core::ScoredLabel], expected: &Expected) {
    let names = |labels: Vec<(&str, &str)>| format!("{labels:?}");
    let found = ours
        .iter()
        .map(|label| (label.id.as_str(), label.name.as_str()))
        .collect();
    let wanted = expected
        .labels
        .iter()
        .map(|label| (label.id.as_str(), label.name.as_str()));
    assert_eq!(names(found), names(wanted.collect()), "{place}");
    for (label, wanted) in ours.iter().zip(&expected.labels) {
        let probability = f64::from(label.probability);
        let near = (probability - wanted.probability).abs() <= PROBABILITY;
        assert!(
            near,
            "{place}: {}: {probability}, wanted {}",
            label.name, wanted.probability
        );
        assert!((0.0..=1.0).contains(&probability), "{place}: {probability}");
    }
}

fn is_close(ours: &Shape, theirs: &ExpectedShape) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() <= PIXEL;
    let sides = |values: [f64; 4]| {
        let wanted = [theirs.x, theirs.y, theirs.width, theirs.height];
        values.iter().zip(wanted).all(|(&a, b)| near(a, b))
    };
    match (ours, theirs.kind.as_str()) {
        (
            Shape::Rectangle {
                x,
                y,
                width,
                height,
            },
            "RECTANGLE",
        )
        | (
            Shape::Ellipse {
                x,
                y,
                width,
                height,
            },
            "ELLIPSE",
        ) => sides([*x, *y, *width, *height]),
        (
            Shape::RotatedRectangle {
                x,
                y,
                width,
                height,
                angle,
            },
            "ROTATED_RECTANGLE",
        ) => sides([*x, *y, *width, *height]) && (angle - theirs.angle).abs() <= DEGREE,
        (Shape::Keypoint { x, y, .. }, "KEYPOINT") => near(*x, theirs.x) && near(*y, theirs.y),
        (Shape::Polygon { points }, "POLYGON") => {
            let pairs = points.iter().zip(&theirs.points);
            points.len() == theirs.points.len()
                && pairs
                    .into_iter()
                    .all(|(p, &[x, y])| near(p.x, x) && near(p.y, y))
        }
        _ => false,
    }
}

fn check_maps(place: &str, case: &Case, ours: &[SaliencyMap]) {
    let Some(theirs) = &case.maps else { return };
    assert_eq!(ours.len(), theirs.len(), "{place}: number of maps");
    for map in ours {
        let rows = theirs
            .get(&map.label_name)
            .unwrap_or_else(|| panic!("{place}: no such map"));
        assert_eq!((map.width, map.height), case.image, "{place}");
        let expected: Vec<u8> = rows.concat();
        assert_eq!(map.data.len(), expected.len(), "{place}");
        let worst = map
            .data
            .iter()
            .zip(&expected)
            .map(|(a, b)| a.abs_diff(*b))
            .max();
        assert!(
            worst <= Some(1),
            "{place}, map of {}: off by {worst:?}",
            map.label_name
        );
    }
}
