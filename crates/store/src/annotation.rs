use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use straylight_core::{Annotation, ScoredLabel, Shape, Timestamp};

use crate::clock::{from_micros, to_micros};
use crate::error::{Fault, StoreError};
use crate::id;
use crate::image::find_seq;
use crate::image::query::refresh_labels;
use crate::store::Store;

/// A shape with its labels, as the store keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredAnnotation {
    /// Identifier, a UUID; one is made when it is empty.
    #[serde(default)]
    pub id: String,
    /// Where, in absolute pixels.
    pub shape: Shape,
    /// What, at least one.
    pub labels: Vec<StoredLabel>,
}

/// A label of a stored shape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredLabel {
    /// Identifier of the project's label.
    pub id: String,
    /// Name of the project's label; images are found by it.
    #[serde(default)]
    pub name: String,
    /// Probability in `0..=1`; 1 when a person gave it.
    pub probability: f64,
}

/// All shapes of one image, of a person or of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct AnnotationScene {
    /// Identifier, 24 hexadecimal digits; stays when the shapes change.
    pub id: String,
    /// When it was last changed.
    pub modified: Timestamp,
    /// The shapes.
    pub annotations: Vec<StoredAnnotation>,
}

impl From<&Annotation> for StoredAnnotation {
    fn from(annotation: &Annotation) -> Self {
        Self {
            id: String::new(),
            shape: annotation.shape.clone(),
            labels: annotation.labels.iter().map(StoredLabel::from).collect(),
        }
    }
}

impl From<&ScoredLabel> for StoredLabel {
    fn from(label: &ScoredLabel) -> Self {
        Self {
            id: label.id.clone(),
            name: label.name.clone(),
            probability: f64::from(label.probability),
        }
    }
}

impl Store {
    /// Replaces the annotation of an image; no shapes means that there is nothing on it.
    pub fn set_annotation(
        &self,
        image_id: &str,
        annotations: &[StoredAnnotation],
    ) -> Result<AnnotationScene, StoreError> {
        let now = self.clock().now();
        let scene = self.db().write(|db| {
            let image = find_seq(db, image_id)?;
            replace(db, image, annotations, now)?;
            let scene = read(db, "annotation", image)?;
            Ok(scene.ok_or_else(|| StoreError::not_found("annotation", image_id))?)
        })?;
        self.after_write()?;
        Ok(scene)
    }

    /// Takes the annotation of an image away, as if it had never had one.
    pub fn remove_annotation(&self, image_id: &str) -> Result<(), StoreError> {
        self.db().write(|db| {
            let image = find_seq(db, image_id)?;
            take_away(db, image)
        })?;
        self.after_write()
    }

    /// The annotation of an image; `None` when nobody annotated it.
    pub fn annotation(&self, image_id: &str) -> Result<Option<AnnotationScene>, StoreError> {
        self.db()
            .read(|db| read(db, "annotation", find_seq(db, image_id)?))
    }

    /// Replaces what a model said about an image.
    pub fn set_prediction(
        &self,
        image_id: &str,
        annotations: &[StoredAnnotation],
    ) -> Result<(), StoreError> {
        let now = self.clock().now();
        self.db().write(|db| {
            let image = find_seq(db, image_id)?;
            write_prediction(db, image, annotations, now)?;
            update_top_label(db, image, annotations)?;
            refresh_labels(db, image)
        })?;
        self.after_write()
    }

    /// What a model said about an image, if one was asked.
    pub fn prediction(&self, image_id: &str) -> Result<Option<AnnotationScene>, StoreError> {
        self.db()
            .read(|db| read(db, "prediction", find_seq(db, image_id)?))
    }
}

/// Replaces the annotation of an image.
pub(crate) fn replace(
    db: &Connection,
    image: i64,
    annotations: &[StoredAnnotation],
    now: Timestamp,
) -> Result<(), Fault> {
    write(db, "annotation", image, annotations, now)?;
    db.execute(
        "UPDATE image SET annotated_at = ?2 WHERE seq = ?1",
        params![image, to_micros(now)],
    )?;
    refresh_labels(db, image)
}

/// Takes the annotation of an image away.
pub(crate) fn take_away(db: &Connection, image: i64) -> Result<(), Fault> {
    db.execute("DELETE FROM annotation WHERE image = ?1", [image])?;
    db.execute(
        "UPDATE image SET annotated_at = NULL WHERE seq = ?1",
        [image],
    )?;
    refresh_labels(db, image)
}

/// What a model said about an image, as if a person had.
pub(crate) fn certain_prediction(
    db: &Connection,
    image: i64,
) -> Result<Option<Vec<StoredAnnotation>>, Fault> {
    let Some(scene) = read(db, "prediction", image)? else {
        return Ok(None);
    };
    let mut annotations = scene.annotations;
    for label in annotations.iter_mut().flat_map(|a| &mut a.labels) {
        label.probability = 1.0;
    }
    Ok(Some(annotations))
}

pub(crate) fn write_prediction(
    db: &Connection,
    image: i64,
    annotations: &[StoredAnnotation],
    now: Timestamp,
) -> Result<(), Fault> {
    write(db, "prediction", image, annotations, now)
}

fn update_top_label(db: &Connection, image: i64, shapes: &[StoredAnnotation]) -> Result<(), Fault> {
    let labels = shapes.iter().flat_map(|a| &a.labels);
    let top = labels.max_by(|a, b| a.probability.total_cmp(&b.probability));
    db.execute(
        "UPDATE image SET predicted_label = ?2, predicted_probability = ?3,
             uncertainty = coalesce(uncertainty, 1 - ?3) WHERE seq = ?1",
        params![image, top.map(|l| &l.name), top.map(|l| l.probability)],
    )?;
    Ok(())
}

/// The shapes, each with an identifier.
pub(crate) fn with_ids(annotations: &[StoredAnnotation]) -> Result<Vec<StoredAnnotation>, Fault> {
    let mut annotations = annotations.to_vec();
    for annotation in annotations.iter_mut().filter(|a| a.id.is_empty()) {
        annotation.id = id::uuid()?;
    }
    Ok(annotations)
}

/// Adds or replaces the scene in one of the two tables of the same shape.
fn write(
    db: &Connection,
    table: &str,
    image: i64,
    annotations: &[StoredAnnotation],
    now: Timestamp,
) -> Result<(), Fault> {
    let annotations = with_ids(annotations)?;
    let query = format!(
        "INSERT INTO {table} (image, id, modified_at, json) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (image) DO UPDATE SET modified_at = excluded.modified_at, json = excluded.json"
    );
    let json = serde_json::to_string(&annotations)?;
    let row = params![image, id::object_id(now)?, to_micros(now), json];
    db.prepare_cached(&query)?.execute(row)?;
    Ok(())
}

fn read(db: &Connection, table: &str, image: i64) -> Result<Option<AnnotationScene>, Fault> {
    let query = format!("SELECT id, modified_at, json FROM {table} WHERE image = ?1");
    let mut statement = db.prepare_cached(&query)?;
    let row = statement.query_row([image], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
    });
    let Some((id, modified, json)) = row.optional()? else {
        return Ok(None);
    };
    Ok(Some(AnnotationScene {
        id,
        modified: from_micros(modified),
        annotations: serde_json::from_str(&json)?,
    }))
}
