use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Mask;

/// A mask as COCO and Datumaro write it in JSON.
#[derive(Deserialize)]
pub(crate) struct Rle {
    counts: Counts,
    /// Height and width in pixels.
    size: [u32; 2],
}

enum Counts {
    Plain(Vec<u64>),
    Packed(String),
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyCounts)
    }
}

struct AnyCounts;

impl<'de> Visitor<'de> for AnyCounts {
    type Value = Counts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("run lengths or their packed text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Counts, E> {
        Ok(Counts::Packed(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Counts, A::Error> {
        let mut runs = Vec::new();
        while let Some(run) = numbers.next_element()? {
            runs.push(run);
        }
        Ok(Counts::Plain(runs))
    }
}

impl Rle {
    /// The mask, if it is one for an image of this width and height.
    pub(crate) fn mask(&self, (width, height): (u32, u32)) -> Result<Mask, String> {
        let [h, w] = self.size;
        if (w, h) != (width, height) {
            return Err(format!(
                "the mask has {w} x {h} pixels, the image {width} x {height}"
            ));
        }
        match &self.counts {
            Counts::Plain(runs) => Mask::from_runs(width, height, runs),
            Counts::Packed(text) => Mask::from_packed(width, height, text),
        }
    }
}
