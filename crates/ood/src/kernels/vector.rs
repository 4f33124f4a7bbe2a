#![expect(
    clippy::inline_always,
    reason = "a body must be compiled into each instruction set's function"
)]

use super::kernel;

/// How many sums run side by side.
const LANES: usize = 64;

#[inline(always)]
fn fused<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Adds the lanes pairwise.
#[inline(always)]
fn sum_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

#[inline(always)]
fn dot_body<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for i in 0..LANES {
            lanes[i] = fused::<FMA>(x[i], y[i], lanes[i]);
        }
    }
    for ((x, y), lane) in a_rest.iter().zip(b_rest).zip(&mut lanes) {
        *lane = fused::<FMA>(*x, *y, *lane);
    }
    sum_lanes(lanes)
}

#[inline(always)]
fn squared_distance_body<const FMA: bool>(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for i in 0..LANES {
            let difference = x[i] - y[i];
            lanes[i] = fused::<FMA>(difference, difference, lanes[i]);
        }
    }
    for ((x, y), lane) in a_rest.iter().zip(b_rest).zip(&mut lanes) {
        let difference = x - y;
        *lane = fused::<FMA>(difference, difference, *lane);
    }
    sum_lanes(lanes)
}

#[inline(always)]
fn squared_distances_body<const FMA: bool>(query: &[f32], bank: &[f32], out: &mut [f32]) {
    for (row, value) in bank.chunks_exact(query.len().max(1)).zip(out) {
        *value = squared_distance_body::<FMA>(query, row);
    }
}

#[inline(always)]
fn mat_vec_body<const FMA: bool>(matrix: &[f32], vector: &[f32], out: &mut [f32]) {
    for (row, value) in matrix.chunks_exact(vector.len().max(1)).zip(out) {
        *value = dot_body::<FMA>(row, vector);
    }
}

kernel! {
    /// Inner product of two vectors of one length.
    dot = dot_body(a: &[f32], b: &[f32]) -> f32
}

kernel! {
    /// Squared Euclidean distance of two vectors of one length.
    squared_distance = squared_distance_body(a: &[f32], b: &[f32]) -> f32
}

kernel! {
    /// Squared Euclidean distance from a query to every row of a bank.
    squared_distances = squared_distances_body(query: &[f32], bank: &[f32], out: &mut [f32])
}

kernel! {
    /// Inner product of every row of a matrix with a vector.
    mat_vec = mat_vec_body(matrix: &[f32], vector: &[f32], out: &mut [f32])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::float_cmp, reason = "small whole numbers are exact")]
    use super::*;
    use proptest::prelude::*;

    fn exact(a: &[f32], b: &[f32], term: fn(f64, f64) -> f64) -> f64 {
        a.iter()
            .zip(b)
            .map(|(&x, &y)| term(f64::from(x), f64::from(y)))
            .sum()
    }

    proptest! {
        #[test]
        fn every_instruction_set_agrees_with_double_precision(
            pairs in prop::collection::vec((-10.0_f32..10.0, -10.0_f32..10.0), 0..300),
        ) {
            let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
            let product = exact(&a, &b, |x, y| x * y);
            let distance = exact(&a, &b, |x, y| (x - y).powi(2));
            for value in [dot(&a, &b), dot_body::<false>(&a, &b)] {
                prop_assert!((f64::from(value) - product).abs() <= 1e-5 * (1.0 + 100.0 * a.len() as f64));
            }
            for value in [squared_distance(&a, &b), squared_distance_body::<false>(&a, &b)] {
                prop_assert!((f64::from(value) - distance).abs() <= 1e-5 * (1.0 + distance));
            }
        }
    }

    #[test]
    fn many_rows_are_taken_one_by_one() {
        let bank = [0.0, 0.0, 3.0, 4.0, 1.0, 0.0];
        let mut out = [0.0; 3];
        squared_distances(&[0.0, 0.0], &bank, &mut out);
        assert_eq!(out, [0.0, 25.0, 1.0]);
        mat_vec(&bank, &[1.0, 2.0], &mut out);
        assert_eq!(out, [0.0, 11.0, 1.0]);
    }
}
