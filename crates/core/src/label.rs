use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An opaque or translucent RGB colour, written `#rrggbbaa` as the Geti platform does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Color {
    /// Red, green and blue, 0 to 255.
    pub rgb: [u8; 3],
    /// Opacity, 255 is opaque.
    pub alpha: u8,
}

/// A text is not a colour of the form `#rrggbb` or `#rrggbbaa`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a colour: write it as #rrggbb or #rrggbbaa")]
pub struct ColorError(pub String);

impl Color {
    /// Opaque black, the colour of empty labels.
    pub const BLACK: Self = Self::opaque([0, 0, 0]);

    /// A colour without transparency.
    pub const fn opaque(rgb: [u8; 3]) -> Self {
        Self { rgb, alpha: 255 }
    }
}

impl FromStr for Color {
    type Err = ColorError;

    fn from_str(text: &str) -> Result<Self, ColorError> {
        let error = || ColorError(text.to_owned());
        let digits = text.strip_prefix('#').ok_or_else(error)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(error());
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| error())?;
        let [r, g, b, alpha] = match digits.len() {
            6 => (value << 8 | 0xff).to_be_bytes(),
            8 => value.to_be_bytes(),
            _ => return Err(error()),
        };
        Ok(Self {
            rgb: [r, g, b],
            alpha,
        })
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.rgb;
        write!(f, "#{r:02x}{g:02x}{b:02x}{:02x}", self.alpha)
    }
}

impl TryFrom<String> for Color {
    type Error = ColorError;

    fn try_from(text: String) -> Result<Self, ColorError> {
        text.parse()
    }
}

impl From<Color> for String {
    fn from(color: Color) -> Self {
        color.to_string()
    }
}

/// A label of a task, as the project defines it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Identifier, unique in the project (24 hexadecimal digits on a Geti server).
    pub id: String,
    /// What people call it; two labels of a project may share a name only across tasks.
    pub name: String,
    /// The colour in which it is drawn.
    pub color: Color,
    /// The group of labels that exclude one another.
    #[serde(default)]
    pub group: String,
    /// Whether it says that nothing is there ("No object", "No class").
    pub is_empty: bool,
    /// Whether it marks an anomaly (anomaly tasks only).
    #[serde(default)]
    pub is_anomalous: bool,
    /// Keyboard shortcut in annotation tools.
    #[serde(default)]
    pub hotkey: String,
    /// The label above it in a hierarchy.
    #[serde(default)]
    pub parent_id: Option<String>,
}

/// A label that a model (or a person, with probability 1) gave to a shape.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredLabel {
    /// Identifier of the project's label.
    pub id: String,
    /// Name of the project's label.
    pub name: String,
    /// Colour of the project's label.
    pub color: Color,
    /// Probability in `0..=1`.
    pub probability: f32,
}

impl ScoredLabel {
    /// Gives a project's label a probability in `0..=1`.
    pub fn new(label: &Label, probability: f32) -> Self {
        Self {
            id: label.id.clone(),
            name: label.name.clone(),
            color: label.color,
            probability,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_read_and_write() {
        struct Case(&'static str, Option<&'static str>);
        for Case(text, written) in [
            Case("#112233ff", Some("#112233ff")),
            Case("#A0b1C2", Some("#a0b1c2ff")),
            Case("#00000000", Some("#00000000")),
            Case("112233", None),
            Case("#1122", None),
            Case("#+12233", None),
            Case("#éé", None),
        ] {
            assert_eq!(
                text.parse::<Color>().ok().map(|c| c.to_string()).as_deref(),
                written
            );
        }
    }
}
