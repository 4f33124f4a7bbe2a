#![expect(
    clippy::inline_always,
    reason = "a body must be compiled into each instruction set's function"
)]

use super::kernel;

/// How many sums run side by side.
const LANES: usize = 64;
/// How many sums in double precision.
const WIDE: usize = 32;

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

/// As `dot_body` for two vectors: the same sums in the same order.
#[inline(always)]
fn dot_pair_body<const FMA: bool>(a: &[f32], b: &[f32], c: &[f32]) -> [f32; 2] {
    let (mut first, mut second) = ([0.0_f32; LANES], [0.0_f32; LANES]);
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let (c_blocks, c_rest) = c.as_chunks::<LANES>();
    for ((x, y), z) in a_blocks.iter().zip(b_blocks).zip(c_blocks) {
        for i in 0..LANES {
            first[i] = fused::<FMA>(x[i], y[i], first[i]);
        }
        for i in 0..LANES {
            second[i] = fused::<FMA>(x[i], z[i], second[i]);
        }
    }
    let rest = a_rest.iter().zip(b_rest).zip(c_rest);
    for (((x, y), z), (one, other)) in rest.zip(first.iter_mut().zip(&mut second)) {
        *one = fused::<FMA>(*x, *y, *one);
        *other = fused::<FMA>(*x, *z, *other);
    }
    [sum_lanes(first), sum_lanes(second)]
}

#[inline(always)]
fn mat_vec_pair_body<const FMA: bool>(matrix: &[f32], pair: [&[f32]; 2], out: &mut [[f32; 2]]) {
    let [b, c] = pair;
    for (row, value) in matrix.chunks_exact(b.len().max(1)).zip(out) {
        *value = dot_pair_body::<FMA>(row, b, c);
    }
}

#[inline(always)]
fn dot_rounded_body<const FMA: bool>(a: &[f32], b: &[i8]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for i in 0..LANES {
            lanes[i] = fused::<FMA>(x[i], f32::from(y[i]), lanes[i]);
        }
    }
    for ((x, y), lane) in a_rest.iter().zip(b_rest).zip(&mut lanes) {
        *lane = fused::<FMA>(*x, f32::from(*y), *lane);
    }
    sum_lanes(lanes)
}

#[inline(always)]
fn dot_wide_body<const FMA: bool>(a: &[f64], b: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; WIDE];
    let (a_blocks, a_rest) = a.as_chunks::<WIDE>();
    let (b_blocks, b_rest) = b.as_chunks::<WIDE>();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        for i in 0..WIDE {
            lanes[i] += x[i] * f64::from(y[i]);
        }
    }
    for ((x, y), lane) in a_rest.iter().zip(b_rest).zip(&mut lanes) {
        *lane += x * f64::from(*y);
    }
    lanes.iter().sum()
}

#[inline(always)]
fn subtract_rows_body<const FMA: bool>(matrix: &[f32], factors: &[f32], from: &mut [f32]) {
    let width = from.len().max(1);
    let (fours, _) = factors.as_chunks::<4>();
    let mut rows = matrix.chunks_exact(4 * width);
    for (f, four) in fours.iter().zip(&mut rows) {
        let (a, rest) = four.split_at(width);
        let (b, rest) = rest.split_at(width);
        let (c, d) = rest.split_at(width);
        for ((((value, a), b), c), d) in from.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            let first = fused::<FMA>(-f[0], *a, *value);
            let second = fused::<FMA>(f[1], *b, f[2] * *c);
            *value = fused::<FMA>(-f[3], *d, first - second);
        }
    }
    let left = &factors[4 * fours.len()..];
    for (factor, row) in left.iter().zip(rows.remainder().chunks_exact(width)) {
        for (value, x) in from.iter_mut().zip(row) {
            *value = fused::<FMA>(-factor, *x, *value);
        }
    }
}

/// As `subtract_rows_body` from two vectors: the same terms in the same order.
#[inline(always)]
fn subtract_rows_pair_body<const FMA: bool>(
    matrix: &[f32],
    factors: &[[f32; 2]],
    from: &mut [f32],
    other: &mut [f32],
) {
    let width = from.len().max(1);
    let (fours, left) = factors.as_chunks::<4>();
    let mut rows = matrix.chunks_exact(4 * width);
    for (f, four) in fours.iter().zip(&mut rows) {
        let (a, rest) = four.split_at(width);
        let (b, rest) = rest.split_at(width);
        let (c, d) = rest.split_at(width);
        let values = from.iter_mut().zip(other.iter_mut());
        for (((((one, two), a), b), c), d) in values.zip(a).zip(b).zip(c).zip(d) {
            for (value, i) in [(one, 0), (two, 1)] {
                let first = fused::<FMA>(-f[0][i], *a, *value);
                let second = fused::<FMA>(f[1][i], *b, f[2][i] * *c);
                *value = fused::<FMA>(-f[3][i], *d, first - second);
            }
        }
    }
    for (factor, row) in left.iter().zip(rows.remainder().chunks_exact(width)) {
        for ((one, two), x) in from.iter_mut().zip(other.iter_mut()).zip(row) {
            *one = fused::<FMA>(-factor[0], *x, *one);
            *two = fused::<FMA>(-factor[1], *x, *two);
        }
    }
}

kernel! {
    /// Inner products of every row of a matrix with two vectors of one length; each is what
    /// [`mat_vec`] gives.
    mat_vec_pair = mat_vec_pair_body(matrix: &[f32], pair: [&[f32]; 2], out: &mut [[f32; 2]])
}

kernel! {
    /// Subtracts from two vectors every row of a matrix times its factor; each is what
    /// [`subtract_rows`] gives.
    subtract_rows_pair = subtract_rows_pair_body(
        matrix: &[f32],
        factors: &[[f32; 2]],
        from: &mut [f32],
        other: &mut [f32]
    )
}

kernel! {
    /// Inner product of a vector and one of whole numbers in 8 bits.
    dot_rounded = dot_rounded_body(a: &[f32], b: &[i8]) -> f32
}

kernel! {
    /// Inner product of a vector in double precision and one in single precision.
    dot_wide = dot_wide_body(a: &[f64], b: &[f32]) -> f64
}

kernel! {
    /// Subtracts from a vector every row of a matrix times its factor.
    subtract_rows = subtract_rows_body(matrix: &[f32], factors: &[f32], from: &mut [f32])
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
    fn rows_are_subtracted_and_wide_products_are_exact() {
        for (rows, columns) in [(1, 3), (4, 70), (7, 65), (10, 1)] {
            let matrix: Vec<f32> = (0..rows * columns).map(|i| (i % 7) as f32).collect();
            let factors: Vec<f32> = (0..rows).map(|i| i as f32 - 2.0).collect();
            let mut from: Vec<f32> = (0..columns).map(|j| j as f32).collect();
            subtract_rows(&matrix, &factors, &mut from);
            for (j, &value) in from.iter().enumerate() {
                let sum: f32 = (0..rows)
                    .map(|i| factors[i] * matrix[i * columns + j])
                    .sum();
                assert_eq!(value, j as f32 - sum, "{rows} {columns} {j}");
            }
            let wide: Vec<f64> = (0..columns).map(|j| j as f64 * 0.5).collect();
            let expected: f64 = wide
                .iter()
                .zip(&matrix)
                .map(|(a, &b)| a * f64::from(b))
                .sum();
            assert_eq!(dot_wide(&wide, &matrix[..columns]), expected);
            let whole: Vec<i8> = (0..columns).map(|j| (j % 5) as i8 - 2).collect();
            let expected: f32 = whole
                .iter()
                .zip(&matrix)
                .map(|(&a, b)| f32::from(a) * b)
                .sum();
            assert_eq!(dot_rounded(&matrix[..columns], &whole), expected);
        }
    }

    #[test]
    fn pairs_give_what_single_vectors_give() {
        let mut random = crate::random::Random::new(8);
        for (rows, columns) in [(1, 1), (4, 70), (7, 65), (10, 200)] {
            let mut draw = |n: usize| (0..n).map(|_| random.normal() as f32).collect::<Vec<_>>();
            let matrix = draw(rows * columns);
            let (mut b, mut c) = (draw(columns), draw(columns));
            let mut both = vec![[0.0; 2]; rows];
            mat_vec_pair(&matrix, [&b, &c], &mut both);
            let mut pair = [b.clone(), c.clone()];
            let [first, second] = &mut pair;
            subtract_rows_pair(&matrix, &both, first, second);
            for (i, vector) in [&mut b, &mut c].into_iter().enumerate() {
                let mut single = vec![0.0; rows];
                mat_vec(&matrix, vector, &mut single);
                assert!(both.iter().zip(&single).all(|(two, one)| two[i] == *one));
                subtract_rows(&matrix, &single, vector);
                assert_eq!(pair[i], *vector, "{rows} {columns}");
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
