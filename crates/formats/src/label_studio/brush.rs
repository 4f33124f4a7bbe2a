//! Label Studio's packed pictures: bits in a stream, as `@thi.ng/rle-pack` packs them.

use crate::Mask;

/// Bits of bytes, the highest first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn read(&mut self, count: usize) -> Result<u32, String> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self
                .bytes
                .get(self.at / 8)
                .ok_or("the mask's `rle` ends too early")?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }
}

/// The mask of packed red, green, blue and alpha: what is not transparent is inside.
pub(super) fn decode(bytes: &[u8], (width, height): (u32, u32)) -> Result<Mask, String> {
    let mut bits = Bits { bytes, at: 0 };
    let count = bits.read(32)? as usize;
    if count as u64 != u64::from(width) * u64::from(height) * 4 {
        return Err(format!(
            "the mask has {} pixels, the image {width} x {height}",
            count / 4
        ));
    }
    let word = bits.read(5)? as usize + 1;
    let mut sizes = [0; 4];
    for size in &mut sizes {
        *size = bits.read(4)? as usize + 1;
    }
    let mut inside = vec![false; count / 4];
    let mut at = 0;
    while at < count {
        let repeats = bits.read(1)? == 1;
        let size = sizes[bits.read(2)? as usize];
        let end = at + 1 + bits.read(size)? as usize;
        if end > count {
            return Err("the mask's `rle` has more pixels than it says".to_owned());
        }
        let mut value = if repeats { bits.read(word)? } else { 0 };
        for place in at..end {
            if !repeats {
                value = bits.read(word)?;
            }
            if place % 4 == 3 {
                inside[place / 4] = value > 0;
            }
        }
        at = end;
    }
    Ok(Mask::from_pixels(width, height, |x, y| {
        inside[(y * width + x) as usize]
    }))
}
