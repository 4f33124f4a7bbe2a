use std::collections::BTreeMap;

use rusqlite::Row;
use rusqlite::types::Type;
use straylight_core::{ContentHash, ImageFormat, Timestamp};

use crate::clock::from_micros;
use crate::files::{FileFormat, FileKey, image_format};

/// What a person decided about a collected image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Review {
    /// Nobody has looked at it.
    #[default]
    Open,
    /// It is of use.
    Accepted,
    /// It is of no use; it stays until it is deleted.
    Rejected,
}

impl Review {
    /// The decision of this name: `open`, `accepted` or `rejected`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Accepted, Self::Rejected]
            .into_iter()
            .find(|review| review.name() == name)
    }

    /// Its name, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }

    pub(crate) fn code(self) -> i64 {
        match self {
            Self::Open => 0,
            Self::Accepted => 1,
            Self::Rejected => 2,
        }
    }

    fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Accepted,
            2 => Self::Rejected,
            _ => Self::Open,
        }
    }
}

/// All that is known of an image except its pixels, annotation and prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageRecord {
    /// Identifier, 24 hexadecimal digits.
    pub id: String,
    /// Identifier of the dataset in which it is.
    pub dataset_id: String,
    /// Its name without extension; need not be unique.
    pub name: String,
    /// Format of its file.
    pub format: ImageFormat,
    /// Hash of the file's bytes.
    pub hash: ContentHash,
    /// Width in pixels, upright.
    pub width: u32,
    /// Height in pixels, upright.
    pub height: u32,
    /// Size of the file in bytes.
    pub size: u64,
    /// When it came into the store.
    pub uploaded_at: Timestamp,
    /// When it was taken.
    pub captured_at: Timestamp,
    /// The camera, folder or file that it comes from.
    pub source: Option<String>,
    /// How far out of distribution it is, `0..=1`; higher is further.
    pub ood_score: Option<f64>,
    /// How unsure the model was, `0..=1`.
    pub uncertainty: Option<f64>,
    /// The hook that collected it.
    pub hook: Option<String>,
    /// Why the hook collected it.
    pub reason: Option<String>,
    /// Name of the model's most probable label.
    pub predicted_label: Option<String>,
    /// Probability of that label, `0..=1`.
    pub predicted_probability: Option<f64>,
    /// Scores of the single detectors by name; higher is more out of distribution.
    pub scores: BTreeMap<String, f64>,
    /// What a person decided.
    pub review: Review,
    /// When it was annotated, if it was.
    pub annotated_at: Option<Timestamp>,
}

/// The columns that [`ImageRecord::read`] wants, in its order.
pub(crate) const COLUMNS: &str = "image.id, dataset.id, image.name, format, hash, width, height, \
     size, uploaded_at, captured_at, ood_score, uncertainty, hook, reason, predicted_label, \
     predicted_probability, scores, review, annotated_at, source";

impl ImageRecord {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            dataset_id: row.get(1)?,
            name: row.get(2)?,
            format: format(row)?,
            hash: ContentHash(row.get(4)?),
            width: row.get(5)?,
            height: row.get(6)?,
            size: row.get::<_, i64>(7)? as u64,
            uploaded_at: from_micros(row.get(8)?),
            captured_at: from_micros(row.get(9)?),
            source: row.get(19)?,
            ood_score: row.get(10)?,
            uncertainty: row.get(11)?,
            hook: row.get(12)?,
            reason: row.get(13)?,
            predicted_label: row.get(14)?,
            predicted_probability: row.get(15)?,
            scores: scores(row)?,
            review: Review::from_code(row.get(17)?),
            annotated_at: row.get::<_, Option<i64>>(18)?.map(from_micros),
        })
    }

    pub(crate) fn file(&self) -> FileKey {
        FileKey {
            hash: self.hash,
            format: FileFormat::Image(self.format),
        }
    }
}

fn format(row: &Row<'_>) -> rusqlite::Result<ImageFormat> {
    let name: String = row.get(3)?;
    image_format(&name).ok_or_else(|| {
        let error = format!("`{name}` is no image format").into();
        rusqlite::Error::FromSqlConversionFailure(3, Type::Text, error)
    })
}

fn scores(row: &Row<'_>) -> rusqlite::Result<BTreeMap<String, f64>> {
    let Some(text) = row.get::<_, Option<String>>(16)? else {
        return Ok(BTreeMap::new());
    };
    serde_json::from_str(&text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(16, Type::Text, e.into()))
}
