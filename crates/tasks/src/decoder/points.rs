//! Poses: boxes of objects, each followed by its key points.
//!
//! A prediction is a flat list of shapes, so that the points of an object are those that come
//! after its box. A point's probability is its visibility; the labels of points come after those
//! of the objects' classes.

use straylight_core::{Annotation, Label, Prediction, SaliencyMap, Shape};

use super::rows::table;
use super::{Candidate, Column, Decoder, RowLayout, Source, role};
use crate::detection::shape;
use crate::{Geometry, ModelLabels, Outputs, PostProcessor, TaskError};

/// Points below it count as hidden, as in Ultralytics.
const VISIBLE: f32 = 0.5;

/// Post-processing of a pose model.
#[derive(Debug)]
pub(crate) struct Poses {
    pub(crate) labels: ModelLabels,
    pub(crate) decoder: Decoder,
}

impl Poses {
    fn points(
        &self,
        item: &Candidate,
        layout: &RowLayout,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<Annotation>, TaskError> {
        let widths = self.decoder.widths(outputs);
        let tensor = role(outputs, "detections")?;
        let table = table(tensor, layout, widths)?;
        let with_score = layout.start(Column::KeyPoints, widths);
        let without = layout.start(Column::KeyPointsWithoutScore, widths);
        let (Some(first), step) = (
            with_score.or(without),
            2 + usize::from(with_score.is_some()),
        ) else {
            return Ok(Vec::new());
        };
        let mapping = geometry.mapping();
        let points = (0..self.decoder.points).map(|point| {
            let at = |offset: usize| table.at(item.place, first + point * step + offset);
            let score = if step == 3 {
                self.decoder.activate(at(2))
            } else {
                1.0
            };
            let sides = [geometry.image.width, geometry.image.height];
            // As Ultralytics does, points outside of the image are moved to its edge.
            let place = |axis: usize| {
                f64::from(mapping.coordinate(axis, at(axis))).clamp(0.0, sides[axis].into())
            };
            let class = self.decoder.classes + point;
            Ok(Annotation {
                shape: Shape::Keypoint {
                    x: place(0),
                    y: place(1),
                    is_visible: score > VISIBLE,
                },
                labels: vec![self.labels.scored(class as i64, score)?],
            })
        });
        points.collect()
    }
}

impl PostProcessor for Poses {
    fn predict(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Prediction, TaskError> {
        let mut prediction = Prediction::default();
        let Source::Rows(layout) = &self.decoder.source else {
            return Err(outputs.unfit("a pose model", "one output with boxes and key points"));
        };
        for item in self.decoder.decode(outputs, geometry)? {
            let found = self.decoder.in_image(&item, geometry);
            prediction.annotations.push(Annotation {
                shape: shape(found.corners, false),
                labels: vec![self.labels.scored(found.class, found.score)?],
            });
            let points = self.points(&item, layout, outputs, geometry)?;
            prediction.annotations.extend(points);
        }
        Ok(prediction)
    }

    /// None: such models have no such output.
    fn saliency_maps(&self, _: &Outputs<'_>, _: &Geometry) -> Result<Vec<SaliencyMap>, TaskError> {
        Ok(Vec::new())
    }

    fn labels(&self) -> &[Label] {
        self.labels.all()
    }
}
