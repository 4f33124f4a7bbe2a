/// Means of 2 x 2 pixels, rounded half up; `width` is the target's.
///
/// Each row is averaged at every byte, also at those that fall between two target pixels: that
/// is twice the additions, but all in a row, and the compiler makes vectors of them.
pub(crate) fn halve<const C: usize>(source: &[u8], width: usize) -> Vec<u8> {
    let mut target = vec![0; source.len() / 4];
    halve_into::<C>(source, width, target.chunks_exact_mut(width * C));
    target
}

/// As [`halve`], into one line for each target row, of at least its length.
pub(super) fn halve_into<'a, const C: usize>(
    source: &[u8],
    width: usize,
    lines: impl Iterator<Item = &'a mut [u8]>,
) {
    let stride = width * C * 2;
    let mut means = vec![0; stride];
    for (pair, line) in source.chunks_exact(stride * 2).zip(lines) {
        let (above, below) = pair.split_at(stride);
        average::<C>(above, below, &mut means);
        let pixels = line.chunks_exact_mut(C).take(width);
        for (pixel, mean) in pixels.zip(means.chunks_exact(C * 2)) {
            pixel.copy_from_slice(&mean[..C]);
        }
    }
}

/// At each byte the mean of it and the next pixel's, in both rows.
fn average<const C: usize>(above: &[u8], below: &[u8], means: &mut [u8]) {
    let above = above.iter().zip(&above[C..]);
    let below = below.iter().zip(&below[C..]);
    for (mean, ((a, b), (c, d))) in means.iter_mut().zip(above.zip(below)) {
        let sum = u16::from(*a) + u16::from(*b) + u16::from(*c) + u16::from(*d);
        *mean = ((sum + 2) >> 2) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::halve;

    #[test]
    fn four_pixels_become_their_mean() {
        let above = [0, 10, 255, 2, 20, 255, 9, 9, 9, 9, 9, 9];
        let below = [1, 30, 255, 3, 40, 254, 1, 2, 3, 4, 5, 6];
        let source = [above, below].concat();
        assert_eq!(halve::<3>(&source, 2), [2, 25, 255, 6, 6, 7]);
        assert_eq!(halve::<1>(&source, 6), [10, 129, 142, 5, 6, 7]);
    }
}
