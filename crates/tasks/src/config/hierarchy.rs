use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::values::Values;
use crate::TaskError;

const KEY: &str = "hierarchical_config";

/// The tree of classes of a hierarchical classifier, and where its logits are.
///
/// Checked when read: every range lies in order, every group of an exclusive head has a name
/// for each of its logits, every name has an index, and no class is its own ancestor.
#[derive(Debug, Clone, PartialEq)]
pub struct Hierarchy {
    /// For each exclusive head, the first and the end of its logits.
    pub heads: Vec<(usize, usize)>,
    /// Where the logits of the independent classes begin; `None` without such classes.
    pub independent_from: Option<usize>,
    /// Groups of names: one for each exclusive head, then one for each independent class.
    pub groups: Vec<Vec<String>>,
    /// Index of each class among the model's labels.
    pub index: BTreeMap<String, usize>,
    /// The class above each class that is not at the top.
    pub parent: BTreeMap<String, String>,
    /// Names of the classes in the order of the logits (and of the saliency maps), if given.
    pub logit_order: Vec<String>,
    /// Whether a class is kept only if its whole line of ancestors is (`probabilistic`), or
    /// ancestors must be the best of their groups (`greedy`).
    pub probabilistic: bool,
}

#[derive(Deserialize)]
struct Wire {
    cls_heads_info: Heads,
    #[serde(default)]
    label_tree_edges: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[allow(clippy::struct_field_names)] // They are the keys of the file.
struct Heads {
    num_multiclass_heads: usize,
    #[serde(default)]
    num_multilabel_classes: usize,
    #[serde(default)]
    head_idx_to_logits_range: HashMap<String, (usize, usize)>,
    #[serde(default)]
    num_single_label_classes: usize,
    #[serde(default)]
    class_to_group_idx: KeysInOrder,
    all_groups: Vec<Vec<String>>,
    label_to_idx: BTreeMap<String, usize>,
}

/// The keys of a JSON object as they are written: their order is that of the logits.
#[derive(Default)]
struct KeysInOrder(Vec<String>);

impl<'de> Deserialize<'de> for KeysInOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = KeysInOrder;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a key for each class")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeysInOrder, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(KeysInOrder(keys))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

impl Hierarchy {
    /// The hierarchy of `model_info`; `None` unless `hierarchical` is set.
    pub(super) fn read(values: &Values<'_>) -> Result<Option<Self>, TaskError> {
        if !values.flag_or("hierarchical", false)? {
            return Ok(None);
        }
        let text = values.get(KEY).unwrap_or_default();
        let wire: Wire = serde_json::from_str(text)
            .map_err(|error| TaskError::config(KEY, text, error.to_string()))?;
        let probabilistic = match values.get("hierarchical_postproc") {
            None | Some("greedy") => false,
            Some("probabilistic") => true,
            Some(other) => {
                let reason = "known are greedy and probabilistic";
                return Err(TaskError::config("hierarchical_postproc", other, reason));
            }
        };
        let hierarchy = Self::from_wire(wire, probabilistic);
        hierarchy
            .and_then(Self::checked)
            .map(Some)
            .map_err(|reason| TaskError::config(KEY, text, reason))
    }

    fn from_wire(wire: Wire, probabilistic: bool) -> Result<Self, String> {
        let info = wire.cls_heads_info;
        let heads = (0..info.num_multiclass_heads)
            .map(|head| {
                let range = info.head_idx_to_logits_range.get(&head.to_string());
                range
                    .copied()
                    .ok_or_else(|| format!("head {head} has no range of logits"))
            })
            .collect::<Result<_, _>>()?;
        let independent = info.num_multilabel_classes > 0;
        Ok(Self {
            heads,
            independent_from: independent.then_some(info.num_single_label_classes),
            groups: info.all_groups,
            index: info.label_to_idx,
            parent: wire.label_tree_edges.into_iter().collect(),
            logit_order: info.class_to_group_idx.0,
            probabilistic,
        })
    }

    fn checked(self) -> Result<Self, String> {
        for (head, &(begin, end)) in self.heads.iter().enumerate() {
            let names = self.groups.get(head).map_or(0, Vec::len);
            if begin >= end || end - begin != names {
                return Err(format!(
                    "head {head}: logits {begin} to {end} for {names} names"
                ));
            }
        }
        if let Some(name) = self
            .groups
            .iter()
            .flatten()
            .find(|name| !self.index.contains_key(*name))
        {
            return Err(format!("class `{name}` has no entry in label_to_idx"));
        }
        if let Some(name) = self.parent.keys().find(|name| self.is_circular(name)) {
            return Err(format!("class `{name}` is its own ancestor"));
        }
        Ok(self)
    }

    fn is_circular(&self, name: &str) -> bool {
        self.ancestors(name).take(self.parent.len() + 1).count() > self.parent.len()
    }

    /// The classes above this one, the nearest first.
    pub fn ancestors<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let first = self.parent.get(name).map(String::as_str);
        std::iter::successors(first, |name| self.parent.get(*name).map(String::as_str))
    }
}
