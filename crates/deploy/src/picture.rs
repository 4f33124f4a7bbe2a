//! An image on its way into a model, with its 16-bit samples where a model wants them.

use straylight_core::{Frame, RgbImage};
use straylight_image::{DecodeLimits, DeepImage, decode_deep};
use straylight_tasks::{Size, Tile};

use crate::DeployError;

/// The pixels of an image: of 8 bits, and of 16 where they were asked for and the file has them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Picture<'a> {
    /// A JPEG file may have been decoded smaller than it is.
    pub(crate) image: &'a RgbImage,
    /// The size of the whole image.
    pub(crate) size: Size,
    pub(crate) deep: Option<&'a DeepImage>,
}

/// A part of a picture, with pixels of its own.
#[derive(Debug)]
pub(crate) struct Part {
    image: RgbImage,
    deep: Option<DeepImage>,
}

/// The 16-bit samples of the file that a frame came from; `None` when it has none.
pub(crate) fn deep(frame: &Frame) -> Result<Option<DeepImage>, DeployError> {
    let Some(encoded) = frame.encoded() else {
        return Ok(None);
    };
    // The file was decoded before, within limits of its source.
    let (width, height) = frame.size();
    let limits = DecodeLimits {
        max_pixels: u64::from(width) * u64::from(height),
        max_file_bytes: encoded.bytes.len() as u64,
    };
    let deep = decode_deep(&encoded.bytes, &limits)?;
    Ok(deep.filter(|deep| (deep.width(), deep.height()) == (width, height)))
}

impl Picture<'_> {
    /// Cuts a part out of an image that was decoded whole; what lies outside is left out. `None` when
    /// nothing remains.
    pub(crate) fn cut(&self, part: Tile) -> Option<Part> {
        Some(Part {
            image: cut(self.image, part)?,
            deep: self
                .deep
                .map(|deep| cut_deep(deep, part))
                .unwrap_or_default(),
        })
    }
}

impl Part {
    /// The part as a picture.
    pub(crate) fn picture(&self) -> Picture<'_> {
        Picture {
            image: &self.image,
            size: Size::new(self.image.width(), self.image.height()),
            deep: self.deep.as_ref(),
        }
    }
}

/// Cuts a part out of an image; what lies outside is left out. `None` when nothing remains.
pub(crate) fn cut(image: &RgbImage, part: Tile) -> Option<RgbImage> {
    let size = (image.width(), image.height());
    let (size, data) = rows(image.data(), size, part)?;
    RgbImage::new(size.0, size.1, data).ok()
}

/// Cuts a part out of an image of 16 bits, as [`cut`] does.
pub(crate) fn cut_deep(image: &DeepImage, part: Tile) -> Option<DeepImage> {
    let size = (image.width(), image.height());
    let (size, data) = rows(image.data(), size, part)?;
    DeepImage::new(size.0, size.1, data)
}

/// The samples of a part of an image, and its size.
fn rows<T: Copy>(
    data: &[T],
    (image_width, image_height): (u32, u32),
    part: Tile,
) -> Option<((u32, u32), Vec<T>)> {
    let width = part.size.width.min(image_width.checked_sub(part.left)?);
    let height = part.size.height.min(image_height.checked_sub(part.top)?);
    let rows = data.chunks_exact(image_width as usize * 3);
    let rows = rows.skip(part.top as usize).take(height as usize);
    let (start, length) = (part.left as usize * 3, width as usize * 3);
    let mut cut = Vec::with_capacity(length * height as usize);
    for row in rows {
        cut.extend_from_slice(row.get(start..start + length)?);
    }
    Some(((width, height), cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_clipped_to_the_image() {
        struct Case(Tile, Option<&'static [u8]>);
        let image = RgbImage::new(3, 1, vec![1, 1, 1, 2, 2, 2, 3, 3, 3]).unwrap();
        let part = |left, top, width, height| Tile {
            left,
            top,
            size: Size::new(width, height),
        };
        for Case(part, data) in [
            Case(part(1, 0, 1, 1), Some(&[2, 2, 2])),
            Case(part(2, 0, 9, 9), Some(&[3, 3, 3])),
            Case(part(3, 0, 1, 1), None),
            Case(part(0, 2, 1, 1), None),
            Case(part(0, 0, 0, 1), None),
        ] {
            assert_eq!(
                cut(&image, part).as_ref().map(RgbImage::data),
                data,
                "{part:?}"
            );
        }
    }
}
