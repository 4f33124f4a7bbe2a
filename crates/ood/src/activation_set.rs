use straylight_core::Activations;

use crate::error::{Part, SetError};
use crate::{Matrix, ShapeError};

/// No label reaches this: a larger one is not a class index, and tables as long as it would
/// exhaust the memory.
const MOST_CLASSES: usize = 1 << 20;

/// Activations of many images: what an OOD model is fitted on, calibrated on or judged on.
///
/// Row `i` of every part belongs to image `i`; all numbers are finite.
#[derive(Debug, Clone)]
pub struct ActivationSet {
    features: Matrix,
    logits: Option<Matrix>,
    probabilities: Option<Matrix>,
    labels: Option<Vec<u32>>,
}

impl ActivationSet {
    /// Begins with the feature vectors, shape `[n, D]`, not normalised.
    pub fn new(features: Matrix) -> Result<Self, SetError> {
        check_finite(&features, Part::Features)?;
        Ok(Self {
            features,
            logits: None,
            probabilities: None,
            labels: None,
        })
    }

    /// Adds the raw class scores, shape `[n, C]`.
    pub fn with_logits(mut self, logits: Matrix) -> Result<Self, SetError> {
        self.check_rows(Part::Logits, logits.rows())?;
        check_finite(&logits, Part::Logits)?;
        self.logits = Some(logits);
        self.check_widths()
    }

    /// Adds the class probabilities, shape `[n, C]`; without them they are the softmax of the logits.
    pub fn with_probabilities(mut self, probabilities: Matrix) -> Result<Self, SetError> {
        self.check_rows(Part::Probabilities, probabilities.rows())?;
        check_finite(&probabilities, Part::Probabilities)?;
        self.probabilities = Some(probabilities);
        self.check_widths()
    }

    /// Adds the true class of each image: an index into the logits, from 0.
    pub fn with_labels(mut self, labels: Vec<u32>) -> Result<Self, SetError> {
        self.check_rows(Part::Labels, labels.len())?;
        self.labels = Some(labels);
        self.check_widths()
    }

    /// Collects the activations of single images; a part is kept when every image has it.
    ///
    /// Fails when an image has no features, or features of another length than the first.
    pub fn collect(images: &[Activations], labels: Option<Vec<u32>>) -> Result<Self, SetError> {
        let features = gather(images, Part::Features, |image| image.features.as_deref())?.ok_or(
            ShapeError {
                rows: images.len(),
                columns: 0,
                actual: 0,
            },
        )?;
        let mut set = Self::new(features)?;
        if let Some(logits) = gather(images, Part::Logits, |image| image.logits.as_deref())? {
            set = set.with_logits(logits)?;
        }
        let probabilities = |image: &'_ Activations| image.probabilities.clone();
        if let Some(found) = gather(images, Part::Probabilities, probabilities)? {
            set = set.with_probabilities(found)?;
        }
        match labels {
            Some(labels) => set.with_labels(labels),
            None => Ok(set),
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.features.rows()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The feature vectors, shape `[n, D]`.
    pub fn features(&self) -> &Matrix {
        &self.features
    }

    /// The feature vectors alone.
    pub(crate) fn into_features(self) -> Matrix {
        self.features
    }

    /// The raw class scores, shape `[n, C]`.
    pub fn logits(&self) -> Option<&Matrix> {
        self.logits.as_ref()
    }

    /// The class probabilities that were given, shape `[n, C]`.
    pub fn probabilities(&self) -> Option<&Matrix> {
        self.probabilities.as_ref()
    }

    /// The true class of each image.
    pub fn labels(&self) -> Option<&[u32]> {
        self.labels.as_deref()
    }

    /// Number of classes: the width of logits or probabilities, else one more than the largest label.
    pub fn classes(&self) -> usize {
        let width = self.class_scores().map(Matrix::columns);
        let labelled = || {
            self.labels
                .iter()
                .flatten()
                .max()
                .map_or(0, |&top| top as usize + 1)
        };
        width.unwrap_or_else(labelled)
    }

    /// The images named, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            features: self.features.select(rows),
            logits: self.logits.as_ref().map(|part| part.select(rows)),
            probabilities: self.probabilities.as_ref().map(|part| part.select(rows)),
            labels: self.labels.as_ref().map(|labels| {
                rows.iter()
                    .filter_map(|&row| labels.get(row).copied())
                    .collect()
            }),
        }
    }

    /// The activations of one image, copied.
    pub fn image(&self, row: usize) -> Activations {
        let part = |matrix: &Matrix| matrix.row(row).into();
        Activations {
            features: Some(part(&self.features)),
            logits: self.logits.as_ref().map(part),
            probabilities: self.probabilities.as_ref().map(part),
        }
    }

    /// The logits, or else the probabilities: whatever orders the classes.
    pub(crate) fn class_scores(&self) -> Option<&Matrix> {
        self.logits.as_ref().or(self.probabilities.as_ref())
    }

    /// Whether `other` has the same widths as this set, where both have a part.
    pub(crate) fn check_same_model(&self, other: &Self) -> Result<(), SetError> {
        same_width(Part::Features, Some(&self.features), Some(&other.features))?;
        same_width(Part::Logits, self.logits(), other.logits())?;
        same_width(
            Part::Probabilities,
            self.probabilities(),
            other.probabilities(),
        )
    }

    fn check_rows(&self, part: Part, actual: usize) -> Result<(), SetError> {
        let expected = self.len();
        if actual == expected {
            Ok(())
        } else {
            Err(SetError::RowCount {
                part,
                expected,
                actual,
            })
        }
    }

    fn check_widths(self) -> Result<Self, SetError> {
        same_width(Part::Probabilities, self.logits(), self.probabilities())?;
        let classes = self.classes().min(MOST_CLASSES);
        let labels = self.labels.as_deref().unwrap_or(&[]);
        match labels.iter().position(|&label| label as usize >= classes) {
            Some(row) => Err(SetError::UnknownLabel {
                row,
                label: labels[row],
                classes,
            }),
            None => Ok(self),
        }
    }
}

fn same_width(part: Part, a: Option<&Matrix>, b: Option<&Matrix>) -> Result<(), SetError> {
    match (a.map(Matrix::columns), b.map(Matrix::columns)) {
        (Some(expected), Some(actual)) if expected != actual => Err(SetError::Width {
            part,
            expected,
            actual,
        }),
        _ => Ok(()),
    }
}

fn check_finite(matrix: &Matrix, part: Part) -> Result<(), SetError> {
    let bad = |row: &[f32]| row.iter().any(|value| !value.is_finite());
    match matrix.iter_rows().position(bad) {
        Some(row) => Err(SetError::NotFinite { part, row }),
        None => Ok(()),
    }
}

/// Stacks one part of many images; `None` when there is no image or one lacks the part.
fn gather<'a, V: std::ops::Deref<Target = [f32]>>(
    images: &'a [Activations],
    part: Part,
    of: impl Fn(&'a Activations) -> Option<V>,
) -> Result<Option<Matrix>, SetError> {
    let Some(rows) = images.iter().map(of).collect::<Option<Vec<V>>>() else {
        return Ok(None);
    };
    let Some(expected) = rows.first().map(|row| row.len()) else {
        return Ok(None);
    };
    if let Some(other) = rows.iter().find(|row| row.len() != expected) {
        return Err(SetError::Width {
            part,
            expected,
            actual: other.len(),
        });
    }
    let data = rows.iter().flat_map(|row| row.iter().copied()).collect();
    Ok(Some(Matrix::new(rows.len(), expected, data)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(rows: usize, columns: usize) -> Matrix {
        Matrix::from_fn(rows, columns, |row, column| (row * columns + column) as f32)
    }

    #[test]
    fn parts_must_fit_each_other() {
        let set = || ActivationSet::new(matrix(3, 4)).unwrap();
        assert!(set().with_logits(matrix(3, 2)).is_ok());
        assert!(matches!(
            set().with_logits(matrix(2, 2)),
            Err(SetError::RowCount { .. })
        ));
        assert!(matches!(
            set().with_labels(vec![0]),
            Err(SetError::RowCount { .. })
        ));
        let classified = || set().with_logits(matrix(3, 2)).unwrap();
        let wrong = classified().with_labels(vec![0, 1, 2]);
        assert!(matches!(
            wrong,
            Err(SetError::UnknownLabel {
                row: 2,
                label: 2,
                classes: 2
            })
        ));
        assert!(matches!(
            classified().with_probabilities(matrix(3, 5)),
            Err(SetError::Width { .. })
        ));
    }

    #[test]
    fn numbers_that_are_not_finite_name_the_image() {
        let bad = Matrix::from_fn(3, 2, |row, _| if row == 1 { f32::NAN } else { 0.0 });
        let error = ActivationSet::new(bad).unwrap_err();
        assert_eq!(
            error,
            SetError::NotFinite {
                part: Part::Features,
                row: 1
            }
        );
    }

    #[test]
    fn single_images_are_collected_and_given_back() {
        let set = ActivationSet::new(matrix(3, 4))
            .unwrap()
            .with_logits(matrix(3, 2))
            .unwrap();
        let images: Vec<Activations> = (0..3).map(|row| set.image(row)).collect();
        let again = ActivationSet::collect(&images, Some(vec![0, 1, 0])).unwrap();
        assert_eq!(again.features().data(), set.features().data());
        assert_eq!(again.select(&[2]).labels(), Some([0].as_slice()));
        assert!(ActivationSet::collect(&[], None).is_err());
    }
}
