//! The elements of a tensor, in no more memory than they need: as values of JSON a number of one
//! digit would take sixteen times its text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::MAX_BATCH;

/// What a list of numbers or texts holds.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Data<'a> {
    /// How many elements there are, of whatever kind.
    pub(super) length: usize,
    /// The numbers from 0 to 255 among them.
    pub(super) bytes: Vec<u8>,
    /// The texts among them, but no more than a request may have.
    pub(super) texts: Vec<Cow<'a, str>>,
    /// It is no list.
    pub(super) is_no_list: bool,
}

impl Data<'_> {
    fn no_list() -> Self {
        Self {
            is_no_list: true,
            ..Self::default()
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Data<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(List)
    }
}

struct List;

impl<'de> Visitor<'de> for List {
    type Value = Data<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of numbers or texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut data = Data::default();
        while let Some(element) = list.next_element()? {
            data.length += 1;
            match element {
                Element::Byte(byte) => data.bytes.push(byte),
                Element::Text(text) if data.texts.len() < MAX_BATCH => data.texts.push(text),
                Element::Text(_) | Element::Other => {}
            }
        }
        Ok(data)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Data::no_list())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Data::no_list())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Data::no_list())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Data::no_list())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Data::no_list())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Data::no_list())
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Data::no_list())
    }
}

enum Element<'a> {
    Byte(u8),
    Text(Cow<'a, str>),
    Other,
}

impl<'de> Deserialize<'de> for Element<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(One)
    }
}

struct One;

impl<'de> Visitor<'de> for One {
    type Value = Element<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(u8::try_from(number).map_or(Element::Other, Element::Byte))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Element::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Element::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Element::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Element::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Element::Other)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Element::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Element::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Element::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_told_apart_and_counted() {
        struct Case(&'static str, usize, &'static [u8], &'static [&'static str]);
        for Case(json, length, bytes, texts) in [
            Case("[]", 0, &[], &[]),
            Case("[0, 255, 7]", 3, &[0, 255, 7], &[]),
            Case("[0, 256, -1, 1.5]", 4, &[0], &[]),
            Case(r#"["a", "b\/c"]"#, 2, &[], &["a", "b/c"]),
            Case(r#"[[1], {"a": 1}, null, true, "x"]"#, 5, &[], &["x"]),
        ] {
            let data: Data<'_> = serde_json::from_str(json).unwrap();
            assert!(!data.is_no_list, "{json}");
            assert_eq!((data.length, &*data.bytes), (length, bytes), "{json}");
            assert_eq!(data.texts, texts, "{json}");
        }
        for json in ["1", "-1", "1.5", "\"a\"", "{\"a\": [1]}", "null", "true"] {
            let data: Data<'_> = serde_json::from_str(json).unwrap();
            assert!(data.is_no_list, "{json}");
        }
    }

    #[test]
    fn more_texts_than_a_request_may_have_are_counted_and_not_kept() {
        let json = serde_json::to_string(&vec!["x"; 1000]).unwrap();
        let data: Data<'_> = serde_json::from_str(&json).unwrap();
        assert_eq!((data.length, data.texts.len()), (1000, MAX_BATCH));
    }
}
