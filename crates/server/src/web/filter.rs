use std::fmt::Write;

use serde::Deserialize;
use straylight_store::{ImageFilter, ImageSort, Page, Review, SortDirection};

/// Images on one page of the grid.
pub(crate) const PAGE: u64 = 60;

/// What the address of a grid or of an image in it says: order, filter and place.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Choice {
    pub(crate) sort: String,
    pub(crate) label: String,
    pub(crate) hook: String,
    pub(crate) source: String,
    pub(crate) reason: String,
    pub(crate) name: String,
    pub(crate) min: String,
    pub(crate) max: String,
    pub(crate) annotated: String,
    pub(crate) review: String,
    /// The page of the grid, counted from 1.
    pub(crate) page: String,
    /// The place of an image in the list, counted from 0.
    pub(crate) at: String,
    /// The image that was just dealt with: when it is still at `at`, the next one is shown.
    pub(crate) after: String,
}

/// The orders that are offered, each with its word in the address.
pub(crate) const SORTS: [(&str, &str); 7] = [
    ("ood", "OOD score, highest first"),
    ("ood-asc", "OOD score, lowest first"),
    ("uncertainty", "Uncertainty, highest first"),
    ("newest", "Newest first"),
    ("oldest", "Oldest first"),
    ("name", "Name"),
    ("labelled", "Last labelled first"),
];

impl Choice {
    pub(crate) fn order(&self) -> (ImageSort, SortDirection) {
        use SortDirection::{Ascending, Descending};
        match self.sort.as_str() {
            "ood-asc" => (ImageSort::OodScore, Ascending),
            "uncertainty" => (ImageSort::Uncertainty, Descending),
            "newest" => (ImageSort::CapturedAt, Descending),
            "oldest" => (ImageSort::CapturedAt, Ascending),
            "name" => (ImageSort::Name, Ascending),
            "labelled" => (ImageSort::AnnotatedAt, Descending),
            _ => (ImageSort::OodScore, Descending),
        }
    }

    pub(crate) fn filter(&self) -> ImageFilter {
        let text = |value: &str| Some(value.trim().to_owned()).filter(|v| !v.is_empty());
        let number = |value: &str| value.trim().parse().ok().filter(|n: &f64| n.is_finite());
        let mut filter = ImageFilter::default();
        filter.label = text(&self.label);
        filter.hook = text(&self.hook);
        filter.source = text(&self.source);
        filter.reason = text(&self.reason);
        filter.name = text(&self.name);
        filter.min_score = number(&self.min);
        filter.max_score = number(&self.max);
        filter.annotated = match self.annotated.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        filter.review = Review::from_name(&self.review);
        filter
    }

    /// The page of the grid, from 1.
    pub(crate) fn page_number(&self) -> u64 {
        self.page.parse().unwrap_or(1).clamp(1, u64::MAX / PAGE)
    }

    pub(crate) fn grid_page(&self) -> Page {
        Page {
            skip: (self.page_number() - 1) * PAGE,
            limit: PAGE,
        }
    }

    /// The place in the list, from 0.
    pub(crate) fn place(&self) -> u64 {
        self.at.parse().unwrap_or(0).min(i64::MAX as u64 - PAGE)
    }

    /// Whether anything but the order is chosen.
    pub(crate) fn is_filtered(&self) -> bool {
        self.filter() != ImageFilter::default()
    }

    /// The query of an address with this choice and, when given, another page or place.
    pub(crate) fn query(&self, page: Option<u64>, at: Option<u64>) -> String {
        // Writing to a string cannot fail.
        let mut query = String::from("?");
        for (name, value) in [
            ("sort", &self.sort),
            ("label", &self.label),
            ("hook", &self.hook),
            ("source", &self.source),
            ("reason", &self.reason),
            ("name", &self.name),
            ("min", &self.min),
            ("max", &self.max),
            ("annotated", &self.annotated),
            ("review", &self.review),
        ] {
            if !value.is_empty() {
                let _ = write!(query, "{name}={}&", encode(value));
            }
        }
        if let Some(page) = page {
            let _ = write!(query, "page={page}&");
        }
        if let Some(at) = at {
            let _ = write!(query, "at={at}&");
        }
        query.pop();
        query
    }
}

/// Percent-encodes all but letters, digits and `-_.~`.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_survives_its_address() {
        let choice = Choice {
            sort: "name".into(),
            label: "a&b=ü ".into(),
            min: "0.5".into(),
            ..Choice::default()
        };
        assert_eq!(
            choice.query(Some(2), None),
            "?sort=name&label=a%26b%3D%C3%BC%20&min=0.5&page=2"
        );
        assert_eq!(choice.filter().label.as_deref(), Some("a&b=ü"));
        assert_eq!(Choice::default().query(None, None), "");
        let wrong = Choice {
            min: "NaN".into(),
            page: "-3".into(),
            at: "x".into(),
            ..Choice::default()
        };
        assert_eq!(
            (wrong.filter().min_score, wrong.page_number(), wrong.place()),
            (None, 1, 0)
        );
    }
}
