use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::record::{COLUMNS, ImageRecord, Review};
use crate::dataset;
use crate::error::{Fault, StoreError};
use crate::store::Store;

/// A stretch of a longer list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many come before it.
    pub skip: u64,
    /// How many it has at most.
    pub limit: u64,
}

impl Page {
    /// The first `limit` items.
    pub fn first(limit: u64) -> Self {
        Self { skip: 0, limit }
    }

    /// Everything.
    pub const ALL: Self = Self {
        skip: 0,
        limit: i64::MAX as u64,
    };
}

/// By what images are sorted; equal ones are in the order in which they were added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ImageSort {
    /// By name, byte by byte.
    #[default]
    Name,
    /// By the time of adding.
    UploadedAt,
    /// By the time of taking.
    CapturedAt,
    /// By the OOD score; images without one come last.
    OodScore,
    /// By the model's uncertainty; images without one come last.
    Uncertainty,
    /// By the time of annotation; images without one come last.
    AnnotatedAt,
    /// By width in pixels.
    Width,
    /// By height in pixels.
    Height,
    /// By the size of the file.
    Size,
}

impl ImageSort {
    fn column(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::UploadedAt => "uploaded_at",
            Self::CapturedAt => "captured_at",
            Self::OodScore => "ood_score",
            Self::Uncertainty => "uncertainty",
            Self::AnnotatedAt => "annotated_at",
            Self::Width => "width",
            Self::Height => "height",
            Self::Size => "size",
        }
    }
}

/// The direction of a sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortDirection {
    /// The least first.
    #[default]
    Ascending,
    /// The greatest first.
    Descending,
}

/// Which images of a dataset are wanted; all conditions must hold.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ImageFilter {
    /// Images with this label: of their annotation, else of their prediction.
    pub label: Option<String>,
    /// Images with an OOD score of at least this.
    pub min_score: Option<f64>,
    /// Images with an OOD score of at most this.
    pub max_score: Option<f64>,
    /// Images that this hook collected.
    pub hook: Option<String>,
    /// Images whose reason contains this text.
    pub reason: Option<String>,
    /// Images whose name contains this text.
    pub name: Option<String>,
    /// Images that are annotated, or that are not.
    pub annotated: Option<bool>,
    /// Images of which this was decided.
    pub review: Option<Review>,
}

/// Some images of a longer list.
#[derive(Debug, Clone, PartialEq)]
pub struct ImagePage {
    /// The images.
    pub images: Vec<ImageRecord>,
    /// How many match the filter in all.
    pub total: u64,
}

impl Store {
    /// The images of a dataset that match a filter, sorted, one page of them.
    pub fn images(
        &self,
        dataset_id: &str,
        filter: &ImageFilter,
        sort: (ImageSort, SortDirection),
        page: Page,
    ) -> Result<ImagePage, StoreError> {
        self.db().read(|db| {
            let (dataset, _) = dataset::find(db, dataset_id)?;
            let condition = filter.condition(dataset, sort.0);
            let images = select(db, &condition, sort, page)?;
            let total = count(db, &condition, page, images.len() as u64)?;
            Ok(ImagePage { images, total })
        })
    }

    /// How many images of a dataset match a filter.
    pub fn count_images(&self, dataset_id: &str, filter: &ImageFilter) -> Result<u64, StoreError> {
        let page = Page { skip: 0, limit: 0 };
        let sort = (ImageSort::Name, SortDirection::Ascending);
        Ok(self.images(dataset_id, filter, sort, page)?.total)
    }
}

/// A `WHERE` clause with the values for its question marks.
struct Condition {
    sql: String,
    values: Vec<Value>,
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
    fn condition(&self, dataset: i64, sort: ImageSort) -> Condition {
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
        // An index has the images of a hook in the order of their scores.
        let by_score = sort == ImageSort::OodScore;
        part("hook = ?", text(&self.hook).filter(|_| !by_score));
        part("instr(lower(reason), lower(?)) > 0", text(&self.reason));
        part("instr(lower(name), lower(?)) > 0", text(&self.name));
        self.add_scores(&mut condition, sort, dataset);
        self.add_review(&mut condition, dataset);
        if let Some(hook) = text(&self.hook).filter(|_| by_score) {
            condition.and("hook = ?", hook);
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

/// The inner query walks an index alone, however far the page is; only the rows of the page
/// are then read.
fn select(
    db: &Connection,
    condition: &Condition,
    (sort, direction): (ImageSort, SortDirection),
    page: Page,
) -> Result<Vec<ImageRecord>, Fault> {
    let column = sort.column();
    let order = match direction {
        SortDirection::Ascending => format!("{column} ASC NULLS LAST, seq ASC"),
        SortDirection::Descending => format!("{column} DESC, seq DESC"),
    };
    let outer = order.replace(column, &format!("image.{column}"));
    let outer = outer.replace(", seq", ", image.seq");
    let query = format!(
        "SELECT {COLUMNS} FROM image JOIN dataset ON dataset.seq = image.dataset
         WHERE image.seq IN (SELECT seq FROM image WHERE {} ORDER BY {order} LIMIT ? OFFSET ?)
         ORDER BY {outer}",
        condition.sql
    );
    let mut values = condition.values.clone();
    values.extend(
        [page.limit, page.skip].map(|n| Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))),
    );
    let mut rows = db.prepare_cached(&query)?;
    let images = rows.query_map(params_from_iter(values), ImageRecord::read)?;
    Ok(images.collect::<Result<_, _>>()?)
}

fn count(db: &Connection, condition: &Condition, page: Page, got: u64) -> Result<u64, Fault> {
    if page.skip == 0 && got < page.limit {
        return Ok(got);
    }
    let query = format!("SELECT count(*) FROM image WHERE {}", condition.sql);
    let mut statement = db.prepare_cached(&query)?;
    let total: i64 = statement.query_row(params_from_iter(&condition.values), |row| row.get(0))?;
    Ok(total as u64)
}

/// Writes anew which labels hold for an image: those of its annotation, else of its prediction.
pub(crate) fn refresh_labels(db: &Connection, image: i64) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM image_label WHERE image = ?1")?
        .execute([image])?;
    let mut insert = db.prepare_cached(
        "INSERT OR IGNORE INTO image_label (image, label)
         SELECT ?1, json_extract(label.value, '$.name')
         FROM (SELECT coalesce((SELECT json FROM annotation WHERE image = ?1),
                               (SELECT json FROM prediction WHERE image = ?1), '[]') AS json) AS scene,
              json_each(scene.json) AS shape,
              json_each(shape.value, '$.labels') AS label
         WHERE json_extract(label.value, '$.name') <> ''",
    )?;
    insert.execute([image])?;
    Ok(())
}
