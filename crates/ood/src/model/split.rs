use crate::random::Random;

/// Keeps the choice of a sample apart from that of the parts.
const SAMPLE: u64 = 0x5a4d_504c;

/// Rows of a set, parted for fitting, calibrating and judging; each row is in exactly one part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Split {
    pub(crate) fit: Vec<usize>,
    pub(crate) calibration: Vec<usize>,
    pub(crate) test: Vec<usize>,
}

impl Split {
    /// Parts `n` rows at random, each class by itself, so that every part has all classes.
    ///
    /// First `test` of all rows are taken away, then `calibration` of the rest. A class keeps at
    /// least one row to be fitted on.
    pub(crate) fn new(
        n: usize,
        labels: Option<&[u32]>,
        calibration: f64,
        test: f64,
        seed: u64,
    ) -> Self {
        let mut split = Self::default();
        for (class, mut rows) in by_class(n, labels).into_iter().enumerate() {
            Random::part(seed, class as u64).shuffle(&mut rows);
            let tested = share(rows.len(), test);
            let calibrated = share(rows.len() - tested, calibration);
            split.test.extend(rows.drain(..tested));
            split.calibration.extend(rows.drain(..calibrated));
            split.fit.extend(rows);
        }
        for part in [&mut split.fit, &mut split.calibration, &mut split.test] {
            part.sort_unstable();
        }
        split
    }
}

/// About `most` of `n` rows at random, each class by itself and with at least one row, ascending.
pub(crate) fn sample(n: usize, labels: Option<&[u32]>, most: usize, seed: u64) -> Vec<usize> {
    let part = (most as f64 / n.max(1) as f64).min(1.0);
    let mut picked = Vec::new();
    for (class, mut rows) in by_class(n, labels).into_iter().enumerate() {
        Random::part(seed ^ SAMPLE, class as u64).shuffle(&mut rows);
        let count = (rows.len() as f64 * part).round() as usize;
        rows.truncate(count.max(1));
        picked.extend(rows);
    }
    picked.sort_unstable();
    picked
}

/// The rows of each class, or all rows as one class.
fn by_class(n: usize, labels: Option<&[u32]>) -> Vec<Vec<usize>> {
    let Some(labels) = labels else {
        return vec![(0..n).collect()];
    };
    let classes = labels.iter().max().map_or(0, |&top| top as usize + 1);
    let mut rows = vec![Vec::new(); classes];
    for (row, &label) in labels.iter().enumerate() {
        rows[label as usize].push(row);
    }
    rows
}

/// A part of `n`, rounded, but never all.
fn share(n: usize, part: f64) -> usize {
    ((n as f64 * part).round() as usize).min(n.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_row_is_in_exactly_one_part(
            labels in prop::collection::vec(0_u32..5, 0..60),
            calibration in 0.0..0.9,
            test in 0.0..0.9,
        ) {
            let split = Split::new(labels.len(), Some(&labels), calibration, test, 1);
            let mut all = [split.fit.clone(), split.calibration, split.test].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            for label in &labels {
                prop_assert!(split.fit.iter().any(|&row| labels[row] == *label));
            }
        }
    }

    #[test]
    fn a_sample_keeps_the_classes_shares_and_loses_none() {
        let labels: Vec<u32> = (0..1000)
            .map(|i| u32::from(i >= 600) + u32::from(i == 999))
            .collect();
        let rows = sample(1000, Some(&labels), 100, 3);
        let of = |class| rows.iter().filter(|&&row| labels[row] == class).count();
        assert_eq!((of(0), of(1), of(2)), (60, 40, 1));
        assert!(rows.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(sample(5, None, 10, 3), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_shares_are_as_asked_for() {
        let split = Split::new(100, None, 0.3, 0.3, 7);
        assert_eq!(
            (split.test.len(), split.calibration.len(), split.fit.len()),
            (30, 21, 49)
        );
    }
}
