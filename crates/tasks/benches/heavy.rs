//! The heavy parts of post-processing: `cargo bench -p straylight-tasks`.
#![allow(clippy::unwrap_used, reason = "a benchmark may stop")]

use std::collections::BTreeMap;

use divan::{Bencher, black_box};
use straylight_core::{Color, Label, TaskType};
use straylight_tasks::{
    Activation, BoxUnit, Column, Decoder, Reading, RowLayout, Source, described_post_processor,
};
use straylight_tasks::{
    Geometry, OutputTensor, Outputs, PostProcessor, ResizeType, ScoredBox, Size, Suppression,
    TaskConfig, TensorData, post_processor,
};

fn main() {
    divan::main();
}

/// Numbers in 0..1 that are the same in every run.
fn numbers() -> impl FnMut() -> f32 {
    let mut state = 0x2545_f491_u32;
    move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / 16_777_216.0
    }
}

fn label(id: u8) -> Label {
    Label {
        id: id.to_string(),
        name: format!("label {id}"),
        color: Color::BLACK,
        group: String::new(),
        is_empty: id == 0,
        is_anomalous: false,
        hotkey: String::new(),
        parent_id: None,
    }
}

/// Boxes of a crowded image of 1280 x 1280: most overlap some other.
#[divan::bench(args = [1_000, 5_000, 20_000])]
fn nms(bencher: Bencher<'_, '_>, count: usize) {
    let mut next = numbers();
    let boxes: Vec<ScoredBox> = (0..count)
        .map(|_| {
            let (x, y) = (f64::from(next() * 1200.0), f64::from(next() * 1200.0));
            let (w, h) = (f64::from(next() * 80.0), f64::from(next() * 80.0));
            let class = (next() * 20.0) as i64;
            ScoredBox {
                corners: [x, y, x + w, y + h],
                score: next(),
                class,
            }
        })
        .collect();
    let rule = Suppression {
        iou_threshold: 0.5,
        limit: 0,
        agnostic: false,
        include_edges: false,
    };
    bencher.bench_local(|| rule.keep(black_box(&boxes)));
}

fn processor(task: TaskType, entries: &[(&str, &str)]) -> Box<dyn PostProcessor> {
    let owned = entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    let config = TaskConfig::from_model_info(&owned.collect::<BTreeMap<_, _>>()).unwrap();
    post_processor(task, &config, &[label(0), label(1), label(2)]).unwrap()
}

fn geometry(image: Size) -> Geometry {
    Geometry {
        image,
        network: Size::new(640, 640),
        resize: ResizeType::Standard,
    }
}

/// A hundred objects with masks of 28 x 28 on an image of 4000 x 3000, as polygons.
#[divan::bench(args = [10, 100])]
fn instance_masks(bencher: Bencher<'_, '_>, count: usize) {
    let mut next = numbers();
    let (mut boxes, mut masks) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (x, y) = (next() * 500.0, next() * 500.0);
        boxes.extend([
            x,
            y,
            x + 40.0 + next() * 100.0,
            y + 40.0 + next() * 100.0,
            0.9,
        ]);
        masks.extend((0..28 * 28).map(|place| {
            let (column, row) = ((place % 28) as f32 - 13.5, (place / 28) as f32 - 13.5);
            (1.5 - column.hypot(row) / 13.0).clamp(0.0, 1.0)
        }));
    }
    let classes = vec![0_i64; count];
    let (class_shape, box_shape, mask_shape) = ([count], [count, 5], [count, 28, 28]);
    let outputs = Outputs::new(vec![
        OutputTensor {
            name: "labels",
            shape: &class_shape,
            data: TensorData::I64(&classes),
        },
        OutputTensor {
            name: "boxes",
            shape: &box_shape,
            data: TensorData::F32(&boxes),
        },
        OutputTensor {
            name: "masks",
            shape: &mask_shape,
            data: TensorData::F32(&masks),
        },
    ])
    .unwrap();
    let entries = [
        ("model_type", "MaskRCNN"),
        ("labels", "otx_empty_lbl label_1 label_2"),
    ];
    let post = processor(TaskType::InstanceSegmentation, &entries);
    let geometry = geometry(Size::new(4000, 3000));
    bencher.bench_local(|| post.predict(black_box(&outputs), &geometry).unwrap());
}

/// Three planes of 512 x 512, smoothed, on images of growing size.
#[divan::bench(args = [512, 2048, 4096])]
fn segmentation(bencher: Bencher<'_, '_>, side: u32) {
    let mut scores = Vec::with_capacity(3 * 512 * 512);
    for plane in 0..3 {
        scores.extend((0..512 * 512).map(|place| {
            let (x, y) = ((place % 512 / 64) as f32, (place / 512 / 64) as f32);
            if (x + y) as usize % 3 == plane {
                0.8
            } else {
                0.1
            }
        }));
    }
    let outputs = Outputs::new(vec![OutputTensor {
        name: "output",
        shape: &[1, 3, 512, 512],
        data: TensorData::F32(&scores),
    }])
    .unwrap();
    let entries = [
        ("labels", "label_1 label_2"),
        ("blur_strength", "5"),
        ("soft_threshold", "0.5"),
    ];
    let post = processor(TaskType::Segmentation, &entries);
    let geometry = geometry(Size::new(side, side));
    bencher.bench_local(|| post.predict(black_box(&outputs), &geometry).unwrap());
}

/// The raw output of a YOLO of 80 classes on 640 x 640 pixels, `[1, 84, 8400]`: boxes, best classes
/// and suppression. So many candidates are above the threshold.
#[divan::bench(args = [0, 100, 1_000])]
fn yolo(bencher: Bencher<'_, '_>, sure: usize) {
    const CLASSES: usize = 80;
    const COUNT: usize = 8400;
    let mut next = numbers();
    let mut values = vec![0.0_f32; (4 + CLASSES) * COUNT];
    for place in 0..COUNT {
        for (row, reach) in [600.0, 600.0, 80.0, 80.0].into_iter().enumerate() {
            values[row * COUNT + place] = 20.0 + next() * reach;
        }
        for class in 0..CLASSES {
            values[(4 + class) * COUNT + place] = next() * 0.2;
        }
        if place < sure {
            values[(4 + place % CLASSES) * COUNT + place] = 0.3 + 0.6 * next();
        }
    }
    let columns = vec![
        Column::X,
        Column::Y,
        Column::Width,
        Column::Height,
        Column::ClassScores,
    ];
    let decoder = Decoder {
        source: Source::Rows(RowLayout::new(columns, Some(true)).unwrap()),
        unit: BoxUnit::Pixels,
        activation: Activation::None,
        classes: CLASSES,
        first_class: 0,
        background: None,
        several: false,
        grid: None,
        threshold: 0.25,
        suppression: Some(Suppression {
            iou_threshold: 0.7,
            limit: 300,
            agnostic: false,
            include_edges: false,
        }),
        limit: 300,
        masks: None,
        points: 0,
    };
    let labels: Vec<Label> = (1..=CLASSES as u8).map(label).collect();
    let config = TaskConfig::from_model_info(&BTreeMap::new()).unwrap();
    let reading = Reading::Detector(Box::new(decoder));
    let post = described_post_processor(TaskType::Detection, &config, &labels, reading).unwrap();
    let outputs = Outputs::new(vec![OutputTensor {
        name: "detections",
        shape: &[1, 4 + CLASSES, COUNT],
        data: TensorData::F32(&values),
    }]);
    let (outputs, geometry) = (outputs.unwrap(), geometry(Size::new(1280, 960)));
    bencher.bench_local(|| post.predict(black_box(&outputs), &geometry).unwrap());
}
