//! Anomaly detection: whether an image is normal, and where it is not.
//!
//! Older models give one raw map (or one raw score): its greatest value is the image's score,
//! thresholds and scale of the configuration make probabilities of it,
//! (raw - threshold) / scale + 0.5, cut to 0 and 1. Newer ones give `pred_score`, `pred_label`,
//! `pred_mask` and `anomaly_map`, all done. A normal image has the probability 1 - score.
//!
//! Where the SDK is wrong:
//! - the label is taken by its place (second is anomalous) or by `pred_label`'s truth; the SDK
//!   compares texts with "anomaly" and "anomalous", so that newer models and renamed labels
//!   are normal always;
//! - regions have a probability of 0 to 1 (there 0 to 255), boxes the probability that the
//!   image is anomalous, also where the image as a whole is not.

mod regions;

use straylight_core::{Annotation, Label, Prediction, SaliencyMap, Shape, TaskType};
use straylight_image::resize::bilinear_cv_gray;

use crate::detection::shape;
use crate::labels::scored;
use crate::numeric::argmax;
use crate::raster::{Mask, contours};
use crate::saliency;
use crate::{Geometry, OutputTensor, Outputs, PostProcessor, Size, TaskConfig, TaskError};

/// Post-processing of an anomaly model.
#[derive(Debug)]
pub(crate) struct Anomaly {
    task: TaskType,
    /// The normal and the anomalous label.
    labels: [Label; 2],
    image_threshold: f32,
    pixel_threshold: f32,
    scale: f32,
}

/// What a model says, before it becomes shapes.
struct Finding {
    is_anomalous: bool,
    /// How anomalous, 0 to 1.
    score: f32,
    /// Grey levels and mask at the model's size.
    map: Option<Map>,
}

struct Map {
    size: Size,
    levels: Vec<u8>,
    mask: Vec<u8>,
}

impl Anomaly {
    pub(crate) fn new(
        task: TaskType,
        config: &TaskConfig,
        labels: &[Label],
    ) -> Result<Self, TaskError> {
        let find = |anomalous: bool, which: &'static str| {
            let mut labels = labels
                .iter()
                .filter(|label| label.is_anomalous == anomalous);
            labels.next().cloned().ok_or(TaskError::LabelMissing(which))
        };
        Ok(Self {
            task,
            labels: [
                find(false, "a normal one")?,
                find(true, "an anomalous one")?,
            ],
            image_threshold: config.image_threshold,
            pixel_threshold: config.pixel_threshold,
            scale: config.normalization_scale,
        })
    }

    fn normalised(&self, raw: f32, threshold: f32) -> f32 {
        ((raw - threshold) / self.scale + 0.5).clamp(0.0, 1.0)
    }

    fn find(&self, outputs: &Outputs<'_>) -> Result<Finding, TaskError> {
        let named = ["pred_score", "pred_label", "pred_mask", "anomaly_map"];
        if let [Some(score), Some(label), Some(mask), Some(map)] =
            named.map(|name| outputs.named(name))
        {
            return finished(score, label, mask, map);
        }
        let raw = outputs.results().next().ok_or_else(|| {
            outputs.unfit(
                "anomaly detection",
                "a map, or pred_score, pred_label, pred_mask, anomaly_map",
            )
        })?;
        self.raw(raw)
    }

    /// From a raw map, or from a raw score alone.
    fn raw(&self, tensor: &OutputTensor<'_>) -> Result<Finding, TaskError> {
        let values = tensor.data.to_f32();
        tensor.finite(&values)?;
        let (_, highest) = argmax(values.iter().copied())
            .ok_or_else(|| tensor.unfit("wanted at least one pixel"))?;
        let is_map = tensor.core_shape(1).len() > 1;
        let map = is_map.then(|| self.raw_map(tensor, &values)).transpose()?;
        Ok(Finding {
            is_anomalous: highest > self.image_threshold,
            score: self.normalised(highest, self.image_threshold),
            map,
        })
    }

    fn raw_map(&self, tensor: &OutputTensor<'_>, values: &[f32]) -> Result<Map, TaskError> {
        let threshold = self.pixel_threshold;
        Ok(Map {
            size: size_of(tensor)?,
            levels: levels(values.iter().map(|&raw| self.normalised(raw, threshold))),
            mask: values
                .iter()
                .map(|&raw| u8::from(raw >= threshold))
                .collect(),
        })
    }

    fn whole_image(&self, anomalous: bool, probability: f32, image: Size) -> Annotation {
        Annotation {
            shape: Shape::whole_image(image.width, image.height),
            labels: vec![scored(&self.labels[usize::from(anomalous)], probability)],
        }
    }

    fn places(&self, finding: &Finding, image: Size) -> Result<Vec<Annotation>, TaskError> {
        let map = finding.map.as_ref().ok_or_else(|| {
            TaskError::Unsupported(
                "this anomaly model has no map, so it finds no places".to_owned(),
            )
        })?;
        let mask = map.enlarge(&map.mask, image)?;
        let white = Mask::of(&mask, image.width as usize, |pixel| pixel == 1);
        let anomalous = &self.labels[1];
        if self.task == TaskType::AnomalySegmentation {
            let levels = map.enlarge(&map.levels, image)?;
            return Ok(regions::regions(&white, &levels, image, anomalous));
        }
        let outermost = contours(&white)
            .into_iter()
            .filter(|contour| contour.is_outermost);
        let boxes = outermost.map(|contour| Annotation {
            shape: shape(regions::bounds(&contour.points), false),
            labels: vec![scored(anomalous, finding.score)],
        });
        Ok(boxes.collect())
    }
}

impl Map {
    fn enlarge(&self, plane: &[u8], image: Size) -> Result<Vec<u8>, TaskError> {
        let (from, to) = (
            (self.size.width, self.size.height),
            (image.width, image.height),
        );
        bilinear_cv_gray(plane, from, to)
            .ok_or_else(|| TaskError::Unsupported("the anomaly map is empty".to_owned()))
    }
}

/// From the outputs of a model that does everything itself.
fn finished(
    score: &OutputTensor<'_>,
    label: &OutputTensor<'_>,
    mask: &OutputTensor<'_>,
    map: &OutputTensor<'_>,
) -> Result<Finding, TaskError> {
    let first = |tensor: &OutputTensor<'_>| {
        let values = tensor.data.to_f32();
        tensor.finite(&values)?;
        values
            .first()
            .copied()
            .ok_or_else(|| tensor.unfit("wanted one value"))
    };
    if mask.data.len() != map.data.len() {
        return Err(mask.unfit(format!("the anomaly map has the shape {:?}", map.shape)));
    }
    Ok(Finding {
        is_anomalous: first(label)? != 0.0,
        score: first(score)?.clamp(0.0, 1.0),
        map: Some(Map {
            size: size_of(map)?,
            levels: levels(map.data.to_f32().iter().copied()),
            mask: mask
                .data
                .to_f32()
                .iter()
                .map(|&pixel| u8::from(pixel != 0.0))
                .collect(),
        }),
    })
}

fn levels(values: impl Iterator<Item = f32>) -> Vec<u8> {
    values
        .map(|value| (value * 255.0).round_ties_even() as u8)
        .collect()
}

fn size_of(tensor: &OutputTensor<'_>) -> Result<Size, TaskError> {
    match *tensor.core_shape(2) {
        [height, width] => Ok(Size::new(width as u32, height as u32)),
        _ => Err(tensor.unfit("wanted 1 x 1 x height x width")),
    }
}

impl PostProcessor for Anomaly {
    fn predict(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Prediction, TaskError> {
        let finding = self.find(outputs)?;
        let image = geometry.image;
        let mut annotations = match self.task {
            TaskType::AnomalySegmentation | TaskType::AnomalyDetection => {
                self.places(&finding, image)?
            }
            _ if finding.is_anomalous => vec![self.whole_image(true, finding.score, image)],
            _ => vec![self.whole_image(false, 1.0 - finding.score, image)],
        };
        if annotations.is_empty() {
            // The SDK's probability for an image without anomalous places.
            annotations.push(self.whole_image(false, 0.0, image));
        }
        Ok(Prediction {
            annotations,
            ..Prediction::default()
        })
    }

    /// The anomaly map, spread over all grey levels, for the anomalous label.
    fn saliency_maps(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<SaliencyMap>, TaskError> {
        let Some(map) = self.find(outputs)?.map else {
            return Ok(Vec::new());
        };
        let mut levels = map.enlarge(&map.levels, geometry.image)?;
        let least = levels.iter().copied().min().unwrap_or(0);
        let reach = f64::from(levels.iter().copied().max().unwrap_or(0) - least);
        for level in &mut levels {
            let part = f64::from(*level - least) / (reach + 1e-12);
            *level = (part * 255.0).round_ties_even() as u8;
        }
        Ok(vec![saliency::of_label(
            &self.labels[1],
            geometry.image,
            levels,
        )])
    }

    fn labels(&self) -> &[Label] {
        &self.labels
    }
}
