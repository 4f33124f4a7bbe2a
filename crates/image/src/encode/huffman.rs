//! Huffman codes of limited length, as DEFLATE writes them (RFC 1951, 3.2.2).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The length in bits of each symbol's code: the more frequent, the shorter, at most `longest`.
///
/// Every symbol gets a code, also one that was not counted. There are at least two symbols and at
/// most `2^longest`. Where the best code is too long, the counts are made more alike until it is
/// not, which costs next to nothing.
pub(super) fn lengths(counts: &[u32], longest: u8) -> Vec<u8> {
    let mut counts: Vec<u32> = counts.iter().map(|count| count.saturating_add(1)).collect();
    loop {
        let lengths = best_lengths(&counts);
        if lengths.iter().all(|length| *length <= longest) {
            return lengths;
        }
        for count in &mut counts {
            *count = count.div_ceil(2);
        }
    }
}

/// Huffman's algorithm: joins the two lightest trees until there is one.
fn best_lengths(counts: &[u32]) -> Vec<u8> {
    let leaves = counts.iter().enumerate();
    let mut trees: BinaryHeap<Reverse<(u64, usize)>> = leaves
        .map(|(node, count)| Reverse((u64::from(*count), node)))
        .collect();
    // Of each node but the root, the node above it; joined nodes come after all that they join.
    let mut above = vec![0; counts.len()];
    while let (Some(Reverse((light, a))), Some(Reverse((heavy, b)))) = (trees.pop(), trees.pop()) {
        let joined = above.len();
        above.push(0);
        above[a] = joined;
        above[b] = joined;
        if trees.is_empty() {
            break;
        }
        trees.push(Reverse((light + heavy, joined)));
    }
    let mut depths = vec![0u8; above.len()];
    for node in (0..above.len() - 1).rev() {
        depths[node] = depths[above[node]].saturating_add(1);
    }
    depths.truncate(counts.len());
    depths
}

/// The canonical codes of these lengths, with the bit that is written first lowest.
pub(super) fn codes(lengths: &[u8]) -> Vec<u16> {
    let mut counts = [0u16; 16];
    for length in lengths.iter().filter(|length| **length > 0) {
        counts[usize::from(*length)] += 1;
    }
    let mut next = [0u16; 16];
    for length in 1..16 {
        next[length] = (next[length - 1] + counts[length - 1]) << 1;
    }
    let code = |length: &u8| {
        if *length == 0 {
            return 0;
        }
        let code = next[usize::from(*length)];
        next[usize::from(*length)] += 1;
        code.reverse_bits() >> (16 - length)
    };
    lengths.iter().map(code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a code takes of all there are, in parts of 2^15.
    fn taken(lengths: &[u8]) -> u32 {
        lengths.iter().map(|length| 1u32 << (15 - length)).sum()
    }

    #[test]
    fn codes_are_complete_and_within_the_limit() {
        let fibonacci = (0..40).scan((1u32, 1u32), |(a, b), _| {
            (*a, *b) = (*b, *a + *b);
            Some(*a)
        });
        for counts in [vec![0; 286], vec![5, 9], fibonacci.collect()] {
            let lengths = lengths(&counts, 12);
            assert!(lengths.iter().all(|length| (1..=12).contains(length)));
            assert_eq!(taken(&lengths), 1 << 15, "{lengths:?}");
        }
    }

    #[test]
    fn frequent_symbols_have_shorter_codes() {
        assert_eq!(lengths(&[900, 90, 40, 40], 12), [1, 2, 3, 3]);
    }

    /// The example of RFC 1951, 3.2.2.
    #[test]
    fn codes_are_canonical() {
        let codes = codes(&[3, 3, 3, 3, 3, 2, 4, 4]);
        let backwards = |(code, length): (u16, u32)| code.reverse_bits() >> (16 - length);
        let lengths = [3, 3, 3, 3, 3, 2, 4, 4];
        let plain: Vec<u16> = codes.into_iter().zip(lengths).map(backwards).collect();
        assert_eq!(
            plain,
            [0b010, 0b011, 0b100, 0b101, 0b110, 0b00, 0b1110, 0b1111]
        );
    }
}
