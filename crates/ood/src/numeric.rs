//! Small numeric helpers over class scores and samples.

use crate::Query;
use crate::error::ScoreError;

/// Softmax of raw class scores, in double precision inside.
pub(crate) fn softmax(logits: &[f32]) -> Vec<f32> {
    let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits
        .iter()
        .map(|&x| (f64::from(x) - f64::from(top)).exp())
        .collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| (power / sum) as f32).collect()
}

/// Each class's probability `p` and `1 - p` in double precision, both without cancellation.
///
/// From the logits, or from the given probabilities where there are any.
pub(crate) fn probabilities64(
    query: &Query<'_>,
    classes: usize,
) -> Result<Vec<(f64, f64)>, ScoreError> {
    if query.has_probabilities() {
        let given = query.probabilities(classes)?.iter();
        return Ok(given.map(|&p| (f64::from(p), 1.0 - f64::from(p))).collect());
    }
    let logits = query.logits(classes)?;
    let top = largest(logits);
    let powers: Vec<f64> = logits.iter().map(|&x| (f64::from(x) - top).exp()).collect();
    let sum: f64 = powers.iter().sum();
    let best = argmax(logits);
    let others: f64 = powers
        .iter()
        .enumerate()
        .filter(|&(i, _)| i != best)
        .map(|(_, p)| p)
        .sum();
    let pair = |(class, power): (usize, &f64)| {
        let rest = if class == best { others } else { sum - power };
        (power / sum, rest / sum)
    };
    Ok(powers.iter().enumerate().map(pair).collect())
}

/// `ln(sum(exp(x)))` without overflow; negative infinity of nothing.
pub(crate) fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if top == f64::NEG_INFINITY {
        return top;
    }
    top + values.map(|value| (value - top).exp()).sum::<f64>().ln()
}

/// Index of the largest value, the first of equals; 0 of nothing.
pub(crate) fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}

/// The largest value; negative infinity of nothing.
pub(crate) fn largest(values: &[f32]) -> f64 {
    f64::from(values.iter().copied().fold(f32::NEG_INFINITY, f32::max))
}

/// Linearly interpolated quantile `q` in `0..=1` of sorted values, as NumPy takes it by default.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let place = q.clamp(0.0, 1.0) * last as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(last);
    sorted[low] + (sorted[high] - sorted[low]) * part
}

/// The values in ascending order.
pub(crate) fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_survives_large_logits() {
        assert_eq!(softmax(&[1000.0, 1000.0]), [0.5, 0.5]);
        assert_eq!(softmax(&[-1e30, 1e30]), [0.0, 1.0]);
    }

    #[test]
    fn log_sum_exp_survives_large_values() {
        let value = log_sum_exp([1000.0, 1000.0].into_iter());
        assert!((value - (1000.0 + 2.0_f64.ln())).abs() < 1e-9);
    }

    #[test]
    fn quantiles_interpolate() {
        assert!((quantile(&[0.0, 1.0, 2.0], 0.75) - 1.5).abs() < 1e-12);
        assert!((quantile(&[5.0], 0.3) - 5.0).abs() < 1e-12);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
