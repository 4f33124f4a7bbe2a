use straylight_core::Prediction;

use super::{MeanFeatures, Tile, TileMerger};
use crate::raster::nearest;
use crate::segmentation::{Enlarged, Segmentation, Soft};
use crate::{Geometry, Outputs, PostProcessor, Size, TaskError};

/// Averages the scores of tiles where they overlap; the highest mean wins.
///
/// Holds one plane of the image's size for background and each class. A model that gives
/// classes without scores has them counted as votes.
pub(crate) struct SegmentationMerger<'a> {
    segmentation: &'a Segmentation,
    image: Size,
    planes: usize,
    sums: Vec<f32>,
    votes: Vec<f32>,
    features: MeanFeatures,
}

impl<'a> SegmentationMerger<'a> {
    pub(crate) fn new(segmentation: &'a Segmentation, image: Size) -> Self {
        let planes = segmentation.labels().len() + 1;
        let area = image.width as usize * image.height as usize;
        Self {
            segmentation,
            image,
            planes,
            sums: vec![0.0; planes * area],
            votes: vec![0.0; area],
            features: MeanFeatures::default(),
        }
    }

    fn area(&self) -> usize {
        self.votes.len()
    }

    /// Adds `score(plane, place in the model's map)` to every pixel of the tile.
    fn add_scores(&mut self, tile: Tile, soft: &Soft, score: impl Fn(usize, usize) -> f32) {
        let map = soft.size();
        let columns = nearest(map.width as usize, tile.size.width);
        let rows = nearest(map.height as usize, tile.size.height);
        let (area, width) = (self.area(), self.image.width as usize);
        for (y, row) in (tile.top as usize..).zip(rows) {
            for (x, &column) in (tile.left as usize..).zip(&columns) {
                let (pixel, place) = (y * width + x, row * map.width as usize + column);
                for plane in 0..self.planes {
                    if let Some(sum) = self.sums.get_mut(plane * area + pixel) {
                        *sum += score(plane, place);
                    }
                }
                if let Some(votes) = self.votes.get_mut(pixel) {
                    *votes += 1.0;
                }
            }
        }
    }
}

impl TileMerger for SegmentationMerger<'_> {
    fn add(&mut self, tile: Tile, outputs: &Outputs<'_>, _: &Geometry) -> Result<(), TaskError> {
        let soft = Segmentation::read(outputs)?;
        let at = |plane: usize, place: usize| soft.plane(plane).get(place).copied().unwrap_or(0.0);
        if soft.planes() == 1 {
            let votes = |plane: usize, place: usize| f32::from(at(0, place) as usize == plane);
            self.add_scores(tile, &soft, votes);
        } else if soft.planes() == self.planes {
            self.add_scores(tile, &soft, at);
        } else {
            let (class, labels) = (soft.planes() as i64 - 2, self.planes - 1);
            return Err(TaskError::NoSuchLabel { class, labels });
        }
        self.features.add(outputs);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Prediction, TaskError> {
        let area = self.area().max(1);
        for plane in self.sums.chunks_exact_mut(area) {
            for (sum, votes) in plane.iter_mut().zip(&self.votes) {
                *sum /= votes.max(1.0);
            }
        }
        let soft = Soft::from_planes(self.planes, self.image, std::mem::take(&mut self.sums));
        let classes = soft.classes(None, 0.0);
        let mut prediction = self
            .segmentation
            .annotate(&Enlarged::new(&soft, &classes, self.image))?;
        prediction.activations = self.features.activations();
        Ok(prediction)
    }
}
