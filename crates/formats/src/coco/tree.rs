//! What stands under `segmentation`, read in one pass: nearly always rings of numbers.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// JSON with lists of numbers as such.
#[derive(Debug, Default)]
pub(super) enum Tree {
    /// `null`, nothing at all, or a truth value.
    #[default]
    Nothing,
    Number(f64),
    Text(String),
    /// A list of numbers alone.
    Ring(Vec<f64>),
    List(Vec<Tree>),
    Map(Map<String, Value>),
}

impl Tree {
    /// A number, also one in quotes.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A pair of numbers, or `x` and `y`.
    pub(super) fn point(&self) -> Option<[f64; 2]> {
        match self {
            Self::Ring(pair) => pair.as_slice().try_into().ok(),
            Self::List(pair) => match pair.as_slice() {
                [x, y] => Some([x.number()?, y.number()?]),
                _ => None,
            },
            Self::Map(map) => Some([number(map.get("x")?)?, number(map.get("y")?)?]),
            _ => None,
        }
    }

    /// Numbers, or pairs of them.
    pub(super) fn ring(&self) -> Option<Vec<f64>> {
        match self {
            Self::Ring(numbers) => Some(numbers.clone()),
            Self::List(list) => super::annotation::ring(list),
            _ => None,
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    let text = || value.as_str()?.trim().parse().ok();
    value.as_f64().or_else(text)
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rings or a mask")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Tree, E> {
        Ok(Tree::Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Tree, E> {
        Ok(Tree::Number(number as f64))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Tree, E> {
        Ok(Tree::Number(number as f64))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let (mut numbers, mut others) = (Vec::new(), Vec::new());
        while let Some(entry) = list.next_element()? {
            match entry {
                Tree::Number(number) if others.is_empty() => numbers.push(number),
                entry => {
                    others.extend(numbers.drain(..).map(Tree::Number));
                    others.push(entry);
                }
            }
        }
        Ok(if others.is_empty() {
            Tree::Ring(numbers)
        } else {
            Tree::List(others)
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Tree, A::Error> {
        Map::deserialize(MapAccessDeserializer::new(map)).map(Tree::Map)
    }
}
