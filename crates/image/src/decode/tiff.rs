use std::collections::HashMap;
use std::io::Cursor;

use straylight_core::{ImageFormat, RgbImage, Timestamp};
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::{IfdPointer, Tag};
use tiff::{ColorType, TiffError};

use super::deep::Stored;
use super::{Header, PixelReader, convert};
use crate::exif::CameraNotes;
use crate::orientation::Orientation;
use crate::{DecodeLimits, ImageErrorKind};

/// The first page of a TIFF: gray, palette, RGB, CMYK; 1 to 8 or 16 bits a sample.
pub(super) struct TiffReader<'a> {
    decoder: Decoder<Cursor<&'a [u8]>>,
    color: ColorType,
    header: Header,
}

impl<'a> TiffReader<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &DecodeLimits) -> Result<Self, ImageErrorKind> {
        let mut buffers = Limits::default();
        buffers.decoding_buffer_size = (limits.max_pixels as usize).saturating_mul(8);
        let decoder = Decoder::new(Cursor::new(bytes)).map_err(error)?;
        let mut decoder = decoder.with_limits(buffers);
        let (width, height) = decoder.dimensions().map_err(error)?;
        let color = decoder.colortype().map_err(error)?;
        let tag = decoder.find_tag_unsigned(Tag::Orientation).map_err(error)?;
        let notes = CameraNotes {
            orientation: tag.map_or(Orientation::Upright, Orientation::from_tag),
            taken: taken(&mut decoder),
        };
        let header = Header {
            width,
            height,
            notes,
        };
        Ok(Self {
            decoder,
            color,
            header,
        })
    }

    /// The samples at 8 bits each, pixel after pixel.
    fn samples(&mut self) -> Result<Vec<u8>, ImageErrorKind> {
        let mut result = DecodingResult::U8(Vec::new());
        let layout = self
            .decoder
            .read_image_to_buffer(&mut result)
            .map_err(error)?;
        let samples = match result {
            DecodingResult::U8(samples) => samples,
            DecodingResult::U16(samples) => samples.iter().map(|v| (v >> 8) as u8).collect(),
            _ => {
                return Err(unsupported(
                    "samples that are no 8-bit or 16-bit whole numbers",
                ));
            }
        };
        Ok(interleave(samples, layout.planes))
    }

    fn unpack(&self, packed: &[u8], bits: u8) -> Vec<u8> {
        let width = self.header.width as usize;
        let row_bytes = (width * usize::from(bits)).div_ceil(8);
        let per_byte = usize::from(8 / bits);
        let mask = 0xff_u8 >> (8 - bits);
        let sample = |row: &[u8], x: usize| {
            let shift = 8 - usize::from(bits) * (x % per_byte + 1);
            (row[x / per_byte] >> shift) & mask
        };
        let rows = packed.chunks_exact(row_bytes);
        rows.flat_map(|row| (0..width).map(move |x| sample(row, x)))
            .collect()
    }

    /// Red, green and blue of every palette entry, each scaled from 16 to 8 bits.
    fn palette(&mut self) -> Result<Vec<[u8; 3]>, ImageErrorKind> {
        let map = self.decoder.get_tag_u16_vec(Tag::ColorMap).map_err(error)?;
        let entries = map.len() / 3;
        let channel = |c: usize, i: usize| (map[c * entries + i] >> 8) as u8;
        Ok((0..entries)
            .map(|i| [channel(0, i), channel(1, i), channel(2, i)])
            .collect())
    }

    fn rgb(&mut self) -> Result<Vec<u8>, ImageErrorKind> {
        let samples = self.samples()?;
        match self.color {
            ColorType::Gray(8 | 16) => Ok(convert::gray(&samples, 1)),
            ColorType::Gray(bits @ (1 | 2 | 4)) => {
                let step = 255 / (0xff_u8 >> (8 - bits));
                let mut levels = self.unpack(&samples, bits);
                for level in &mut levels {
                    *level *= step;
                }
                Ok(convert::gray(&levels, 1))
            }
            ColorType::GrayA(8 | 16)
            | ColorType::Multiband {
                bit_depth: 8 | 16,
                num_samples: 2,
            } => Ok(convert::gray(&samples, 2)),
            ColorType::RGB(8 | 16) => Ok(samples),
            ColorType::RGBA(8 | 16) => Ok(convert::drop_extra(&samples, 4)),
            ColorType::CMYK(8 | 16) => Ok(convert::cmyk(&samples, 4)),
            ColorType::CMYKA(8 | 16) => Ok(convert::cmyk(&samples, 5)),
            ColorType::Palette(8) => self.look_up(&samples),
            ColorType::Palette(bits @ (1 | 2 | 4)) => {
                let indices = self.unpack(&samples, bits);
                self.look_up(&indices)
            }
            other => Err(unsupported(&format!("colour type {other:?}"))),
        }
    }

    fn look_up(&mut self, indices: &[u8]) -> Result<Vec<u8>, ImageErrorKind> {
        let palette = self.palette()?;
        let color = |&i: &u8| palette.get(usize::from(i)).copied();
        let colors: Option<Vec<[u8; 3]>> = indices.iter().map(color).collect();
        let outside =
            || ImageErrorKind::corrupt(ImageFormat::Tiff, "a colour is not in the palette");
        Ok(colors.ok_or_else(outside)?.into_flattened())
    }
}

/// When the picture was taken, if its EXIF directory says so.
fn taken(decoder: &mut Decoder<Cursor<&[u8]>>) -> Option<Timestamp> {
    let place = decoder
        .find_tag_unsigned::<u64>(Tag::ExifDirectory)
        .ok()??;
    let directory = decoder.read_directory(IfdPointer(place)).ok()?;
    let mut tags = decoder.read_directory_tags(&directory);
    let mut texts = HashMap::new();
    for tag in [
        exif::Tag::DateTimeOriginal,
        exif::Tag::SubSecTimeOriginal,
        exif::Tag::OffsetTimeOriginal,
    ] {
        let value = tags.find_tag(Tag::from_u16_exhaustive(tag.number())).ok()?;
        if let Some(text) = value.and_then(|value| value.into_string().ok()) {
            texts.insert(tag, text.into_bytes());
        }
    }
    crate::exif::taken(|tag| texts.get(&tag).cloned())
}

/// The samples of a TIFF of 16 bits, grey or red, green and blue; `None` for fewer.
pub(super) fn deep(bytes: &[u8], limits: &DecodeLimits) -> Result<Option<Stored>, ImageErrorKind> {
    let mut reader = TiffReader::new(bytes, limits)?;
    let channels = match reader.color {
        ColorType::Gray(16) => 1,
        ColorType::GrayA(16)
        | ColorType::Multiband {
            bit_depth: 16,
            num_samples: 2,
        } => 2,
        ColorType::RGB(16) => 3,
        ColorType::RGBA(16) => 4,
        _ => return Ok(None),
    };
    let Header {
        width,
        height,
        notes,
    } = reader.header;
    limits.check_pixels(width, height)?;
    let mut result = DecodingResult::U16(Vec::new());
    let layout = reader.decoder.read_image_to_buffer(&mut result);
    let layout = layout.map_err(error)?;
    let DecodingResult::U16(samples) = result else {
        return Err(unsupported("samples that are no 16-bit whole numbers"));
    };
    Ok(Some(Stored {
        size: (width, height),
        orientation: notes.orientation,
        samples: interleave(samples, layout.planes),
        channels,
    }))
}

/// Brings samples stored plane after plane into pixel order.
fn interleave<T: Copy>(samples: Vec<T>, planes: usize) -> Vec<T> {
    if planes <= 1 {
        return samples;
    }
    let pixels = samples.len() / planes;
    (0..pixels)
        .flat_map(|i| (0..planes).map(move |p| p * pixels + i))
        .map(|at| samples[at])
        .collect()
}

impl PixelReader for TiffReader<'_> {
    fn header(&self) -> Header {
        self.header
    }

    fn pixels(mut self: Box<Self>) -> Result<RgbImage, ImageErrorKind> {
        let rgb = self.rgb()?;
        convert::image(
            ImageFormat::Tiff,
            (self.header.width, self.header.height),
            rgb,
        )
    }
}

fn unsupported(reason: &str) -> ImageErrorKind {
    ImageErrorKind::unsupported(ImageFormat::Tiff, reason)
}

fn error(error: TiffError) -> ImageErrorKind {
    match error {
        TiffError::UnsupportedError(what) => unsupported(&what.to_string()),
        other => ImageErrorKind::corrupt(ImageFormat::Tiff, other),
    }
}
