//! Numbers as the platform writes them: whole ones without a decimal point.

use serde::{Deserialize, Deserializer, Serializer};

/// The largest whole number that an `f64` holds without gaps, 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes a whole number as a JSON integer, any other as a JSON float.
// The signature is the one that serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn whole<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.fract() == 0.0 && value.abs() < EXACT {
        serializer.serialize_i64(*value as i64)
    } else {
        serializer.serialize_f64(*value)
    }
}

/// Reads a count from an integer, from a whole float, or from null (zero).
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = Option::<f64>::deserialize(deserializer)?.unwrap_or(0.0);
    if (0.0..EXACT).contains(&value) {
        Ok(value as u64)
    } else {
        Err(serde::de::Error::custom(format_args!(
            "`{value}` is not a count: a whole number from zero on was expected"
        )))
    }
}

/// Reads a number, a number written as a text (as `model.json` has it), or null (zero).
pub(crate) fn float<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }
    match Option::<Written>::deserialize(deserializer)? {
        None => Ok(0.0),
        Some(Written::Number(number)) => Ok(number),
        Some(Written::Text(text)) => text
            .trim()
            .parse()
            .map_err(|_| serde::de::Error::custom(format_args!("`{text}` is not a number"))),
    }
}

/// Reads a value, or its default in the place of null.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
