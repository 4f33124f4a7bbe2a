use straylight_core::{Color, RgbImage};
use tiny_skia::{FillRule, LineJoin, Mask, Path, Stroke, Transform};

/// A rectangle of whole pixels; may reach beyond the canvas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Area {
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) width: i32,
    pub(crate) height: i32,
}

impl Area {
    pub(crate) fn new(left: i32, top: i32, width: i32, height: i32) -> Self {
        Self {
            left,
            top,
            width,
            height,
        }
    }

    pub(crate) fn right(self) -> i32 {
        self.left + self.width
    }

    pub(crate) fn bottom(self) -> i32 {
        self.top + self.height
    }

    /// Grown by `by` pixels on every side; shrunk if negative.
    pub(crate) fn grown(self, by: i32) -> Self {
        Self::new(
            self.left - by,
            self.top - by,
            self.width + 2 * by,
            self.height + 2 * by,
        )
    }

    /// The common part; empty parts have no width or height.
    pub(crate) fn clipped(self, to: Self) -> Self {
        let (left, top) = (self.left.max(to.left), self.top.max(to.top));
        let width = self.right().min(to.right()) - left;
        let height = self.bottom().min(to.bottom()) - top;
        Self::new(left, top, width.max(0), height.max(0))
    }

    /// Number of pixels.
    pub(crate) fn size(self) -> i64 {
        i64::from(self.width) * i64::from(self.height)
    }
}

/// An image that is being painted on; everything outside is cut off.
///
/// Coverage is 8 bits and blending is done in whole numbers, so a picture is the same on every
/// machine.
pub(crate) struct Canvas {
    image: RgbImage,
}

impl Canvas {
    pub(crate) fn new(image: RgbImage) -> Self {
        Self { image }
    }

    pub(crate) fn into_image(self) -> RgbImage {
        self.image
    }

    pub(crate) fn area(&self) -> Area {
        Area::new(0, 0, self.image.width() as i32, self.image.height() as i32)
    }

    pub(crate) fn fill_area(&mut self, area: Area, color: Color) {
        let area = area.clipped(self.area());
        for y in 0..area.height {
            for pixel in self.run(area.left, area.top + y, area.width) {
                blend(pixel, color, 255);
            }
        }
    }

    /// The frame between `area` and the same area shrunk by `width` pixels.
    pub(crate) fn frame(&mut self, area: Area, width: i32, color: Color) {
        let width = width
            .min(area.width / 2 + 1)
            .min(area.height / 2 + 1)
            .max(0);
        let inner = (area.height - 2 * width).max(0);
        let (left, top) = (area.left, area.top);
        let lower = (area.bottom() - width).max(top + width);
        let right = (area.right() - width).max(left + width);
        self.fill_area(Area::new(left, top, area.width, width), color);
        self.fill_area(Area::new(left, lower, area.width, width), color);
        self.fill_area(Area::new(left, top + width, width, inner), color);
        self.fill_area(Area::new(right, top + width, width, inner), color);
    }

    pub(crate) fn fill(&mut self, path: &Path, color: Color) {
        let bounds = path.bounds();
        let area = Area::new(
            bounds.left().floor() as i32,
            bounds.top().floor() as i32,
            bounds.width().ceil() as i32 + 2,
            bounds.height().ceil() as i32 + 2,
        )
        .clipped(self.area());
        let Some(mut mask) = Mask::new(area.width as u32, area.height as u32) else {
            return;
        };
        let shift = Transform::from_translate(-area.left as f32, -area.top as f32);
        mask.fill_path(path, FillRule::Winding, true, shift);
        self.paint(mask.data(), area, color);
    }

    pub(crate) fn stroke(&mut self, path: &Path, width: f32, color: Color) {
        let stroke = Stroke {
            width,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        if let Some(outline) = path.stroke(&stroke, 1.0) {
            self.fill(&outline, color);
        }
    }

    /// Paints through a mask of coverage (255 covers fully), `area` large, row by row.
    pub(crate) fn paint(&mut self, coverage: &[u8], area: Area, color: Color) {
        let visible = area.clipped(self.area());
        if visible.size() == 0 {
            return;
        }
        let rows = coverage.chunks_exact(area.width as usize);
        let from = (visible.left - area.left) as usize;
        for (row, y) in rows
            .zip(area.top..)
            .filter(|(_, y)| (visible.top..visible.bottom()).contains(y))
        {
            let levels = row.iter().skip(from);
            for (pixel, &level) in self.run(visible.left, y, visible.width).zip(levels) {
                if level > 0 {
                    blend(pixel, color, level);
                }
            }
        }
    }

    /// Copies an image to a place.
    pub(crate) fn place(&mut self, image: &RgbImage, left: i32, top: i32) {
        let area = Area::new(left, top, image.width() as i32, image.height() as i32);
        let visible = area.clipped(self.area());
        let stride = image.width() as usize * 3;
        let from = (visible.left - left) as usize * 3;
        for (row, y) in image.data().chunks_exact(stride).zip(top..) {
            if (visible.top..visible.bottom()).contains(&y) {
                let pixels = row[from..].chunks_exact(3);
                for (to, pixel) in self.run(visible.left, y, visible.width).zip(pixels) {
                    to.copy_from_slice(pixel);
                }
            }
        }
    }

    /// The pixels of one row that lie within the canvas; the place must be clipped already.
    fn run(&mut self, left: i32, y: i32, width: i32) -> impl Iterator<Item = &mut [u8]> {
        let start = (y as usize * self.image.width() as usize + left as usize) * 3;
        self.image
            .data_mut()
            .get_mut(start..start + width as usize * 3)
            .unwrap_or_default()
            .chunks_exact_mut(3)
    }
}

/// Mixes a colour into a pixel; its alpha and the coverage both weaken it.
fn blend(pixel: &mut [u8], color: Color, coverage: u8) {
    let alpha = (u32::from(color.alpha) * u32::from(coverage) + 127) / 255;
    for (level, new) in pixel.iter_mut().zip(color.rgb) {
        let mixed = u32::from(*level) * (255 - alpha) + u32::from(new) * alpha;
        *level = ((mixed + 127) / 255) as u8;
    }
}

/// Black or white, whichever stands out more against a colour (luma of ITU-R BT.601).
pub(crate) fn contrast(rgb: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = rgb.map(u32::from);
    if (299 * r + 587 * g + 114 * b) / 1000 > 140 {
        [0; 3]
    } else {
        [255; 3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas() -> Canvas {
        Canvas::new(RgbImage::filled(6, 5, [0; 3]).unwrap())
    }

    fn painted(canvas: Canvas) -> Vec<u8> {
        let image = canvas.into_image();
        image.data().iter().step_by(3).copied().collect()
    }

    fn count(levels: &[u8], wanted: u8) -> i64 {
        levels.iter().map(|level| i64::from(*level == wanted)).sum()
    }

    #[test]
    fn areas_are_cut_off_at_the_edge() {
        for area in [
            Area::new(-3, -3, 5, 5),
            Area::new(4, 4, 9, 9),
            Area::new(9, 9, 2, 2),
        ] {
            let mut canvas = canvas();
            canvas.fill_area(area, Color::opaque([255; 3]));
            let count = count(&painted(canvas), 255);
            assert_eq!(count, area.clipped(Area::new(0, 0, 6, 5)).size());
        }
    }

    #[test]
    fn a_frame_leaves_its_inside_alone() {
        let mut canvas = canvas();
        canvas.frame(Area::new(0, 0, 6, 5), 1, Color::opaque([9; 3]));
        let painted = painted(canvas);
        assert_eq!(count(&painted, 9), 18);
        assert_eq!(painted[7..11], [0; 4]);
    }

    #[test]
    fn half_covered_is_half_mixed() {
        let mut canvas = canvas();
        canvas.paint(&[128; 4], Area::new(-1, 0, 2, 2), Color::opaque([200; 3]));
        let painted = painted(canvas);
        assert_eq!((painted[0], painted[1], painted[6]), (100, 0, 100));
    }

    #[test]
    fn text_colour_stands_out() {
        assert_eq!(contrast([255, 255, 0]), [0; 3]);
        assert_eq!(contrast([0, 0, 255]), [255; 3]);
    }
}
