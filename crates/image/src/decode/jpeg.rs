use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libjpeg_turbo_rs::{
    ComponentInfo, Decoder, FrameHeader, JpegError, PixelFormat, ScalingFactor,
};
use straylight_core::{ImageFormat, RgbImage};

use super::{Header, PixelReader, convert};
use crate::ImageErrorKind;
use crate::exif::CameraNotes;

/// Most scans of a progressive file; encoders write about ten, and optimisers a few dozens.
const MOST_SCANS: u32 = 200;
/// The second byte of the marker that begins a scan.
const SCAN: u8 = 0xDA;
/// The second byte of the marker that ends an image.
const END: u8 = 0xD9;

/// Baseline, progressive and lossless JPEG; gray, YCbCr, RGB, CMYK and YCCK.
///
/// The pixels are those of libjpeg-turbo, byte for byte: OpenCV and Pillow read with it.
pub(super) struct JpegReader<'a> {
    bytes: &'a [u8],
    decoder: Decoder<'a>,
    header: Header,
}

impl<'a> JpegReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, ImageErrorKind> {
        let mut decoder = guarded(|| Decoder::new(bytes))?;
        check_sampling(decoder.header())?;
        decoder.set_output_format(PixelFormat::Rgb);
        // A lenient decoder fills what is missing with gray and calls it done.
        decoder.set_stop_on_warning(true);
        // A few bytes can claim thousands of passes over a large image.
        decoder.set_scan_limit(MOST_SCANS);
        // Whoever calls checks the size against limits of their own.
        decoder.set_max_pixels(usize::MAX);
        let notes = exif::get_exif_attr_from_jpeg(&mut Cursor::new(bytes)).map_or_else(
            |_| CameraNotes::default(),
            |exif| CameraNotes::of_block(&exif),
        );
        let header = Header {
            width: u32::from(decoder.header().width),
            height: u32::from(decoder.header().height),
            notes,
        };
        Ok(Self {
            bytes,
            decoder,
            header,
        })
    }
}

impl PixelReader for JpegReader<'_> {
    fn header(&self) -> Header {
        self.header
    }

    fn divide(&mut self, divisor: u32) {
        // Of four components some come out with no pixels at all.
        if self.decoder.header().components.len() > 3 {
            return;
        }
        self.decoder.set_scale(ScalingFactor::new(1, divisor));
    }

    fn pixels(self: Box<Self>) -> Result<RgbImage, ImageErrorKind> {
        if !has_end(self.bytes) {
            let reason = "it ends before the marker that ends an image (FF D9)";
            return Err(ImageErrorKind::corrupt(ImageFormat::Jpeg, reason));
        }
        let image = guarded(|| self.decoder.decode_image())?;
        let size = (image.width as u32, image.height as u32);
        convert::image(ImageFormat::Jpeg, size, image.data)
    }
}

/// Whether the marker that ends an image comes after the beginning of its first scan.
///
/// The decoder takes a few missing bytes for zeros, which are many pixels of a plain picture. A
/// thumbnail, which has such a marker too, lies before the first scan.
fn has_end(bytes: &[u8]) -> bool {
    let scans = first_scan(bytes).and_then(|start| bytes.get(start..));
    let mut pairs = scans.unwrap_or(bytes).windows(2);
    pairs.rfind(|pair| pair == &[0xFF, END]).is_some()
}

/// Where the first scan begins (ITU T.81, B.1.1).
fn first_scan(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    while bytes.get(at)? == &0xFF {
        match *bytes.get(at + 1)? {
            SCAN => return Some(at),
            // Markers may follow any number of fill bytes.
            0xFF => at += 1,
            _ => {
                let length = [*bytes.get(at + 2)?, *bytes.get(at + 3)?];
                at += 2 + usize::from(u16::from_be_bytes(length));
            }
        }
    }
    None
}

/// Refuses components that are sampled in ways that no encoder writes and the decoder does not expect:
/// the first one has the most samples, the fourth as many, and those of the others divide them.
fn check_sampling(header: &FrameHeader) -> Result<(), ImageErrorKind> {
    let factors = |of: fn(&ComponentInfo) -> u8| {
        let all: Vec<u8> = header.components.iter().map(of).collect();
        let most = all.iter().copied().max().unwrap_or(0);
        let divide = all.iter().all(|&factor| factor > 0 && most % factor == 0);
        let whole = [all.first(), all.get(3)];
        most <= 4 && divide && whole.into_iter().flatten().all(|&factor| factor == most)
    };
    if factors(|one| one.horizontal_sampling) && factors(|one| one.vertical_sampling) {
        return Ok(());
    }
    let reason = "its components are sampled in a way that no camera or program writes";
    Err(ImageErrorKind::unsupported(ImageFormat::Jpeg, reason))
}

/// Takes a panic of the decoder for damage: it holds more rules than it checks.
fn guarded<T>(work: impl FnOnce() -> Result<T, JpegError>) -> Result<T, ImageErrorKind> {
    let done = catch_unwind(AssertUnwindSafe(work));
    let reason = || JpegError::CorruptData("the decoder gave up".to_owned());
    done.unwrap_or_else(|_| Err(reason())).map_err(error)
}

fn error(error: JpegError) -> ImageErrorKind {
    match error {
        JpegError::Unsupported(what) => ImageErrorKind::unsupported(ImageFormat::Jpeg, what),
        other => ImageErrorKind::corrupt(ImageFormat::Jpeg, other),
    }
}
