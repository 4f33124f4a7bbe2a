//! Text in the bundled font, `DejaVu Sans`, with Latin, Greek and Cyrillic letters.
//!
//! Letters that the font does not have are drawn as empty boxes.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, ScaleFont};
use straylight_core::Color;

use super::canvas::{Area, Canvas};

static BYTES: &[u8] = include_bytes!("../../assets/dejavu_sans.ttf");

/// `None` only if the bundled file were broken, which a test excludes.
static FONT: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| FontRef::try_from_slice(BYTES).ok());

/// Distance of two lines of text in pixels for a letter height in pixels.
pub(crate) fn line_height(size: f32) -> i32 {
    (size * 1.25).round() as i32
}

/// Width of one line of text in pixels, rounded up.
pub(crate) fn width(text: &str, size: f32) -> i32 {
    let (_, width) = glyphs(text, size);
    width.ceil() as i32
}

/// The longest beginning of a text that fits, with an ellipsis if something was cut off.
pub(crate) fn fit(text: &str, size: f32, max_width: i32) -> String {
    if width(text, size) <= max_width {
        return text.to_owned();
    }
    let ends = text.char_indices().map(|(at, _)| at).rev();
    ends.map(|end| format!("{}…", text[..end].trim_end()))
        .find(|shorter| width(shorter, size) <= max_width)
        .unwrap_or_default()
}

/// Draws one line of text; `left` and `top` are those of its line box.
pub(crate) fn draw(canvas: &mut Canvas, text: &str, size: f32, left: i32, top: i32, rgb: [u8; 3]) {
    let Some(font) = &*FONT else { return };
    let (glyphs, _) = glyphs(text, size);
    for glyph in glyphs {
        let Some(outline) = font.outline_glyph(glyph) else {
            continue;
        };
        let bounds = outline.px_bounds();
        let area = Area::new(
            left + bounds.min.x as i32,
            top + bounds.min.y as i32,
            bounds.width() as i32,
            bounds.height() as i32,
        );
        let mut coverage = vec![0; area.size().max(0) as usize];
        outline.draw(|x, y, level| {
            if let Some(cell) = coverage.get_mut((y * area.width as u32 + x) as usize) {
                *cell = (level.clamp(0.0, 1.0) * 255.0).round() as u8;
            }
        });
        canvas.paint(&coverage, area, Color::opaque(rgb));
    }
}

/// Places a text's glyphs one after the other; also their width in pixels.
fn glyphs(text: &str, size: f32) -> (Vec<Glyph>, f32) {
    let Some(font) = &*FONT else {
        return (Vec::new(), 0.0);
    };
    let scaled = font.as_scaled(size);
    let baseline = (f32::from(line_height(size) as i16) - scaled.height()) / 2.0 + scaled.ascent();
    let (mut glyphs, mut x) = (Vec::new(), 0.0);
    let mut previous = None;
    for letter in text.chars().filter(|c| !c.is_control()) {
        let id = font.glyph_id(letter);
        x += previous.map_or(0.0, |before| scaled.kern(before, id));
        let position = ab_glyph::point(x, baseline.round());
        glyphs.push(id.with_scale_and_position(size, position));
        x += scaled.h_advance(id);
        previous = Some(id);
    }
    (glyphs, x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_is_sound_and_has_the_letters_that_we_write() {
        let font = FONT.as_ref().unwrap();
        for letter in "AZaz09%.…äéßŁΩЖ–—≥".chars() {
            assert_ne!(font.glyph_id(letter).0, 0, "{letter}");
        }
    }

    #[test]
    fn long_text_is_cut_to_its_space() {
        let text = "a very long name of a label";
        let space = width(text, 14.0) / 2;
        let cut = fit(text, 14.0, space);
        assert!(cut.ends_with('…') && text.starts_with(cut.trim_end_matches('…')));
        assert!(width(&cut, 14.0) <= space);
        assert_eq!(fit(text, 14.0, 10_000), text);
        assert_eq!(fit(text, 14.0, 1), "");
    }

    #[test]
    fn wider_text_is_wider() {
        assert!(width("WW", 20.0) > width("WW", 10.0));
        assert!(width("WWW", 20.0) > width("WW", 20.0));
        assert_eq!(width("", 20.0), 0);
    }
}
