use straylight_core::RgbImage;

/// Widths and sizes in pixels for an image of a certain size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// Width of a shape's line.
    pub(crate) line: i32,
    /// Width of the seam on either side of a line, in black or white.
    pub(crate) seam: i32,
    /// Height of letters.
    pub(crate) text: f32,
    /// Space around text in its box.
    pub(crate) pad: i32,
}

impl Style {
    /// Grows with the image, so that a picture scaled to the screen looks the same.
    pub(crate) fn of(image: &RgbImage) -> Self {
        // Between the sides' geometric mean and the shorter one: panoramas stay readable.
        let (width, height) = (image.width() as f32, image.height() as f32);
        let side = (width * height).sqrt().min(2.0 * width.min(height));
        let line = (side / 260.0).round().max(1.0);
        let text = (side / 28.0).clamp(11.0, 200.0).round();
        Self {
            line: line as i32,
            seam: ((line / 2.0).round() as i32).max(1),
            text,
            pad: (text / 4.0).round() as i32,
        }
    }
}
