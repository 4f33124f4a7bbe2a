use crate::error::{Part, SetError};
use crate::{ActivationSet, Matrix};

/// Weight and bias of a classifier's last layer: `logits = weight x features + bias`.
#[derive(Debug, Clone)]
pub struct Head {
    weight: Matrix,
    bias: Vec<f32>,
}

impl Head {
    /// Takes the weight, shape `[C, D]`, and the bias, shape `[C]`, in the order of the labels.
    pub fn new(weight: Matrix, bias: Vec<f32>) -> Result<Self, SetError> {
        if bias.len() != weight.rows() {
            return Err(SetError::RowCount {
                part: Part::Head,
                expected: weight.rows(),
                actual: bias.len(),
            });
        }
        let finite = |row: &[f32], bias: f32| bias.is_finite() && row.iter().all(|w| w.is_finite());
        match weight
            .iter_rows()
            .zip(&bias)
            .position(|(row, &bias)| !finite(row, bias))
        {
            Some(row) => Err(SetError::NotFinite {
                part: Part::Head,
                row,
            }),
            None => Ok(Self { weight, bias }),
        }
    }

    /// The weight, shape `[C, D]`.
    pub fn weight(&self) -> &Matrix {
        &self.weight
    }

    /// The bias, shape `[C]`.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.weight.rows()
    }

    /// The logits of a feature vector, summed in double precision.
    pub fn logits(&self, features: &[f32]) -> Vec<f64> {
        self.logits_of(features.iter().map(|&value| f64::from(value)))
    }

    /// The logits of a feature vector in double precision.
    #[expect(clippy::needless_pass_by_value, reason = "iterators are handed over")]
    pub(crate) fn logits_of(&self, features: impl Iterator<Item = f64> + Clone) -> Vec<f64> {
        let product = |row: &[f32]| -> f64 {
            row.iter()
                .zip(features.clone())
                .map(|(&weight, value)| f64::from(weight) * value)
                .sum()
        };
        let rows = self.weight.iter_rows().zip(&self.bias);
        rows.map(|(row, &bias)| product(row) + f64::from(bias))
            .collect()
    }

    /// The largest difference between `weight x features + bias` and the logits of a set, as a
    /// part of the largest logit; `None` when the shapes do not fit or there are no logits.
    ///
    /// Tells whether the head really is the last layer of the model that gave the activations.
    pub fn mismatch(&self, set: &ActivationSet) -> Option<f64> {
        let logits = set.logits()?;
        if logits.columns() != self.classes() || set.features().columns() != self.weight.columns() {
            return None;
        }
        let (mut worst, mut scale) = (0.0_f64, 1e-6_f64);
        for (features, expected) in set.features().iter_rows().zip(logits.iter_rows()).take(64) {
            for (ours, &theirs) in self.logits(features).iter().zip(expected) {
                worst = worst.max((ours - f64::from(theirs)).abs());
                scale = scale.max(f64::from(theirs).abs());
            }
        }
        Some(worst / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_checked_against_the_models_own_logits() {
        let head = Head::new(Matrix::new(2, 1, vec![2.0, -1.0]).unwrap(), vec![0.5, 0.0]).unwrap();
        assert_eq!(head.logits(&[3.0]), [6.5, -3.0]);
        let set = |logits: Vec<f32>| {
            let features = Matrix::new(1, 1, vec![3.0]).unwrap();
            let logits = Matrix::new(1, 2, logits).unwrap();
            ActivationSet::new(features)
                .unwrap()
                .with_logits(logits)
                .unwrap()
        };
        assert!(head.mismatch(&set(vec![6.5, -3.0])).unwrap() < 1e-6);
        assert!(head.mismatch(&set(vec![6.5, 3.0])).unwrap() > 0.5);
    }

    #[test]
    fn a_bias_of_another_length_is_refused() {
        let weight = Matrix::new(2, 1, vec![2.0, -1.0]).unwrap();
        assert!(matches!(
            Head::new(weight, vec![0.0]),
            Err(SetError::RowCount { .. })
        ));
    }
}
