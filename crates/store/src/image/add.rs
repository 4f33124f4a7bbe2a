use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use straylight_core::{ContentHash, ImageFormat, Prediction, Timestamp};

use super::record::ImageRecord;
use crate::annotation::{self, StoredAnnotation};
use crate::clock::to_micros;
use crate::error::{Fault, StoreError};
use crate::files::{FileFormat, FileKey};
use crate::id::object_id;
use crate::store::Store;
use crate::{dataset, image, usage};

/// How often a file is written anew when a clean-up took it away before its row was there.
const ATTEMPTS: usize = 10;
/// The greatest length of an image's name in characters.
const MAX_NAME: usize = 1000;

/// An image to be added.
#[derive(Debug, Clone)]
pub struct NewImage {
    /// Its name without extension, at most 1000 characters; need not be unique.
    pub name: String,
    /// The image file.
    pub bytes: Arc<[u8]>,
    /// Format of the file.
    pub format: ImageFormat,
    /// Width in pixels, upright.
    pub width: u32,
    /// Height in pixels, upright.
    pub height: u32,
    /// When it was taken; the time of adding when not known.
    pub captured_at: Option<Timestamp>,
    /// The camera, folder or file that it comes from, if that is known.
    pub source: Option<String>,
    /// What makes a repetition recognisable, such as a hook's name and the content hash.
    pub idempotency_key: Option<String>,
    /// Whether an image of the same bytes that is in the dataset, or was added to it first, takes
    /// the place of this one.
    pub once: bool,
    /// When it was decided to add it: what was deleted since is not added again. Unknown when a
    /// person adds it, who is always obeyed.
    pub decided_at: Option<Timestamp>,
    /// Why it was collected, when a hook did.
    pub collected: Option<Collected>,
    /// What the model said about it.
    pub prediction: Option<Vec<StoredAnnotation>>,
}

/// Why a hook collected an image.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Collected {
    /// The hook's name.
    pub hook: String,
    /// The reason in words.
    pub reason: String,
    /// How far out of distribution, `0..=1`; higher is further.
    pub ood_score: Option<f64>,
    /// Scores of the single detectors by name; higher is more out of distribution.
    pub scores: BTreeMap<String, f64>,
    /// How unsure the model was, `0..=1`; 1 minus the greatest probability when not given.
    pub uncertainty: Option<f64>,
}

/// What became of an image that was to be added.
#[derive(Debug, Clone, PartialEq)]
pub enum Added {
    /// It is new.
    Added(ImageRecord),
    /// An image with its idempotency key was added to this dataset before; nothing changed.
    AlreadyThere(ImageRecord),
    /// An image of the same bytes is in this dataset; nothing changed. Only with [`NewImage::once`].
    SameFile(ImageRecord),
}

impl Added {
    /// The image, new or old.
    pub fn image(&self) -> &ImageRecord {
        match self {
            Self::Added(image) | Self::AlreadyThere(image) | Self::SameFile(image) => image,
        }
    }

    /// Whether it is new.
    pub fn is_new(&self) -> bool {
        matches!(self, Self::Added(_))
    }
}

impl NewImage {
    /// An image file without any of what is optional.
    pub fn new(name: &str, bytes: Arc<[u8]>, format: ImageFormat, size: (u32, u32)) -> Self {
        Self {
            name: name.to_owned(),
            bytes,
            format,
            width: size.0,
            height: size.1,
            captured_at: None,
            source: None,
            idempotency_key: None,
            once: false,
            decided_at: None,
            collected: None,
            prediction: None,
        }
    }

    /// Adds what a model said.
    #[must_use]
    pub fn with_prediction(mut self, prediction: &Prediction) -> Self {
        let annotations = prediction.annotations.iter().map(StoredAnnotation::from);
        self.prediction = Some(annotations.collect());
        self
    }
}

impl Store {
    /// Adds an image to a dataset: first its file, then its row, each whole or not at all.
    ///
    /// With an idempotency key it is added once, whatever happens between and however often
    /// it is tried, also when it was moved to another dataset since; without one, each call
    /// adds an image. Durable when it returns.
    ///
    /// # Errors
    ///
    /// Among others [`StoreError::ProjectFull`] beyond the project's limit, and
    /// [`StoreError::Deleted`] for one that was deleted after it had been decided to add it.
    pub fn add_image(&self, dataset_id: &str, new: &NewImage) -> Result<Added, StoreError> {
        check(new)?;
        let hash = ContentHash::of(&new.bytes);
        let format = FileFormat::Image(new.format);
        let key = FileKey { hash, format };
        if let Some(known) = self.known(dataset_id, new, key)? {
            return known.of(self);
        }
        for _ in 0..ATTEMPTS {
            let note = self.files().put_image(key, &new.bytes)?;
            let inserted = self
                .db()
                .write(|db| self.insert_image(db, dataset_id, new, key));
            let id = match inserted {
                Err(refused @ (StoreError::ProjectFull { .. } | StoreError::Deleted)) => {
                    note.settle();
                    return Err(refused);
                }
                id => id?,
            };
            if let Some(found) = id {
                note.settle();
                self.after_write()?;
                return found.of(self);
            }
        }
        let path = self.files().path(key);
        let source = std::io::Error::other("the file vanishes each time it is written");
        Err(StoreError::io("keep", &path, source))
    }

    fn known(
        &self,
        dataset_id: &str,
        new: &NewImage,
        file: FileKey,
    ) -> Result<Option<Found>, StoreError> {
        if new.idempotency_key.is_none() && !new.once {
            return Ok(None);
        }
        self.db().read(|db| {
            let (dataset, _) = dataset::find(db, dataset_id)?;
            known(db, dataset, new, file)
        })
    }

    /// Adds the row unless its key is known; `None` when the file was taken away meanwhile.
    fn insert_image(
        &self,
        db: &Transaction<'_>,
        dataset_id: &str,
        new: &NewImage,
        file: FileKey,
    ) -> Result<Option<Found>, Fault> {
        let (dataset, _) = dataset::find(db, dataset_id)?;
        if let Some(known) = known(db, dataset, new, file)? {
            // The file is shared with that image, or was written for nothing.
            self.remove_if_unused(db, file)?;
            return Ok(Some(known));
        }
        if was_deleted(db, dataset, new)? {
            self.remove_if_unused(db, file)?;
            return Err(StoreError::Deleted.into());
        }
        if let Err(error) = usage::check(db, dataset, new.bytes.len() as u64) {
            self.remove_if_unused(db, file)?;
            return Err(error);
        }
        if !self.files().path(file).is_file() {
            return Ok(None);
        }
        let now = self.clock().now();
        let id = object_id(now)?;
        let seq = insert_row(db, dataset, &id, new, file, now)?;
        if let Some(prediction) = &new.prediction {
            annotation::write_prediction(db, seq, prediction, now)?;
        }
        image::query::refresh_labels(db, seq)?;
        Ok(Some(Found::New(id)))
    }
}

/// The identifier of an image, and why it is the one.
enum Found {
    New(String),
    SameKey(String),
    SameFile(String),
}

impl Found {
    fn of(self, store: &Store) -> Result<Added, StoreError> {
        Ok(match self {
            Self::New(id) => Added::Added(store.image(&id)?),
            Self::SameKey(id) => Added::AlreadyThere(store.image(&id)?),
            Self::SameFile(id) => Added::SameFile(store.image(&id)?),
        })
    }
}

/// The image of a dataset that takes the place of a new one.
fn known(
    db: &Connection,
    dataset: i64,
    new: &NewImage,
    file: FileKey,
) -> Result<Option<Found>, Fault> {
    if let Some(key) = &new.idempotency_key
        && let Some(id) = by_key(db, dataset, key)?
    {
        return Ok(Some(Found::SameKey(id)));
    }
    if !new.once {
        return Ok(None);
    }
    Ok(by_file(db, dataset, file)?.map(Found::SameFile))
}

fn by_file(db: &Connection, dataset: i64, file: FileKey) -> Result<Option<String>, Fault> {
    let query = "SELECT id FROM image
         WHERE hash = ?1 AND format = ?2 AND (dataset = ?3 OR origin = ?3) LIMIT 1";
    let mut statement = db.prepare_cached(query)?;
    let parameters = params![file.hash.0, file.format.extension(), dataset];
    let found = statement.query_row(parameters, |row| row.get(0));
    Ok(found.optional()?)
}

fn by_key(db: &Connection, origin: i64, key: &str) -> Result<Option<String>, Fault> {
    let query = "SELECT id FROM image WHERE origin = ?1 AND idempotency_key = ?2";
    let mut statement = db.prepare_cached(query)?;
    let found = statement.query_row(params![origin, key], |row| row.get(0));
    Ok(found.optional()?)
}

/// Whether the image was deleted after it had been decided to add it.
fn was_deleted(db: &Connection, origin: i64, new: &NewImage) -> Result<bool, Fault> {
    let (Some(key), Some(decided)) = (&new.idempotency_key, new.decided_at) else {
        return Ok(false);
    };
    let query = "SELECT EXISTS (SELECT 1 FROM deleted_key
                 WHERE origin = ?1 AND idempotency_key = ?2 AND deleted_at >= ?3)";
    let mut statement = db.prepare_cached(query)?;
    Ok(statement.query_row(params![origin, key, to_micros(decided)], |row| row.get(0))?)
}

fn insert_row(
    db: &Transaction<'_>,
    dataset: i64,
    id: &str,
    new: &NewImage,
    file: FileKey,
    now: Timestamp,
) -> Result<i64, Fault> {
    let top = new.top_label();
    let collected = new.collected.as_ref();
    let scores = collected.filter(|c| !c.scores.is_empty());
    let scores = scores
        .map(|c| serde_json::to_string(&c.scores))
        .transpose()?;
    let uncertainty = collected.and_then(|c| c.uncertainty);
    let mut statement = db.prepare_cached(
        "INSERT INTO image (id, dataset, origin, idempotency_key, name, format, hash, width,
             height, size, uploaded_at, captured_at, ood_score, uncertainty, hook, reason,
             predicted_label, predicted_probability, scores, source)
         VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
             ?17, ?18, ?19)",
    )?;
    Ok(statement.insert(params![
        id,
        dataset,
        new.idempotency_key,
        new.name,
        file.format.extension(),
        file.hash.0,
        new.width,
        new.height,
        new.bytes.len() as i64,
        to_micros(now),
        to_micros(new.captured_at.unwrap_or(now)),
        collected.and_then(|c| c.ood_score),
        uncertainty.or(top.as_ref().map(|(_, probability)| 1.0 - probability)),
        collected.map(|c| &c.hook),
        collected.map(|c| &c.reason),
        top.as_ref().map(|(name, _)| name),
        top.as_ref().map(|(_, probability)| probability),
        scores,
        new.source,
    ])?)
}

impl NewImage {
    /// Name and probability of the most probable label of the prediction.
    fn top_label(&self) -> Option<(String, f64)> {
        let labels = self.prediction.iter().flatten().flat_map(|a| &a.labels);
        let top = labels.max_by(|a, b| a.probability.total_cmp(&b.probability))?;
        Some((top.name.clone(), top.probability))
    }
}

fn check(new: &NewImage) -> Result<(), StoreError> {
    let length = new.name.chars().count();
    if (1..=MAX_NAME).contains(&length) {
        return Ok(());
    }
    Err(StoreError::BadName {
        what: "image name",
        value: new.name.chars().take(40).collect(),
        limit: MAX_NAME,
    })
}
