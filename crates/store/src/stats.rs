use rusqlite::{Connection, params};
use straylight_core::Timestamp;

use crate::clock::from_micros;
use crate::dataset;
use crate::error::{Fault, StoreError};
use crate::store::Store;

/// Columns of a histogram of OOD scores over `0..=1`.
const BINS: usize = 20;

/// How many images have a label, a hook or a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelCount {
    /// The label's or hook's name.
    pub name: String,
    /// How many images.
    pub images: u64,
}

/// What is in a dataset.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DatasetStatistics {
    /// All images.
    pub images: u64,
    /// Images that are annotated.
    pub annotated: u64,
    /// Images that were rejected.
    pub rejected: u64,
    /// All videos.
    pub videos: u64,
    /// Videos of which a frame is annotated.
    pub annotated_videos: u64,
    /// Frames of videos that are annotated.
    pub annotated_frames: u64,
    /// Bytes of all image files, each image counted by itself.
    pub bytes: u64,
    /// Images by label of their annotation, else of their prediction; most frequent first.
    pub labels: Vec<LabelCount>,
    /// Images by the hook that collected them; most frequent first.
    pub hooks: Vec<LabelCount>,
    /// Images by OOD score in 20 equal steps of `0..=1`; those without a score are left out.
    pub score_histogram: Vec<u64>,
}

/// Images that were taken in one stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeBucket {
    /// When it begins.
    pub start: Timestamp,
    /// Images taken in it.
    pub images: u64,
    /// Mean of their OOD scores, if any has one.
    pub mean_score: Option<f64>,
    /// Greatest of their OOD scores, if any has one.
    pub max_score: Option<f64>,
}

impl Store {
    /// Counts what is in a dataset.
    pub fn statistics(&self, dataset_id: &str) -> Result<DatasetStatistics, StoreError> {
        self.db().read(|db| {
            let (dataset, _) = dataset::find(db, dataset_id)?;
            let mut statistics = totals(db, dataset)?;
            statistics.labels = counts(
                db,
                dataset,
                "SELECT label, count(*) FROM image_label JOIN image ON image.seq = image
                 WHERE dataset = ?1 GROUP BY label ORDER BY 2 DESC, 1",
            )?;
            statistics.hooks = counts(
                db,
                dataset,
                "SELECT hook, count(*) FROM image WHERE dataset = ?1 AND hook IS NOT NULL
                 GROUP BY hook ORDER BY 2 DESC, 1",
            )?;
            statistics.score_histogram = histogram(db, dataset)?;
            count_videos(db, dataset, &mut statistics)?;
            Ok(statistics)
        })
    }

    /// The images of a dataset by time of taking, in stretches of `seconds`, oldest first;
    /// stretches without an image are left out. At most the last 1000 are given.
    pub fn timeline(&self, dataset_id: &str, seconds: u32) -> Result<Vec<TimeBucket>, StoreError> {
        let width = i64::from(seconds.max(1)) * 1_000_000;
        self.db().read(|db| {
            let (dataset, _) = dataset::find(db, dataset_id)?;
            let mut rows = db.prepare_cached(
                "SELECT * FROM (
                     SELECT captured_at / ?2 * ?2 AS start, count(*), avg(ood_score), max(ood_score)
                     FROM image WHERE dataset = ?1 GROUP BY start ORDER BY start DESC LIMIT 1000
                 ) ORDER BY start",
            )?;
            let buckets = rows.query_map(params![dataset, width], |row| {
                Ok(TimeBucket {
                    start: from_micros(row.get(0)?),
                    images: row.get::<_, i64>(1)? as u64,
                    mean_score: row.get(2)?,
                    max_score: row.get(3)?,
                })
            })?;
            Ok(buckets.collect::<Result<_, _>>()?)
        })
    }

    /// The hooks that collected images of a dataset, by name; quick however many images there are.
    pub fn hooks(&self, dataset_id: &str) -> Result<Vec<String>, StoreError> {
        self.db().read(|db| {
            let (dataset, _) = dataset::find(db, dataset_id)?;
            // From each name the index is searched for the next, instead of read as a whole.
            let mut rows = db.prepare_cached(
                "WITH RECURSIVE names (hook) AS (
                     SELECT min(hook) FROM image WHERE dataset = ?1
                     UNION ALL
                     SELECT (SELECT min(hook) FROM image WHERE dataset = ?1 AND hook > names.hook)
                     FROM names WHERE names.hook IS NOT NULL
                 ) SELECT hook FROM names WHERE hook IS NOT NULL",
            )?;
            let names = rows.query_map([dataset], |row| row.get(0))?;
            Ok(names.collect::<Result<_, _>>()?)
        })
    }

    /// The first and the last time at which an image of a dataset was taken.
    pub fn capture_span(
        &self,
        dataset_id: &str,
    ) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
        self.db().read(|db| {
            let (dataset, _) = dataset::find(db, dataset_id)?;
            let query = "SELECT (SELECT min(captured_at) FROM image WHERE dataset = ?1),
                                (SELECT max(captured_at) FROM image WHERE dataset = ?1)";
            let span: (Option<i64>, Option<i64>) =
                db.query_row(query, [dataset], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(span
                .0
                .zip(span.1)
                .map(|(a, b)| (from_micros(a), from_micros(b))))
        })
    }
}

fn totals(db: &Connection, dataset: i64) -> Result<DatasetStatistics, Fault> {
    let query = "SELECT count(*), count(annotated_at), coalesce(sum(review = 2), 0),
                        coalesce(sum(size), 0) FROM image WHERE dataset = ?1";
    let row = db.query_row(query, [dataset], |row| {
        let number = |index| Ok::<_, rusqlite::Error>(row.get::<_, i64>(index)? as u64);
        Ok([number(0)?, number(1)?, number(2)?, number(3)?])
    });
    let [images, annotated, rejected, bytes] = row?;
    Ok(DatasetStatistics {
        images,
        annotated,
        rejected,
        bytes,
        ..DatasetStatistics::default()
    })
}

fn count_videos(
    db: &Connection,
    dataset: i64,
    statistics: &mut DatasetStatistics,
) -> Result<(), Fault> {
    let query = "SELECT count(DISTINCT video.seq), count(DISTINCT video), count(frame)
                 FROM video LEFT JOIN frame_annotation ON video = video.seq WHERE dataset = ?1";
    let mut statement = db.prepare_cached(query)?;
    let row: (i64, i64, i64) =
        statement.query_row([dataset], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    statistics.videos = row.0 as u64;
    statistics.annotated_videos = row.1 as u64;
    statistics.annotated_frames = row.2 as u64;
    Ok(())
}

fn counts(db: &Connection, dataset: i64, query: &str) -> Result<Vec<LabelCount>, Fault> {
    let mut rows = db.prepare_cached(query)?;
    let counts = rows.query_map([dataset], |row| {
        Ok(LabelCount {
            name: row.get(0)?,
            images: row.get::<_, i64>(1)? as u64,
        })
    })?;
    Ok(counts.collect::<Result<_, _>>()?)
}

fn histogram(db: &Connection, dataset: i64) -> Result<Vec<u64>, Fault> {
    let mut bins = vec![0; BINS];
    let mut rows = db.prepare_cached(
        "SELECT min(max(cast(ood_score * ?2 AS INTEGER), 0), ?2 - 1) AS bin, count(*)
         FROM image WHERE dataset = ?1 AND ood_score IS NOT NULL GROUP BY bin",
    )?;
    let rows = rows.query_map(params![dataset, BINS as i64], |row| {
        Ok((row.get::<_, i64>(0)? as usize, row.get::<_, i64>(1)? as u64))
    })?;
    for row in rows {
        let (bin, images) = row?;
        if let Some(slot) = bins.get_mut(bin) {
            *slot = images;
        }
    }
    Ok(bins)
}
