//! Outliers made from in-distribution images, for fits without real ones.
//!
//! Six families, because a model that learns one kind of outlier finds that kind alone. They are
//! never the only judge of a model: what is found among them says little about real outliers.
//! The same image and seed give the same outliers.

use straylight_core::RgbImage;

use crate::random::Random;

/// Ways to make an outlier of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// A black hole of half to 0.7 of each side, the Geti SDK's only way.
    CutOut,
    /// The image's patches in random order.
    PatchShuffle,
    /// A smooth random texture that keeps only the image's mean colour.
    NoiseTexture,
    /// The mean of the image and itself turned and mirrored.
    Mixing,
    /// Channels permuted, inverted and stretched.
    Colour,
    /// Only coarse blocks, or only fine detail about grey.
    Frequency,
}

/// All families, in the order in which [`outliers`] makes them.
pub const FAMILIES: [Family; 6] = [
    Family::CutOut,
    Family::PatchShuffle,
    Family::NoiseTexture,
    Family::Mixing,
    Family::Colour,
    Family::Frequency,
];

/// One outlier of each family, of the image's size.
pub fn outliers(image: &RgbImage, seed: u64) -> Vec<RgbImage> {
    FAMILIES
        .into_iter()
        .map(|family| outlier(image, family, seed))
        .collect()
}

/// One outlier of a family, of the image's size.
pub fn outlier(image: &RgbImage, family: Family, seed: u64) -> RgbImage {
    let mut random = Random::part(seed, family as u64);
    let mut made = image.clone();
    match family {
        Family::CutOut => cut_out(&mut made, &mut random),
        Family::PatchShuffle => patch_shuffle(&mut made, image, &mut random),
        Family::NoiseTexture => noise_texture(&mut made, image, &mut random),
        Family::Mixing => mixing(&mut made, image),
        Family::Colour => colour(&mut made, &mut random),
        Family::Frequency => frequency(&mut made, image, &mut random),
    }
    made
}

/// Sets every pixel from its column and row.
fn paint(image: &mut RgbImage, mut colour: impl FnMut(u32, u32, [u8; 3]) -> [u8; 3]) {
    let width = image.width();
    let (pixels, _) = image.data_mut().as_chunks_mut::<3>();
    for (index, pixel) in (0_u32..).zip(pixels) {
        *pixel = colour(index % width, index / width, *pixel);
    }
}

fn at(image: &RgbImage, x: u32, y: u32) -> [u8; 3] {
    let (x, y) = (x.min(image.width() - 1), y.min(image.height() - 1));
    image.pixel(x, y).unwrap_or_default()
}

fn cut_out(made: &mut RgbImage, random: &mut Random) {
    let mut span = |side: u32| {
        let length = f64::from(side) * random.between(0.5, 0.7);
        let start = random.between(0.0, f64::from(side) - length);
        start..start + length
    };
    let (columns, rows) = (span(made.width()), span(made.height()));
    paint(made, |x, y, colour| {
        let inside = columns.contains(&f64::from(x)) && rows.contains(&f64::from(y));
        if inside { [0; 3] } else { colour }
    });
}

fn patch_shuffle(made: &mut RgbImage, image: &RgbImage, random: &mut Random) {
    let cells = 4 + random.below(4) as u32;
    let mut order: Vec<u32> = (0..cells * cells).collect();
    random.shuffle(&mut order);
    let (width, height) = (
        image.width().div_ceil(cells),
        image.height().div_ceil(cells),
    );
    paint(made, |x, y, _| {
        let from = order[(y / height * cells + x / width) as usize];
        at(
            image,
            from % cells * width + x % width,
            from / cells * height + y % height,
        )
    });
}

/// Bilinear noise on three grids of falling cell size about the image's mean colour.
fn noise_texture(made: &mut RgbImage, image: &RgbImage, random: &mut Random) {
    let mean = mean_colour(image);
    let longest = f64::from(image.width().max(image.height()));
    let grids: Vec<Grid> = [4.0, 16.0, 64.0]
        .iter()
        .map(|cells| Grid::new(longest / cells, random))
        .collect();
    paint(made, |x, y, _| {
        std::array::from_fn(|channel| {
            let noise: f64 = grids.iter().map(|grid| grid.at(x, y, channel)).sum();
            (mean[channel] + 45.0 * noise).clamp(0.0, 255.0) as u8
        })
    });
}

/// Random numbers on a coarse grid, blended in between.
struct Grid {
    cell: f64,
    values: Vec<f64>,
}

impl Grid {
    const SIDE: usize = 67;

    fn new(cell: f64, random: &mut Random) -> Self {
        let values = (0..Self::SIDE * Self::SIDE * 3)
            .map(|_| random.normal())
            .collect();
        Self {
            cell: cell.max(1.0),
            values,
        }
    }

    fn at(&self, x: u32, y: u32, channel: usize) -> f64 {
        let (u, v) = (f64::from(x) / self.cell, f64::from(y) / self.cell);
        let value = |du: usize, dv: usize| {
            let column = (u as usize + du) % Self::SIDE;
            let row = (v as usize + dv) % Self::SIDE;
            self.values[(row * Self::SIDE + column) * 3 + channel]
        };
        let (p, q) = (u.fract(), v.fract());
        let upper = value(0, 0) * (1.0 - p) + value(1, 0) * p;
        let lower = value(0, 1) * (1.0 - p) + value(1, 1) * p;
        upper * (1.0 - q) + lower * q
    }
}

fn mean_colour(image: &RgbImage) -> [f64; 3] {
    let (pixels, _) = image.data().as_chunks::<3>();
    let count = pixels.len().max(1) as f64;
    std::array::from_fn(|channel| {
        pixels
            .iter()
            .map(|pixel| f64::from(pixel[channel]))
            .sum::<f64>()
            / count
    })
}

fn mixing(made: &mut RgbImage, image: &RgbImage) {
    let (width, height) = (image.width(), image.height());
    paint(made, |x, y, colour| {
        let across = at(
            image,
            y * width / height,
            height - 1 - x * height / width.max(1),
        );
        let turned = at(image, width - 1 - x, height - 1 - y);
        std::array::from_fn(|channel| {
            let sum = u16::from(colour[channel])
                + u16::from(across[channel])
                + u16::from(turned[channel]);
            (sum / 3) as u8
        })
    });
}

fn colour(made: &mut RgbImage, random: &mut Random) {
    let mut order = [0, 1, 2];
    while order == [0, 1, 2] {
        random.shuffle(&mut order);
    }
    let inverted = random.below(2) == 0;
    let gain = random.between(1.5, 3.0);
    paint(made, |_, _, colour| {
        std::array::from_fn(|channel| {
            let value = f64::from(colour[order[channel]]);
            let value = if inverted { 255.0 - value } else { value };
            (128.0 + gain * (value - 128.0)).clamp(0.0, 255.0) as u8
        })
    });
}

fn frequency(made: &mut RgbImage, image: &RgbImage, random: &mut Random) {
    let cells = 6 + random.below(6) as u32;
    let (width, height) = (
        image.width().div_ceil(cells),
        image.height().div_ceil(cells),
    );
    let mut sums = vec![[0_u64; 4]; (cells * cells) as usize];
    let cell = |x: u32, y: u32| (y / height * cells + x / width) as usize;
    paint(made, |x, y, colour| {
        let sum = &mut sums[cell(x, y)];
        colour
            .iter()
            .zip(sum.iter_mut())
            .for_each(|(&value, sum)| *sum += u64::from(value));
        sum[3] += 1;
        colour
    });
    let coarse = random.below(2) == 0;
    paint(made, |x, y, colour| {
        let sum = sums[cell(x, y)];
        std::array::from_fn(|channel| {
            let mean = (sum[channel] / sum[3].max(1)) as i32;
            if coarse {
                mean as u8
            } else {
                (128 + 2 * (i32::from(colour[channel]) - mean)).clamp(0, 255) as u8
            }
        })
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32) -> RgbImage {
        let mut image = RgbImage::filled(width, height, [0; 3]).unwrap();
        paint(&mut image, |x, y, _| {
            [(x * 7) as u8, (y * 5) as u8, (x * y) as u8]
        });
        image
    }

    #[test]
    fn every_family_changes_the_image_and_keeps_its_size() {
        let image = picture(61, 47);
        for (family, made) in FAMILIES.into_iter().zip(outliers(&image, 1)) {
            assert_eq!((made.width(), made.height()), (61, 47), "{family:?}");
            let changed = made
                .data()
                .iter()
                .zip(image.data())
                .filter(|(a, b)| a != b)
                .count();
            assert!(
                changed > image.data().len() / 8,
                "{family:?} changed {changed} bytes"
            );
        }
    }

    #[test]
    fn the_seed_decides() {
        let image = picture(40, 40);
        assert_eq!(outliers(&image, 1), outliers(&image, 1));
        assert_ne!(outliers(&image, 1), outliers(&image, 2));
    }

    #[test]
    fn the_smallest_images_are_no_trouble() {
        for (width, height) in [(1, 1), (1, 9), (9, 1), (2, 3)] {
            assert_eq!(outliers(&picture(width, height), 3).len(), FAMILIES.len());
        }
    }
}
