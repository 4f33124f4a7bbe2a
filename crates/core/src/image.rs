use std::fmt;

/// An image of 8-bit RGB pixels in memory.
///
/// Rows from top to bottom, pixels from left to right, three bytes a pixel (red, green,
/// blue), no padding between rows: `data.len() == width * height * 3`. Neither side is zero.
#[derive(Clone, PartialEq, Eq)]
pub struct RgbImage {
    width: u32,
    height: u32,
    data: Vec<u8>,
}

/// The pixel buffer handed to [`RgbImage::new`] does not fit the size given with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "an RGB image of {width} x {height} pixels needs {} bytes and both sides at least 1, but {actual} bytes were given",
    u128::from(*width) * u128::from(*height) * 3
)]
pub struct ImageSizeError {
    /// Claimed width in pixels.
    pub width: u32,
    /// Claimed height in pixels.
    pub height: u32,
    /// Length of the buffer in bytes.
    pub actual: usize,
}

impl RgbImage {
    /// Makes an image from its size in pixels and its interleaved RGB bytes.
    pub fn new(width: u32, height: u32, data: Vec<u8>) -> Result<Self, ImageSizeError> {
        let wanted = u128::from(width) * u128::from(height) * 3;
        if wanted == 0 || wanted != data.len() as u128 {
            return Err(ImageSizeError {
                width,
                height,
                actual: data.len(),
            });
        }
        Ok(Self {
            width,
            height,
            data,
        })
    }

    /// Makes an image whose every pixel has the same colour.
    pub fn filled(width: u32, height: u32, rgb: [u8; 3]) -> Result<Self, ImageSizeError> {
        let pixels = width as usize * height as usize;
        Self::new(width, height, rgb.repeat(pixels))
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The interleaved RGB bytes, `height * width * 3` of them.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The interleaved RGB bytes, to be drawn on.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// Gives the pixel buffer away.
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }

    /// The colour at column `x` and row `y`, or `None` outside the image.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let start = (y as usize * self.width as usize + x as usize) * 3;
        self.data.get(start..start + 3)?.try_into().ok()
    }
}

impl fmt::Debug for RgbImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RgbImage({} x {})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_must_fit_the_size() {
        assert!(RgbImage::new(2, 1, vec![0; 6]).is_ok());
        assert!(RgbImage::new(2, 1, vec![0; 5]).is_err());
        assert!(RgbImage::new(0, 1, vec![]).is_err());
        assert!(RgbImage::new(u32::MAX, u32::MAX, vec![]).is_err());
    }

    #[test]
    fn pixels_are_addressed_by_column_and_row() {
        let image = RgbImage::new(2, 1, vec![1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!(image.pixel(1, 0), Some([4, 5, 6]));
        assert_eq!(image.pixel(2, 0), None);
        assert_eq!(image.pixel(0, 1), None);
    }
}
