use super::{FitContext, OodDetector, Reason, finite};
use crate::error::ScoreError;
use crate::linalg::{Keep, Pca, virtual_origin};
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// Length of what the principal space about `ViM`'s origin leaves of a feature vector.
///
/// Wang et al., "`ViM`: Out-Of-Distribution with Virtual-logit Matching", CVPR 2022, section 4.
#[derive(Debug)]
pub(crate) struct Residual {
    axes: Pca,
}

impl Residual {
    pub(crate) const NAME: &'static str = "residual";

    pub(crate) fn fit(context: &FitContext<'_>, dimension: Option<usize>) -> Result<Self, Reason> {
        Ok(Self {
            axes: principal_space(context, dimension)?,
        })
    }

    pub(crate) fn load(from: &StateReader) -> Result<Self, StateError> {
        Ok(Self {
            axes: Pca::load(&from.section(Self::NAME))?,
        })
    }
}

/// The principal axes of the features about the point that the head maps to zero.
pub(super) fn principal_space(
    context: &FitContext<'_>,
    dimension: Option<usize>,
) -> Result<Pca, Reason> {
    context.needs_images(2)?;
    let origin = virtual_origin(context.head()?)?;
    let features = context.features();
    let dimension =
        dimension.unwrap_or_else(|| usual_dimension(features.rows(), features.columns()));
    let rows: Vec<usize> = (0..features.rows()).collect();
    Ok(Pca::fit_about(
        features,
        &rows,
        &origin,
        Keep::Count(dimension),
    )?)
}

/// The paper's dimension, but never more than half of what the images can span: with as many
/// axes as images every fitted image would have a residual of zero.
fn usual_dimension(images: usize, dimensions: usize) -> usize {
    let paper = match dimensions {
        2048.. => 1000,
        768.. => 512,
        _ => dimensions / 2,
    };
    paper.min(images.min(dimensions) / 2).max(1)
}

impl OodDetector for Residual {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let features = query.features(self.axes.dimensions())?;
        finite(Self::NAME, self.axes.squared_residual(features).sqrt())
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        self.axes.save(&mut to.section(Self::NAME));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_images_bound_the_principal_space() {
        assert_eq!(usual_dimension(10_000, 2048), 1000);
        assert_eq!(usual_dimension(10_000, 1280), 512);
        assert_eq!(usual_dimension(300, 1280), 150);
        assert_eq!(usual_dimension(10_000, 64), 32);
        assert_eq!(usual_dimension(2, 1280), 1);
    }
}
