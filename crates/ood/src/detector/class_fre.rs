use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{FitContext, OodDetector, Reason, finite};
use crate::error::{FitError, ScoreError};
use crate::linalg::{Keep, Pca};
use crate::numeric::argmax;
use crate::query::prepare_together;
use crate::state::{StateError, StateReader};
use crate::{OodScore, Query, StateWriter};

/// A class needs two images to have an axis.
const SMALLEST_CLASS: usize = 2;

/// Which class's reconstruction error counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassStatistic {
    /// The smallest of all classes.
    Minimum,
    /// That of the class that the model predicts.
    Predicted,
    /// That of the predicted class minus the smallest, 0 or more.
    Difference,
}

impl ClassStatistic {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Minimum => "class_fre_minimum",
            Self::Predicted => "class_fre_predicted",
            Self::Difference => "class_fre_difference",
        }
    }
}

/// Principal axes of each class that has enough images.
#[derive(Debug)]
pub(crate) struct ClassAxes {
    /// One entry a class of the model.
    classes: Vec<Option<Pca>>,
    normalise: bool,
}

impl ClassAxes {
    const SECTION: &'static str = "class_fre";

    fn fit(context: &FitContext<'_>, keep: Keep, normalise: bool) -> Result<Self, Reason> {
        let features = context.view(normalise);
        let fit = |rows: &Vec<usize>| {
            let enough = rows.len() >= SMALLEST_CLASS;
            enough.then(|| Pca::fit(&features, rows, keep)).transpose()
        };
        let classes = context.class_rows()?.par_iter().map(fit);
        let classes = classes.collect::<Result<Vec<_>, FitError>>()?;
        if classes.iter().all(Option::is_none) {
            return Err(Reason::SmallClasses(SMALLEST_CLASS));
        }
        Ok(Self { classes, normalise })
    }

    /// The error of each class; infinite for classes without axes.
    fn residuals(self: &Arc<Self>, query: &Query<'_>) -> Result<Arc<Vec<f64>>, ScoreError> {
        query.memo(self, || {
            let features = query.view(self.normalise, self.dimensions())?;
            let residual = |axes: &Option<Pca>| {
                axes.as_ref()
                    .map_or(f64::INFINITY, |axes| axes.squared_residual(features))
            };
            Ok(self.classes.iter().map(residual).collect())
        })
    }

    /// The errors of many images, class by class: the axes of one class fit the processor's cache.
    fn prepare(self: &Arc<Self>, queries: &[Query<'_>]) {
        let view = (self.normalise, self.dimensions());
        prepare_together(queries, self, view, |vectors| {
            let mut errors = vec![vec![f64::INFINITY; self.classes.len()]; vectors.len()];
            for (class, axes) in self.classes.iter().enumerate() {
                let Some(axes) = axes else { continue };
                for (errors, error) in errors.iter_mut().zip(axes.squared_residuals(vectors)) {
                    errors[class] = error;
                }
            }
            errors
        });
    }

    fn dimensions(&self) -> usize {
        let known = self.classes.iter().flatten().next();
        known.map_or(0, Pca::dimensions)
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        to.section(Self::SECTION)
            .number("classes", self.classes.len() as f64);
        for (class, axes) in self.classes.iter().enumerate() {
            if let Some(axes) = axes {
                axes.save(&mut to.section(format!("{}.{class:04}", Self::SECTION)));
            }
        }
    }

    fn load(from: &StateReader, normalise: bool) -> Result<Arc<Self>, StateError> {
        from.shared(Self::SECTION, |section| {
            let count = section.count("classes")?;
            let read =
                |class| match Pca::load(&from.section(format!("{}.{class:04}", Self::SECTION))) {
                    Err(StateError::Missing(_)) => Ok(None),
                    other => other.map(Some),
                };
            let classes = (0..count).map(read).collect::<Result<_, StateError>>()?;
            Ok(Self { classes, normalise })
        })
    }
}

/// Feature reconstruction error about the principal axes of single classes.
///
/// As [`DetectorSpec::Fre`](super::DetectorSpec::Fre), with axes for each class. A predicted
/// class that had too few images to be fitted counts as the smallest error of the others.
#[derive(Debug)]
pub(crate) struct ClassFre {
    axes: Arc<ClassAxes>,
    statistic: ClassStatistic,
}

impl ClassFre {
    pub(crate) fn fit(
        context: &FitContext<'_>,
        statistic: ClassStatistic,
        keep: Keep,
        normalise: bool,
    ) -> Result<Self, Reason> {
        if statistic != ClassStatistic::Minimum {
            context.needs_class_scores()?;
        }
        let axes = context.shared(ClassAxes::SECTION, || {
            ClassAxes::fit(context, keep, normalise).map(Arc::new)
        });
        Ok(Self {
            axes: Result::clone(&axes)?,
            statistic,
        })
    }

    pub(crate) fn load(
        from: &StateReader,
        statistic: ClassStatistic,
        normalise: bool,
    ) -> Result<Self, StateError> {
        Ok(Self {
            axes: ClassAxes::load(from, normalise)?,
            statistic,
        })
    }

    fn predicted(query: &Query<'_>, residuals: &[f64]) -> Result<Option<f64>, ScoreError> {
        let class = argmax(query.class_scores(residuals.len())?);
        Ok(residuals
            .get(class)
            .copied()
            .filter(|residual| residual.is_finite()))
    }
}

impl OodDetector for ClassFre {
    fn score(&self, query: &Query<'_>) -> Result<OodScore, ScoreError> {
        let residuals = self.axes.residuals(query)?;
        let minimum = residuals.iter().copied().fold(f64::INFINITY, f64::min);
        let value = match self.statistic {
            ClassStatistic::Minimum => minimum,
            ClassStatistic::Predicted => Self::predicted(query, &residuals)?.unwrap_or(minimum),
            ClassStatistic::Difference => {
                Self::predicted(query, &residuals)?.unwrap_or(minimum) - minimum
            }
        };
        finite(self.statistic.name(), value)
    }

    fn prepare(&self, queries: &[Query<'_>]) {
        self.axes.prepare(queries);
    }

    fn save<'a>(&'a self, to: &mut StateWriter<'a>) {
        self.axes.save(to);
    }
}
