//! Outputs of a model of any task: no shapes and no numbers make post-processing panic, and
//! what it gives can be stored.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use straylight_core::{Color, Label, TaskType};
use straylight_tasks::{
    Geometry, OutputTensor, Outputs, ResizeType, Size, TaskConfig, TensorData, post_processor,
};

const TASKS: [TaskType; 9] = [
    TaskType::Classification,
    TaskType::Detection,
    TaskType::RotatedDetection,
    TaskType::InstanceSegmentation,
    TaskType::Segmentation,
    TaskType::AnomalyClassification,
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
const ENTRIES: [(&str, &str); 10] = [
    ("model_type", "YOLOX"),
    ("model_type", "YOLOv8"),
    ("model_type", "DETRInstSeg"),
    ("nms_execute", "True"),
    ("multilabel", "True"),
    ("use_ellipse_shapes", "True"),
    ("blur_strength", "5"),
    ("confidence_threshold", "-1"),
    ("apply_softmax", "False"),
    ("labels", "otx_empty_lbl label_1 label_2"),
];
const RESIZES: [ResizeType; 4] = [
    ResizeType::Standard,
    ResizeType::FitToWindow,
    ResizeType::FitToWindowLetterbox,
    ResizeType::Crop,
];

struct Tensor {
    name: &'static str,
    shape: Vec<usize>,
    data: Vec<f32>,
}

fn tensor(input: &mut Unstructured<'_>) -> Result<Tensor> {
    let name = *input.choose(&NAMES)?;
    let rank = input.int_in_range(0..=4)?;
    let shape = (0..rank)
        .map(|_| input.int_in_range(0..=9))
        .collect::<Result<Vec<usize>>>()?;
    let count = shape.iter().product();
    let data = (0..count)
        .map(|_| input.arbitrary())
        .collect::<Result<_>>()?;
    Ok(Tensor { name, shape, data })
}

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

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let task = *input.choose(&TASKS)?;
    let mut entries = BTreeMap::new();
    for (key, value) in ENTRIES {
        if input.arbitrary()? {
            entries.insert(key.to_owned(), value.to_owned());
        }
    }
    let image = Size::new(input.int_in_range(1..=64)?, input.int_in_range(1..=64)?);
    let geometry = Geometry {
        image,
        network: Size::new(32, 24),
        resize: *input.choose(&RESIZES)?,
    };
    let count = input.int_in_range(0..=4)?;
    let tensors = (0..count)
        .map(|_| tensor(input))
        .collect::<Result<Vec<_>>>()?;

    let config = TaskConfig::from_model_info(&entries).expect("all entries are good");
    let labels = [label(0), label(1), label(2)];
    let post = post_processor(task, &config, &labels).expect("all labels are there");
    let views = tensors.iter().map(|tensor| OutputTensor {
        name: tensor.name,
        shape: &tensor.shape,
        data: TensorData::F32(&tensor.data),
    });
    let outputs = Outputs::new(views.collect()).expect("the elements fit the shapes");
    if let Ok(prediction) = post.predict(&outputs, &geometry) {
        for label in prediction
            .annotations
            .iter()
            .flat_map(|annotation| &annotation.labels)
        {
            assert!((0.0..=1.0).contains(&label.probability));
        }
    }
    let _ = post.saliency_maps(&outputs, &geometry);
    let _ = post.activations(&outputs);
    Ok(())
}

pub(crate) fn fuzz(data: &[u8]) {
    // Too little data is no finding.
    let _ = run(&mut Unstructured::new(data));
}
