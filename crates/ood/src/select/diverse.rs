use crate::Matrix;
use crate::kernels::squared_distance;

/// Picks up to `count` rows that are far from each other, the strangest first (k-centre greedy).
///
/// The first is the one with the highest score; each next is the one farthest from all picked so
/// far, in unit features, weighted by nothing; it stops when none is at least `least_distance`
/// (in `0..=2`) away. Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985.
pub fn diverse(features: &Matrix, scores: &[f64], count: usize, least_distance: f64) -> Vec<usize> {
    let unit = features.unit_rows();
    let n = unit.rows().min(scores.len());
    let Some(first) = (0..n).max_by(|&a, &b| scores[a].total_cmp(&scores[b]).then(b.cmp(&a)))
    else {
        return Vec::new();
    };
    let mut picked = Vec::new();
    let mut nearest = vec![f64::INFINITY; n];
    let mut next = first;
    while picked.len() < count {
        picked.push(next);
        for (row, distance) in nearest.iter_mut().enumerate() {
            let to_next = f64::from(squared_distance(unit.row(row), unit.row(next))).sqrt();
            *distance = distance.min(to_next);
        }
        let farthest = (0..n).max_by(|&a, &b| nearest[a].total_cmp(&nearest[b]).then(b.cmp(&a)));
        match farthest {
            Some(row) if nearest[row] >= least_distance && nearest[row] > 0.0 => next = row,
            _ => break,
        }
    }
    picked
}

/// How typical each row is among the others: minus the mean distance of unit features to its `k`
/// nearest; junk (a covered lens, a broken frame) lies far from everything and has the lowest.
pub fn typicality(features: &Matrix, k: usize) -> Vec<f64> {
    let unit = features.unit_rows();
    let typical = |row: usize| {
        let others = (0..unit.rows()).filter(|&other| other != row);
        let distance = |other| f64::from(squared_distance(unit.row(row), unit.row(other))).sqrt();
        let mut distances: Vec<f64> = others.map(distance).collect();
        distances.sort_by(f64::total_cmp);
        distances.truncate(k.max(1));
        let count = distances.len().max(1) as f64;
        -distances.iter().sum::<f64>() / count
    };
    (0..unit.rows()).map(typical).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directions(degrees: &[f64]) -> Matrix {
        Matrix::from_fn(degrees.len(), 2, |row, column| {
            let angle = degrees[row].to_radians();
            (if column == 0 {
                angle.cos()
            } else {
                angle.sin()
            }) as f32
        })
    }

    #[test]
    fn picked_images_are_far_apart() {
        let features = directions(&[0.0, 1.0, 90.0, 91.0, 180.0]);
        let scores = [0.1, 0.9, 0.2, 0.3, 0.4];
        assert_eq!(diverse(&features, &scores, 5, 0.5), [1, 4, 2]);
        assert_eq!(diverse(&features, &scores, 1, 0.5), [1]);
        assert!(diverse(&features, &[], 3, 0.5).is_empty());
    }

    #[test]
    fn a_lonely_image_is_the_least_typical() {
        let typical = typicality(&directions(&[0.0, 2.0, 4.0, 170.0]), 2);
        let lowest = (0..4).min_by(|&a, &b| typical[a].total_cmp(&typical[b]));
        assert_eq!(lowest, Some(3));
    }
}
