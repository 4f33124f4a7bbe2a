//! An event as a row: everything but its image, as JSON.
//!
//! Floating-point numbers are kept as their bits, so that every value comes back as it was,
//! those that JSON cannot write among them.

use std::sync::{Arc, OnceLock};

use rusqlite::types::Type;
use rusqlite::{Connection, Transaction, params};
use serde::{Deserialize, Serialize};
use straylight_core::{
    Activations, Annotation, Color, EncodedImage, ImageFormat, Prediction, ScoredLabel, Shape,
    Timestamp,
};

use crate::event::{Event, EventId, KeyPolicy, Picture};

/// An event that was read back, without its image.
#[derive(Debug)]
pub(in crate::queue) struct Row {
    pub(in crate::queue) format: ImageFormat,
    content: Content,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    key: String,
    hook: String,
    name: String,
    /// Absent in rows of the program of November 2026.
    #[serde(default)]
    source: Option<String>,
    captured_at: Timestamp,
    fired_at: Timestamp,
    trigger: String,
    score_bits: u64,
    /// Absent in rows of the program of November 2026.
    #[serde(default)]
    ood_score_bits: Option<u64>,
    /// Width and height of the image, likewise.
    #[serde(default)]
    size: Option<(u32, u32)>,
    reason: String,
    key_policy: KeyPolicy,
    annotations: Vec<AnnotationRow>,
    features: Option<Vec<u32>>,
    logits: Option<Vec<u32>>,
    probabilities: Option<Vec<u32>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AnnotationRow {
    shape: Shape,
    labels: Vec<LabelRow>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LabelRow {
    id: String,
    name: String,
    color: Color,
    probability_bits: u32,
}

impl Content {
    fn of(event: &Event) -> Self {
        let prediction = &event.prediction;
        let activations = &prediction.activations;
        Self {
            key: event.key().to_owned(),
            hook: event.hook.to_string(),
            name: event.name.to_string(),
            source: event.source.as_deref().map(str::to_owned),
            captured_at: event.captured_at,
            fired_at: event.fired_at,
            trigger: event.trigger.to_string(),
            score_bits: event.score.to_bits(),
            ood_score_bits: event.ood_score.map(f64::to_bits),
            size: event.picture.known_size(),
            reason: event.reason.to_string(),
            key_policy: event.key_policy,
            annotations: prediction
                .annotations
                .iter()
                .map(AnnotationRow::of)
                .collect(),
            features: bits(activations.features.as_deref()),
            logits: bits(activations.logits.as_deref()),
            probabilities: bits(activations.probabilities.as_deref()),
        }
    }

    /// Rows of the program of November 2026 tell it by the trigger's name.
    fn ood_score(&self) -> Option<f64> {
        let of_trigger = (self.trigger == "OODTrigger").then_some(self.score_bits);
        self.ood_score_bits.or(of_trigger).map(f64::from_bits)
    }

    fn prediction(&self) -> Prediction {
        Prediction {
            annotations: self
                .annotations
                .iter()
                .map(AnnotationRow::annotation)
                .collect(),
            saliency_maps: Vec::new(),
            ood_score: None,
            left_out: 0,
            activations: Activations {
                features: floats(self.features.as_deref()),
                logits: floats(self.logits.as_deref()),
                probabilities: floats(self.probabilities.as_deref()),
            },
        }
    }
}

fn bits(values: Option<&[f32]>) -> Option<Vec<u32>> {
    values.map(|values| values.iter().map(|value| value.to_bits()).collect())
}

fn floats(bits: Option<&[u32]>) -> Option<Arc<[f32]>> {
    bits.map(|bits| bits.iter().map(|value| f32::from_bits(*value)).collect())
}

impl AnnotationRow {
    fn of(annotation: &Annotation) -> Self {
        let label = |label: &ScoredLabel| LabelRow {
            id: label.id.clone(),
            name: label.name.clone(),
            color: label.color,
            probability_bits: label.probability.to_bits(),
        };
        let labels = annotation.labels.iter().map(label).collect();
        Self {
            shape: annotation.shape.clone(),
            labels,
        }
    }

    fn annotation(&self) -> Annotation {
        let label = |label: &LabelRow| ScoredLabel {
            id: label.id.clone(),
            name: label.name.clone(),
            color: label.color,
            probability: f32::from_bits(label.probability_bits),
        };
        Annotation {
            shape: self.shape.clone(),
            labels: self.labels.iter().map(label).collect(),
        }
    }
}

impl Row {
    /// What the source calls the image.
    pub(in crate::queue) fn name(&self) -> &str {
        &self.content.name
    }

    pub(in crate::queue) fn key(&self) -> &str {
        &self.content.key
    }

    pub(in crate::queue) fn reason(&self) -> &str {
        &self.content.reason
    }

    pub(in crate::queue) fn fired_at(&self) -> Timestamp {
        self.content.fired_at
    }

    pub(in crate::queue) fn score(&self) -> f64 {
        f64::from_bits(self.content.score_bits)
    }

    pub(in crate::queue) fn prediction(&self) -> Prediction {
        self.content.prediction()
    }

    /// The event with its image.
    pub(in crate::queue) fn event(self, id: EventId, image: EncodedImage) -> Event {
        let prediction = Arc::new(self.content.prediction());
        let content = self.content;
        let ood_score = content.ood_score();
        Event {
            id,
            hook: content.hook.into(),
            name: content.name.into(),
            source: content.source.map(Into::into),
            captured_at: content.captured_at,
            fired_at: content.fired_at,
            trigger: content.trigger.into(),
            score: f64::from_bits(content.score_bits),
            ood_score,
            reason: content.reason.into(),
            picture: Picture::of_file(image).with_size(content.size),
            prediction,
            key_policy: content.key_policy,
            key: OnceLock::from(content.key),
        }
    }
}

/// Writes the row of an event that waits, or that is held; one that was held waits from now on.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    event: &Event,
    bytes: u64,
    is_held: bool,
) -> rusqlite::Result<()> {
    let json = serde_json::to_string(&Content::of(event))
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    let format = event
        .picture
        .encoded()
        .map_or(ImageFormat::Png, |encoded| encoded.format);
    transaction
        .prepare_cached(
            "INSERT INTO events (id, event, format, bytes, held) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET held = min(held, ?5)",
        )?
        .execute(params![
            event.id.to_string(),
            json,
            format.extension(),
            bytes as i64,
            is_held
        ])?;
    unexpect(transaction, event.id)
}

/// Notes an event that is about to be at its sink and has no row.
pub(super) fn expect(transaction: &Transaction<'_>, event: &Event) -> rusqlite::Result<()> {
    // Whoever asks the sink needs no activations.
    let content = Content {
        annotations: Vec::new(),
        features: None,
        logits: None,
        probabilities: None,
        ..Content::of(event)
    };
    let json = serde_json::to_string(&content)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO expected (id, event) VALUES (?1, ?2)")?
        .execute(params![event.id.to_string(), json])?;
    Ok(())
}

pub(super) fn unexpect(transaction: &Transaction<'_>, id: EventId) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM expected WHERE id = ?1")?
        .execute([id.to_string()])?;
    Ok(())
}

/// The events that an earlier process expected at their sink, without their images.
pub(super) fn expected(connection: &Connection) -> rusqlite::Result<Vec<Event>> {
    let mut query = connection.prepare("SELECT id, event FROM expected ORDER BY id")?;
    let events = query.query_map([], |row| {
        let id = id_of(row.get_ref(0)?.as_str()?)?;
        let content = serde_json::from_str(row.get_ref(1)?.as_str()?);
        let content = content.map_err(|error| unreadable(1, error))?;
        let format = ImageFormat::Png;
        let image = EncodedImage {
            format,
            bytes: Arc::from([]),
        };
        Ok(Row { format, content }.event(id, image))
    })?;
    events.collect()
}

/// Reads an event without its image.
pub(in crate::queue) fn read_row(connection: &Connection, id: EventId) -> rusqlite::Result<Row> {
    let mut query = connection.prepare_cached("SELECT event, format FROM events WHERE id = ?1")?;
    query.query_row([id.to_string()], |row| {
        let content = serde_json::from_str(row.get_ref(0)?.as_str()?);
        let content = content.map_err(|error| unreadable(0, error))?;
        let name = row.get_ref(1)?.as_str()?;
        let format = ImageFormat::ALL
            .into_iter()
            .find(|format| format.extension() == name);
        let format = format.ok_or_else(|| unreadable(1, format!("unknown format `{name}`")))?;
        Ok(Row { format, content })
    })
}

pub(in crate::queue) fn id_of(text: &str) -> rusqlite::Result<EventId> {
    text.parse().map_err(|error| unreadable(0, error))
}

pub(in crate::queue) fn time_of(micros: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|error| unreadable(4, error))
}

fn unreadable(
    column: usize,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
