use super::*;
use crate::testing::label;
use crate::{OutputTensor, ResizeType, Size, TensorData};

const GEOMETRY: Geometry = Geometry {
    image: Size::new(200, 100),
    network: Size::new(100, 100),
    resize: ResizeType::Standard,
};

fn detector(entries: &[(&str, &str)]) -> Detection {
    let entries = entries.iter().chain(&[("labels", "cat dog")]);
    let owned = entries.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let config = TaskConfig::from_model_info(&owned.collect()).unwrap();
    let labels = ModelLabels::new(&config, &[label("1", "cat"), label("2", "dog")]);
    Detection::new(&config, labels)
}

type Named<'a> = (&'a str, &'a [usize], &'a [f32]);

fn outputs<'a>(tensors: &[Named<'a>]) -> Outputs<'a> {
    let tensors = tensors.iter().map(|&(name, shape, data)| OutputTensor {
        name,
        shape,
        data: TensorData::F32(data),
    });
    Outputs::new(tensors.collect()).unwrap()
}

#[test]
fn every_layout_gives_the_same_box() {
    struct Case<'a>(&'a [Named<'a>]);
    let expected = Shape::Rectangle {
        x: 20.0,
        y: 20.0,
        width: 40.0,
        height: 30.0,
    };
    for Case(tensors) in [
        Case(&[("out", &[1, 1, 1, 7], &[0.0, 1.0, 0.9, 0.1, 0.2, 0.3, 0.5])]),
        Case(&[
            ("bboxes", &[1, 1, 4], &[0.1, 0.2, 0.3, 0.5]),
            ("labels", &[1, 1], &[1.0]),
            ("scores", &[1, 1], &[0.9]),
        ]),
        Case(&[
            ("boxes", &[1, 1, 5], &[10.0, 20.0, 30.0, 50.0, 0.9]),
            ("labels", &[1, 1], &[1.0]),
        ]),
        Case(&[
            ("boxes", &[1, 5], &[10.0, 20.0, 30.0, 50.0, 0.9]),
            ("labels", &[1], &[1.0]),
        ]),
        Case(&[
            ("boxes", &[1, 1, 4], &[10.0, 20.0, 30.0, 50.0]),
            ("scores", &[1, 1], &[0.9]),
            ("labels", &[1, 1], &[1.0]),
        ]),
    ] {
        let prediction = detector(&[]).predict(&outputs(tensors), &GEOMETRY).unwrap();
        let [annotation] = prediction.annotations.as_slice() else {
            panic!("{tensors:?}")
        };
        assert_eq!(
            (&annotation.shape, annotation.labels[0].name.as_str()),
            (&expected, "dog")
        );
    }
}

#[test]
fn five_boxes_are_not_confused_with_their_labels() {
    let boxes = [[10.0, 20.0, 30.0, 50.0, 0.9]; 5];
    let tensors = outputs(&[
        ("boxes", &[1, 5, 5], boxes.as_flattened()),
        ("labels", &[1, 5], &[0.0, 1.0, 0.0, 1.0, 1.0]),
        ("feature_vector", &[1, 5], &[0.0; 5]),
    ]);
    let found = detector(&[]).find(&tensors, &GEOMETRY).unwrap();
    assert_eq!(
        found.iter().map(|item| item.class).collect::<Vec<_>>(),
        [0, 1, 0, 1, 1]
    );
}

#[test]
fn outputs_that_do_not_fit_are_described() {
    let strange = outputs(&[("a", &[1, 3], &[0.0; 3]), ("b", &[1, 2], &[0.0; 2])]);
    let error = detector(&[])
        .predict(&strange, &GEOMETRY)
        .unwrap_err()
        .to_string();
    assert!(error.contains("`a` [1, 3], `b` [1, 2]"), "{error}");
    let short = outputs(&[
        ("boxes", &[1, 1, 5], &[0.0; 5]),
        ("labels", &[1, 2], &[0.0; 2]),
    ]);
    let error = detector(&[])
        .predict(&short, &GEOMETRY)
        .unwrap_err()
        .to_string();
    assert!(error.contains("2 labels for 1 boxes"), "{error}");
}

#[test]
fn nan_and_small_boxes_are_dropped() {
    let nan = f32::NAN;
    let rows = [
        [10.0, 20.0, 30.0, 50.0, nan],
        [nan, 20.0, 30.0, 50.0, 0.9],
        [10.0, nan, 30.0, nan, 0.9],
        [10.0, 20.0, 10.4, 20.4, 0.9],
        [30.0, 50.0, 10.0, 20.0, 0.9],
        [10.0, 20.0, f32::INFINITY, 50.0, 0.9],
    ];
    let tensors = outputs(&[("boxes", &[1, 6, 5], rows.as_flattened())]);
    let found = detector(&[]).find(&tensors, &GEOMETRY).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].corners, [20.0, 20.0, 200.0, 50.0]);
}

#[test]
fn a_class_without_label_is_an_error_only_if_it_counts() {
    let rows = [[0.0, 0.0, 50.0, 50.0, 0.9], [0.0, 0.0, 50.0, 50.0, 0.1]];
    let at = |classes: &'static [f32]| {
        let tensors: &[Named<'_>] = &[
            ("boxes", &[1, 2, 5], rows.as_flattened()),
            ("labels", &[1, 2], classes),
        ];
        detector(&[]).predict(&outputs(tensors), &GEOMETRY)
    };
    assert!(at(&[0.0, 7.0]).is_ok());
    assert_eq!(
        at(&[7.0, 0.0]).unwrap_err(),
        TaskError::NoSuchLabel {
            class: 7,
            labels: 2
        }
    );
}

#[test]
fn yolox_cells_follow_the_strides() {
    let network = Size::new(32, 32);
    let geometry = Geometry {
        image: network,
        network,
        resize: ResizeType::FitToWindow,
    };
    // 16 + 4 + 1 cells; the last is the cell of stride 32.
    let mut rows = [[0.0_f32; 7]; 21];
    rows[20] = [0.5, 0.5, 0.5_f32.ln(), 0.5_f32.ln(), 0.9, 0.1, 0.95];
    let tensors = outputs(&[("out", &[1, 21, 7], rows.as_flattened())]);
    let found = detector(&[("model_type", "YOLOX")])
        .find(&tensors, &geometry)
        .unwrap();
    assert_eq!((found.len(), found[0].class), (1, 1));
    assert_eq!(
        shape(found[0].corners, false),
        Shape::Rectangle {
            x: 8.0,
            y: 8.0,
            width: 16.0,
            height: 16.0,
        }
    );
}
