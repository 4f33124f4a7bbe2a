//! Detection: objects as upright boxes or as the ellipses in them.
//!
//! `layout` finds out where the outputs hold boxes, scores and classes, and brings them to one
//! form; this module filters them and gives them labels. Whoever has both a confidence
//! threshold and NMS runs NMS first, as `ModelAPI` does for everything but YOLO.

mod layout;
mod yolo;

use straylight_core::{Annotation, Label, Prediction, SaliencyMap, Shape};

use crate::decoder::Decoder;
use crate::tiling::{DetectionMerger, TileMerger};
use crate::{
    Geometry, ModelLabels, ModelType, Outputs, PostProcessor, ScoredBox, Size, Suppression,
    TaskConfig, TaskError, TilingConfig, saliency,
};

/// A box in pixels of the image, its class and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    pub(crate) corners: [f32; 4],
    pub(crate) score: f32,
    pub(crate) class: i64,
}

impl Found {
    pub(crate) fn scored_box(&self) -> ScoredBox {
        let Self {
            corners,
            score,
            class,
        } = *self;
        ScoredBox {
            corners: corners.map(f64::from),
            score,
            class,
        }
    }

    /// Area in pixels; NaN for a box with NaN.
    pub(crate) fn area(&self) -> f64 {
        let [left, upper, right, lower] = self.corners.map(f64::from);
        // Two negative sides are no area.
        (right - left).max(0.0) * (lower - upper).max(0.0) + (left + upper + right + lower) * 0.0
    }
}

/// Post-processing of a detector.
#[derive(Debug)]
pub(crate) struct Detection {
    labels: ModelLabels,
    model_type: ModelType,
    threshold: f32,
    suppression: Option<Suppression>,
    ellipses: bool,
    decoder: Option<Decoder>,
}

impl Detection {
    pub(crate) fn new(config: &TaskConfig, labels: ModelLabels) -> Self {
        Self {
            labels,
            model_type: config.model_type,
            threshold: config.confidence_threshold,
            suppression: suppression(config),
            ellipses: config.use_ellipse_shapes,
            decoder: None,
        }
    }

    /// Reads the outputs as a description says.
    pub(crate) fn described(mut self, decoder: Decoder) -> Self {
        self.decoder = Some(decoder);
        self
    }

    /// The boxes of an image that are sure and large enough, in the model's order or, after
    /// NMS, by falling score.
    pub(crate) fn find(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<Found>, TaskError> {
        let suppression = self.suppression.as_ref();
        let mut found = match self.model_type {
            _ if self.decoder.is_some() => self.decoded(outputs, geometry)?,
            ModelType::YoloV5 => yolo::v5(outputs, geometry, self.threshold, suppression)?,
            ModelType::YoloX => yolo::x(outputs, geometry, self.threshold, suppression)?,
            _ => layout::read(outputs, geometry, suppression)?,
        };
        found.retain(|item| item.score > self.threshold && item.area() > 1.0);
        Ok(found)
    }

    fn decoded(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Vec<Found>, TaskError> {
        let Some(decoder) = &self.decoder else {
            return Ok(Vec::new());
        };
        let found = decoder.decode(outputs, geometry)?;
        Ok(found
            .iter()
            .map(|item| decoder.in_image(item, geometry))
            .collect())
    }

    /// Labelled shapes of boxes.
    pub(crate) fn annotate(&self, found: &[Found]) -> Result<Prediction, TaskError> {
        let annotations = found.iter().map(|item| {
            Ok(Annotation {
                shape: shape(item.corners, self.ellipses),
                labels: vec![self.labels.scored(item.class, item.score)?],
            })
        });
        Ok(Prediction {
            annotations: annotations.collect::<Result<_, _>>()?,
            ..Prediction::default()
        })
    }
}

/// The suppression that a configuration asks for.
pub(crate) fn suppression(config: &TaskConfig) -> Option<Suppression> {
    config.nms_execute.then_some(Suppression {
        iou_threshold: config.iou_threshold,
        limit: config.nms_max_predictions,
        agnostic: config.agnostic_nms,
        include_edges: config.model_type == ModelType::YoloX,
    })
}

/// Drops boxes that better ones suppress; without suppression, everything stays as it is.
pub(crate) fn suppress(found: Vec<Found>, suppression: Option<&Suppression>) -> Vec<Found> {
    suppress_by(found, suppression, |item| *item)
}

/// Drops items whose boxes better ones suppress; what stays comes by falling score.
pub(crate) fn suppress_by<T>(
    items: Vec<T>,
    suppression: Option<&Suppression>,
    found: impl Fn(&T) -> Found,
) -> Vec<T> {
    let Some(suppression) = suppression else {
        return items;
    };
    let boxes: Vec<ScoredBox> = items.iter().map(|item| found(item).scored_box()).collect();
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    let kept = suppression.keep(&boxes).into_iter();
    kept.filter_map(|index| items.get_mut(index).and_then(Option::take))
        .collect()
}

/// The rectangle or ellipse of a box; sides and corners are whole pixels.
pub(crate) fn shape(corners: [f32; 4], ellipse: bool) -> Shape {
    let [left, upper, right, lower] = corners;
    let whole = |value: f32| f64::from(value.round_ties_even());
    let (x, y) = (whole(left), whole(upper));
    let (width, height) = (whole(right - left), whole(lower - upper));
    if ellipse {
        Shape::Ellipse {
            x,
            y,
            width,
            height,
        }
    } else {
        Shape::Rectangle {
            x,
            y,
            width,
            height,
        }
    }
}

impl PostProcessor for Detection {
    fn predict(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Prediction, TaskError> {
        self.annotate(&self.find(outputs, geometry)?)
    }

    fn saliency_maps(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<SaliencyMap>, TaskError> {
        saliency::enlarged(outputs, self.labels.all(), geometry.image, Some)
    }

    fn labels(&self) -> &[Label] {
        self.labels.all()
    }

    fn tile_merger(&self, tiling: &TilingConfig, _: Size) -> Option<Box<dyn TileMerger + '_>> {
        Some(Box::new(DetectionMerger::new(self, *tiling)))
    }
}

#[cfg(test)]
mod tests;
