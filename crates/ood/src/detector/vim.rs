use super::residual::principal_space;
use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::linalg::Pca;
use crate::numeric::{largest, log_sum_exp};
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Virtual-logit matching: `alpha |residual| - ln sum exp(l)`.
///
/// Wang et al., "`ViM`: Out-Of-Distribution with Virtual-logit Matching", CVPR 2022. The residual
/// is what the principal space about `-pinv(W) b` leaves; `alpha` is the mean largest logit over
/// the mean residual of the fitted images.
#[derive(Debug)]
pub(crate) struct Vim {
    axes: Pca,
    alpha: f64,
    classes: usize,
}

impl Vim {
    pub(crate) const NAME: &'static str = "vim";

    pub(crate) fn fit(context: &FitContext<'_>, dimension: Option<usize>) -> Result<Self, Reason> {
        let logits = context.logits()?;
        let axes = principal_space(context, dimension)?;
        let residuals = context
            .features()
            .iter_rows()
            .map(|row| axes.squared_residual(row).sqrt());
        let residual: f64 = residuals.sum();
        let largest: f64 = logits.iter_rows().map(largest).sum();
        let alpha = largest / residual;
        // Residuals this small are rounding errors.
        if !alpha.is_finite() || residual <= 1e-6 * largest.abs() {
            let what = "the principal space explains every fitted image".to_owned();
            return Err(Reason::Degenerate(what));
        }
        Ok(Self {
            axes,
            alpha,
            classes: logits.columns(),
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        let section = from.section(Self::NAME);
        Ok(Self {
            axes: Pca::load(&section)?,
            alpha: section.number("alpha")?,
            classes: section.count("classes")?,
        })
    }
}

impl OodDetector for Vim {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.features(self.axes.dimensions())?;
        let logits = query
            .logits(self.classes)?
            .iter()
            .map(|&logit| f64::from(logit));
        let residual = self.axes.squared_residual(features).sqrt();
        finite(Self::NAME, self.alpha * residual - log_sum_exp(logits))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        let mut section = to.section(Self::NAME);
        self.axes.save(&mut section);
        section.number("alpha", self.alpha);
        section.number("classes", self.classes as f64);
    }
}
