use std::sync::Arc;

use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::linalg::{Keep, Pca};
use crate::query::prepare_together;
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Feature reconstruction error: squared length of what the principal axes do not explain.
///
/// Ndiour et al., "Probabilistic Modeling of Deep Features for Out-of-Distribution and
/// Adversarial Detection" (arXiv 1909.11786) and arXiv 2012.04250. As many axes are kept as
/// explain the part `variance` of the fitted images' variance.
#[derive(Debug)]
pub(crate) struct Fre {
    axes: Arc<Pca>,
    normalise: bool,
}

impl Fre {
    pub(crate) const NAME: &'static str = "fre";

    pub(crate) fn fit(
        context: &FitContext<'_>,
        variance: f64,
        normalise: bool,
    ) -> Result<Self, Reason> {
        context.needs_images(2)?;
        let features = context.view(normalise);
        let rows: Vec<usize> = (0..features.rows()).collect();
        Ok(Self {
            axes: Arc::new(Pca::fit(&features, &rows, Keep::Variance(variance))?),
            normalise,
        })
    }

    pub(crate) fn load(from: &StateReader, normalise: bool) -> Result<Self, StateError> {
        Ok(Self {
            axes: Arc::new(Pca::load(&from.section(Self::NAME))?),
            normalise,
        })
    }
}

impl OodDetector for Fre {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.view(self.normalise, self.axes.dimensions())?;
        let error = query.memo(&self.axes, || Ok(self.axes.squared_residual(features)))?;
        finite(Self::NAME, *error)
    }

    fn prepare(&self, queries: &[Query<'_>]) {
        let view = (self.normalise, self.axes.dimensions());
        prepare_together(queries, &self.axes, view, |vectors| {
            self.axes.squared_residuals(vectors)
        });
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        self.axes.save(&mut to.section(Self::NAME));
    }
}
