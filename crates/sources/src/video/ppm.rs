//! The frames that ffmpeg writes to a pipe: portable pixmaps, one after the other.
//!
//! Each has its own size, so that a stream may change it and turned videos arrive upright.

use std::io::{self, BufRead, ErrorKind};

use straylight_core::RgbImage;
use straylight_image::DecodeLimits;

/// Reads the next frame; `None` at the end between two frames.
///
/// Only what ffmpeg writes is understood: `P6`, width, height and 255, each ended by one white
/// space, then three bytes a pixel.
pub(super) fn read(pipe: &mut impl BufRead, limits: &DecodeLimits) -> io::Result<Option<RgbImage>> {
    if pipe.fill_buf()?.is_empty() {
        return Ok(None);
    }
    if word(pipe)? != "P6" {
        return Err(damaged("a frame does not begin with P6"));
    }
    let (width, height) = (number(pipe)?, number(pipe)?);
    if number(pipe)? != 255 {
        return Err(damaged("a frame has not 8 bits a sample"));
    }
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(damaged("a frame is larger than the limit on pixels"));
    }
    let mut data = vec![0; width as usize * height as usize * 3];
    pipe.read_exact(&mut data)?;
    RgbImage::new(width, height, data)
        .map(Some)
        .map_err(|error| damaged(&error.to_string()))
}

/// The letters up to the next white space, which is taken as well.
fn word(pipe: &mut impl BufRead) -> io::Result<String> {
    const LONGEST: usize = 10;
    let mut word = String::new();
    loop {
        let mut byte = [0];
        pipe.read_exact(&mut byte)?;
        if byte[0].is_ascii_whitespace() {
            return Ok(word);
        }
        if word.len() == LONGEST {
            return Err(damaged("a frame's header is too long"));
        }
        word.push(char::from(byte[0]));
    }
}

fn number(pipe: &mut impl BufRead) -> io::Result<u32> {
    word(pipe)?
        .parse()
        .map_err(|_| damaged("a frame's size is no number"))
}

fn damaged(reason: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_all(mut bytes: &[u8]) -> io::Result<Vec<RgbImage>> {
        let limits = DecodeLimits {
            max_pixels: 1000,
            ..DecodeLimits::default()
        };
        std::iter::from_fn(|| read(&mut bytes, &limits).transpose()).collect()
    }

    #[test]
    fn frames_follow_each_other() {
        let frames = read_all(b"P6\n2 1\n255\nabcdefP6\n1 1\n255\nxyz").unwrap();
        assert_eq!(frames.len(), 2);
        assert_eq!((frames[0].width(), frames[0].data()), (2, &b"abcdef"[..]));
        assert_eq!(frames[1].data(), b"xyz");
        assert!(read_all(b"").unwrap().is_empty());
    }

    #[test]
    fn damage_is_an_error() {
        for bytes in [
            &b"P5\n2 1\n255\nabcdef"[..],
            b"P6\n2 1\n255\nabc",
            b"P6\n0 1\n255\n",
            b"P6\n2 1\n65535\nabcdef",
            b"P6\n99999 99999\n255\n",
            b"P6\n2 one\n255\n",
            b"P6\n",
        ] {
            assert!(read_all(bytes).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = read_all(&bytes);
            let _ = read_all(&[b"P6\n3 3\n255\n", bytes.as_slice()].concat());
        }
    }
}
