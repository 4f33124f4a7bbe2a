//! The rows of an image as PNG stores them: filtered and compressed.

use straylight_core::RgbImage;

use super::deflate::{Compressor, Tally};

/// Rows that the code of an image is found from.
const SAMPLE: u32 = 32;

/// PNG's number of the filter that takes the difference to the pixel above.
///
/// Photographs gain next to nothing from choosing another for each row.
const UP: u8 = 2;

/// All rows of an image, filtered, as a zlib stream.
pub(super) fn compressed(image: &RgbImage) -> Vec<u8> {
    let mut row = vec![UP; 1 + 3 * image.width() as usize];
    let mut tally = Tally::new();
    let step = image.height().div_ceil(SAMPLE).max(1);
    for y in (0..image.height()).step_by(step as usize) {
        filter(image, y, &mut row);
        tally.add(&row);
    }
    let mut compressor = Compressor::new(&tally, image.data().len());
    for y in 0..image.height() {
        filter(image, y, &mut row);
        compressor.write_row(&row);
    }
    compressor.finish()
}

/// Puts the difference of a row to the one above after the filter's number.
fn filter(image: &RgbImage, y: u32, out: &mut [u8]) {
    let length = out.len() - 1;
    let start = y as usize * length;
    let row = &image.data()[start..start + length];
    let (_, out) = out.split_at_mut(1);
    match start.checked_sub(length) {
        None => out.copy_from_slice(row),
        Some(above) => {
            let above = &image.data()[above..start];
            for ((out, here), above) in out.iter_mut().zip(row).zip(above) {
                *out = here.wrapping_sub(*above);
            }
        }
    }
}
