use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Media, MediaKind, number};

/// `POST .../media:query`: which media are wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaQuery {
    /// How the rules combine.
    #[serde(default)]
    pub condition: Condition,
    /// The rules; none means all media.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

/// How the rules of a query combine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Condition {
    /// All must hold.
    #[default]
    #[serde(alias = "AND", alias = "And")]
    And,
    /// One must hold.
    #[serde(alias = "OR", alias = "Or")]
    Or,
}

/// One rule of a query; field and operator are compared without regard to case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// What is looked at: `MEDIA_TYPE`, `MEDIA_NAME`, ...
    pub field: String,
    /// How it is compared: `EQUAL`, `CONTAINS`, ...
    pub operator: String,
    /// With what.
    pub value: Value,
}

impl MediaQuery {
    /// All media of one kind, as the SDK asks for them.
    pub fn of_kind(kind: MediaKind) -> Self {
        let value = serde_json::to_value(kind).unwrap_or_default();
        Self {
            condition: Condition::And,
            rules: vec![Rule::new("MEDIA_TYPE", "EQUAL", value)],
        }
    }
}

impl Rule {
    /// A rule from its three parts.
    pub fn new(field: &str, operator: &str, value: impl Into<Value>) -> Self {
        Self {
            field: field.to_owned(),
            operator: operator.to_owned(),
            value: value.into(),
        }
    }
}

/// The order of a query's answer (`sort_direction`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SortDirection {
    /// Smallest first.
    Asc,
    /// Largest first; the platform spells it `dsc`.
    #[serde(alias = "desc")]
    Dsc,
}

/// The answer to a media query: one page.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaPage {
    /// The media of this page.
    pub media: Vec<Media>,
    /// Images that match, over all pages.
    #[serde(default, deserialize_with = "number::count")]
    pub total_matched_images: u64,
    /// Videos that match, over all pages.
    #[serde(default, deserialize_with = "number::count")]
    pub total_matched_videos: u64,
    /// Video frames that match, over all pages.
    #[serde(default, deserialize_with = "number::count")]
    pub total_matched_video_frames: u64,
    /// Images in the dataset.
    #[serde(default, deserialize_with = "number::count")]
    pub total_images: u64,
    /// Videos in the dataset.
    #[serde(default, deserialize_with = "number::count")]
    pub total_videos: u64,
    /// Path and query of the next page, absolute or relative; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_of_the_sdk_is_written_as_it_writes_it() {
        assert_eq!(
            serde_json::to_string(&MediaQuery::of_kind(MediaKind::Image)).unwrap(),
            r#"{"condition":"and","rules":[{"field":"MEDIA_TYPE","operator":"EQUAL","value":"image"}]}"#
        );
    }
}
