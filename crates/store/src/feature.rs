//! Feature vectors of images, and the images that a model sees alike.
//!
//! Only the direction of a vector is kept, in one byte a number: what counts is the cosine of
//! the angle between two, as for the kNN detectors of OOD models. A byte moves a cosine by less
//! than 0.01, which the order of neighbours for the eye does not notice.

use rusqlite::{Connection, OptionalExtension, params};

use crate::dataset;
use crate::error::{Fault, StoreError};
use crate::image::{ImageRecord, find_seq};
use crate::store::Store;

/// An image near another.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    /// The image.
    pub image: ImageRecord,
    /// Cosine of the angle between the two feature vectors, `-1..=1`; 1 is nearest.
    pub similarity: f64,
}

impl Store {
    /// Keeps the feature vector that the model of a deployment gave for an image; an empty one
    /// says that the image cannot be compared.
    pub fn set_features(
        &self,
        deployment_id: &str,
        image_id: &str,
        features: &[f32],
    ) -> Result<(), StoreError> {
        self.db().write(|db| {
            let image = find_seq(db, image_id)?;
            db.execute(
                "INSERT INTO feature (deployment, image, vector) VALUES (?1, ?2, ?3)
                 ON CONFLICT (deployment, image) DO UPDATE SET vector = excluded.vector",
                params![deployment_id, image, to_bytes(features)],
            )?;
            Ok(())
        })?;
        self.after_write()
    }

    /// Images of a dataset without a feature vector of a deployment, the oldest first, at most
    /// `limit` of their identifiers; and how many there are in all. Rejected images do not count.
    pub fn without_features(
        &self,
        deployment_id: &str,
        dataset_id: &str,
        limit: u64,
    ) -> Result<(Vec<String>, u64), StoreError> {
        let missing = "FROM image WHERE dataset = ?1 AND review <> 2 AND NOT EXISTS
             (SELECT 1 FROM feature WHERE deployment = ?2 AND feature.image = image.seq)";
        self.db().read(|db| {
            let (dataset, _) = dataset::find(db, dataset_id)?;
            let of = params![dataset, deployment_id];
            let total = format!("SELECT count(*) {missing}");
            let total: i64 = db.prepare_cached(&total)?.query_row(of, |row| row.get(0))?;
            let first = format!("SELECT id {missing} ORDER BY seq LIMIT ?3");
            let mut rows = db.prepare_cached(&first)?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let ids = rows.query_map(params![dataset, deployment_id, limit], |row| row.get(0))?;
            Ok((ids.collect::<Result<_, _>>()?, total as u64))
        })
    }

    /// Whether the feature vector of an image is kept.
    pub fn has_features(&self, deployment_id: &str, image_id: &str) -> Result<bool, StoreError> {
        self.db()
            .read(|db| Ok(vector(db, deployment_id, find_seq(db, image_id)?)?.is_some()))
    }

    /// The images of a dataset that are nearest to an image, the nearest first, at most `count`;
    /// without the image itself, rejected ones, and those without a feature vector.
    pub fn nearest(
        &self,
        deployment_id: &str,
        dataset_id: &str,
        image_id: &str,
        count: usize,
    ) -> Result<Vec<Neighbour>, StoreError> {
        let found = self.db().read(|db| {
            let image = find_seq(db, image_id)?;
            let (dataset, _) = dataset::find(db, dataset_id)?;
            let Some(wanted) = vector(db, deployment_id, image)? else {
                return Ok(Vec::new());
            };
            let mut found = compare(db, (deployment_id, dataset, image), &wanted)?;
            found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            found.truncate(count);
            Ok(found)
        })?;
        let neighbour = |(id, similarity): (String, f64)| {
            let image = self.image(&id)?;
            Ok(Neighbour { image, similarity })
        };
        found.into_iter().map(neighbour).collect()
    }
}

fn vector(db: &Connection, deployment: &str, image: i64) -> Result<Option<Vec<u8>>, Fault> {
    let query = "SELECT vector FROM feature WHERE deployment = ?1 AND image = ?2";
    let mut statement = db.prepare_cached(query)?;
    let row = statement.query_row(params![deployment, image], |row| row.get(0));
    Ok(row.optional()?)
}

/// The similarity of every image of a dataset that has a vector as long.
fn compare(
    db: &Connection,
    (deployment, dataset, image): (&str, i64, i64),
    wanted: &[u8],
) -> Result<Vec<(String, f64)>, Fault> {
    let mut rows = db.prepare_cached(
        "SELECT image.id, vector FROM image JOIN feature ON image = image.seq AND deployment = ?2
         WHERE dataset = ?1 AND review <> 2 AND image.seq <> ?3",
    )?;
    let mut rows = rows.query(params![dataset, deployment, image])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let other = row.get_ref(1)?.as_blob().unwrap_or_default();
        if let Some(similarity) = cosine(wanted, other) {
            found.push((row.get(0)?, similarity));
        }
    }
    Ok(found)
}

fn to_bytes(features: &[f32]) -> Vec<u8> {
    let greatest = features.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
    let scale = 127.0 / greatest.max(f32::MIN_POSITIVE);
    let byte = |v: &f32| ((v * scale).round() as i8).cast_unsigned();
    features.iter().map(byte).collect()
}

/// The cosine between two vectors of [`to_bytes`]; `None` when they have no common space or one
/// has no direction.
fn cosine(a: &[u8], b: &[u8]) -> Option<f64> {
    if a.len() != b.len() {
        return None;
    }
    let lengths = (product(a, a) as f64 * product(b, b) as f64).sqrt();
    (lengths > 0.0).then(|| product(a, b) as f64 / lengths)
}

fn product(a: &[u8], b: &[u8]) -> i64 {
    /// So many products of two bytes fit into 32 bits, which processors add faster.
    const PART: usize = 1 << 16;
    let number = |byte: u8| i32::from(byte.cast_signed());
    let part = |(a, b): (&[u8], &[u8])| -> i32 {
        let pairs = a.iter().zip(b);
        pairs.map(|(&a, &b)| number(a) * number(b)).sum()
    };
    let parts = a.chunks(PART).zip(b.chunks(PART));
    parts.map(|pair| i64::from(part(pair))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_a_number_keeps_angles() {
        let mut state = 1_u32;
        let mut number = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.3
        };
        let vector = |number: &mut dyn FnMut() -> f32| (0..200).map(|_| number()).collect();
        let (a, b): (Vec<f32>, Vec<f32>) = (vector(&mut number), vector(&mut number));
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let exact = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
        let kept = cosine(&to_bytes(&a), &to_bytes(&b)).unwrap();
        assert!((kept - f64::from(exact)).abs() < 0.01, "{kept} {exact}");
        let longer: Vec<f32> = a.iter().map(|v| v * 1e6).collect();
        assert!(cosine(&to_bytes(&a), &to_bytes(&longer)).unwrap() > 0.9999);
    }

    #[test]
    fn what_has_no_direction_is_near_nothing() {
        for strange in [&[0.0_f32, 0.0][..], &[], &[f32::NAN, 0.0], &[1.0]] {
            assert_eq!(cosine(&to_bytes(strange), &to_bytes(&[1.0, 0.5])), None);
        }
    }
}
