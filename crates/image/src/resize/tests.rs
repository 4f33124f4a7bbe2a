use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn one_colour_stays_one_colour(
        level in any::<u8>(), w in 1u32..40, h in 1u32..40, tw in 1u32..40, th in 1u32..40,
    ) {
        let levels = vec![level; (w * h) as usize];
        let scaled = bilinear_cv_gray(&levels, (w, h), (tw, th)).unwrap();
        prop_assert_eq!(scaled.len(), (tw * th) as usize);
        // Two products are each cut off before they are added: one level may be lost.
        prop_assert!(scaled.iter().all(|&v| v.abs_diff(level) <= 1));
    }

    #[test]
    fn channels_do_not_mix(w in 1u32..30, h in 1u32..30, tw in 1u32..30, th in 1u32..30) {
        let levels: Vec<u8> = (0..w * h).map(|v| (v * 37) as u8).collect();
        let rgb = levels.iter().flat_map(|&v| [v, 0, v]).collect();
        let image = RgbImage::new(w, h, rgb).unwrap();
        let scaled = bilinear_cv(&image, tw, th);
        let gray = bilinear_cv_gray(&levels, (w, h), (tw, th)).unwrap();
        let wanted: Vec<u8> = gray.iter().flat_map(|&v| [v, 0, v]).collect();
        prop_assert_eq!(scaled.data(), wanted.as_slice());
    }
}

#[test]
fn a_wrong_buffer_is_refused() {
    assert_eq!(bilinear_cv_gray(&[1, 2, 3], (2, 2), (1, 1)), None);
    assert_eq!(bilinear_cv_gray(&[], (0, 0), (1, 1)), None);
}

#[test]
fn a_side_of_zero_is_one() {
    let image = RgbImage::filled(5, 4, [9, 8, 7]).unwrap();
    let scaled = bilinear_cv(&image, 0, 0);
    assert_eq!((scaled.width(), scaled.height()), (1, 1));
}
