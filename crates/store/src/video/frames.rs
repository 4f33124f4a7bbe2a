use rusqlite::{OptionalExtension, Row, params};

use super::record::find_seq;
use crate::annotation::{AnnotationScene, StoredAnnotation, with_ids};
use crate::clock::{from_micros, to_micros};
use crate::error::{Fault, StoreError};
use crate::id;
use crate::store::Store;

impl Store {
    /// Replaces the annotation of one frame of a video; `frame` is counted from 0.
    pub fn set_frame_annotation(
        &self,
        video_id: &str,
        frame: u64,
        annotations: &[StoredAnnotation],
    ) -> Result<AnnotationScene, StoreError> {
        let now = self.clock().now();
        let scene = self.db().write(|db| {
            let video = find_seq(db, video_id)?;
            let json = serde_json::to_string(&with_ids(annotations)?)?;
            let row = params![
                video,
                frame as i64,
                id::object_id(now)?,
                to_micros(now),
                json
            ];
            db.execute(
                "INSERT INTO frame_annotation (video, frame, id, modified_at, json)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (video, frame) DO UPDATE
                     SET modified_at = excluded.modified_at, json = excluded.json",
                row,
            )?;
            let query = "SELECT frame, id, modified_at, json FROM frame_annotation
                         WHERE video = ?1 AND frame = ?2";
            parse(db.query_row(query, params![video, frame as i64], columns)?)
        })?;
        self.after_write()?;
        Ok(scene.1)
    }

    /// The annotation of one frame of a video; `None` when nobody annotated it.
    pub fn frame_annotation(
        &self,
        video_id: &str,
        frame: u64,
    ) -> Result<Option<AnnotationScene>, StoreError> {
        self.db().read(|db| {
            let video = find_seq(db, video_id)?;
            let query = "SELECT frame, id, modified_at, json FROM frame_annotation
                         WHERE video = ?1 AND frame = ?2";
            let found = db
                .query_row(query, params![video, frame as i64], columns)
                .optional()?;
            Ok(found.map(parse).transpose()?.map(|(_, scene)| scene))
        })
    }

    /// The annotations of all annotated frames of a video with their numbers, in order.
    pub fn frame_annotations(
        &self,
        video_id: &str,
    ) -> Result<Vec<(u64, AnnotationScene)>, StoreError> {
        self.db().read(|db| {
            let video = find_seq(db, video_id)?;
            let query = "SELECT frame, id, modified_at, json FROM frame_annotation
                         WHERE video = ?1 ORDER BY frame";
            let mut rows = db.prepare_cached(query)?;
            let rows = rows.query_map([video], columns)?;
            rows.map(|row| parse(row?)).collect()
        })
    }
}

type Columns = (i64, String, i64, String);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn parse((frame, id, modified, json): Columns) -> Result<(u64, AnnotationScene), Fault> {
    let scene = AnnotationScene {
        id,
        modified: from_micros(modified),
        annotations: serde_json::from_str(&json)?,
    };
    Ok((frame as u64, scene))
}
