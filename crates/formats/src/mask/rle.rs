use serde::Deserialize;

use super::Mask;

/// A mask as COCO and Datumaro write it in JSON.
#[derive(Deserialize)]
pub(crate) struct Rle {
    counts: Counts,
    /// Height and width in pixels.
    size: [u32; 2],
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Counts {
    Plain(Vec<u64>),
    Packed(String),
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
