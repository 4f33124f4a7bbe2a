//! Pixels that are computed here, because the engine's mean and scale cannot do it.

use straylight_core::RgbImage;
use straylight_image::DeepImage;
use straylight_image::resize;

use super::intensity::{Depth, Mode};
use super::interpolation::Interpolation;
use super::placement::Placement;
use crate::picture::{Picture, cut, cut_deep};
use crate::quantised::QuantisedInput;

/// How pixels become the values of an input of f32.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Values {
    pub(super) depth: Depth,
    pub(super) mode: Mode,
    pub(super) quantised: Option<QuantisedInput>,
}

/// Where an image is put into its input, and what is around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Canvas {
    pub(super) placement: Placement,
    pub(super) filter: Interpolation,
    pub(super) pad_value: u16,
    /// Width of the input in pixels.
    pub(super) width: u32,
}

impl Canvas {
    /// Scales and places an image of 8 bits.
    pub(super) fn levels(&self, image: &RgbImage, target: &mut [u8]) {
        let part = self.placement.part.and_then(|part| cut(image, part));
        let source = part.as_ref().unwrap_or(image);
        let size = self.placement.scaled;
        let pad = self.pad_value.min(255) as u8;
        if let Some(part) = self.placement.cut {
            let scaled = self.filter.scale(source, size);
            let cut = cut(&scaled, part).unwrap_or(scaled);
            return self.place(cut.data(), cut.width(), target, pad);
        }
        let (left, top) = self.placement.offset;
        let (start, top) = (left as usize * 3, top as usize);
        let end = start + size.width as usize * 3;
        let rows = top..top + size.height as usize;
        let mut lines = target.chunks_exact_mut(self.width as usize * 3).enumerate();
        let mut inner = std::iter::from_fn(|| {
            for (row, line) in lines.by_ref() {
                if !rows.contains(&row) {
                    line.fill(pad);
                } else if let Some((before, rest)) = line.split_at_mut_checked(start) {
                    before.fill(pad);
                    let (inner, after) = rest.split_at_mut_checked(end - start)?;
                    after.fill(pad);
                    return Some(inner);
                }
            }
            None
        });
        self.filter.scale_into(source, size, inner.by_ref());
        // What is below the image.
        inner.for_each(drop);
    }

    /// Scales and places an image of 16 bits; nothing is rounded.
    fn deep(&self, image: &DeepImage, target: &mut [f32]) {
        let part = self.placement.part.and_then(|part| cut_deep(image, part));
        let scaled = self.placement.scaled;
        let source = part.as_ref().unwrap_or(image);
        let filter = self.filter.of_values().unwrap_or_default();
        let values = resize::deep_openvino(source, scaled.width, scaled.height, filter);
        self.place(&values, scaled.width, target, f32::from(self.pad_value));
    }

    fn place<T: Copy>(&self, scaled: &[T], width: u32, target: &mut [T], pad: T) {
        if target.len() == scaled.len() {
            target.copy_from_slice(scaled);
            return;
        }
        target.fill(pad);
        let (left, top) = self.placement.offset;
        let start = left as usize * 3;
        let rows = target.chunks_exact_mut(self.width as usize * 3);
        let lines = scaled.chunks_exact(width as usize * 3);
        for (row, line) in rows.skip(top as usize).zip(lines) {
            if let Some(place) = row.get_mut(start..start + line.len()) {
                place.copy_from_slice(line);
            }
        }
    }
}

impl Values {
    /// Fills an input of f32, rows of red, green and blue.
    ///
    /// # Errors
    ///
    /// In words why the image does not fit the model.
    pub(super) fn fill(
        &self,
        picture: Picture<'_>,
        canvas: &Canvas,
        target: &mut [f32],
    ) -> Result<(), String> {
        if self.depth == Depth::U8 {
            self.of_levels(picture.image, canvas, target);
            return Ok(());
        }
        let deep = self.deep(picture)?;
        canvas.deep(&deep, target);
        let mode = self.mode.of_values(target);
        for value in target {
            *value = mode.apply(*value);
        }
        Ok(())
    }

    /// Each of the 256 levels is computed once for each channel.
    fn of_levels(&self, image: &RgbImage, canvas: &Canvas, target: &mut [f32]) {
        let mut levels = vec![0; target.len()];
        canvas.levels(image, &mut levels);
        let mode = self.mode.of_levels(&levels);
        let tables: [[f32; 256]; 3] = std::array::from_fn(|channel| {
            std::array::from_fn(|level| {
                let value = mode.apply(level as f32);
                let quantised = self.quantised.as_ref();
                quantised.map_or(value, |input| input.integer(value, channel))
            })
        });
        for (pixel, levels) in target.chunks_exact_mut(3).zip(levels.chunks_exact(3)) {
            for ((value, level), table) in pixel.iter_mut().zip(levels).zip(&tables) {
                *value = table[usize::from(*level)];
            }
        }
    }

    /// The samples as the model's depth wants them.
    fn deep<'a>(&self, picture: Picture<'a>) -> Result<std::borrow::Cow<'a, DeepImage>, String> {
        use std::borrow::Cow;
        if !self.depth.is_deep() {
            let image = picture.image;
            let samples = image.data().iter().map(|&level| u16::from(level)).collect();
            let deep = DeepImage::new(image.width(), image.height(), samples);
            return deep
                .map(Cow::Owned)
                .ok_or_else(|| "it has no pixels".to_owned());
        }
        let Some(deep) = picture.deep else {
            return Err(
                "the model takes images of 16 bits (`input_dtype`), and this one has 8: \
                        give it the 16-bit PNG or TIFF that the camera wrote"
                    .to_owned(),
            );
        };
        let greatest = self.depth.greatest();
        if let Some(sample) = deep.data().iter().find(|&&sample| sample > greatest) {
            return Err(format!(
                "it has a pixel of {sample}, and the model's `input_dtype` i16 ends at {greatest}"
            ));
        }
        Ok(Cow::Borrowed(deep))
    }
}
