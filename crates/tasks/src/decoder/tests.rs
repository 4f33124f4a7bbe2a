use straylight_core::Shape;

use super::*;
use crate::testing::label;
use crate::{ModelLabels, OutputTensor, PostProcessor, ResizeType, Size, TaskConfig, TensorData};

const NETWORK: Size = Size::new(64, 64);

fn geometry(image: Size, resize: ResizeType) -> Geometry {
    Geometry {
        image,
        network: NETWORK,
        resize,
    }
}

fn decoder(source: Source) -> Decoder {
    Decoder {
        source,
        unit: BoxUnit::Pixels,
        activation: Activation::None,
        classes: 2,
        first_class: 0,
        background: None,
        several: false,
        grid: None,
        threshold: 0.25,
        suppression: None,
        limit: 300,
        masks: None,
        points: 0,
    }
}

fn rows(columns: &[Column], turned: Option<bool>) -> Source {
    Source::Rows(RowLayout::new(columns.to_vec(), turned).unwrap())
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

fn found(decoder: &Decoder, tensors: &[Named<'_>]) -> Vec<(Vec<f32>, f32, i64)> {
    let geometry = geometry(NETWORK, ResizeType::Standard);
    let found = decoder.decode(&outputs(tensors), &geometry).unwrap();
    found
        .iter()
        .map(|item| (item.corners.to_vec(), item.score, item.class))
        .collect()
}

/// Each layout holds one box of the second class, (8, 16) to (24, 48), with the score 0.75.
#[test]
#[allow(clippy::too_many_lines, reason = "a table of layouts")]
fn every_layout_gives_the_same_box() {
    use Column::{
        Bottom, Class, ClassScores, Height, Left, Objectness, Other, Right, Score, Top, Width, X, Y,
    };
    struct Case<'a>(&'static str, Decoder, &'a [Named<'a>]);
    let logit = (0.75_f32 / 0.25).ln();
    let raw = [X, Y, Width, Height, ClassScores];
    let plain = decoder(Source::Parts(BoxFormat::Corners));
    let cases = [
        Case(
            "YOLOv8: columns are candidates",
            decoder(rows(&raw, None)),
            &[(
                "detections",
                &[1, 6, 2],
                &[16., 0., 32., 0., 16., 0., 32., 0., 0.1, 0.1, 0.75, 0.2],
            )],
        ),
        Case(
            "turned: rows are candidates",
            decoder(rows(&raw, None)),
            &[("detections", &[1, 1, 6], &[16., 32., 16., 32., 0.1, 0.75])],
        ),
        Case(
            "YOLOv5: objectness",
            decoder(rows(&[X, Y, Width, Height, Objectness, ClassScores], None)),
            &[(
                "detections",
                &[1, 1, 7],
                &[16., 32., 16., 32., 0.75, 0.1, 1.0],
            )],
        ),
        Case(
            "end to end",
            decoder(rows(&[Left, Top, Right, Bottom, Score, Class], None)),
            &[(
                "detections",
                &[1, 2, 6],
                &[8., 16., 24., 48., 0.75, 1., 0., 0., 0., 0., 0., 0.],
            )],
        ),
        Case(
            "DetectionOutput",
            Decoder {
                unit: BoxUnit::Fractions,
                first_class: 1,
                ..decoder(rows(&[Other, Class, Score, Left, Top, Right, Bottom], None))
            },
            &[(
                "detections",
                &[1, 1, 1, 7],
                &[0., 2., 0.75, 0.125, 0.25, 0.375, 0.75],
            )],
        ),
        Case(
            "torchvision: classes from 1",
            Decoder {
                first_class: 1,
                ..plain.clone()
            },
            &[
                ("boxes", &[1, 4], &[8., 16., 24., 48.]),
                ("scores", &[1], &[0.75]),
                ("classes", &[1], &[2.]),
            ],
        ),
        Case(
            "TF: y before x, fractions, count",
            Decoder {
                unit: BoxUnit::Fractions,
                first_class: 1,
                ..decoder(Source::Parts(BoxFormat::CornersYx))
            },
            &[
                (
                    "boxes",
                    &[1, 2, 4],
                    &[0.25, 0.125, 0.75, 0.375, 0., 0., 1., 1.],
                ),
                ("scores", &[1, 2], &[0.75, 0.9]),
                ("classes", &[1, 2], &[2., 1.]),
                ("count", &[1], &[1.]),
            ],
        ),
        Case(
            "MMDeploy: five columns",
            plain.clone(),
            &[
                ("boxes", &[1, 1, 5], &[8., 16., 24., 48., 0.75]),
                ("classes", &[1, 1], &[1.]),
            ],
        ),
        Case(
            "RT-DETR: logits, centre and size, fractions",
            Decoder {
                unit: BoxUnit::Fractions,
                activation: Activation::Sigmoid,
                several: true,
                ..decoder(Source::Parts(BoxFormat::Centre))
            },
            &[
                ("boxes", &[1, 1, 4], &[0.25, 0.5, 0.25, 0.5]),
                ("scores", &[1, 1, 2], &[-5., logit]),
            ],
        ),
        Case(
            "DETR: softmax, the last is no object",
            Decoder {
                unit: BoxUnit::Fractions,
                activation: Activation::Softmax,
                background: Some(2),
                ..decoder(Source::Parts(BoxFormat::Centre))
            },
            &[
                (
                    "boxes",
                    &[1, 2, 4],
                    &[0.25, 0.5, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5],
                ),
                ("scores", &[1, 2, 3], &[-20., logit, 0., -20., -20., 0.]),
            ],
        ),
        Case(
            "background first",
            Decoder {
                background: Some(0),
                ..plain.clone()
            },
            &[
                ("boxes", &[1, 1, 4], &[8., 16., 24., 48.]),
                ("scores", &[1, 1, 3], &[0.9, 0.1, 0.75]),
            ],
        ),
    ];
    for Case(name, decoder, tensors) in cases {
        let found = found(&decoder, tensors);
        let [(corners, score, class)] = found.as_slice() else {
            panic!("{name}: {found:?}");
        };
        assert_eq!(
            (corners.as_slice(), *class),
            ([8., 16., 24., 48.].as_slice(), 1),
            "{name}"
        );
        assert!((score - 0.75).abs() < 1e-5, "{name}: {score}");
    }
}

#[test]
fn one_class_needs_no_axis_of_its_own() {
    let one = Decoder {
        classes: 1,
        ..decoder(Source::Parts(BoxFormat::Corners))
    };
    let tensors: [Named<'_>; 2] = [
        ("boxes", &[1, 1, 4], &[8., 16., 24., 48.]),
        ("scores", &[1, 1, 1], &[0.75]),
    ];
    assert_eq!(found(&one, &tensors)[0].2, 0);
}

#[test]
fn a_candidate_counts_once_or_for_several_classes() {
    let tensors: [Named<'_>; 2] = [
        ("boxes", &[1, 4], &[8., 16., 24., 48.]),
        ("scores", &[1, 2], &[0.5, 0.75]),
    ];
    let once = decoder(Source::Parts(BoxFormat::Corners));
    assert_eq!(found(&once, &tensors).len(), 1);
    let several = Decoder {
        several: true,
        ..once
    };
    assert_eq!(found(&several, &tensors).len(), 2);
}

#[test]
fn grids_give_pixels() {
    let columns = [
        Column::X,
        Column::Y,
        Column::Width,
        Column::Height,
        Column::Objectness,
        Column::ClassScores,
    ];
    let grid = Grid {
        strides: vec![32],
        anchors: Vec::new(),
    };
    let yolox = Decoder {
        grid: Some(grid),
        ..decoder(rows(&columns, Some(false)))
    };
    // The cell of column 1, row 0.
    let mut data = [0.0_f32; 4 * 7];
    data[7..14].copy_from_slice(&[0.5, 0.5, 0.5_f32.ln(), 0.0, 0.75, 0.0, 1.0]);
    let all = found(&yolox, &[("detections", &[1, 4, 7], &data)]);
    assert_eq!(all[0].0, [40., 0., 56., 32.]);
    let anchors = vec![vec![[8.0, 16.0]]];
    let yolov5 = Decoder {
        grid: Some(Grid {
            strides: vec![32],
            anchors,
        }),
        ..yolox.clone()
    };
    data[7..11].copy_from_slice(&[0.5, 0.5, 0.5, 0.5]);
    let all = found(&yolov5, &[("detections", &[1, 4, 7], &data)]);
    assert_eq!(all[0].0, [44., 8., 52., 24.]);
    let error = yolox.decode(
        &outputs(&[("detections", &[1, 1, 7], &data[..7])]),
        &geometry(NETWORK, ResizeType::Standard),
    );
    assert!(error.unwrap_err().to_string().contains("4 candidates"));
}

#[test]
fn nan_scores_and_wrong_widths_are_errors() {
    let raw = [
        Column::X,
        Column::Y,
        Column::Width,
        Column::Height,
        Column::ClassScores,
    ];
    let decoder = decoder(rows(&raw, None));
    let geometry = geometry(NETWORK, ResizeType::Standard);
    let nan = [16., 32., 16., 32., f32::NAN, 0.75];
    for shape in [[1, 1, 6], [1, 6, 1]] {
        let nan = outputs(&[("detections", &shape, &nan)]);
        let error = decoder.decode(&nan, &geometry).unwrap_err();
        assert!(matches!(error, TaskError::NotFinite { .. }), "{error}");
    }
    let narrow = outputs(&[("detections", &[1, 2, 5], &[0.0; 10])]);
    let error = decoder.decode(&narrow, &geometry).unwrap_err().to_string();
    assert!(error.contains("6 values for each candidate"), "{error}");
    let none = outputs(&[("detections", &[1, 0, 6], &[])]);
    assert_eq!(decoder.decode(&none, &geometry).unwrap(), []);
}

fn labels(names: &[&str]) -> ModelLabels {
    let labels: Vec<_> = names.iter().map(|name| label(name, name)).collect();
    let config = TaskConfig::from_model_info(&std::collections::BTreeMap::new()).unwrap();
    ModelLabels::new(&config, &labels)
}

#[test]
fn turned_boxes_keep_their_angle_and_suppress_each_other() {
    use Column::{Angle, ClassScores, Height, Width, X, Y};
    let decoder = Decoder {
        suppression: Some(Suppression {
            iou_threshold: 0.7,
            limit: 0,
            agnostic: false,
            include_edges: false,
        }),
        ..decoder(rows(&[X, Y, Width, Height, ClassScores, Angle], None))
    };
    let post = TurnedBoxes {
        labels: labels(&["a", "b"]),
        decoder,
    };
    let data = [
        32., 32., 20., 10., 0.1, 0.9, 0.5, //
        32., 32., 20., 10., 0.1, 0.8, 0.5, //
        32., 32., 20., 10., 0.1, 0.7, 2.07,
    ];
    let tensors: [Named<'_>; 1] = [("detections", &[1, 3, 7], &data)];
    let geometry = geometry(Size::new(128, 128), ResizeType::Standard);
    let prediction = post.predict(&outputs(&tensors), &geometry).unwrap();
    assert_eq!(prediction.annotations.len(), 2);
    let Shape::RotatedRectangle {
        x,
        width,
        height,
        angle,
        ..
    } = prediction.annotations[0].shape
    else {
        panic!("{prediction:?}");
    };
    assert!((x - 64.0).abs() < 1e-4 && (width - 40.0).abs() < 1e-4 && (height - 20.0).abs() < 1e-4);
    assert!((angle - 0.5_f64.to_degrees()).abs() < 1e-4, "{angle}");
}

#[test]
fn key_points_follow_their_box() {
    let columns = [
        Column::Left,
        Column::Top,
        Column::Right,
        Column::Bottom,
        Column::Score,
        Column::Class,
        Column::KeyPoints,
    ];
    let decoder = Decoder {
        points: 2,
        classes: 1,
        ..decoder(rows(&columns, None))
    };
    let post = Poses {
        labels: labels(&["person", "nose", "eye"]),
        decoder,
    };
    let data = [8., 16., 24., 48., 0.9, 0., 10., 20., 0.8, 12., 22., 0.3];
    let tensors: [Named<'_>; 1] = [("detections", &[1, 1, 12], &data)];
    let geometry = geometry(Size::new(128, 64), ResizeType::FitToWindowLetterbox);
    let prediction = post.predict(&outputs(&tensors), &geometry).unwrap();
    let names: Vec<&str> = prediction
        .annotations
        .iter()
        .map(|item| item.labels[0].name.as_str())
        .collect();
    assert_eq!(names, ["person", "nose", "eye"]);
    // The image was halved and moved down by 16 pixels.
    assert_eq!(
        prediction.annotations[2].shape,
        Shape::Keypoint {
            x: 24.0,
            y: 12.0,
            is_visible: false
        }
    );
}

#[test]
fn masks_of_prototypes_are_cut_to_the_box() {
    let columns = [
        Column::X,
        Column::Y,
        Column::Width,
        Column::Height,
        Column::ClassScores,
        Column::MaskCoefficients,
    ];
    let decoder = Decoder {
        masks: Some(Masks::Prototypes),
        ..decoder(rows(&columns, None))
    };
    // The first prototype is 1 in the left half; the second, everywhere.
    let mut prototypes = [1.0_f32; 2 * 16 * 16];
    for (index, value) in prototypes.iter_mut().take(256).enumerate() {
        *value = if index % 16 < 8 { 1.0 } else { 0.0 };
    }
    // A box over the whole input: 20 x first - 10 x second is white in the left half.
    let data = [32., 32., 64., 64., 0.9, 0.1, 20., -10.];
    let tensors: [Named<'_>; 2] = [
        ("detections", &[1, 8, 1], &data),
        ("prototypes", &[1, 2, 16, 16], &prototypes),
    ];
    let outputs = outputs(&tensors);
    let geometry = geometry(NETWORK, ResizeType::Standard);
    let candidates = decoder.decode(&outputs, &geometry).unwrap();
    let mask = decoder.mask(&candidates[0], &outputs, &geometry).unwrap();
    let mask = mask.unwrap();
    assert_eq!((mask.width, mask.levels.len()), (64, 64 * 64));
    let white = mask.levels.iter().filter(|&&level| level > 0.5).count();
    assert_eq!(white, 32 * 64);
    assert!(mask.levels[0] > 0.9 && mask.levels[63] < 0.1);
}

#[test]
fn an_object_without_a_pixel_of_its_mask_is_none() {
    let columns = [
        Column::X,
        Column::Y,
        Column::Width,
        Column::Height,
        Column::ClassScores,
        Column::MaskCoefficients,
    ];
    let decoder = Decoder {
        masks: Some(Masks::Prototypes),
        ..decoder(rows(&columns, None))
    };
    let mut prototype = [-1.0_f32; 16 * 16];
    prototype[8 * 16 + 8] = 1.0;
    let geometry = geometry(NETWORK, ResizeType::Standard);
    let mask_of = |box_: [f32; 4]| {
        let [x, y, width, height] = box_;
        let data = [x, y, width, height, 0.9, 0.1, 1.0];
        let tensors: [Named<'_>; 2] = [
            ("detections", &[1, 7, 1], &data),
            ("prototypes", &[1, 1, 16, 16], &prototype),
        ];
        let outputs = outputs(&tensors);
        let candidates = decoder.decode(&outputs, &geometry).unwrap();
        decoder.mask(&candidates[0], &outputs, &geometry).unwrap()
    };
    assert!(mask_of([10., 10., 16., 16.]).is_none());
    // One cell is a speck of some pixels.
    assert!(mask_of([32., 32., 48., 48.]).is_some());
}

#[test]
fn whole_masks_are_cut_to_their_boxes() {
    let decoder = Decoder {
        masks: Some(Masks::Each {
            area: MaskArea::Input,
            activation: Activation::None,
        }),
        ..decoder(Source::Parts(BoxFormat::Corners))
    };
    let mut masks = [0.0_f32; 2 * 64];
    for row in 2..4 {
        for column in 1..3 {
            masks[64 + row * 8 + column] = 1.0;
        }
    }
    let tensors: [Named<'_>; 4] = [
        ("boxes", &[2, 4], &[0., 0., 64., 64., 8., 16., 24., 32.]),
        ("scores", &[2], &[0.1, 0.9]),
        ("classes", &[2], &[0., 1.]),
        ("masks", &[2, 1, 8, 8], &masks),
    ];
    let outputs = outputs(&tensors);
    let geometry = geometry(NETWORK, ResizeType::Standard);
    let candidates = decoder.decode(&outputs, &geometry).unwrap();
    assert_eq!((candidates.len(), candidates[0].place), (1, 1));
    let mask = decoder.mask(&candidates[0], &outputs, &geometry).unwrap();
    let mask = mask.unwrap();
    let white = mask.levels.iter().filter(|&&level| level >= 0.5).count();
    // Values between cells round the corners off.
    assert_eq!((mask.width, white), (16, 232));
}
