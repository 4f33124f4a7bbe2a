use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::linalg::Distances;
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Squared Mahalanobis distance to the nearest class mean, under one covariance of all classes.
///
/// Lee et al., "A Simple Unified Framework for Detecting Out-of-Distribution Samples and
/// Adversarial Attacks", NeurIPS 2018. The covariance is `1/n` of the scatter about the class
/// means; without shrinkage its pseudo-inverse is taken, with shrinkage the Ledoit-Wolf estimate.
#[derive(Debug)]
pub(crate) struct Mahalanobis {
    distances: Distances,
    normalise: bool,
}

impl Mahalanobis {
    pub(crate) const NAME: &'static str = "mahalanobis";

    pub(crate) fn fit(
        context: &FitContext<'_>,
        shrink: bool,
        normalise: bool,
    ) -> Result<Self, Reason> {
        context.needs_images(2)?;
        let within = context.within(normalise)?;
        let distances = Distances::new(&within.precision(shrink)?, &within.means, shrink);
        Ok(Self {
            distances,
            normalise,
        })
    }

    pub(crate) fn load(from: &StateReader, normalise: bool) -> Result<Self, StateError> {
        Ok(Self {
            distances: Distances::load(&from.section(Self::NAME))?,
            normalise,
        })
    }
}

impl OodDetector for Mahalanobis {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.view(self.normalise, self.distances.dimensions())?;
        finite(Self::NAME, self.distances.smallest(features))
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        self.distances.save(&mut to.section(Self::NAME));
    }
}
