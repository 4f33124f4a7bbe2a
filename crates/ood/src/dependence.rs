//! Whether images are independent enough for a promise to hold.
//!
//! A promise about new images holds when the held-out ones are exchangeable with them. Two common
//! ways to break that can be seen in the feature vectors: the same picture several times (held
//! out and fitted on), and neighbouring frames of a video.

use rayon::prelude::*;

use crate::detector::classes_of;
use crate::kernels::{dot, mat_vec};
use crate::numeric::{quantile, sorted};
use crate::random::Random;
use crate::{ActivationSet, Matrix};

/// Nearer than this part of the usual distance within a class, two images are the same picture.
const SAME: f64 = 0.05;
/// With at least this part of the images being near-duplicates there is a warning.
const MANY_SAME: f64 = 0.02;
/// Images that follow each other nearer than this part of the usual distance look like frames.
const FRAMES: f64 = 0.6;
/// How many pairs are measured.
const PAIRS: usize = 500;
/// Fewer pairs tell nothing.
const FEWEST_PAIRS: usize = 20;
/// How many images are compared with all others, and how many products that may take.
const LOOKED_UP: std::ops::RangeInclusive<usize> = 24..=200;
const MOST_PRODUCTS: usize = 2_000_000_000;
/// Rows that are compared at once: they stay in the cache while several images are looked up.
const BLOCK: usize = 64;

/// How much the images of a set depend on each other, as far as their features show.
///
/// Distances are those of unit feature vectors, as parts of the median distance between two
/// images of one class (labelled, else predicted, else all images are one class).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dependence {
    /// Part of the images (of a sample) that have a near-duplicate in the set, `0..=1`.
    pub near_duplicates: f64,
    /// Median distance between an image and the one that follows it in its class, as a part of
    /// the usual: about 1 for images in no order; `None` without classes or with few images.
    pub following: Option<f64>,
}

impl Dependence {
    /// Measures a set; `None` where there are too few images, or all are the same.
    ///
    /// Works on samples: a second at most for 30,000 images of 1280 dimensions.
    pub fn of(set: &ActivationSet, seed: u64) -> Option<Self> {
        let measured = Measured::new(set);
        let mut classes = classes_of(set);
        let in_classes = !classes.is_empty();
        classes.resize(set.len(), 0);
        let usual = measured.median(&random_pairs(&classes, seed))?;
        // Less is a rounding error of unit vectors.
        if usual < 1e-3 {
            return None;
        }
        let next: Vec<(usize, usize)> = following_pairs(&classes);
        let following = in_classes.then(|| measured.median(&next)).flatten();
        Some(Self {
            near_duplicates: measured.with_duplicate(SAME * usual, seed),
            following: following.map(|distance| distance / usual),
        })
    }

    /// What a user should know before believing in a promise, in whole sentences; often nothing.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.near_duplicates >= MANY_SAME {
            warnings.push(format!(
                "{:.0} % of the images have a near-duplicate among the others: the promise holds for independent images, so drop duplicates and fit again",
                100.0 * self.near_duplicates
            ));
        }
        if let Some(following) = self.following.filter(|&part| part < FRAMES) {
            warnings.push(format!(
                "images that follow each other differ only {following:.2} times as much as others of their class, like neighbouring frames of a video: the promise holds for independent images, so take single images or hold out whole clips"
            ));
        }
        warnings
    }
}

/// Feature vectors and the inverse of their lengths.
struct Measured<'a> {
    features: &'a Matrix,
    scales: Vec<f32>,
}

impl<'a> Measured<'a> {
    fn new(set: &'a ActivationSet) -> Self {
        let features = set.features();
        let scale = |row: &[f32]| {
            let length = dot(row, row).sqrt();
            if length > 0.0 { 1.0 / length } else { 0.0 }
        };
        Self {
            features,
            scales: features.iter_rows().map(scale).collect(),
        }
    }

    fn distance(&self, a: usize, b: usize) -> f64 {
        let cosine = dot(self.features.row(a), self.features.row(b));
        from_cosine(cosine * self.scales[a] * self.scales[b])
    }

    fn median(&self, pairs: &[(usize, usize)]) -> Option<f64> {
        if pairs.len() < FEWEST_PAIRS {
            return None;
        }
        let distances: Vec<f64> = pairs.iter().map(|&(a, b)| self.distance(a, b)).collect();
        Some(quantile(&sorted(&distances), 0.5))
    }

    /// The part of a sample of images whose nearest other image is at most `limit` away.
    fn with_duplicate(&self, limit: f64, seed: u64) -> f64 {
        let (images, dimensions) = (self.features.rows(), self.features.columns());
        let most = MOST_PRODUCTS / (images * dimensions).max(1);
        let mut asked: Vec<usize> = (0..images).collect();
        Random::part(seed, 7).shuffle(&mut asked);
        asked.truncate(most.clamp(*LOOKED_UP.start(), *LOOKED_UP.end()));
        let blocks = self.features.data().par_chunks(BLOCK * dimensions);
        let nearest = blocks.enumerate().map(|(block, rows)| {
            let start = block * BLOCK;
            asked
                .iter()
                .map(|&image| self.largest_cosine(image, start, rows))
                .collect()
        });
        let larger = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(&b).map(|(x, y)| x.max(*y)).collect();
        let cosines = nearest.reduce(|| vec![-1.0; asked.len()], larger);
        let same = cosines
            .iter()
            .filter(|&&cosine| from_cosine(cosine) <= limit)
            .count();
        same as f64 / asked.len().max(1) as f64
    }

    /// The largest cosine between an image and the rows from `start` on, without itself.
    fn largest_cosine(&self, image: usize, start: usize, rows: &[f32]) -> f32 {
        let mut products = [0.0_f32; BLOCK];
        let count = rows.len() / self.features.columns();
        mat_vec(rows, self.features.row(image), &mut products[..count]);
        let others = products[..count]
            .iter()
            .zip(&self.scales[start..])
            .enumerate();
        let cosines = others
            .filter(|&(place, _)| start + place != image)
            .map(|(_, (product, scale))| product * scale * self.scales[image]);
        cosines.fold(-1.0, f32::max)
    }
}

/// Distance of two unit vectors.
fn from_cosine(cosine: f32) -> f64 {
    (2.0 - 2.0 * f64::from(cosine)).max(0.0).sqrt()
}

/// Random pairs of different images of one class.
fn random_pairs(classes: &[u32], seed: u64) -> Vec<(usize, usize)> {
    let mut random = Random::part(seed, 6);
    let mut order: Vec<usize> = (0..classes.len()).collect();
    random.shuffle(&mut order);
    order.sort_by_key(|&image| classes[image]);
    let pairs: Vec<(usize, usize)> = order
        .windows(2)
        .filter(|pair| classes[pair[0]] == classes[pair[1]])
        .map(|pair| (pair[0], pair[1]))
        .collect();
    evenly(&pairs)
}

/// Each image with the one that follows it, where both are of one class.
fn following_pairs(classes: &[u32]) -> Vec<(usize, usize)> {
    let pairs: Vec<(usize, usize)> = (1..classes.len())
        .filter(|&image| classes[image - 1] == classes[image])
        .map(|image| (image - 1, image))
        .collect();
    evenly(&pairs)
}

fn evenly(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let step = pairs.len().div_ceil(PAIRS).max(1);
    pairs.iter().copied().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count` images of 8 dimensions in two classes; each is the one before with the part `hold`.
    fn walk(count: usize, hold: f64) -> ActivationSet {
        let mut random = Random::new(9);
        let mut state = [0.0; 8];
        let mut data = Vec::new();
        for image in 0..count {
            for (j, value) in state.iter_mut().enumerate() {
                *value = hold * *value + (1.0 - hold * hold).sqrt() * random.normal();
                let own = if j == 2 * image / count { 4.0 } else { 0.0 };
                data.push((*value + own) as f32);
            }
        }
        let labels = (0..count).map(|image| (2 * image / count) as u32).collect();
        let features = Matrix::new(count, 8, data).unwrap();
        ActivationSet::new(features)
            .unwrap()
            .with_labels(labels)
            .unwrap()
    }

    #[test]
    fn independent_images_raise_no_warning() {
        let found = Dependence::of(&walk(400, 0.0), 1).unwrap();
        assert!(found.warnings().is_empty(), "{found:?}");
        assert!((found.following.unwrap() - 1.0).abs() < 0.15, "{found:?}");
    }

    #[test]
    fn frames_of_a_video_are_noticed() {
        let found = Dependence::of(&walk(400, 0.95), 1).unwrap();
        assert!(found.following.unwrap() < 0.5, "{found:?}");
        assert!(found.warnings()[0].contains("frames"));
    }

    #[test]
    fn the_same_picture_twice_is_noticed_wherever_it_lies() {
        let set = walk(300, 0.0);
        let rows: Vec<usize> = (0..300)
            .map(|row| {
                if row % 10 == 0 {
                    (row + 155) % 300
                } else {
                    row
                }
            })
            .collect();
        let found = Dependence::of(&set.select(&rows), 1).unwrap();
        assert!(found.near_duplicates > 0.05, "{found:?}");
        assert!(found.warnings()[0].contains("near-duplicate"));
    }

    #[test]
    fn too_few_or_equal_images_are_not_judged() {
        assert_eq!(Dependence::of(&walk(10, 0.0), 1), None);
        let equal = ActivationSet::new(Matrix::from_fn(50, 3, |_, _| 1.0)).unwrap();
        assert_eq!(Dependence::of(&equal, 1), None);
        let none = ActivationSet::new(Matrix::from_fn(0, 3, |_, _| 1.0)).unwrap();
        assert_eq!(Dependence::of(&none, 1), None);
    }
}
