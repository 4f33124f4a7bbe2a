//! Softmax, sigmoid and argmax as NumPy computes them in 32 bits.

/// exp(x - max) / (sum + 1e-9), the softmax of `ModelAPI`.
pub(crate) fn softmax(logits: &[f32]) -> Vec<f32> {
    const EPSILON: f32 = 1e-9;
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits
        .iter()
        .map(|&logit| (logit - highest).exp())
        .collect();
    let sum = powers.iter().sum::<f32>() + EPSILON;
    powers.into_iter().map(|power| power / sum).collect()
}

/// 1 / (1 + exp(-x)).
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Whether the scores already are probabilities: all in 0 to 1, sum 1 within 2e-5.
pub(crate) fn is_softmaxed(scores: &[f32]) -> bool {
    const TOLERANCE: f32 = 2e-5;
    scores.iter().all(|score| (0.0..=1.0).contains(score))
        && (scores.iter().sum::<f32>() - 1.0).abs() <= TOLERANCE
}

/// Softmax, unless the scores already are probabilities.
pub(crate) fn probabilities(scores: &[f32]) -> Vec<f32> {
    if is_softmaxed(scores) {
        scores.to_vec()
    } else {
        softmax(scores)
    }
}

/// Index and value of the greatest element, the first of equals; `None` for no elements.
///
/// NaN is never the greatest, unless all elements are NaN.
pub(crate) fn argmax(values: impl IntoIterator<Item = f32>) -> Option<(usize, f32)> {
    let mut best: Option<(usize, f32)> = None;
    for (index, value) in values.into_iter().enumerate() {
        if best.is_none_or(|(_, highest)| value > highest || highest.is_nan() && !value.is_nan()) {
            best = Some((index, value));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_left_alone() {
        assert_eq!(probabilities(&[0.25, 0.75]), [0.25, 0.75]);
        let sum: f32 = probabilities(&[0.2, 0.7]).iter().sum();
        assert!((sum - 1.0).abs() < 1e-6);
    }

    #[test]
    fn softmax_survives_large_logits() {
        let result = softmax(&[1e30, 1e30, -1e30]);
        assert!((result[0] - 0.5).abs() < 1e-6 && result[2] == 0.0);
    }

    #[test]
    fn the_first_of_equals_is_the_greatest() {
        assert_eq!(argmax([1.0, 3.0, 3.0]), Some((1, 3.0)));
        assert_eq!(argmax([f32::NAN, 3.0, 2.0]), Some((1, 3.0)));
        assert_eq!(argmax([]), None);
    }
}
