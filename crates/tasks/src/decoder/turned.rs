//! Oriented boxes: candidates with an angle.
//!
//! Boxes suppress each other by the overlap of the Gaussian distributions that they stand for
//! (J. M. Llerena et al., "Gaussian Bounding Boxes and Probabilistic Intersection-over-Union for
//! Object Detection", 2021, equations 8 and 9), as Ultralytics does.

use straylight_core::{Annotation, Label, Prediction, SaliencyMap, Shape};

use super::{Candidate, Decoder};
use crate::{Geometry, ModelLabels, Outputs, PostProcessor, Suppression, TaskError};

const EPSILON: f64 = 1e-7;

/// Keeps candidates that no better one of their class covers; they come by falling score.
///
/// A candidate that is covered itself covers others (Fast NMS; D. Bolya et al., "YOLACT:
/// Real-time Instance Segmentation", ICCV 2019, section 4.2), as in Ultralytics.
pub(super) fn suppress(found: Vec<Candidate>, rule: &Suppression) -> Vec<Candidate> {
    let most = if rule.limit == 0 {
        usize::MAX
    } else {
        rule.limit
    };
    let mut better: Vec<(i64, Gaussian)> = Vec::new();
    let mut kept = Vec::new();
    for item in found {
        if kept.len() == most {
            break;
        }
        let gaussian = Gaussian::of(&item);
        let covered = better.iter().any(|(class, other)| {
            (rule.agnostic || *class == item.class) && gaussian.overlap(other) > rule.iou_threshold
        });
        better.push((item.class, gaussian));
        if !covered {
            kept.push(item);
        }
    }
    kept
}

/// A box as a normal distribution: centre and covariance.
#[derive(Clone, Copy)]
struct Gaussian {
    x: f64,
    y: f64,
    a: f64,
    b: f64,
    c: f64,
}

impl Gaussian {
    fn of(item: &Candidate) -> Self {
        let [left, upper, right, lower] = item.corners.map(f64::from);
        let (width, height) = (
            (right - left).powi(2) / 12.0,
            (lower - upper).powi(2) / 12.0,
        );
        let (sin, cos) = f64::from(item.angle).sin_cos();
        Self {
            x: f64::midpoint(left, right),
            y: f64::midpoint(upper, lower),
            a: width * cos * cos + height * sin * sin,
            b: width * sin * sin + height * cos * cos,
            c: (width - height) * cos * sin,
        }
    }

    /// 1 less the Hellinger distance.
    fn overlap(&self, other: &Self) -> f64 {
        let (a, b, c) = (self.a + other.a, self.b + other.b, self.c + other.c);
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        let determinant = a * b - c * c;
        let first = (a * dy * dy + b * dx * dx) / (determinant + EPSILON) / 4.0;
        let second = -(c * dx * dy) / (determinant + EPSILON) / 2.0;
        let own = |item: &Self| (item.a * item.b - item.c * item.c).max(0.0);
        let product = 4.0 * (own(self) * own(other)).sqrt() + EPSILON;
        let third = (determinant / product + EPSILON).ln() / 2.0;
        let distance = (first + second + third).clamp(EPSILON, 100.0);
        1.0 - (1.0 - (-distance).exp() + EPSILON).sqrt()
    }
}

/// Post-processing of a detector of oriented boxes.
#[derive(Debug)]
pub(crate) struct TurnedBoxes {
    pub(crate) labels: ModelLabels,
    pub(crate) decoder: Decoder,
}

impl PostProcessor for TurnedBoxes {
    fn predict(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Prediction, TaskError> {
        let found = self.decoder.decode(outputs, geometry)?;
        let annotations = found.iter().map(|item| {
            Ok(Annotation {
                shape: turned(item, geometry),
                labels: vec![self.labels.scored(item.class, item.score)?],
            })
        });
        Ok(Prediction {
            annotations: annotations.collect::<Result<_, _>>()?,
            ..Prediction::default()
        })
    }

    /// None: such detectors have no such output.
    fn saliency_maps(&self, _: &Outputs<'_>, _: &Geometry) -> Result<Vec<SaliencyMap>, TaskError> {
        Ok(Vec::new())
    }

    fn labels(&self) -> &[Label] {
        self.labels.all()
    }
}

/// A turned box in pixels of the image; sides are scaled along their own directions.
fn turned(item: &Candidate, geometry: &Geometry) -> Shape {
    let mapping = geometry.mapping();
    let [left, upper, right, lower] = item.corners.map(f64::from);
    let [x, y] = [
        (f64::midpoint(left, right) - mapping.pad[0]) * mapping.scale[0] + mapping.origin[0],
        (f64::midpoint(upper, lower) - mapping.pad[1]) * mapping.scale[1] + mapping.origin[1],
    ];
    let (sin, cos) = f64::from(item.angle).sin_cos();
    let [horizontal, vertical] = mapping.scale;
    let along = [
        (right - left) * cos * horizontal,
        (right - left) * sin * vertical,
    ];
    let across = [
        (lower - upper) * sin * horizontal,
        (lower - upper) * cos * vertical,
    ];
    Shape::RotatedRectangle {
        x,
        y,
        width: along[0].hypot(along[1]),
        height: across[0].hypot(across[1]),
        angle: along[1].atan2(along[0]).to_degrees(),
    }
}
