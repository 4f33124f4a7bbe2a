//! Pictures in terminals that can show them: the protocols of kitty and iTerm2, and sixel.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use straylight_core::RgbImage;

use crate::{ImageError, encode_png, thumbnail};

/// How a terminal is told to show a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TerminalGraphics {
    /// The graphics protocol of kitty (also Ghostty and `WezTerm`).
    Kitty,
    /// The inline images of iTerm2 (also the terminal of VS Code, if switched on).
    ITerm2,
    /// Sixel, as DEC's VT340 had it (also foot, mlterm, Windows Terminal).
    Sixel,
}

/// Bytes of base64 in one command of kitty's protocol.
const CHUNK: usize = 4096;
/// Levels of each channel in the palette of sixel pictures: 6 x 6 x 6 colours.
const LEVELS: u32 = 6;
/// Bayer's ordered dither of 4 x 4 pixels, 0 to 15.
const DITHER: [[u32; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];

impl TerminalGraphics {
    /// What the terminal can do by the variables that it sets; `None` if nothing says so.
    ///
    /// `STRAYLIGHT_GRAPHICS` (`kitty`, `iterm2`, `sixel`, `none`) has the last word.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let is = |name: &str, words: &[&str]| {
            let value = variable(name).unwrap_or_default().to_lowercase();
            words.iter().any(|word| value.contains(word))
        };
        match variable("STRAYLIGHT_GRAPHICS").as_deref() {
            Some("kitty") => return Some(Self::Kitty),
            Some("iterm2") => return Some(Self::ITerm2),
            Some("sixel") => return Some(Self::Sixel),
            Some(_) => return None,
            None => {}
        }
        let kitty = variable("KITTY_WINDOW_ID").is_some();
        if kitty || is("TERM", &["kitty", "ghostty"]) || is("TERM_PROGRAM", &["wezterm", "ghostty"])
        {
            return Some(Self::Kitty);
        }
        if is("TERM_PROGRAM", &["iterm"]) || is("LC_TERMINAL", &["iterm"]) {
            return Some(Self::ITerm2);
        }
        let sixel = is("TERM", &["sixel", "mlterm", "foot", "yaft"]);
        (sixel || variable("WT_SESSION").is_some()).then_some(Self::Sixel)
    }

    /// The characters that make the terminal show the picture, scaled down so that neither side
    /// is longer than `max_side` pixels. The same picture gives the same characters.
    pub fn render(self, picture: &RgbImage, max_side: u32) -> Result<String, ImageError> {
        let picture = thumbnail(picture, max_side);
        Ok(match self {
            Self::Kitty => kitty(&STANDARD.encode(encode_png(&picture)?)),
            Self::ITerm2 => iterm2(&encode_png(&picture)?),
            Self::Sixel => sixel(&picture),
        })
    }
}

fn kitty(base64: &str) -> String {
    let mut text = String::new();
    let mut rest = base64;
    let mut keys = "a=T,f=100,q=2,";
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK));
        let more = u8::from(!after.is_empty());
        // Writing into a text cannot fail.
        let _ = write!(text, "\x1b_G{keys}m={more};{chunk}\x1b\\");
        (keys, rest) = ("", after);
    }
    text + "\n"
}

fn iterm2(png: &[u8]) -> String {
    let (size, base64) = (png.len(), STANDARD.encode(png));
    format!("\x1b]1337;File=inline=1;preserveAspectRatio=1;size={size}:{base64}\x07\n")
}

fn sixel(picture: &RgbImage) -> String {
    let (width, height) = (picture.width(), picture.height());
    let mut text = format!("\x1bPq\"1;1;{width};{height}");
    for color in 0..LEVELS.pow(3) {
        let percent = |level: u32| level * 100 / (LEVELS - 1);
        let (r, g, b) = (
            color / (LEVELS * LEVELS),
            color / LEVELS % LEVELS,
            color % LEVELS,
        );
        let _ = write!(
            text,
            "#{color};2;{};{};{}",
            percent(r),
            percent(g),
            percent(b)
        );
    }
    let colors: Vec<u32> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| nearest(picture.pixel(x, y).unwrap_or_default(), x, y))
        .collect();
    for band in colors.chunks(width as usize * 6) {
        sixel_band(&mut text, band, width as usize);
    }
    text + "\x1b\\\n"
}

/// The palette's colour for a pixel, one level up where the dither of its place says so.
fn nearest(pixel: [u8; 3], x: u32, y: u32) -> u32 {
    let dither = DITHER[y as usize % 4][x as usize % 4] * 2 + 1;
    pixel.iter().fold(0, |color, &value| {
        let scaled = u32::from(value) * (LEVELS - 1) * 32 / 255;
        color * LEVELS + ((scaled + dither) / 32).min(LEVELS - 1)
    })
}

/// Six rows: for each colour in them one line of characters whose bits are the rows.
fn sixel_band(text: &mut String, band: &[u32], width: usize) {
    let mut used: Vec<u32> = band.to_vec();
    used.sort_unstable();
    used.dedup();
    for color in used {
        let _ = write!(text, "#{color}");
        let (mut last, mut count) = (0, 0);
        for x in 0..=width {
            let rows = band.chunks(width).enumerate();
            let bits = rows.fold(0, |bits, (row, colors)| {
                bits | u8::from(colors.get(x) == Some(&color)) << row
            });
            if x == width || bits != last {
                repeat(text, char::from(63 + last), count);
                (last, count) = (bits, 0);
            }
            count += 1;
        }
        text.push('$');
    }
    text.push('-');
}

fn repeat(text: &mut String, sixel: char, count: usize) {
    if count > 3 {
        let _ = write!(text, "!{count}{sixel}");
    } else {
        text.extend(std::iter::repeat_n(sixel, count));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_are_known_by_their_variables() {
        use TerminalGraphics::{ITerm2, Kitty, Sixel};
        struct Case(
            &'static [(&'static str, &'static str)],
            Option<TerminalGraphics>,
        );
        for Case(set, wanted) in [
            Case(&[("TERM", "xterm-kitty")], Some(Kitty)),
            Case(&[("KITTY_WINDOW_ID", "1"), ("TERM", "screen")], Some(Kitty)),
            Case(&[("TERM_PROGRAM", "WezTerm")], Some(Kitty)),
            Case(&[("TERM_PROGRAM", "iTerm.app")], Some(ITerm2)),
            Case(&[("TERM", "foot")], Some(Sixel)),
            Case(&[("TERM", "xterm-256color")], None),
            Case(
                &[("TERM", "xterm-kitty"), ("STRAYLIGHT_GRAPHICS", "none")],
                None,
            ),
            Case(&[("STRAYLIGHT_GRAPHICS", "sixel")], Some(Sixel)),
            Case(&[], None),
        ] {
            let variable = |name: &str| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(TerminalGraphics::detect(variable), wanted, "{set:?}");
        }
    }

    #[test]
    fn long_pictures_are_sent_in_pieces() {
        let text = kitty(&"A".repeat(CHUNK + 1));
        assert!(text.starts_with("\x1b_Ga=T,f=100,q=2,m=1;AAAA"));
        assert!(text.ends_with("\x1b_Gm=0;A\x1b\\\n"));
    }

    #[test]
    fn sixels_are_bits_of_six_rows() {
        let red = RgbImage::filled(5, 7, [255, 0, 0]).unwrap();
        let text = sixel(&red);
        assert!(text.starts_with("\x1bPq\"1;1;5;7#0;2;0;0;0"));
        // Colour 180 is pure red; five columns of six rows, then five of one.
        assert!(text.ends_with("#180!5~$-#180!5@$-\x1b\\\n"), "{text:?}");
    }

    #[test]
    fn the_same_picture_gives_the_same_characters_in_every_protocol() {
        let data = (0..64 * 48 * 3).map(|i| (i * 7 % 251) as u8).collect();
        let picture = RgbImage::new(64, 48, data).unwrap();
        for graphics in [
            TerminalGraphics::Kitty,
            TerminalGraphics::ITerm2,
            TerminalGraphics::Sixel,
        ] {
            let text = graphics.render(&picture, 32).unwrap();
            assert_eq!(text, graphics.render(&picture, 32).unwrap());
            assert!(text.starts_with('\x1b') && text.ends_with('\n'));
        }
    }
}
