use std::any::Any;
use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use straylight_core::Activations;

use crate::error::{Part, ScoreError};
use crate::matrix::unit;
use crate::numeric::softmax;
use crate::{ActivationSet, Matrix};

/// The activations of one image on their way through several detectors.
///
/// Checked once to be finite. What several detectors need (the unit feature vector, the softmax,
/// the nearest neighbours) is computed when first asked for and kept for the next.
#[derive(Debug, Default)]
pub struct Query<'a> {
    features: Option<&'a [f32]>,
    logits: Option<&'a [f32]>,
    probabilities: Option<&'a [f32]>,
    softmax: OnceCell<Vec<f32>>,
    unit: OnceCell<Vec<f32>>,
    excluded: Option<usize>,
    memo: RefCell<Vec<Memo>>,
}

/// A result that was computed with the help of a shared part of the fitted model.
#[derive(Debug)]
struct Memo {
    /// Kept alive, so that its address stays its own.
    owner: Arc<dyn Any + Send + Sync>,
    value: Arc<dyn Any + Send + Sync>,
}

impl Memo {
    fn of<O>(&self, owner: &Arc<O>) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.owner), Arc::as_ptr(owner))
    }
}

impl<'a> Query<'a> {
    /// Takes an image's activations; fails when one of them is NaN or infinite.
    pub fn new(activations: &'a Activations) -> Result<Self, ScoreError> {
        Ok(Self {
            features: finite(Part::Features, activations.features.as_deref())?,
            logits: finite(Part::Logits, activations.logits.as_deref())?,
            probabilities: finite(Part::Probabilities, activations.probabilities.as_deref())?,
            ..Self::default()
        })
    }

    /// One image of a set, whose numbers were checked when the set was made.
    pub fn of(set: &'a ActivationSet, row: usize) -> Self {
        Self {
            features: Some(set.features().row(row)),
            logits: set.logits().map(|part: &Matrix| part.row(row)),
            probabilities: set.probabilities().map(|part| part.row(row)),
            ..Self::default()
        }
    }

    /// An image that is itself row `row` of the detectors' bank: it is no neighbour of its own.
    #[must_use]
    pub(crate) fn excluding(mut self, row: usize) -> Self {
        self.excluded = Some(row);
        self
    }

    /// The row of the bank that must not be found.
    pub(crate) fn excluded(&self) -> Option<usize> {
        self.excluded
    }

    /// The feature vector, which must have `dimensions` numbers.
    pub fn features(&self, dimensions: usize) -> Result<&'a [f32], ScoreError> {
        sized(Part::Features, self.features, dimensions)
    }

    /// The feature vector scaled to length 1 (zeros stay zeros).
    pub fn unit_features(&self, dimensions: usize) -> Result<&[f32], ScoreError> {
        let features = self.features(dimensions)?;
        Ok(self.unit.get_or_init(|| unit(features).collect()))
    }

    /// The unit feature vector, or the plain one.
    pub(crate) fn view(&self, normalise: bool, dimensions: usize) -> Result<&[f32], ScoreError> {
        if normalise {
            self.unit_features(dimensions)
        } else {
            self.features(dimensions)
        }
    }

    /// The raw class scores, of which there must be `classes`.
    pub fn logits(&self, classes: usize) -> Result<&'a [f32], ScoreError> {
        sized(Part::Logits, self.logits, classes)
    }

    /// The class probabilities: as given, or else the softmax of the logits.
    pub fn probabilities(&self, classes: usize) -> Result<&[f32], ScoreError> {
        if self.has_probabilities() {
            return sized(Part::Probabilities, self.probabilities, classes);
        }
        let logits = self.logits(classes)?;
        Ok(self.softmax.get_or_init(|| softmax(logits)))
    }

    /// Whether probabilities were given (as against computed from the logits).
    pub(crate) fn has_probabilities(&self) -> bool {
        self.probabilities.is_some() || self.logits.is_none()
    }

    /// Logits, or else probabilities: whatever orders the classes.
    pub(crate) fn class_scores(&self, classes: usize) -> Result<&[f32], ScoreError> {
        if self.logits.is_some() {
            self.logits(classes)
        } else {
            self.probabilities(classes)
        }
    }

    /// What `compute` gives for this image with `owner`, computed once.
    pub(crate) fn memo<O, V>(
        &self,
        owner: &Arc<O>,
        compute: impl FnOnce() -> Result<V, ScoreError>,
    ) -> Result<Arc<V>, ScoreError>
    where
        O: Any + Send + Sync,
        V: Any + Send + Sync,
    {
        let known = |memo: &Memo| {
            let value = memo.of(owner).then(|| Arc::clone(&memo.value));
            value.and_then(|value| value.downcast::<V>().ok())
        };
        if let Some(value) = self.memo.borrow().iter().find_map(known) {
            return Ok(value);
        }
        let value = Arc::new(compute()?);
        self.memo.borrow_mut().push(Memo {
            owner: Arc::<O>::clone(owner),
            value: Arc::clone(&value) as _,
        });
        Ok(value)
    }

    /// Whether there is a result with `owner` already.
    pub(crate) fn knows<O>(&self, owner: &Arc<O>) -> bool {
        self.memo.borrow().iter().any(|memo| memo.of(owner))
    }
}

/// Computes for all images at once what `owner` knows of them, unless it is known already.
///
/// `compute` gets the images' feature vectors and gives one value for each. Images without
/// suitable features are left alone: scoring them says what is wrong.
pub(crate) fn prepare_together<O, V>(
    queries: &[Query<'_>],
    owner: &Arc<O>,
    (normalise, dimensions): (bool, usize),
    compute: impl FnOnce(&[&[f32]]) -> Vec<V>,
) where
    O: Any + Send + Sync,
    V: Any + Send + Sync,
{
    if queries.iter().all(|query| query.knows(owner)) {
        return;
    }
    let vectors = queries
        .iter()
        .map(|query| query.view(normalise, dimensions));
    let Ok(vectors) = vectors.collect::<Result<Vec<_>, _>>() else {
        return;
    };
    for (query, value) in queries.iter().zip(compute(&vectors)) {
        // It is computed, so nothing can fail.
        let _ = query.memo(owner, || Ok(value));
    }
}

fn finite(part: Part, values: Option<&[f32]>) -> Result<Option<&[f32]>, ScoreError> {
    let bad = values.and_then(|values| values.iter().position(|value| !value.is_finite()));
    match bad {
        Some(index) => Err(ScoreError::NotFinite { part, index }),
        None => Ok(values),
    }
}

fn sized(part: Part, values: Option<&[f32]>, expected: usize) -> Result<&[f32], ScoreError> {
    let values = values.ok_or(ScoreError::Missing(part))?;
    if values.len() == expected {
        Ok(values)
    } else {
        Err(ScoreError::WrongLength {
            part,
            expected,
            actual: values.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activations(features: &[f32], logits: &[f32]) -> Activations {
        Activations {
            features: Some(features.into()),
            logits: Some(logits.into()),
            probabilities: None,
        }
    }

    #[test]
    fn a_nan_names_part_and_place() {
        let image = activations(&[1.0, f32::NAN], &[0.0]);
        let error = Query::new(&image).unwrap_err();
        assert_eq!(
            error,
            ScoreError::NotFinite {
                part: Part::Features,
                index: 1
            }
        );
    }

    #[test]
    fn lengths_are_checked_and_missing_parts_named() {
        let image = activations(&[3.0, 4.0], &[0.0, 0.0]);
        let query = Query::new(&image).unwrap();
        assert_eq!(query.unit_features(2).unwrap(), [0.6, 0.8]);
        assert_eq!(query.probabilities(2).unwrap(), [0.5, 0.5]);
        assert!(matches!(
            query.features(3),
            Err(ScoreError::WrongLength { .. })
        ));
        let nothing = Activations::default();
        let query = Query::new(&nothing).unwrap();
        assert_eq!(query.logits(2), Err(ScoreError::Missing(Part::Logits)));
        assert_eq!(
            query.probabilities(2),
            Err(ScoreError::Missing(Part::Probabilities))
        );
    }

    #[test]
    fn shared_results_are_computed_once_for_each_owner() {
        let query = Query::default();
        let (first, second) = (Arc::new(1_u8), Arc::new(1_u8));
        assert_eq!(*query.memo(&first, || Ok(10_u32)).unwrap(), 10);
        assert_eq!(*query.memo(&first, || Ok(11_u32)).unwrap(), 10);
        assert!(query.knows(&first) && !query.knows(&second));
        assert_eq!(*query.memo(&second, || Ok(12_u32)).unwrap(), 12);
    }
}
