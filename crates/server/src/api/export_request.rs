//! What is to be exported of a dataset.

use straylight_formats::{Format, Split, WriteOptions, YoloTask};
use straylight_store::{ImageFilter, Review};

use super::extract::Query;
use super::{ApiError, ApiResult};
use crate::web::filter::Choice;

/// The formats in which a dataset can be exported, with their names for people.
pub(crate) const EXPORT_FORMATS: [(&str, &str); 7] = [
    ("coco", "COCO"),
    ("datumaro", "Datumaro"),
    ("voc", "Pascal VOC"),
    ("yolo", "YOLO"),
    ("geti", "Geti"),
    ("tree", "A folder for each label"),
    (
        "straylight",
        "Archive with scores, predictions and decisions",
    ),
];

/// The query of `{d}:prepare-for-export`.
///
/// `export_format`; `include_unannotated_media`, `false` by default; the filters of the page by
/// its own names (`label`, `hook`, `reason`, `name`, `min`, `max`, `annotated`, `review`);
/// `split` as on the command line, `seed`, `yolo_task`.
#[derive(Debug, Clone)]
pub(super) struct ExportRequest {
    /// `None` is the archive of our own.
    pub(super) format: Option<Format>,
    pub(super) filter: ImageFilter,
    /// Whether images that nobody annotated come along.
    pub(super) unlabelled: bool,
    pub(super) split: Option<Split>,
    pub(super) write: WriteOptions,
}

impl ExportRequest {
    /// Reads a query; what is not understood is refused.
    pub(super) fn read(query: &Query) -> ApiResult<Self> {
        let format = query
            .text("export_format")
            .unwrap_or("datumaro")
            .to_lowercase();
        if !EXPORT_FORMATS.iter().any(|(known, _)| *known == format) {
            let message = format!("`{format}` is no export format of this server");
            return Err(ApiError::bad(message));
        }
        let split = parsed::<Split>(query, "split")?;
        let seed = query.number("seed", 0, (0, u64::MAX))?;
        Ok(Self {
            format: format.parse().ok(),
            filter: filter(query)?,
            unlabelled: flag(query, "include_unannotated_media")?,
            split: split.map(|split| split.with_seed(seed)),
            write: WriteOptions {
                task: parsed::<YoloTask>(query, "yolo_task")?,
                ..WriteOptions::default()
            },
        })
    }
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    query: &Query,
    name: &str,
) -> ApiResult<Option<T>> {
    let value = query.text(name).map(str::parse).transpose();
    value.map_err(|error: T::Err| ApiError::bad(error.to_string()))
}

fn flag(query: &Query, name: &str) -> ApiResult<bool> {
    match query.text(name).map(str::to_lowercase).as_deref() {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(other) => Err(ApiError::bad(format!(
            "`{name}` is true or false, not `{other}`"
        ))),
    }
}

/// The filter of the page with the same words; the page passes over what this refuses.
fn filter(query: &Query) -> ApiResult<ImageFilter> {
    let text = |name: &str| query.text(name).unwrap_or_default().to_owned();
    let choice = Choice {
        label: text("label"),
        hook: text("hook"),
        source: text("source"),
        reason: text("reason"),
        name: text("name"),
        min: text("min"),
        max: text("max"),
        annotated: text("annotated"),
        review: text("review"),
        ..Choice::default()
    };
    let number = |value: &str| value.is_empty() || value.parse::<f64>().is_ok_and(f64::is_finite);
    let wrong = [
        (!number(&choice.min), "`min` is a number"),
        (!number(&choice.max), "`max` is a number"),
        (
            !["", "yes", "no"].contains(&&*choice.annotated),
            "`annotated` is `yes` or `no`",
        ),
        (
            !choice.review.is_empty() && Review::from_name(&choice.review).is_none(),
            "`review` is `open`, `accepted` or `rejected`",
        ),
    ];
    match wrong.iter().find(|(is_wrong, _)| *is_wrong) {
        Some((_, message)) => Err(ApiError::bad(*message)),
        None => Ok(choice.filter()),
    }
}
