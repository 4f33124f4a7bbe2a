//! What a fit did, and how good its model is on images that nothing was chosen on.

use rayon::prelude::*;

use super::parts::OutlierParts;
use super::{Fit, scoring_failed};
use crate::Metrics;
use crate::combine::Robust;
use crate::error::FitError;
use crate::model::{DetectorReport, FitReport, ImageCounts, OodModel};

impl Fit<'_> {
    pub(super) fn report(
        self,
        model: &OodModel,
        measures: &[Option<Robust>],
        train: [Vec<f64>; 2],
        validation: Option<Metrics>,
    ) -> Result<FitReport, FitError> {
        let parts = self.parts;
        let threshold = *model.threshold_details();
        let [train_inside, train_outside] = train;
        let (test, test_aurocs) = self.judge(model)?;
        let detectors = model
            .detectors()
            .zip(measures)
            .enumerate()
            .map(|(i, (name, measure))| DetectorReport {
                name: name.to_owned(),
                median: measure.map_or(0.0, |measure| measure.centre),
                spread: measure.map_or(0.0, |measure| measure.scale),
                test_auroc: test_aurocs.get(i).copied(),
            });
        Ok(FitReport {
            kind: self.options.kind,
            in_distribution: ImageCounts {
                fit: parts.fitted,
                calibration: parts.calibration.len(),
                test: parts.test.len(),
            },
            outliers: parts
                .outliers
                .as_ref()
                .map_or_else(ImageCounts::default, counts),
            detectors: detectors.collect(),
            left_out: self.left_out,
            threshold,
            train: Metrics::new(&train_inside, &train_outside, Some(threshold.value)),
            validation,
            test,
            notes: self.notes,
        })
    }

    /// Metrics of the model and AUROC of each detector on the test images.
    fn judge(&self, model: &OodModel) -> Result<(Option<Metrics>, Vec<f64>), FitError> {
        let Some(outliers) = &self.parts.outliers else {
            return Ok((None, Vec::new()));
        };
        let inside = model
            .members
            .score_all(&self.parts.test)
            .map_err(scoring_failed)?;
        let outside = model
            .members
            .score_all(&outliers.test)
            .map_err(scoring_failed)?;
        let combined = |rows: &[Vec<f64>]| -> Vec<f64> {
            rows.par_iter()
                .map(|row| model.combination.score(row))
                .collect()
        };
        let metrics = Metrics::new(
            &combined(&inside),
            &combined(&outside),
            Some(model.threshold()),
        );
        let column =
            |rows: &[Vec<f64>], i: usize| rows.iter().map(|row| row[i]).collect::<Vec<_>>();
        let single = |i: usize| Metrics::new(&column(&inside, i), &column(&outside, i), None);
        let detectors = 0..model.members.list.len();
        Ok((
            metrics,
            detectors
                .filter_map(|i| single(i).map(|found| found.auroc))
                .collect(),
        ))
    }
}

fn counts(outliers: &OutlierParts) -> ImageCounts {
    ImageCounts {
        fit: outliers.fit.len(),
        calibration: outliers.calibration.len(),
        test: outliers.test.len(),
    }
}
