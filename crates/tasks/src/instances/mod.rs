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

/// The most objects of an image whose masks are made, and the most points of all their shapes.
///
/// Real models give a few hundred objects at most. A model that is fed with wrong values may
/// find thousands, and their masks would take more memory than there is.
const MOST_OBJECTS: usize = 1000;
const MOST_POINTS: usize = 1 << 22;

/// The objects of an image, and how many more there were.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) list: Vec<Instance>,
    pub(crate) left_out: usize,
}

impl Objects {
    /// Leaves out all but the best, which then come by falling score.
    pub(crate) fn bound(&mut self) {
        self.left_out += bound(&mut self.list, |instance| instance.found.score);
    }
}

/// Leaves out all but the best items if there are too many, and says how many were left out.
fn bound<T>(items: &mut Vec<T>, score: impl Fn(&T) -> f32) -> usize {
    let more = items.len().saturating_sub(MOST_OBJECTS);
    if more > 0 {
        items.sort_by(|a, b| score(b).total_cmp(&score(a)));
        items.truncate(MOST_OBJECTS);
    }
    more
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
    ) -> Result<Objects, TaskError> {
        let mut candidates = decoder.decode(outputs, geometry)?;
        let mut objects = Objects {
            left_out: bound(&mut candidates, |item| item.score),
            ..Objects::default()
        };
        let frame = Tile {
            left: 0,
            top: 0,
            size: geometry.image,
        };
        for item in &candidates {
            let found = decoder.in_image(item, geometry);
            if found.area() <= 1.0 {
                continue;
            }
            match decoder.mask(item, outputs, geometry)? {
                Some(mask) => objects.list.push(Instance { found, mask, frame }),
                None => objects.left_out += 1,
            }
        }
        Ok(objects)
    }

    /// The objects that are sure and large enough, in the model's order or, after NMS, by
    /// falling score.
    pub(crate) fn find(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Objects, TaskError> {
        if let Some(decoder) = &self.decoder {
            return Self::decoded(decoder, outputs, geometry);
        }
        let candidates = self.candidates(&Parts::find(outputs)?, geometry)?;
        let mut kept = suppress_by(candidates, self.suppression.as_ref(), |(found, _)| *found);
        let left_out = bound(&mut kept, |(found, _)| found.score);
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
        Ok(Objects {
            list: kept.into_iter().map(owned).collect(),
            left_out,
        })
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

    /// Annotations of objects: an ellipse in the box of each, or what `shapes` makes of its mask and,
    /// if that is to stand for an empty one, its box. Geti leaves objects with empty masks out; a
    /// described model has found them all the same.
    pub(crate) fn annotate(
        &self,
        objects: &Objects,
        image: Size,
        shapes: impl Fn(&Mask, Option<[f32; 4]>) -> Vec<Shape>,
    ) -> Result<Prediction, TaskError> {
        let mut prediction = Prediction {
            left_out: objects.left_out,
            ..Prediction::default()
        };
        let mut points = 0;
        for (place, instance) in objects.list.iter().enumerate() {
            if points > MOST_POINTS {
                prediction.left_out += objects.list.len() - place;
                break;
            }
            let found = instance.found;
            let label = self.labels.scored(found.class, found.score)?;
            let shapes = if self.ellipses {
                vec![crate::detection::shape(found.corners, true)]
            } else {
                let corners = self.decoder.is_some().then_some(found.corners);
                shapes(&instance.paste(self.pasting, image), corners)
            };
            points += shapes.iter().map(points_of).sum::<usize>();
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
        let objects = self.find(outputs, geometry)?;
        let labels = self.labels.all().iter().enumerate();
        let maps = labels
            .filter(|(_, label)| !label.is_empty)
            .map(|(class, label)| {
                let of_class = objects
                    .list
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

/// How many points a shape holds.
fn points_of(shape: &Shape) -> usize {
    match shape {
        Shape::Polygon { points } => points.len(),
        _ => 1,
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

#[cfg(test)]
mod tests {
    use straylight_core::Point;

    use super::*;
    use crate::testing::label;
    use crate::{ResizeType, TensorData};

    fn instances() -> Instances {
        let entries = [
            ("model_type".to_owned(), "MaskRCNN".to_owned()),
            ("labels".to_owned(), "cat".to_owned()),
        ];
        let config = TaskConfig::from_model_info(&entries.into()).unwrap();
        let labels = ModelLabels::new(&config, &[label("1", "cat")]);
        Instances::new(&config, labels)
    }

    /// `count` boxes in an image of 64 x 64, the last one the surest.
    fn find(count: usize) -> Objects {
        let boxes: Vec<f32> = (0..count)
            .flat_map(|place| [1.0, 1.0, 9.0, 9.0, 0.6 + place as f32 * 1e-5])
            .collect();
        let (labels, masks) = (vec![0_i64; count], vec![1.0_f32; count * 4]);
        let tensor = |name, shape, data| OutputTensor { name, shape, data };
        let shapes: [&[usize]; 3] = [&[count, 5], &[count], &[count, 2, 2]];
        let outputs = Outputs::new(vec![
            tensor("boxes", shapes[0], TensorData::F32(&boxes)),
            tensor("labels", shapes[1], TensorData::I64(&labels)),
            tensor("masks", shapes[2], TensorData::F32(&masks)),
        ]);
        let geometry = Geometry {
            image: Size::new(64, 64),
            network: Size::new(64, 64),
            resize: ResizeType::Standard,
        };
        instances().find(&outputs.unwrap(), &geometry).unwrap()
    }

    #[test]
    fn too_many_objects_are_left_out_before_their_masks_are_made() {
        let few = find(MOST_OBJECTS);
        assert_eq!((few.list.len(), few.left_out), (MOST_OBJECTS, 0));
        let many = find(MOST_OBJECTS + 700);
        assert_eq!((many.list.len(), many.left_out), (MOST_OBJECTS, 700));
        let surest = 0.6 + (MOST_OBJECTS + 699) as f32 * 1e-5;
        assert!(
            (many.list[0].found.score - surest).abs() < 1e-6,
            "the best stay"
        );
    }

    #[test]
    fn shapes_of_too_many_points_are_left_out() {
        let huge = |_: &Mask, _: Option<[f32; 4]>| {
            let points = vec![Point { x: 0.0, y: 0.0 }; MOST_POINTS / 2 + 1];
            vec![Shape::Polygon { points }]
        };
        let found = instances()
            .annotate(&find(5), Size::new(64, 64), huge)
            .unwrap();
        assert_eq!((found.annotations.len(), found.left_out), (2, 3));
    }
}
