//! Objects with masks, the common part of instance segmentation and rotated detection.
//!
//! Models give N classes, N x 5 boxes (left, upper, right, lower, score; pixels of the
//! network's input) and N small masks; which output is which follows from the number of
//! dimensions, with or without a batch extent of 1. Class 0 of such models is the first
//! object; their list of labels begins with an entry for the empty label, so that classes are
//! shifted by one.

mod paste;

use straylight_core::{Annotation, Label, Prediction, SaliencyMap, Shape};

use crate::decoder::{Decoder, MaskArea, Masks};
use crate::detection::{Found, suppress_by};
use crate::raster::Mask;
use crate::saliency;
use crate::{
    Geometry, ModelLabels, ModelType, OutputTensor, Outputs, Size, Suppression, TaskConfig,
    TaskError, Tile,
};

pub(crate) use paste::{Pasting, RawMask};

/// A box in whole pixels of the image, its class and score, and its mask as the model gave it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Instance {
    pub(crate) found: Found,
    pub(crate) mask: RawMask,
    /// The part of the image that the model saw.
    pub(crate) frame: Tile,
}

impl Instance {
    fn paste(&self, pasting: Pasting, image: Size) -> Mask {
        self.mask
            .paste(pasting, self.found.corners, self.frame, image)
    }
}

/// Reads the outputs of instance segmentation models.
#[derive(Debug)]
pub(crate) struct Instances {
    pub(crate) labels: ModelLabels,
    pub(crate) ellipses: bool,
    pub(crate) pasting: Pasting,
    threshold: f32,
    suppression: Option<Suppression>,
    shift: i64,
    decoder: Option<Decoder>,
}

impl Instances {
    pub(crate) fn new(config: &TaskConfig, labels: ModelLabels) -> Self {
        // ModelAPI always shifts; without an entry for the empty label that would give every
        // object the label of the next class.
        let shift = i64::from(labels.all().first().is_some_and(|label| label.is_empty));
        Self {
            labels,
            ellipses: config.use_ellipse_shapes,
            pasting: match config.model_type {
                ModelType::DetrInstanceSegmentation => Pasting::WholeImage,
                _ => Pasting::Box,
            },
            threshold: config.confidence_threshold,
            suppression: crate::detection::suppression(config),
            shift,
            decoder: None,
        }
    }

    /// Reads the outputs as a description says; masks lie over the boxes of their objects.
    pub(crate) fn described(mut self, decoder: Decoder) -> Self {
        self.pasting = match decoder.masks {
            Some(Masks::Each {
                area: MaskArea::Box,
                ..
            }) => Pasting::Box,
            _ => Pasting::Pixels,
        };
        self.decoder = Some(decoder);
        self
    }

    fn decoded(
        decoder: &Decoder,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<Instance>, TaskError> {
        let candidates = decoder.decode(outputs, geometry)?;
        let frame = Tile {
            left: 0,
            top: 0,
            size: geometry.image,
        };
        let instances = candidates.iter().filter_map(|item| {
            let found = decoder.in_image(item, geometry);
            let make = |mask| Instance { found, mask, frame };
            (found.area() > 1.0).then(|| decoder.mask(item, outputs, geometry).map(make))
        });
        instances.collect()
    }

    /// The objects that are sure and large enough, in the model's order or, after NMS, by
    /// falling score.
    pub(crate) fn find(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<Instance>, TaskError> {
        if let Some(decoder) = &self.decoder {
            return Self::decoded(decoder, outputs, geometry);
        }
        let candidates = self.candidates(&Parts::find(outputs)?, geometry)?;
        let kept = suppress_by(candidates, self.suppression.as_ref(), |(found, _)| *found);
        let frame = Tile {
            left: 0,
            top: 0,
            size: geometry.image,
        };
        // Masks are copied only now that few are left.
        let owned = |(found, mask): (Found, MaskView<'_>)| Instance {
            found,
            mask: mask.to_owned(),
            frame,
        };
        Ok(kept.into_iter().map(owned).collect())
    }

    /// The objects before NMS.
    fn candidates<'a>(
        &self,
        parts: &Parts<'_, 'a>,
        geometry: &Geometry,
    ) -> Result<Vec<(Found, MaskView<'a>)>, TaskError> {
        let classes = parts.classes.data.to_classes();
        let boxes = parts.boxes.data.to_f32();
        let (rows, _) = boxes.as_chunks::<5>();
        let masks = parts.masks()?;
        if classes.len() != rows.len() || masks.len() != rows.len() {
            let reason = format!("{} classes, {} masks", classes.len(), masks.len());
            return Err(parts.boxes.unfit(reason));
        }
        let mapping = geometry.mapping();
        let known = self.labels.all().len() as i64;
        let all = rows.iter().zip(&classes).zip(masks);
        let candidates = all.filter_map(|((&[left, upper, right, lower, score], &class), mask)| {
            let corners = mapping.to_pixels_f64([left, upper, right, lower], geometry.image);
            let found = Found {
                corners,
                score,
                class: class.saturating_add(self.shift),
            };
            let counts = score > self.threshold && found.area() > 1.0 && found.class < known;
            counts.then_some((found, mask))
        });
        Ok(candidates.collect())
    }

    /// Annotations of objects: an ellipse in the box of each, or what `shapes` makes of its mask.
    pub(crate) fn annotate(
        &self,
        instances: &[Instance],
        image: Size,
        shapes: impl Fn(&Mask) -> Vec<Shape>,
    ) -> Result<Prediction, TaskError> {
        let mut prediction = Prediction::default();
        for instance in instances {
            let found = instance.found;
            let label = self.labels.scored(found.class, found.score)?;
            let shapes = if self.ellipses {
                vec![crate::detection::shape(found.corners, true)]
            } else {
                shapes(&instance.paste(self.pasting, image))
            };
            let labelled = shapes.into_iter().map(|shape| Annotation {
                shape,
                labels: vec![label.clone()],
            });
            prediction.annotations.extend(labelled);
        }
        Ok(prediction)
    }

    /// Where objects of each class are: 255 inside, 0 elsewhere. As in `ModelAPI`, only models
    /// that are exported with a feature vector have such maps.
    pub(crate) fn saliency_maps(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<SaliencyMap>, TaskError> {
        if outputs.named(crate::FEATURE_VECTOR).is_none() {
            return Ok(Vec::new());
        }
        let instances = self.find(outputs, geometry)?;
        let labels = self.labels.all().iter().enumerate();
        let maps = labels
            .filter(|(_, label)| !label.is_empty)
            .map(|(class, label)| {
                let of_class = instances
                    .iter()
                    .filter(|item| item.found.class == class as i64);
                self.saliency_map(label, of_class, geometry.image)
            });
        Ok(maps.collect())
    }

    fn saliency_map<'a>(
        &self,
        label: &Label,
        instances: impl Iterator<Item = &'a Instance>,
        image: Size,
    ) -> SaliencyMap {
        let mut levels = vec![0; image.width as usize * image.height as usize];
        for instance in instances {
            let mask = instance.paste(self.pasting, image);
            for (y, row) in mask.rows() {
                let begin = y as usize * image.width as usize + mask.left as usize;
                let target = levels.get_mut(begin..begin + row.len()).unwrap_or_default();
                for (level, &pixel) in target.iter_mut().zip(row) {
                    *level = (*level).max(pixel * u8::MAX);
                }
            }
        }
        saliency::of_label(label, image, levels)
    }
}

/// The three outputs of an instance segmentation model.
struct Parts<'o, 'a> {
    classes: &'o OutputTensor<'a>,
    boxes: &'o OutputTensor<'a>,
    masks: &'o OutputTensor<'a>,
}

/// One small mask, still in the output.
struct MaskView<'a> {
    levels: std::borrow::Cow<'a, [f32]>,
    width: usize,
}

impl MaskView<'_> {
    fn to_owned(&self) -> RawMask {
        RawMask {
            width: self.width,
            levels: self.levels.to_vec(),
        }
    }
}

impl<'o, 'a> Parts<'o, 'a> {
    fn find(outputs: &'o Outputs<'a>) -> Result<Self, TaskError> {
        let of_rank = |rank: usize| {
            let results = outputs
                .results()
                .filter(|tensor| !tensor.name.starts_with("TopK"));
            // ModelAPI lets the last of several stand.
            results.filter(|tensor| tensor.rank() == rank).last()
        };
        let parts = |batch: usize| {
            let [classes, boxes, masks] = [1, 2, 3].map(|rank| of_rank(rank + batch));
            let boxes = boxes.filter(|tensor| tensor.last() == 5)?;
            Some(Self {
                classes: classes?,
                boxes,
                masks: masks?,
            })
        };
        parts(0).or_else(|| parts(1)).ok_or_else(|| {
            let wanted = "N classes, N x 5 boxes and N x height x width masks";
            outputs.unfit("instance segmentation", wanted)
        })
    }

    /// The masks one by one; float masks are not copied.
    fn masks(&self) -> Result<Vec<MaskView<'a>>, TaskError> {
        let [.., count, height, width] = *self.masks.shape else {
            return Err(self.masks.unfit("wanted N x height x width"));
        };
        let area = height * width;
        if area == 0 {
            return Ok(Vec::new());
        }
        let cut = |place: usize| self.masks.data.part(place * area, area);
        let views = (0..count).map(|place| {
            Some(MaskView {
                levels: cut(place)?,
                width,
            })
        });
        views
            .collect::<Option<_>>()
            .ok_or_else(|| self.masks.unfit("the batch must be one image"))
    }
}
