//! The combination of the detectors' cross-fitted scores.

use rayon::prelude::*;

use super::learn::{Fitted, MANY_IMAGES};
use super::{Fit, scoring_failed};
use crate::Matrix;
use crate::combine::{Combination, Fusion, Robust};
use crate::error::FitError;
use crate::forest::{Forest, ForestOptions};
use crate::model::{ModelKind, recipe};

impl Fit<'_> {
    /// Fits the combination; gives the cross-fitted combined scores of the fitted images, and
    /// those of the outliers that were fitted on.
    pub(super) fn combine(
        &self,
        fitted: &Fitted,
    ) -> Result<(Combination, [Vec<f64>; 2]), FitError> {
        let images = fitted.scores.first().map_or(0, Vec::len);
        let row = |image: usize| {
            fitted
                .scores
                .iter()
                .map(|of| of[image])
                .collect::<Vec<f64>>()
        };
        let inside: Vec<Vec<f64>> = (0..images).map(row).collect();
        if self.options.kind == ModelKind::Default {
            let measures: Vec<Robust> = fitted.measures.iter().copied().flatten().collect();
            let weights = fitted
                .members
                .list
                .iter()
                .map(|(spec, _)| recipe::weight(spec))
                .collect();
            let fusion = Fusion::fit(&fitted.scores, &measures, weights);
            let train = inside.iter().map(|row| fusion.score(row)).collect();
            return Ok((Combination::Fusion(fusion), [train, Vec::new()]));
        }
        let outliers = self.parts.outliers.as_ref();
        let outside = match outliers {
            Some(parts) => fitted
                .members
                .score_all(&parts.fit)
                .map_err(scoring_failed)?,
            None => Vec::new(),
        };
        let forest_options = ForestOptions {
            trees: self.options.trees,
            smallest_leaf: 1,
            balanced: self.options.kind == ModelKind::Supervised,
            seed: self.options.seed,
        };
        let forest = fit_forest(&inside, &outside, &forest_options);
        let train = out_of_fold(&inside, &outside, &forest_options, self.forest_folds());
        Ok((Combination::Forest(forest), train))
    }

    /// Forests of many images are judged in two folds.
    fn forest_folds(&self) -> usize {
        if self.parts.fit.len() >= MANY_IMAGES {
            2
        } else {
            self.options.folds
        }
    }
}

fn fit_forest(inside: &[Vec<f64>], outside: &[Vec<f64>], options: &ForestOptions) -> Forest {
    let rows: Vec<&Vec<f64>> = inside.iter().chain(outside).collect();
    let columns = rows.first().map_or(0, |row| row.len());
    let samples = Matrix::from_fn(rows.len(), columns, |i, j| rows[i][j]);
    let outlier: Vec<bool> = (0..rows.len()).map(|i| i >= inside.len()).collect();
    Forest::fit(&samples, &outlier, options)
}

/// Probabilities of the forest's own samples by forests that have not seen them.
fn out_of_fold(
    inside: &[Vec<f64>],
    outside: &[Vec<f64>],
    options: &ForestOptions,
    folds: usize,
) -> [Vec<f64>; 2] {
    let mut probabilities = [vec![0.0; inside.len()], vec![0.0; outside.len()]];
    let others = |rows: &[Vec<f64>], fold: usize| {
        let kept = rows.iter().enumerate().filter(|(i, _)| i % folds != fold);
        kept.map(|(_, row)| row.clone()).collect::<Vec<_>>()
    };
    for fold in 0..folds {
        let forest = fit_forest(&others(inside, fold), &others(outside, fold), options);
        for (rows, into) in [inside, outside].into_iter().zip(&mut probabilities) {
            let mine = rows.par_iter().zip(into).skip(fold).step_by(folds);
            mine.for_each(|(row, value)| *value = forest.probability(row));
        }
    }
    probabilities
}
