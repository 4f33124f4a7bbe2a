//! JSON of strangers, piece by piece, so that one bad piece does not spoil the rest.

use serde::Deserialize;
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
