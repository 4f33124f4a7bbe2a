//! What people decide about collected images, and taking it back.
//!
//! A decision and the note of what was before are one transaction: there is never one without
//! the other. The notes outlive the process.

use rusqlite::{Connection, OptionalExtension, params};
use straylight_core::Timestamp;

use crate::annotation::{self, StoredAnnotation};
use crate::error::{Fault, StoreError};
use crate::image::{self, Review};
use crate::store::Store;

/// Decisions of one person that can be taken back.
const KEPT: i64 = 200;

/// What a person decides about an image.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Decision {
    /// It shows this; accepts the image.
    Annotate(Vec<StoredAnnotation>),
    /// The model was right: its prediction becomes the annotation; accepts the image.
    AcceptPrediction,
    /// It is of no use.
    Reject,
    /// It belongs into the dataset of this identifier, of the same project; accepts the image.
    Move(String),
}

/// What came of taking a decision back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// The image of this identifier is as it was before.
    Image(String),
    /// Somebody else decided about the image of this identifier since: it stays as it is, and
    /// the decision cannot be taken back any more.
    Overtaken(String),
    /// There is no decision to take back.
    Nothing,
}

impl Store {
    /// Does what a person decided about an image, and notes how it was.
    ///
    /// `person` is whoever decides: each takes back decisions of their own alone.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when the image, its prediction or the dataset is not there.
    pub fn decide(
        &self,
        person: &str,
        image_id: &str,
        decision: &Decision,
    ) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.db().write(|db| {
            let image = image::find_seq(db, image_id)?;
            note(db, person, image)?;
            carry_out(db, (image, image_id), decision, now)
        })?;
        self.after_write()
    }

    /// Takes the last decision of a person back.
    pub fn undo(&self, person: &str) -> Result<Undone, StoreError> {
        let now = self.clock().now();
        let undone = self.db().write(|db| {
            let Some(before) = last(db, person)? else {
                return Ok(Undone::Nothing);
            };
            let later = "SELECT EXISTS (SELECT 1 FROM decision WHERE image = ?1 AND seq > ?2)";
            let overtaken = db.query_row(later, [before.image, before.seq], |row| row.get(0))?;
            db.execute("DELETE FROM decision WHERE seq = ?1", [before.seq])?;
            if overtaken {
                return Ok(Undone::Overtaken(before.image_id));
            }
            restore(db, &before, now)?;
            Ok(Undone::Image(before.image_id))
        })?;
        self.after_write()?;
        Ok(undone)
    }
}

/// Writes down how an image is, and forgets what is too old.
fn note(db: &Connection, person: &str, image: i64) -> Result<(), Fault> {
    db.execute(
        "INSERT INTO decision (person, image, dataset, review, annotation)
         SELECT ?1, seq, dataset, review, (SELECT json FROM annotation WHERE image = ?2)
         FROM image WHERE seq = ?2",
        params![person, image],
    )?;
    db.execute(
        "DELETE FROM decision WHERE person = ?1 AND seq <= (
             SELECT seq FROM decision WHERE person = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
        params![person, KEPT],
    )?;
    Ok(())
}

fn carry_out(
    db: &Connection,
    (image, id): (i64, &str),
    decision: &Decision,
    now: Timestamp,
) -> Result<(), Fault> {
    let review = match decision {
        Decision::Reject => Review::Rejected,
        _ => Review::Accepted,
    };
    match decision {
        Decision::Annotate(annotations) => annotation::replace(db, image, annotations, now)?,
        Decision::AcceptPrediction => {
            let annotations = annotation::certain_prediction(db, image)?;
            let annotations = annotations.ok_or_else(|| StoreError::not_found("prediction", id))?;
            annotation::replace(db, image, &annotations, now)?;
        }
        Decision::Reject => {}
        Decision::Move(dataset) => image::move_to(db, image, dataset)?,
    }
    image::review(db, image, review.code())
}

/// How an image was before a decision.
struct Before {
    seq: i64,
    image: i64,
    image_id: String,
    dataset: i64,
    review: i64,
    annotation: Option<String>,
}

fn last(db: &Connection, person: &str) -> Result<Option<Before>, Fault> {
    let query =
        "SELECT decision.seq, image, image.id, decision.dataset, decision.review, annotation
                 FROM decision JOIN image ON image.seq = image
                 WHERE person = ?1 ORDER BY decision.seq DESC LIMIT 1";
    let found = db.query_row(query, [person], |row| {
        Ok(Before {
            seq: row.get(0)?,
            image: row.get(1)?,
            image_id: row.get(2)?,
            dataset: row.get(3)?,
            review: row.get(4)?,
            annotation: row.get(5)?,
        })
    });
    Ok(found.optional()?)
}

fn restore(db: &Connection, before: &Before, now: Timestamp) -> Result<(), Fault> {
    let place = params![before.image, before.dataset];
    db.execute("UPDATE image SET dataset = ?2 WHERE seq = ?1", place)?;
    image::review(db, before.image, before.review)?;
    match &before.annotation {
        Some(json) => {
            let annotations: Vec<StoredAnnotation> = serde_json::from_str(json)?;
            annotation::replace(db, before.image, &annotations, now)
        }
        None => annotation::take_away(db, before.image),
    }
}
