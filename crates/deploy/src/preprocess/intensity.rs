//! Geti 3's intensity modes: from raw pixel values to the values that are normalised.
//!
//! They act on the resized and padded image, before channels are reversed and normalised.
//! Formulas: `getitune` 0.4.0; `ModelAPI` 0.4.7 computes the same but for `percentile`, which it
//! skips for models of a fixed size, and values above the maximum of `scale_to_unit`, which it
//! does not cut.

use crate::DeployError;
use crate::config::Config;

/// The type of the pixels that a model was trained on, `input_dtype`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// 8 bits; also for models that do not say.
    U8,
    /// 16 bits without a sign.
    U16,
    /// 16 bits with a sign: pixels are 0 to 32767.
    I16,
    /// Floating point: pixels of 8 bits that are not rounded when they are resized.
    F32,
}

/// What becomes of a pixel value, `intensity_mode`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mode {
    /// Nothing: mean and scale are in units of pixels.
    None,
    /// `clip(x / max, 0, 1)`.
    ScaleToUnit { max: f32 },
    /// `(clip(x, low, high) - low) / (high - low)`.
    Window { low: f32, high: f32 },
    /// As a window whose ends are percentiles of the image, 0 to 100.
    Percentile { low: f64, high: f64 },
    /// `(clip(x * factor, low, high) - low) / (high - low)`.
    RangeScale { factor: f32, low: f32, high: f32 },
}

impl Depth {
    pub(super) fn read(config: &Config) -> Result<Self, DeployError> {
        let wrong = |other| {
            let reason = format!("`{other}` is not known: known are u8, u16, i16 and f32");
            Err(config.wrong("input_dtype", reason))
        };
        match config.text("input_dtype") {
            None | Some("u8") => Ok(Self::U8),
            Some("u16") => Ok(Self::U16),
            Some("i16") => Ok(Self::I16),
            Some("f32") => Ok(Self::F32),
            Some(other) => wrong(other),
        }
    }

    /// Whether images must have 16 bits a sample.
    pub(super) fn is_deep(self) -> bool {
        matches!(self, Self::U16 | Self::I16)
    }

    /// The greatest value of a pixel.
    pub(super) fn greatest(self) -> u16 {
        match self {
            Self::U8 | Self::F32 => 255,
            Self::U16 => u16::MAX,
            Self::I16 => i16::MAX as u16,
        }
    }
}

impl Mode {
    pub(super) fn read(config: &Config, depth: Depth) -> Result<Self, DeployError> {
        const MODE: &str = "intensity_mode";
        const MAX: &str = "intensity_max_value";
        let mode = config.text(MODE).unwrap_or("none");
        let needed = |key: &str| -> Result<f32, DeployError> {
            if config.text(key).is_none() {
                return Err(config.wrong(key, format!("is missing: `{mode}` needs it")));
            }
            finite(config, key, 0.0)
        };
        let mode = match mode {
            // `None` is how Python writes an absent value.
            "none" => Self::None,
            "scale_to_unit" => {
                if depth == Depth::F32 {
                    // Floating point pixels are 0 to 1 by default; image files have none.
                    needed(MAX)?;
                }
                let max = finite(config, MAX, f32::from(depth.greatest()))?;
                if max <= 0.0 {
                    return Err(config.wrong(MAX, format!("`{max}` is not above 0")));
                }
                Self::ScaleToUnit { max }
            }
            "window" => {
                let center = needed("intensity_window_center")?;
                let half = needed("intensity_window_width")? / 2.0;
                let (low, high) = (center - half, center + half);
                check_ends(config, "intensity_window_width", low, high)?;
                Self::Window { low, high }
            }
            "percentile" => {
                let key = "intensity_percentile_high";
                let low = config.number("intensity_percentile_low", 1.0)?;
                let high = config.number(key, 99.0)?;
                let fits = (0.0..=100.0).contains(&low) && (0.0..=100.0).contains(&high);
                if !fits || low >= high {
                    let reason = format!("{low} to {high} are no two percentiles in order");
                    return Err(config.wrong(key, reason));
                }
                Self::Percentile { low, high }
            }
            "range_scale" => {
                let factor = finite(config, "intensity_scale_factor", 1.0)?;
                let low = finite(config, "intensity_min_value", 0.0)?;
                let high = needed(MAX)?;
                check_ends(config, MAX, low, high)?;
                Self::RangeScale { factor, low, high }
            }
            other => {
                let reason = format!(
                    "`{other}` is not known: known are scale_to_unit, window, percentile, \
                     range_scale and none"
                );
                return Err(config.wrong(MODE, reason));
            }
        };
        Ok(mode)
    }

    /// How much mean and scale must be multiplied by, so that they act on the pixels themselves;
    /// `None` when a pixel's value is changed in another way.
    pub(super) fn factor(self, depth: Depth) -> Option<f32> {
        match (self, depth) {
            (Self::None, _) => Some(1.0),
            // Nothing is above the maximum.
            (Self::ScaleToUnit { max }, depth) if max >= f32::from(depth.greatest()) => Some(max),
            _ => None,
        }
    }

    /// The mode for one image of 8 bits: percentiles become the ends of a window.
    pub(super) fn of_levels(self, levels: &[u8]) -> Self {
        self.of_image(levels.len(), || {
            let mut sorted = levels.to_vec();
            sorted.sort_unstable();
            move |place| sorted.get(place).copied().map_or(0.0, f64::from)
        })
    }

    /// The mode for one image of other values.
    pub(super) fn of_values(self, values: &[f32]) -> Self {
        self.of_image(values.len(), || {
            let mut sorted = values.to_vec();
            sorted.sort_unstable_by(f32::total_cmp);
            move |place| sorted.get(place).copied().map_or(0.0, f64::from)
        })
    }

    fn of_image<F: Fn(usize) -> f64>(self, count: usize, sorted: impl FnOnce() -> F) -> Self {
        match self {
            Self::Percentile { low, high } => {
                let at = sorted();
                let [low, high] = [low, high].map(|percent| percentile(count, &at, percent));
                Self::Window { low, high }
            }
            other => other,
        }
    }

    /// What a pixel value becomes.
    pub(super) fn apply(self, value: f32) -> f32 {
        let part = |value: f32, low: f32, high: f32| {
            if high > low {
                (value.clamp(low, high) - low) / (high - low)
            } else {
                // An image of one value has no window.
                0.0
            }
        };
        match self {
            Self::None | Self::Percentile { .. } => value,
            Self::ScaleToUnit { max } => (value / max).clamp(0.0, 1.0),
            Self::Window { low, high } => part(value, low, high),
            Self::RangeScale { factor, low, high } => part(value * factor, low, high),
        }
    }
}

fn finite(config: &Config, key: &str, default: f32) -> Result<f32, DeployError> {
    let value: f32 = config.number(key, default)?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(config.wrong(key, format!("`{value}` is not finite")))
    }
}

fn check_ends(config: &Config, key: &str, low: f32, high: f32) -> Result<(), DeployError> {
    if low < high {
        return Ok(());
    }
    Err(config.wrong(key, format!("the range from {low} to {high} is empty")))
}

/// A percentile of sorted values, between its neighbours in proportion, as `numpy.percentile`.
fn percentile(count: usize, at: impl Fn(usize) -> f64, percent: f64) -> f32 {
    let place = percent / 100.0 * count.saturating_sub(1) as f64;
    let (below, above) = (at(place.floor() as usize), at(place.ceil() as usize));
    (below + (above - below) * place.fract()) as f32
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "these numbers have exact values")]
mod tests {
    use std::path::Path;

    use straylight_engine::graph::ModelInfo;

    use super::*;

    fn read(entries: &[(&str, &str)]) -> Result<(Depth, Mode), DeployError> {
        let info: ModelInfo = entries.iter().copied().collect();
        let config = Config::new(
            Path::new("model.xml"),
            Some(&info),
            &serde_json::Value::Null,
        );
        let depth = Depth::read(&config)?;
        Ok((depth, Mode::read(&config, depth)?))
    }

    #[test]
    fn values_follow_the_formulas() {
        struct Case(&'static [(&'static str, &'static str)], [f32; 3]);
        // What becomes of 0, 64 and 255.
        for Case(entries, expected) in [
            Case(&[], [0.0, 64.0, 255.0]),
            Case(
                &[("intensity_mode", "scale_to_unit")],
                [0.0, 64.0 / 255.0, 1.0],
            ),
            Case(
                &[
                    ("intensity_mode", "scale_to_unit"),
                    ("intensity_max_value", "128.0"),
                ],
                [0.0, 0.5, 1.0],
            ),
            Case(
                &[
                    ("intensity_mode", "window"),
                    ("intensity_window_center", "64"),
                    ("intensity_window_width", "64"),
                ],
                [0.0, 0.5, 1.0],
            ),
            Case(
                &[
                    ("intensity_mode", "range_scale"),
                    ("intensity_scale_factor", "2"),
                    ("intensity_min_value", "64"),
                    ("intensity_max_value", "192"),
                ],
                [0.0, 0.5, 1.0],
            ),
        ] {
            let (_, mode) = read(entries).unwrap();
            assert_eq!(
                [0.0, 64.0, 255.0].map(|value| mode.apply(value)),
                expected,
                "{entries:?}"
            );
        }
    }

    #[test]
    fn percentiles_are_numpy_s() {
        // numpy.percentile([0, 0, 10, 20, 200], [10, 50, 90]) = 0, 10, 128
        let window = |low, high| Mode::Percentile { low, high }.of_levels(&[200, 0, 10, 20, 0]);
        let (low, high) = (10.0, 128.0);
        assert_eq!(window(50.0, 90.0), Mode::Window { low, high });
        let values = Mode::Percentile {
            low: 50.0,
            high: 90.0,
        };
        assert_eq!(
            values.of_values(&[200.0, 0.0, 10.0, 20.0, 0.0]),
            Mode::Window { low, high }
        );
        let flat = window(10.0, 10.5);
        assert!(
            flat.apply(7.0).abs() < f32::EPSILON,
            "an image of one value: {flat:?}"
        );
    }

    #[test]
    fn modes_that_only_scale_fold_into_the_normalisation() {
        let factor = |entries: &[(&str, &str)]| {
            let (depth, mode) = read(entries).unwrap();
            mode.factor(depth)
        };
        let unit = ("intensity_mode", "scale_to_unit");
        assert_eq!(factor(&[]), Some(1.0));
        assert_eq!(factor(&[unit]), Some(255.0));
        assert_eq!(factor(&[unit, ("input_dtype", "u16")]), Some(65_535.0));
        assert_eq!(factor(&[unit, ("intensity_max_value", "100")]), None);
        assert_eq!(factor(&[("intensity_mode", "percentile")]), None);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        struct Case(&'static [(&'static str, &'static str)], &'static str);
        for Case(entries, expected) in [
            Case(&[("intensity_mode", "gamma")], "`gamma` is not known"),
            Case(&[("input_dtype", "u32")], "`u32` is not known"),
            Case(
                &[("intensity_mode", "window")],
                "intensity_window_center: is missing",
            ),
            Case(
                &[("intensity_mode", "range_scale")],
                "intensity_max_value: is missing",
            ),
            Case(
                &[("intensity_mode", "scale_to_unit"), ("input_dtype", "f32")],
                "intensity_max_value: is missing",
            ),
            Case(
                &[
                    ("intensity_mode", "scale_to_unit"),
                    ("intensity_max_value", "0"),
                ],
                "not above 0",
            ),
            Case(
                &[
                    ("intensity_mode", "percentile"),
                    ("intensity_percentile_low", "99.5"),
                ],
                "no two percentiles in order",
            ),
        ] {
            let error = read(entries).unwrap_err().to_string();
            assert!(
                error.contains(expected) && error.contains("model.xml"),
                "{error}"
            );
        }
    }
}
