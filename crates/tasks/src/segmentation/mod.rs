//! Semantic segmentation: regions of the image as polygons.
//!
//! The model gives scores for background and classes, or one map that already holds the class
//! of each pixel (0 is background). Scores may be smoothed and those below a threshold put to
//! 0; the highest wins. The winning class of each pixel is enlarged to the image, and every
//! region of a class becomes a polygon through all pixels of its border. Its probability is
//! the mean score of its pixels, those around holes left out; a map without scores gives 1.

mod soft;

use straylight_core::{Annotation, Label, Prediction, SaliencyMap};

use crate::instance_segmentation::polygon;
use crate::labels::scored;
use crate::raster::{Contour, Filled, contours, simplified_len};
use crate::saliency;
use crate::tiling::{SegmentationMerger, TileMerger};
use crate::{
    FEATURE_VECTOR, Geometry, ModelLabels, Outputs, PostProcessor, Size, TaskConfig, TaskError,
    TilingConfig,
};

pub(crate) use soft::{Enlarged, Soft};

/// Post-processing of a semantic segmentation model.
#[derive(Debug)]
pub(crate) struct Segmentation {
    labels: ModelLabels,
    blur: Option<u32>,
    threshold: f32,
}

impl Segmentation {
    pub(crate) fn new(config: &TaskConfig, labels: ModelLabels) -> Self {
        Self {
            labels,
            blur: config.blur_strength,
            threshold: config.soft_threshold,
        }
    }

    /// The only output but the feature vector.
    pub(crate) fn read(outputs: &Outputs<'_>) -> Result<Soft, TaskError> {
        let mut results = outputs.results();
        match (results.next(), results.next()) {
            (Some(only), None) => Soft::read(only),
            _ => Err(outputs.unfit("segmentation", "one output of scores, and maybe features")),
        }
    }

    /// Polygons of all regions, class by class, in OpenCV's order.
    pub(crate) fn annotate(&self, enlarged: &Enlarged<'_>) -> Result<Prediction, TaskError> {
        let mut prediction = Prediction::default();
        for class in enlarged.classes_present() {
            let label = self.labels.get(i64::from(class) - 1)?;
            if label.is_empty {
                continue;
            }
            let mask = enlarged.mask(class);
            for contour in contours(&mask) {
                if simplified_len(&contour.points) > 2 {
                    let probability = mean_score(&contour, enlarged, class);
                    prediction.annotations.push(Annotation {
                        shape: polygon(&contour.points),
                        labels: vec![scored(label, probability)],
                    });
                }
            }
        }
        Ok(prediction)
    }
}

/// The mean score of the pixels of a region; pixels on the borders of holes do not count.
fn mean_score(contour: &Contour, enlarged: &Enlarged<'_>, class: u16) -> f32 {
    let mut filled = Filled::new(&contour.points);
    for hole in &contour.holes {
        filled.remove(&Filled::new(hole));
    }
    let (mut sum, mut count) = (0.0, 0_u32);
    for pixel in filled.pixels() {
        sum += f64::from(enlarged.score(class, pixel));
        count += 1;
    }
    if count == 0 {
        0.0
    } else {
        (sum / f64::from(count)) as f32
    }
}

impl PostProcessor for Segmentation {
    fn predict(&self, outputs: &Outputs<'_>, geometry: &Geometry) -> Result<Prediction, TaskError> {
        let soft = Self::read(outputs)?;
        let classes = soft.classes(self.blur, self.threshold);
        self.annotate(&Enlarged::new(&soft, &classes, geometry.image))
    }

    /// The scores of each class, spread over all grey levels. As in `ModelAPI`, only models that
    /// are exported with a feature vector have such maps. The SDK gives each label the map of
    /// the class before it (the background's to the first); here each has its own.
    fn saliency_maps(
        &self,
        outputs: &Outputs<'_>,
        geometry: &Geometry,
    ) -> Result<Vec<SaliencyMap>, TaskError> {
        if outputs.named(FEATURE_VECTOR).is_none() {
            return Ok(Vec::new());
        }
        let soft = Self::read(outputs)?;
        let levels = soft.levels();
        let labels = self.labels.all().iter().enumerate();
        let maps = labels
            .filter(|(_, label)| !label.is_empty)
            .map(|(class, label)| {
                let map = soft.enlarge_plane(&levels, class + 1, geometry.image);
                saliency::of_label(label, geometry.image, map)
            });
        Ok(maps.collect())
    }

    fn labels(&self) -> &[Label] {
        self.labels.all()
    }

    fn tile_merger(&self, _: &TilingConfig, image: Size) -> Option<Box<dyn TileMerger + '_>> {
        Some(Box::new(SegmentationMerger::new(self, image)))
    }
}
