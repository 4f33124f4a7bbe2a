use std::collections::BTreeMap;

use roxmltree::Node;

/// A model's configuration: the children of `rt_info/model_info`, each with a `value`.
///
/// Keys and values are kept as they are written; whoever uses a key interprets it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelInfo(BTreeMap<String, String>);

impl ModelInfo {
    pub(super) fn of(node: Node<'_, '_>) -> Self {
        let elements = node.children().filter(Node::is_element);
        Self(
            elements
                .filter_map(|child| {
                    Some((
                        child.tag_name().name().to_owned(),
                        child.attribute("value")?.to_owned(),
                    ))
                })
                .collect(),
        )
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
