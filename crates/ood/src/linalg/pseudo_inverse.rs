use faer::Mat;

use super::{eigen, gram};
use crate::Head;
use crate::error::FitError;

/// Squared singular values of the head below this part of the largest count as none, so that
/// heads of rank C - 1 (a softmax leaves one direction free) have a sound origin.
const TOLERANCE: f64 = 1e-11;

/// The point of feature space that the head maps to logits of zero: `-pinv(W) b`, shape `[D]`.
///
/// `ViM`'s origin. Where the head has not full rank, it is the shortest point that comes nearest.
pub(crate) fn virtual_origin(head: &Head) -> Result<Vec<f64>, FitError> {
    let weight = head.weight();
    let rows = Mat::from_fn(weight.rows(), weight.columns(), |i, j| {
        f64::from(weight.row(i)[j])
    });
    let found = eigen(&gram(&rows), "the head's weights")?;
    let mut along = vec![0.0; weight.rows()];
    for (value, vector) in found
        .values
        .iter()
        .zip(&found.vectors)
        .take(found.rank(TOLERANCE))
    {
        let product: f64 = vector
            .iter()
            .zip(head.bias())
            .map(|(v, &b)| v * f64::from(b))
            .sum();
        along
            .iter_mut()
            .zip(vector)
            .for_each(|(sum, v)| *sum += product / value * v);
    }
    let column = |j: usize| -> f64 { (0..weight.rows()).map(|i| rows[(i, j)] * along[i]).sum() };
    Ok((0..weight.columns()).map(|j| -column(j)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Matrix;

    #[test]
    fn the_head_maps_the_origin_to_zero() {
        let weight = Matrix::new(2, 3, vec![1.0, 0.0, 2.0, 0.0, 3.0, 1.0]).unwrap();
        let head = Head::new(weight, vec![0.5, -2.0]).unwrap();
        let origin = virtual_origin(&head).unwrap();
        let logits = head.logits_of(origin.iter().copied());
        assert!(logits.iter().all(|logit| logit.abs() < 1e-9), "{logits:?}");
    }
}
