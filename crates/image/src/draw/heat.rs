use straylight_core::{RgbImage, SaliencyMap};

use crate::resize::bilinear_cv_gray;

/// Blue, cyan, green, yellow, red: anchors of the colour scale at equal distances.
const SCALE: [[u8; 3]; 6] = [
    [48, 18, 120],
    [40, 110, 240],
    [30, 200, 200],
    [120, 230, 70],
    [250, 190, 40],
    [215, 30, 20],
];

/// The colour of a level between 0 (cold) and 255 (hot).
pub(crate) fn color(level: u8) -> [u8; 3] {
    let steps = SCALE.len() - 1;
    let place = usize::from(level) * steps;
    let below = (place / 255).min(steps - 1);
    let part = place - below * 255;
    let mut mixed = [0; 3];
    for (c, value) in mixed.iter_mut().enumerate() {
        let (a, b) = (
            usize::from(SCALE[below][c]),
            usize::from(SCALE[below + 1][c]),
        );
        *value = ((a * (255 - part) + b * part + 127) / 255) as u8;
    }
    mixed
}

/// Lays a saliency map over an image; hot places cover up to `opacity` of 255.
///
/// A map of the wrong length leaves the image as it is.
pub(super) fn overlay(image: &mut RgbImage, map: &SaliencyMap, opacity: u8) {
    let target = (image.width(), image.height());
    let Some(levels) = bilinear_cv_gray(&map.data, (map.width, map.height), target) else {
        return;
    };
    let colors: Vec<[u8; 3]> = (0..=255).map(color).collect();
    for (pixel, &level) in image.data_mut().chunks_exact_mut(3).zip(&levels) {
        // Cold places keep a third of the veil: the colours then read as one scale.
        let alpha = u32::from(opacity) * (85 + u32::from(level) * 2 / 3) / 255;
        for (value, new) in pixel.iter_mut().zip(colors[usize::from(level)]) {
            let mixed = u32::from(*value) * (255 - alpha) + u32::from(new) * alpha;
            *value = ((mixed + 127) / 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_ends_at_its_anchors() {
        assert_eq!(color(0), SCALE[0]);
        assert_eq!(color(51), SCALE[1]);
        assert_eq!(color(255), SCALE[5]);
    }
}
