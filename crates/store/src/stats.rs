use rusqlite::{Connection, Row, params};
use straylight_core::Timestamp;

use crate::clock::from_micros;
use crate::dataset;
use crate::error::{Fault, StoreError};
use crate::store::Store;

/// Columns of a histogram of OOD scores over `0..=1`.
const BINS: usize = 20;

/// How many images have a label, a hook, a source or a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelCount {
    /// The name of the label, hook or source.
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
    /// Images by the source that they come from; most frequent first.
    pub sources: Vec<LabelCount>,
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

/// Lengths in seconds by which the database counts images, the longest first.
const STRETCHES: [u32; 3] = [86_400, 900, 60];

impl Store {
    /// Counts what is in a dataset; quick however many images there are.
    pub fn statistics(&self, dataset_id: &str) -> Result<DatasetStatistics, StoreError> {
        self.db().read(|db| {
            let (dataset, _) = dataset::find(db, dataset_id)?;
            let mut statistics = tallies(db, dataset)?;
            count_videos(db, dataset, &mut statistics)?;
            Ok(statistics)
        })
    }

    /// The images of a dataset by time of taking, in stretches of `seconds`, oldest first;
    /// stretches without an image are left out. At most the last 1000 are given.
    ///
    /// Quick when `seconds` are whole minutes; else every image is looked at. Means are exact
    /// to a millionth.
    pub fn timeline(&self, dataset_id: &str, seconds: u32) -> Result<Vec<TimeBucket>, StoreError> {
        let seconds = seconds.max(1);
        let width = i64::from(seconds) * 1_000_000;
        let counted = STRETCHES.into_iter().find(|s| seconds.is_multiple_of(*s));
        self.db().read(|db| {
            let (dataset, _) = dataset::find(db, dataset_id)?;
            match counted {
                Some(counted) => from_stretches(db, dataset, width, counted),
                None => from_images(db, dataset, width),
            }
        })
    }

    /// The hooks that collected images of a dataset, by name; quick however many images there are.
    pub fn hooks(&self, dataset_id: &str) -> Result<Vec<String>, StoreError> {
        self.counted_names(dataset_id, "hook")
    }

    /// The sources that images of a dataset come from, by name; as quick.
    pub fn sources(&self, dataset_id: &str) -> Result<Vec<String>, StoreError> {
        self.counted_names(dataset_id, "source")
    }

    fn counted_names(&self, dataset_id: &str, kind: &str) -> Result<Vec<String>, StoreError> {
        self.db().read(|db| {
            let (dataset, _) = dataset::find(db, dataset_id)?;
            let mut rows = db.prepare_cached(
                "SELECT name FROM tally WHERE dataset = ?1 AND kind = ?2 AND amount > 0
                 ORDER BY name",
            )?;
            let names = rows.query_map(params![dataset, kind], |row| row.get(0))?;
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

fn tallies(db: &Connection, dataset: i64) -> Result<DatasetStatistics, Fault> {
    let mut statistics = DatasetStatistics {
        score_histogram: vec![0; BINS],
        ..DatasetStatistics::default()
    };
    let mut rows = db.prepare_cached(
        "SELECT kind, name, amount FROM tally WHERE dataset = ?1 AND amount > 0
         ORDER BY amount DESC, name",
    )?;
    let mut rows = rows.query([dataset])?;
    while let Some(row) = rows.next()? {
        let (kind, name, amount) = (row.get_ref(0)?, row.get(1)?, row.get::<_, i64>(2)? as u64);
        statistics.add(kind.as_str().unwrap_or_default(), name, amount);
    }
    Ok(statistics)
}

impl DatasetStatistics {
    fn add(&mut self, kind: &str, name: String, amount: u64) {
        let count = |name| LabelCount {
            name,
            images: amount,
        };
        match kind {
            "image" => self.images = amount,
            "bytes" => self.bytes = amount,
            "annotated" => self.annotated = amount,
            "rejected" => self.rejected = amount,
            "label" => self.labels.push(count(name)),
            "hook" => self.hooks.push(count(name)),
            "source" => self.sources.push(count(name)),
            _ => {
                let bin = name.parse().ok();
                if let Some(slot) = bin.and_then(|b: usize| self.score_histogram.get_mut(b)) {
                    *slot = amount;
                }
            }
        }
    }
}

fn from_stretches(
    db: &Connection,
    dataset: i64,
    width: i64,
    counted: u32,
) -> Result<Vec<TimeBucket>, Fault> {
    let query = "SELECT * FROM (
             SELECT start / ?2 * ?2 AS bucket, sum(images),
                 sum(score_sum) / 1e6 / nullif(sum(scored), 0), max(coalesce(max_score,
                     CASE WHEN scored > 0 THEN (
                         SELECT max(ood_score) FROM image WHERE dataset = ?1
                             AND captured_at > start - ?4 AND captured_at < start + ?4
                             AND captured_at / ?4 * ?4 = start) END))
             FROM stretch WHERE dataset = ?1 AND seconds = ?3 AND images > 0
             GROUP BY bucket ORDER BY bucket DESC LIMIT 1000
         ) ORDER BY bucket";
    let stretch = i64::from(counted) * 1_000_000;
    let mut rows = db.prepare_cached(query)?;
    let buckets = rows.query_map(params![dataset, width, counted, stretch], bucket)?;
    Ok(buckets.collect::<Result<_, _>>()?)
}

fn from_images(db: &Connection, dataset: i64, width: i64) -> Result<Vec<TimeBucket>, Fault> {
    let mut rows = db.prepare_cached(
        "SELECT * FROM (
             SELECT captured_at / ?2 * ?2 AS bucket, count(*), avg(ood_score), max(ood_score)
             FROM image WHERE dataset = ?1 GROUP BY bucket ORDER BY bucket DESC LIMIT 1000
         ) ORDER BY bucket",
    )?;
    let buckets = rows.query_map(params![dataset, width], bucket)?;
    Ok(buckets.collect::<Result<_, _>>()?)
}

fn bucket(row: &Row<'_>) -> rusqlite::Result<TimeBucket> {
    Ok(TimeBucket {
        start: from_micros(row.get(0)?),
        images: row.get::<_, i64>(1)? as u64,
        mean_score: row.get(2)?,
        max_score: row.get(3)?,
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
