/// The `k` smallest of the distances seen so far, each with its row.
///
/// Equal distances keep the lower row, so the result does not depend on the order of search.
#[derive(Debug, Clone)]
pub(crate) struct Smallest {
    k: usize,
    /// Ascending by distance, then by row.
    entries: Vec<(f32, u32)>,
}

impl Smallest {
    pub(crate) fn new(k: usize) -> Self {
        Self {
            k,
            entries: Vec::with_capacity(k + 1),
        }
    }

    /// Distances above this cannot enter any more.
    pub(crate) fn limit(&self) -> f32 {
        if self.entries.len() < self.k {
            return f32::INFINITY;
        }
        self.entries
            .last()
            .map_or(f32::NEG_INFINITY, |&(distance, _)| distance)
    }

    pub(crate) fn offer(&mut self, distance: f32, row: u32) {
        if distance > self.limit() {
            return;
        }
        let before = |&(d, r): &(f32, u32)| d < distance || (d <= distance && r < row);
        let place = self.entries.partition_point(before);
        self.entries.insert(place, (distance, row));
        self.entries.truncate(self.k);
    }

    /// The smallest of both.
    pub(crate) fn merged(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self.entries
            .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.entries.dedup_by_key(|entry| entry.1);
        self.entries.truncate(self.k);
        self
    }

    /// Distances and rows, the nearest first.
    pub(crate) fn into_sorted(self) -> (Vec<f32>, Vec<u32>) {
        self.entries.into_iter().unzip()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_smallest_are_kept(values in prop::collection::vec(0_u8..20, 0..50), k in 0_usize..12) {
            let mut smallest = Smallest::new(k);
            for (row, &value) in values.iter().enumerate().rev() {
                smallest.offer(f32::from(value), row as u32);
            }
            let mut all: Vec<(u8, u32)> = values.iter().copied().zip(0..).collect();
            all.sort_unstable();
            all.truncate(k);
            let mut other = Smallest::new(k);
            for (row, &value) in values.iter().enumerate().skip(values.len() / 2) {
                other.offer(f32::from(value), row as u32);
            }
            let smallest = smallest.merged(other);
            let (distances, rows) = smallest.into_sorted();
            let found: Vec<(u8, u32)> = distances.iter().map(|&d| d as u8).zip(rows).collect();
            prop_assert_eq!(found, all);
        }
    }
}
