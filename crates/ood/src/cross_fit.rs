//! Scores of the fitted images by detectors that have not seen them.
//!
//! A detector that scores the images it was fitted on finds them too normal: the nearest
//! neighbour of each is itself, and principal axes explain their own noise. Whatever is learned
//! from such scores (medians, thresholds, a forest) is then wrong for every new image. So the
//! images are parted into folds and each fold is scored by detectors fitted on the others. For
//! detectors that only remember the images, leaving out the image itself does the same exactly,
//! without fitting again.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::detector::{FitContext, LeftOut, OodDetector, Reason};
use crate::error::ScoreError;
use crate::kernels::give_back_memory;
use crate::random::Random;
use crate::{ActivationSet, DetectorSpec, Head, OodScore, Query};

/// How many images are prepared at once.
const TOGETHER: usize = 32;

/// Detectors with their settings, in the order in which they score.
#[derive(Debug, Default)]
pub(crate) struct Members {
    pub(crate) list: Vec<(DetectorSpec, Box<dyn OodDetector>)>,
}

impl Members {
    /// Fits what can be fitted; the rest is named with its reason.
    pub(crate) fn fit(specs: &[DetectorSpec], context: &FitContext<'_>) -> (Self, Vec<LeftOut>) {
        let (mut members, mut left_out) = (Self::default(), Vec::new());
        for (spec, fitted) in specs.iter().zip(fit_all(specs, context)) {
            match fitted {
                Ok(detector) => members.list.push((spec.clone(), detector)),
                Err(reason) => left_out.push(spec.left_out(reason)),
            }
        }
        (members, left_out)
    }

    /// The settings of all detectors.
    pub(crate) fn specs(&self) -> Vec<DetectorSpec> {
        self.list.iter().map(|(spec, _)| spec.clone()).collect()
    }

    /// All detectors' scores of one image.
    pub(crate) fn score(&self, query: &Query<'_>) -> Result<Vec<f64>, ScoreError> {
        self.list
            .iter()
            .map(|(_, detector)| detector.score(query).map(OodScore::value))
            .collect()
    }

    /// All detectors' scores of every image of a set, one row an image.
    pub(crate) fn score_all(&self, set: &ActivationSet) -> Result<Vec<Vec<f64>>, ScoreError> {
        let rows: Vec<usize> = (0..set.len()).collect();
        let images = in_blocks(&self.all(), &rows, |row| Query::of(set, row));
        let values = |scores: Vec<Result<OodScore, ScoreError>>| {
            let values = scores.into_iter().map(|score| score.map(OodScore::value));
            values.collect()
        };
        images.into_iter().map(values).collect()
    }

    fn all(&self) -> Vec<&dyn OodDetector> {
        let detectors = self.list.iter();
        detectors.map(|(_, detector)| detector.as_ref()).collect()
    }
}

/// Scores of the images `rows` by all detectors, one entry an image; images are prepared in blocks
/// and scored on all cores.
fn in_blocks<'a>(
    detectors: &[&dyn OodDetector],
    rows: &[usize],
    query: impl Fn(usize) -> Query<'a> + Sync,
) -> Vec<Vec<Result<OodScore, ScoreError>>> {
    let block = |rows: &[usize]| {
        let queries: Vec<Query<'_>> = rows.iter().map(|&row| query(row)).collect();
        for detector in detectors {
            detector.prepare(&queries);
        }
        let each = |query: &Query<'_>| detectors.iter().map(|one| one.score(query)).collect();
        queries.iter().map(each).collect::<Vec<_>>()
    };
    rows.par_chunks(TOGETHER).flat_map_iter(block).collect()
}

/// A detector, or why there is none.
type FittedDetector = Result<Box<dyn OodDetector>, Reason>;

/// Fits each detector, on all cores; those that share what they learn follow each other on one.
///
/// Beside a large bank groups follow each other as well: each holds several covariances while it
/// is fitted.
fn fit_all(specs: &[DetectorSpec], context: &FitContext<'_>) -> Vec<FittedDetector> {
    let mut groups: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
    for (index, spec) in specs.iter().enumerate() {
        groups.entry(spec.shared_work()).or_default().push(index);
    }
    let groups: Vec<Vec<usize>> = groups.into_values().collect();
    let fit = |index: usize| (index, specs[index].fit(context));
    let fit_group = |group: Vec<usize>| {
        let fitted: Vec<(usize, FittedDetector)> = group.into_iter().map(fit).collect();
        if context.spares_memory() {
            context.forget();
            give_back_memory();
        }
        fitted
    };
    let mut fitted: Vec<(usize, FittedDetector)> = if context.spares_memory() {
        groups.into_iter().flat_map(fit_group).collect()
    } else {
        groups.into_par_iter().flat_map_iter(fit_group).collect()
    };
    fitted.sort_by_key(|(index, _)| *index);
    fitted.into_iter().map(|(_, detector)| detector).collect()
}

/// Cross-fitted scores of the images `rows`, one entry a detector, each in the order of `rows`.
///
/// `members` were fitted on the whole set. A detector that cannot be fitted on a fold is named
/// instead of scored.
pub(crate) fn cross_fit(
    members: &Members,
    set: &ActivationSet,
    head: Option<&Head>,
    rows: &[usize],
    options: &CrossFit<'_>,
) -> Vec<Result<Vec<f64>, Reason>> {
    let folds = Folds::new(set, options);
    let needs_folds = |spec: &DetectorSpec| !spec.learns_nothing() && !spec.only_needs_bank();
    let (learners, others): (Vec<_>, Vec<_>) =
        members.list.iter().partition(|(spec, _)| needs_folds(spec));
    let specs: Vec<DetectorSpec> = learners.into_iter().map(|(spec, _)| spec.clone()).collect();
    let others: Vec<&dyn OodDetector> = others.into_iter().map(|(_, one)| one.as_ref()).collect();
    let mut learned = folds.scores(&specs, set, head, rows).into_iter();
    let mut remembered = without_itself(&others, set, rows, options.row_of).into_iter();
    let next = |(spec, _): &(DetectorSpec, _)| {
        if needs_folds(spec) {
            learned.next()
        } else {
            remembered.next()
        }
    };
    members.list.iter().filter_map(next).collect()
}

/// How images are parted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CrossFit<'a> {
    pub(crate) folds: usize,
    pub(crate) neighbours: usize,
    pub(crate) seed: u64,
    /// Where each image of the set lies in the bank, if the bank holds more than the set.
    pub(crate) row_of: Option<&'a [usize]>,
}

/// Scores of each row with itself left out of the bank (where `row_of` says, if not at the same
/// place), one entry a detector.
pub(crate) fn leave_one_out(
    members: &Members,
    set: &ActivationSet,
    rows: &[usize],
    row_of: Option<&[usize]>,
) -> Vec<Result<Vec<f64>, Reason>> {
    without_itself(&members.all(), set, rows, row_of)
}

fn without_itself(
    detectors: &[&dyn OodDetector],
    set: &ActivationSet,
    rows: &[usize],
    row_of: Option<&[usize]>,
) -> Vec<Result<Vec<f64>, Reason>> {
    let images = in_blocks(detectors, rows, |row| {
        Query::of(set, row).excluding(row_of.map_or(row, |places| places[row]))
    });
    let of = |detector: usize| {
        let scores = images.iter().map(|image| match &image[detector] {
            Ok(score) => Ok(score.value()),
            Err(error) => Err(Reason::Failed(error.to_string())),
        });
        scores.collect()
    };
    (0..detectors.len()).map(of).collect()
}

/// A fold's scores with their places, or why there are none.
type Placed = Result<Vec<(usize, f64)>, Reason>;

/// Which fold each image belongs to: classes are spread evenly over the folds.
#[derive(Debug)]
struct Folds {
    of: Vec<usize>,
    neighbours: usize,
}

impl Folds {
    fn new(set: &ActivationSet, options: &CrossFit<'_>) -> Self {
        let count = options.folds.clamp(2, set.len().max(2));
        let mut order: Vec<usize> = (0..set.len()).collect();
        Random::new(options.seed).shuffle(&mut order);
        if let Some(labels) = set.labels() {
            order.sort_by_key(|&row| labels[row]);
        }
        let mut of = vec![0; set.len()];
        for (place, &row) in order.iter().enumerate() {
            of[row] = place % count;
        }
        Self {
            of,
            neighbours: options.neighbours,
        }
    }

    /// Scores of `rows` by detectors fitted without each row's fold, one entry a detector.
    fn scores(
        &self,
        specs: &[DetectorSpec],
        set: &ActivationSet,
        head: Option<&Head>,
        rows: &[usize],
    ) -> Vec<Result<Vec<f64>, Reason>> {
        if specs.is_empty() {
            return Vec::new();
        }
        let asked: BTreeSet<usize> = rows.iter().map(|&row| self.of[row]).collect();
        // One after the other: each uses all cores, and two at once twice the memory.
        let found: Vec<Vec<Placed>> = asked
            .into_iter()
            .map(|fold| self.fold(fold, specs, set, head, rows))
            .collect();
        let merged = (0..specs.len()).map(|detector| {
            let mut values = vec![0.0; rows.len()];
            for fold in &found {
                for &(place, score) in fold[detector].as_ref().map_err(Clone::clone)? {
                    values[place] = score;
                }
            }
            Ok(values)
        });
        merged.collect()
    }

    /// Scores of one fold's rows with their places in `rows`.
    fn fold(
        &self,
        fold: usize,
        specs: &[DetectorSpec],
        set: &ActivationSet,
        head: Option<&Head>,
        rows: &[usize],
    ) -> Vec<Placed> {
        let others: Vec<usize> = (0..set.len()).filter(|&row| self.of[row] != fold).collect();
        let subset = set.select(&others);
        let context = FitContext::new(&subset, head, self.neighbours);
        let mine: Vec<(usize, usize)> = rows
            .iter()
            .copied()
            .enumerate()
            .filter(|&(_, row)| self.of[row] == fold)
            .collect();
        let detectors = fit_all(specs, &context);
        drop(context);
        let fitted: Vec<&dyn OodDetector> = detectors.iter().flatten().map(Box::as_ref).collect();
        let places: Vec<usize> = mine.iter().map(|&(_, row)| row).collect();
        let images = in_blocks(&fitted, &places, |row| Query::of(set, row));
        let of = |(index, detector): (usize, &FittedDetector)| -> Placed {
            detector.as_ref().map_err(Clone::clone)?;
            // Detectors that could not be fitted have no scores: count those before this one.
            let place = detectors[..index].iter().filter(|d| d.is_ok()).count();
            mine.iter()
                .zip(&images)
                .map(|(&(row, _), scores)| match &scores[place] {
                    Ok(score) => Ok((row, score.value())),
                    Err(error) => Err(Reason::Failed(error.to_string())),
                })
                .collect()
        };
        detectors.iter().enumerate().map(of).collect()
    }
}
