//! JSON of strangers, piece by piece, so that one bad piece does not spoil the rest.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A list whose entries are parsed one by one.
pub(crate) type RawList<'a> = Vec<&'a RawValue>;

/// Parses one entry; the message has no line numbers, which would be those of the entry.
pub(crate) fn entry<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Result<T, String> {
    serde_json::from_str(raw.get()).map_err(|error| {
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

#[derive(Deserialize)]
#[serde(untagged)]
enum AnyNumber<'a> {
    Number(f64),
    Truth(bool),
    Text(#[serde(borrow)] Cow<'a, str>),
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match AnyNumber::deserialize(deserializer) {
            Ok(AnyNumber::Number(number)) => Ok(Self(number)),
            Ok(AnyNumber::Truth(truth)) => Ok(Self(f64::from(u8::from(truth)))),
            Ok(AnyNumber::Text(text)) => text
                .trim()
                .parse()
                .map(Self)
                .map_err(|_| serde::de::Error::custom(format!("`{text}` is not a number"))),
            Err(_) => Err(serde::de::Error::custom("a number is missing")),
        }
    }
}

/// A value that is left at its default if it is `null` or of another kind.
pub(crate) fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either<T> {
        Good(T),
        Bad(serde::de::IgnoredAny),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Good(value) => value,
        Either::Bad(_) => T::default(),
    })
}

/// An identifier: a number or a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Id(pub(crate) String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(match (number.as_i64(), number.as_f64()) {
                (None, Some(float)) if float.fract() == 0.0 => format!("{float:.0}"),
                _ => number.to_string(),
            })),
            other => Err(serde::de::Error::custom(format!(
                "`{other}` is no identifier"
            ))),
        }
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
