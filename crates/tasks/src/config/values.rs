use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use crate::TaskError;

/// The texts of `model_info` by name.
pub(super) struct Values<'a>(pub(super) &'a BTreeMap<String, String>);

impl Values<'_> {
    /// The text of an entry, unless it is absent, empty or `None`.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let text = self.0.get(key)?.trim();
        (!text.is_empty() && text != "None").then_some(text)
    }

    /// The space-separated words of an entry.
    pub(super) fn words(&self, key: &str) -> Vec<String> {
        let text = self.get(key).unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// The space-separated words of an entry, `None` where a word says so.
    pub(super) fn optional_words(&self, key: &str) -> Vec<Option<String>> {
        let words = self.words(key).into_iter();
        words
            .map(|word| (!word.eq_ignore_ascii_case("none")).then_some(word))
            .collect()
    }

    /// An entry that is one of several words.
    pub(super) fn parse_or<T: FromStr>(&self, key: &'static str, default: T) -> Result<T, TaskError>
    where
        T::Err: Display,
    {
        match self.get(key) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|error: T::Err| TaskError::config(key, text, error.to_string())),
        }
    }

    /// A number that is not NaN.
    pub(super) fn number_or<T>(&self, key: &'static str, default: T) -> Result<T, TaskError>
    where
        T: FromStr<Err: Display> + PartialEq + Copy,
    {
        let number = self.parse_or(key, default)?;
        // Only NaN differs from itself.
        #[allow(clippy::eq_op)]
        if number != number {
            return Err(TaskError::config(key, "nan", "wanted a number"));
        }
        Ok(number)
    }

    /// A finite number that something is divided by.
    pub(super) fn scale_or(&self, key: &'static str, default: f32) -> Result<f32, TaskError> {
        let scale = self.number_or(key, default)?;
        if scale == 0.0 || !scale.is_finite() {
            let reason = "wanted a finite number other than 0";
            return Err(TaskError::config(key, &scale.to_string(), reason));
        }
        Ok(scale)
    }

    /// A whole number from 0 on; a float without fraction will do.
    pub(super) fn count_or(&self, key: &'static str, default: usize) -> Result<usize, TaskError> {
        let Some(text) = self.get(key) else {
            return Ok(default);
        };
        let whole = self.number_or(key, 0.0_f64)?;
        if whole < 0.0 || whole.fract() != 0.0 || whole > f64::from(u32::MAX) {
            return Err(TaskError::config(
                key,
                text,
                "wanted a whole number, 0 or more",
            ));
        }
        Ok(whole as usize)
    }

    /// A yes or no, in Python's spelling or another usual one.
    pub(super) fn flag_or(&self, key: &'static str, default: bool) -> Result<bool, TaskError> {
        let Some(text) = self.get(key) else {
            return Ok(default);
        };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err(TaskError::config(key, text, "wanted `True` or `False`")),
        }
    }

    /// The side of the smoothing window; -1 and an infinite soft threshold switch it off.
    pub(super) fn blur_strength(&self) -> Result<Option<u32>, TaskError> {
        const OFF: f64 = -1.0;
        let side = self.number_or("blur_strength", OFF)?;
        let threshold: f32 = self.number_or("soft_threshold", f32::NEG_INFINITY)?;
        if side.total_cmp(&OFF).is_eq() || threshold == f32::INFINITY {
            return Ok(None);
        }
        if !(1.0..=4096.0).contains(&side) || side.fract() != 0.0 {
            let reason = "wanted -1 (no smoothing) or a window of 1 to 4096 pixels";
            return Err(TaskError::config(
                "blur_strength",
                &side.to_string(),
                reason,
            ));
        }
        Ok(Some(side as u32))
    }

    /// The overlap of tiles, which must leave a step of at least one pixel.
    pub(super) fn overlap(&self, tile_size: u32) -> Result<f64, TaskError> {
        let overlap = self.number_or("tiles_overlap", 0.5_f64)?;
        if !(0.0..1.0).contains(&overlap) || f64::from(tile_size) * (1.0 - overlap) < 1.0 {
            let reason = "wanted 0 up to 1, so that tiles advance by at least one pixel";
            return Err(TaskError::config(
                "tiles_overlap",
                &overlap.to_string(),
                reason,
            ));
        }
        Ok(overlap)
    }
}
