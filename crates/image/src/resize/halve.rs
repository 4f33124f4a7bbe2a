/// Means of 2 x 2 pixels, rounded half up; `width` is the target's.
pub(super) fn halve<const C: usize>(source: &[u8], width: usize) -> Vec<u8> {
    let stride = width * C * 2;
    let mut target = Vec::with_capacity(source.len() / 4);
    for pair in source.chunks_exact(stride * 2) {
        let (above, below) = pair.split_at(stride);
        for (a, b) in above.chunks_exact(C * 2).zip(below.chunks_exact(C * 2)) {
            let mean = |c: usize| {
                let sum =
                    u16::from(a[c]) + u16::from(a[c + C]) + u16::from(b[c]) + u16::from(b[c + C]);
                ((sum + 2) >> 2) as u8
            };
            target.extend((0..C).map(mean));
        }
    }
    target
}
