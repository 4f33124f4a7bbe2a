//! Whatever a model gives: an error or a prediction that can be drawn and stored, no panic.
#![allow(clippy::unwrap_used)] // A panic is how a test fails.

use std::collections::BTreeMap;

use proptest::prelude::*;
use straylight_core::{Annotation, Color, Label, Point, Shape, TaskType};
use straylight_tasks::{
    Geometry, OutputTensor, Outputs, ResizeType, Size, TaskConfig, TensorData, Tile, post_processor,
};

const TASKS: [TaskType; 8] = [
    TaskType::Classification,
    TaskType::Detection,
    TaskType::RotatedDetection,
    TaskType::InstanceSegmentation,
    TaskType::Segmentation,
    TaskType::AnomalyDetection,
    TaskType::AnomalySegmentation,
    TaskType::KeypointDetection,
];

const NAMES: [&str; 10] = [
    "boxes",
    "labels",
    "scores",
    "bboxes",
    "masks",
    "saliency_map",
    "feature_vector",
    "pred_mask",
    "anomaly_map",
    "out",
];

fn label(id: u8) -> Label {
    Label {
        id: id.to_string(),
        name: format!("label {id}"),
        color: Color::BLACK,
        group: String::new(),
        is_empty: id == 0,
        is_anomalous: id == 2,
        hotkey: String::new(),
        parent_id: None,
    }
}

type Tensor = (&'static str, Vec<usize>, Vec<f32>);

/// Extents that outputs really have among them, so that layouts are met.
fn extent() -> impl Strategy<Value = usize> {
    prop_oneof![3 => Just(1), 1 => Just(5), 1 => Just(4), 1 => Just(7), 1 => 0_usize..7]
}

fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => -0.5_f32..1.5,
        3 => (-5_i8..60).prop_map(f32::from),
        1 => Just(f32::NAN),
        1 => Just(f32::INFINITY),
        1 => Just(-1e30_f32),
    ]
}

fn tensor() -> impl Strategy<Value = Tensor> {
    let shape = proptest::collection::vec(extent(), 0..5);
    (0..NAMES.len(), shape).prop_flat_map(|(name, shape)| {
        let count = shape.iter().product::<usize>();
        let data = proptest::collection::vec(value(), count);
        data.prop_map(move |data| (NAMES[name], shape.clone(), data))
    })
}

fn entries() -> impl Strategy<Value = BTreeMap<String, String>> {
    let entry = prop_oneof![
        Just(("model_type", "YOLOX")),
        Just(("model_type", "YOLOv8")),
        Just(("model_type", "DETRInstSeg")),
        Just(("nms_execute", "True")),
        Just(("agnostic_nms", "True")),
        Just(("multilabel", "True")),
        Just(("use_ellipse_shapes", "True")),
        Just(("topk", "3")),
        Just(("blur_strength", "5")),
        Just(("confidence_threshold", "-1")),
        Just(("apply_softmax", "False")),
        Just(("labels", "otx_empty_lbl label_1 label_2")),
    ];
    let owned = |list: Vec<(&str, &str)>| {
        let pairs = list
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        pairs.collect()
    };
    proptest::collection::vec(entry, 0..6).prop_map(owned)
}

fn is_sound(annotation: &Annotation) -> bool {
    let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
    let shape = match &annotation.shape {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        }
        | Shape::Ellipse {
            x,
            y,
            width,
            height,
        } => finite(&[*x, *y, *width, *height]) && *width >= 0.0 && *height >= 0.0,
        Shape::RotatedRectangle {
            x,
            y,
            width,
            height,
            angle,
        } => finite(&[*x, *y, *width, *height, *angle]),
        Shape::Polygon { points } => {
            points.len() > 2 && points.iter().all(|Point { x, y }| finite(&[*x, *y]))
        }
        Shape::Keypoint { x, y, .. } => finite(&[*x, *y]),
    };
    let probable = annotation
        .labels
        .iter()
        .all(|label| (0.0..=1.0).contains(&label.probability));
    shape && probable && !annotation.labels.is_empty()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_output_gives_an_error_or_a_sound_prediction(
        task in proptest::sample::select(TASKS.to_vec()),
        entries in entries(),
        tensors in proptest::collection::vec(tensor(), 0..5),
        (width, height) in (1_u32..40, 1_u32..40),
        resize in proptest::sample::select(vec![
            ResizeType::Standard, ResizeType::FitToWindow,
            ResizeType::FitToWindowLetterbox, ResizeType::Letterbox, ResizeType::Crop,
        ]),
    ) {
        let config = TaskConfig::from_model_info(&entries).unwrap();
        let post = post_processor(task, &config, &[label(0), label(1), label(2)]).unwrap();
        let views = tensors.iter().map(|(name, shape, data)| OutputTensor {
            name,
            shape,
            data: TensorData::F32(data),
        });
        let outputs = Outputs::new(views.collect()).unwrap();
        let image = Size::new(width, height);
        let geometry = Geometry { image, network: Size::new(32, 24), resize };
        if let Ok(prediction) = post.predict(&outputs, &geometry) {
            prop_assert!(prediction.annotations.iter().all(is_sound), "{prediction:?}");
        }
        if let Ok(maps) = post.saliency_maps(&outputs, &geometry) {
            let area = width as usize * height as usize;
            prop_assert!(maps.iter().all(|map| map.data.len() == area));
        }
        let _ = post.activations(&outputs);
        let tiling = BTreeMap::from([("tile_size".to_owned(), "16".to_owned())]);
        let tiling = TaskConfig::from_model_info(&tiling).unwrap().tiling.unwrap();
        if let Some(mut merger) = post.tile_merger(&tiling, image) {
            let whole = Tile { left: 0, top: 0, size: image };
            if merger.add(whole, &outputs, &geometry).is_ok()
                && let Ok(prediction) = merger.finish()
            {
                prop_assert!(prediction.annotations.iter().all(is_sound), "{prediction:?}");
            }
        }
    }
}
