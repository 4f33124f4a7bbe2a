use straylight_core::RgbImage;

use crate::resize::bilinear_cv;

/// Scales an image down so that neither side is longer than `max_side` pixels.
///
/// Keeps the proportions (no side becomes 0) and never enlarges. Whole factors are averaged
/// before the last step is interpolated, so fine patterns do not turn into moire.
pub fn thumbnail(image: &RgbImage, max_side: u32) -> RgbImage {
    let longest = image.width().max(image.height());
    let max_side = max_side.max(1);
    if longest <= max_side {
        return image.clone();
    }
    let scaled = |side: u32| {
        let exact = u64::from(side) * u64::from(max_side) + u64::from(longest) / 2;
        ((exact / u64::from(longest)) as u32).max(1)
    };
    let (width, height) = (scaled(image.width()), scaled(image.height()));
    let factor = (longest / max_side).min(image.width()).min(image.height());
    if factor < 2 {
        return bilinear_cv(image, width, height);
    }
    bilinear_cv(&average(image, factor as usize), width, height)
}

/// Means of `factor` x `factor` pixels; what is left over at the right and below is dropped.
fn average(image: &RgbImage, factor: usize) -> RgbImage {
    let stride = image.width() as usize * 3;
    let (width, height) = (
        image.width() as usize / factor,
        image.height() as usize / factor,
    );
    let area = (factor * factor) as u32;
    let mut data = Vec::with_capacity(width * height * 3);
    let mut sums = vec![0_u32; width * 3];
    for band in image.data().chunks_exact(stride * factor) {
        sums.fill(0);
        for row in band.chunks_exact(stride) {
            add_row(row, factor, &mut sums);
        }
        data.extend(sums.iter().map(|sum| ((sum + area / 2) / area) as u8));
    }
    // The buffer was made for this size, so the fall-back is not reached.
    RgbImage::new(width as u32, height as u32, data).unwrap_or_else(|_| image.clone())
}

fn add_row(row: &[u8], factor: usize, sums: &mut [u32]) {
    for (pixels, sum) in row.chunks_exact(factor * 3).zip(sums.chunks_exact_mut(3)) {
        for pixel in pixels.chunks_exact(3) {
            for c in 0..3 {
                sum[c] += u32::from(pixel[c]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_the_proportions() {
        struct Case((u32, u32), u32, (u32, u32));
        for Case((w, h), side, wanted) in [
            Case((100, 50), 200, (100, 50)),
            Case((100, 50), 50, (50, 25)),
            Case((1000, 1), 10, (10, 1)),
            Case((333, 777), 100, (43, 100)),
            Case((64, 48), 0, (1, 1)),
        ] {
            let small = thumbnail(&RgbImage::filled(w, h, [200, 0, 9]).unwrap(), side);
            assert_eq!((small.width(), small.height()), wanted);
            assert!(small.pixel(0, 0).unwrap()[0] >= 199);
        }
    }

    #[test]
    fn a_fine_chequerboard_becomes_gray() {
        let data = (0..80 * 80)
            .flat_map(|i| [if (i / 80 + i % 80) % 2 == 0 { 255 } else { 0 }; 3])
            .collect();
        let small = thumbnail(&RgbImage::new(80, 80, data).unwrap(), 20);
        assert!(small.data().iter().all(|v| (127..=128).contains(v)));
    }
}
