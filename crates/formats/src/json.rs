//! JSON of strangers, piece by piece, so that one bad piece does not spoil the rest.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A list whose entries are parsed one by one.
pub(crate) type RawList<'a> = Vec<&'a RawValue>;

/// Parses one entry; the message has no line numbers, which would be those of the entry.
pub(crate) fn entry<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, String> {
    entry_of(raw.get())
}

/// As [`entry`], of its text.
pub(crate) fn entry_of<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| {
        let text = error.to_string();
        text.split(" at line ").next().unwrap_or(&text).to_owned()
    })
}

/// The text with `null` in the place of `NaN`, `Infinity` and `-Infinity`, which Python writes
/// and JSON does not know, and the line of the first.
pub(crate) fn without_nan(text: &str) -> (Cow<'_, str>, Option<usize>) {
    if !text.contains("NaN") && !text.contains("Infinity") {
        return (Cow::Borrowed(text), None);
    }
    let (mut clean, mut rest) = (String::with_capacity(text.len()), text);
    let (mut quoted, mut first) = (false, None);
    while let Some(at) = rest.find(['"', '\\', 'N', 'I', '-']) {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        let word = ["NaN", "Infinity", "-Infinity"]
            .into_iter()
            .find(|word| rest.starts_with(word));
        let length = match (quoted, word) {
            (false, Some(word)) => {
                first = first.or(Some(clean.matches('\n').count() + 1));
                clean.push_str("null");
                rest = &rest[word.len()..];
                continue;
            }
            (true, _) if rest.starts_with('\\') => rest.chars().take(2).map(char::len_utf8).sum(),
            _ => 1,
        };
        quoted ^= rest.starts_with('"');
        clean.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    clean.push_str(rest);
    (Cow::Owned(clean), first)
}

/// A number, also one that stands in quotes.
#[derive(Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNumber)
    }
}

/// Takes numbers, truth values, and numbers in quotes.
struct AnyNumber;

impl Visitor<'_> for AnyNumber {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
        Ok(Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
        Ok(Number(number as f64))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
        Ok(Number(number as f64))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Number, E> {
        Ok(Number(f64::from(u8::from(truth))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        let number = text.trim().parse().map(Number);
        number.map_err(|_| E::custom(format!("`{text}` is not a number")))
    }

    fn visit_unit<E: Error>(self) -> Result<Number, E> {
        Err(E::custom("a number is missing"))
    }
}

/// A value that is left at its default if it is `null` or of another kind.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).unwrap_or_default())
}

/// An identifier: a number or a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Id(pub(crate) String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyId)
    }
}

/// Takes numbers and texts.
struct AnyId;

impl Visitor<'_> for AnyId {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
        Ok(Id(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Id, E> {
        Ok(Id(number.to_string()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Id, E> {
        Ok(Id(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Id, E> {
        Ok(Id(number.to_string()))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Id, E> {
        Err(E::invalid_type(Unexpected::Bool(truth), &self))
    }

    fn visit_unit<E: Error>(self) -> Result<Id, E> {
        Err(E::custom("`null` is no identifier"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_does_not_know_become_null() {
        struct Case(&'static str, &'static str, Option<usize>);
        for Case(text, wanted, line) in [
            Case("[1]", "[1]", None),
            Case("[\n-1, NaN,-Infinity]", "[\n-1, null,null]", Some(2)),
            Case(
                r#"{"NaN \" NaN": Infinity}"#,
                r#"{"NaN \" NaN": null}"#,
                Some(1),
            ),
            Case(r#"["\\", NaN]"#, r#"["\\", null]"#, Some(1)),
        ] {
            let (found, at) = without_nan(text);
            assert_eq!((&*found, at), (wanted, line));
        }
    }

    #[test]
    fn identifiers_are_numbers_or_texts() {
        let ids: Vec<Id> = serde_json::from_str(r#"[1, "1", "x", 2.0, -3]"#).unwrap();
        let texts: Vec<&str> = ids.iter().map(|id| id.0.as_str()).collect();
        assert_eq!(texts, ["1", "1", "x", "2", "-3"]);
        assert!(serde_json::from_str::<Id>("null").is_err());
    }
}
