//! Sharing the images of a set out among the parts of a training.

mod share;
mod together;

use std::path::Path;
use std::str::FromStr;
use std::thread;

use straylight_core::{PerceptualHash, Progress};

use crate::AnnotatedSet;

/// Hashes of images that differ in so many of 64 bits are those of near-duplicates.
const NEAR_DUPLICATE: u32 = 4;

/// The names of the parts, as Ultralytics and most others know them.
const PARTS: [&str; 3] = ["train", "val", "test"];

/// How images are shared out among `train`, `val` and `test`.
///
/// The same images give the same parts, in whatever order they come. Each label is shared out as
/// the images are (iterative stratification: Sechidis, Tsoumakas and Vlahavas, 2011), the rarest
/// label first, and images that belong together stay on one side.
///
/// Written as whole shares, `80/10/10` or `80/20`, or as fractions, `0.8/0.1/0.1`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// Shares of train, val and test; their sum is 1.
    shares: [f64; 3],
    /// Another number shares the images out in another way.
    seed: u64,
}

/// A text does not say how images are to be shared out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no split: write the shares of train, val and test, for example 80/10/10 or 80/20"
)]
pub struct SplitError(String);

/// How many images each part got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shares {
    /// Name and number of images of each part that was asked for.
    pub parts: Vec<(&'static str, usize)>,
    /// How many groups of images there are; images of one group stay on one side.
    pub groups: usize,
    /// How many images the largest group has.
    pub largest_group: usize,
}

impl Default for Split {
    /// 80 % for training, 10 % each for validation and test.
    fn default() -> Self {
        Self {
            shares: [0.8, 0.1, 0.1],
            seed: 0,
        }
    }
}

impl Split {
    /// The same shares with another seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Puts each image into one of the parts; subsets that it had before are lost.
    ///
    /// Near-duplicates and frames of one video stay on one side. Frames are known by their names:
    /// `CLIP_000120` as Straylight names them, `CLIP_frame_120`, and what Roboflow makes of an
    /// image (`NAME.rf.HASH`). The files are read for that, on all cores.
    pub fn apply(&self, set: &mut AnnotatedSet, progress: &dyn Progress) -> Shares {
        let groups = together::together(set, &hashes(set, progress), NEAR_DUPLICATE);
        let parts = share::share_out(set, &groups, self.shares, self.seed);
        for (image, part) in set.images.iter_mut().zip(&parts) {
            image.subset = Some(PARTS[*part].to_owned());
        }
        let mut sizes = vec![0; groups.len()];
        for group in &groups {
            sizes[*group] += 1;
        }
        let size = |part: usize| parts.iter().filter(|other| **other == part).count();
        let asked = (0..PARTS.len()).filter(|&part| self.shares[part] > 0.0);
        Shares {
            parts: asked.map(|part| (PARTS[part], size(part))).collect(),
            groups: sizes.iter().filter(|size| **size > 0).count(),
            largest_group: sizes.into_iter().max().unwrap_or(0),
        }
    }
}

/// The perceptual hash of each image; `None` for files that are no images.
fn hashes(set: &AnnotatedSet, progress: &dyn Progress) -> Vec<Option<u64>> {
    progress.begin("Comparing images", set.images.len() as u64);
    let mut hashes = vec![None; set.images.len()];
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = set.images.len().div_ceil(threads).max(1);
    thread::scope(|scope| {
        for (images, hashes) in set.images.chunks(share).zip(hashes.chunks_mut(share)) {
            scope.spawn(move || {
                for (image, hash) in images.iter().zip(hashes) {
                    *hash = hash_of(&image.file);
                    progress.advance(1);
                }
            });
        }
    });
    progress.finish();
    hashes
}

fn hash_of(file: &Path) -> Option<u64> {
    let bytes = straylight_files::read(file).ok()?;
    let (image, _) = straylight_image::decode(&bytes).ok()?;
    Some(PerceptualHash::of(&image).0)
}

impl FromStr for Split {
    type Err = SplitError;

    fn from_str(text: &str) -> Result<Self, SplitError> {
        let error = || SplitError(text.to_owned());
        let numbers = text
            .split(['/', ',', ':'])
            .map(|word| word.trim().trim_end_matches('%').parse::<f64>());
        let numbers: Vec<f64> = numbers.collect::<Result<_, _>>().map_err(|_| error())?;
        let sum: f64 = numbers.iter().sum();
        let right = |number: &f64| number.is_finite() && *number >= 0.0;
        // Numbers that do not add up are a slip of the pen, not a proportion.
        let adds_up = [1.0, 100.0]
            .iter()
            .any(|whole| (sum / whole - 1.0).abs() < 1e-6);
        if !(2..=3).contains(&numbers.len()) || !numbers.iter().all(right) || !adds_up {
            return Err(error());
        }
        if numbers[0] == 0.0 {
            return Err(error());
        }
        let share = |index: usize| numbers.get(index).map_or(0.0, |number| number / sum);
        Ok(Self {
            shares: [share(0), share(1), share(2)],
            seed: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read() {
        struct Case(&'static str, Option<[f64; 3]>);
        for Case(text, wanted) in [
            Case("80/10/10", Some([0.8, 0.1, 0.1])),
            Case("75,25", Some([0.75, 0.25, 0.0])),
            Case("0.5:0.25:0.25", Some([0.5, 0.25, 0.25])),
            Case("100/0/0", Some([1.0, 0.0, 0.0])),
            Case("80% / 20%", Some([0.8, 0.2, 0.0])),
            Case("80", None),
            Case("80/30", None),
            Case("0/50/50", None),
            Case("120/-20", None),
            Case("NaN/1", None),
            Case("a/b", None),
            Case("", None),
        ] {
            let found = text.parse::<Split>().ok().map(|split| split.shares);
            assert_eq!(found, wanted, "{text}");
        }
    }
}
