//! Softmax, sigmoid and their kin, with ModelAPI's edge cases.

/// Whether values already are probabilities that add up to 1.
///
/// All lie in `0..=1` and their sum is 1 within 2e-5 (ModelAPI: absolute tolerance 1e-5 plus
/// relative tolerance 1e-5).
pub(crate) fn is_softmaxed(values: &[f32]) -> bool {
    let sum: f32 = values.iter().sum();
    values.iter().all(|value| (0.0..=1.0).contains(value)) && (sum - 1.0).abs() <= 2e-5
}

/// `exp(x - max) / sum exp(x - max)`, in f32.
pub(crate) fn softmax(logits: &[f32]) -> Vec<f32> {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - max).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

/// `1 / (1 + exp(-x))`.
pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The indices of the `k` largest values, the largest first; of equal values the first wins.
pub(crate) fn top_k(values: &[f32], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order.truncate(k);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_recognised() {
        assert!(is_softmaxed(&[0.2, 0.8]));
        assert!(!is_softmaxed(&[0.2, 0.7]));
        assert!(!is_softmaxed(&[-0.5, 1.5]));
        assert!(is_softmaxed(&softmax(&[1.0, 2.0, 300.0])));
    }

    #[test]
    fn large_logits_do_not_overflow() {
        assert_eq!(softmax(&[1e30, 0.0]), [1.0, 0.0]);
        assert!((sigmoid(-200.0)).abs() < 1e-30);
        assert!((sigmoid(0.0) - 0.5).abs() < f32::EPSILON);
    }

    #[test]
    fn the_largest_come_first() {
        assert_eq!(top_k(&[0.1, 0.7, 0.2], 2), [1, 2]);
        assert_eq!(top_k(&[0.5, 0.5], 1), [0]);
        assert_eq!(top_k(&[0.5], 3), [0]);
    }
}
