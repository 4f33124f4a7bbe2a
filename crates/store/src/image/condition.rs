use rusqlite::types::Value;

use super::query::{ImageFilter, ImageSort};
use super::record::Review;

/// Longer texts are not looked for: the database refuses patterns of 50,000 bytes.
const MAX_TEXT: usize = 10_000;

/// How images with a text in their name or reason are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    /// Each row is looked at, in the order of the sort, until there are enough.
    ByRow,
    /// All of them first, in an index of the texts.
    First,
}

/// A `WHERE` clause with the values for its question marks.
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Condition {
    fn and(&mut self, sql: &str, value: impl Into<Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.values.push(value.into());
    }
}

impl ImageFilter {
    /// The filter for one dataset.
    ///
    /// Each part is a subquery that an index answers by itself: the rows of 100,000 images are
    /// never read to find the 60 of a page.
    pub(super) fn condition(&self, dataset: i64, sort: ImageSort, texts: Texts) -> Condition {
        let mut condition = Condition {
            sql: "dataset = ?".to_owned(),
            values: vec![dataset.into()],
        };
        let mut part = |sql: &str, value: Option<Value>| {
            if let Some(value) = value {
                let sql =
                    format!("seq IN (SELECT seq FROM image WHERE dataset = {dataset} AND {sql})");
                condition.and(&sql, value);
            }
        };
        let text = |text: &Option<String>| text.clone().map(Value::from);
        // Indexes have the images of a hook and of a source in the order of their scores.
        let by_score = sort == ImageSort::OodScore;
        part("hook = ?", text(&self.hook).filter(|_| !by_score));
        part("source = ?", text(&self.source).filter(|_| !by_score));
        self.add_texts(&mut condition, dataset, texts);
        self.add_scores(&mut condition, sort, dataset);
        self.add_review(&mut condition, dataset);
        if by_score {
            for (sql, value) in [("hook = ?", &self.hook), ("source = ?", &self.source)] {
                if let Some(value) = text(value) {
                    condition.and(sql, value);
                }
            }
        }
        if let Some(label) = text(&self.label) {
            condition.and(
                "seq IN (SELECT image FROM image_label WHERE label = ?)",
                label,
            );
        }
        if let Some(annotated) = self.annotated {
            let sql =
                "(seq IN (SELECT seq FROM image WHERE dataset = ? AND annotated_at IS NOT NULL))";
            condition.and(&format!("{sql} = {}", i64::from(annotated)), dataset);
        }
        condition
    }

    /// Whether a text is looked for.
    pub(super) fn has_text(&self) -> bool {
        self.reason.is_some() || self.name.is_some()
    }

    /// Whether nothing but one text is looked for.
    pub(super) fn is_one_text(&self) -> bool {
        let mut rest = self.clone();
        (rest.reason, rest.name) = (None, None);
        rest == Self::default() && self.reason.is_some() != self.name.is_some()
    }

    fn add_texts(&self, condition: &mut Condition, dataset: i64, texts: Texts) {
        for (column, text) in [("reason", &self.reason), ("name", &self.name)] {
            let Some(text) = text else { continue };
            let like = match text.len() {
                0..=MAX_TEXT => format!("{column} LIKE ? ESCAPE '\\'"),
                // Nothing that is kept is so long.
                _ => format!("{column} IS NULL AND {column} = ?"),
            };
            let sql = match texts {
                Texts::ByRow => like,
                Texts::First => {
                    format!("seq IN (SELECT seq FROM image WHERE dataset = {dataset} AND {like})")
                }
            };
            condition.and(&sql, pattern(text));
        }
    }

    /// Sorted by score, the range is a stretch of the index that is walked anyway.
    fn add_scores(&self, condition: &mut Condition, sort: ImageSort, dataset: i64) {
        for (score, operator) in [(self.min_score, ">="), (self.max_score, "<=")] {
            let Some(score) = score else { continue };
            let sql = match sort {
                ImageSort::OodScore => format!("ood_score {operator} ?"),
                _ => format!(
                    "seq IN (SELECT seq FROM image WHERE dataset = {dataset} AND ood_score {operator} ?)"
                ),
            };
            condition.and(&sql, score);
        }
    }

    /// Most images are open, so those are found as the rest.
    fn add_review(&self, condition: &mut Condition, dataset: i64) {
        let Some(review) = self.review else { return };
        let (not, what) = match review {
            Review::Open => ("NOT ", "review > ?"),
            _ => ("", "review = ?"),
        };
        let sql =
            format!("seq {not}IN (SELECT seq FROM image WHERE dataset = {dataset} AND {what})");
        condition.and(&sql, review.code());
    }
}

/// A pattern of LIKE for what contains a text; upper and lower case of ASCII letters are the same.
fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}
