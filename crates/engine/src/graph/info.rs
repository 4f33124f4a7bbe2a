use std::collections::BTreeMap;

use super::facts::{Fact, Place};

/// A model's configuration: the entries of `model_info`, in IR or ONNX.
///
/// Keys and values are kept as they are written; whoever uses a key interprets it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelInfo(BTreeMap<String, String>);

impl ModelInfo {
    /// The facts of `model_info`; `None` when there are none.
    pub(super) fn of(facts: &[Fact]) -> Option<Self> {
        let own = facts.iter().filter(|fact| fact.place == Place::ModelInfo);
        let info: Self = own.map(|fact| (&*fact.key, &*fact.value)).collect();
        (!info.0.is_empty()).then_some(info)
    }

    /// The value of a key as it is written.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All keys with their values, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for ModelInfo {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}
