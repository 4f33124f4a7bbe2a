use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::condition::{Condition, Texts};
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
    /// Images that come from this source.
    pub source: Option<String>,
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
            if filter.has_text() {
                return by_text(db, dataset, filter, sort, page);
            }
            let condition = filter.condition(dataset, sort.0, Texts::First);
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

/// What the look at one row costs, in looks at one entry of an index.
const ROW_COST: u64 = 16;

/// Counts first: how many match says how best to find those of the page.
fn by_text(
    db: &Connection,
    dataset: i64,
    filter: &ImageFilter,
    sort: (ImageSort, SortDirection),
    page: Page,
) -> Result<ImagePage, Fault> {
    let texts = if filter.is_one_text() {
        // An index has nothing but this text and can be read from end to end.
        Texts::ByRow
    } else {
        Texts::First
    };
    let nothing = Page { skip: 1, limit: 0 };
    let total = count(db, &filter.condition(dataset, sort.0, texts), nothing, 0)?;
    if total == 0 || page.limit == 0 {
        let images = Vec::new();
        return Ok(ImagePage { images, total });
    }
    let images = "SELECT coalesce(sum(amount), 0) FROM tally WHERE dataset = ?1 AND kind = 'image'";
    let all: i64 = db.query_row(images, [dataset], |row| row.get(0))?;
    let wanted = page.skip.saturating_add(page.limit).min(total);
    let rows = wanted.saturating_mul(all as u64) / total;
    let texts = if rows.saturating_mul(ROW_COST) < (all as u64).saturating_add(4 * total) {
        Texts::ByRow
    } else {
        Texts::First
    };
    let images = select(db, &filter.condition(dataset, sort.0, texts), sort, page)?;
    Ok(ImagePage { images, total })
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
