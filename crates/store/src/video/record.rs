use std::path::{Path, PathBuf};

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use straylight_core::{ContentHash, Timestamp};

use crate::clock::from_micros;
use crate::dataset;
use crate::error::{Fault, StoreError};
use crate::files::{FileFormat, FileKey};
use crate::image::{Page, SortDirection};
use crate::store::Store;

/// The container of a video file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VideoFormat {
    /// MPEG-4.
    Mp4,
    /// Audio Video Interleave.
    Avi,
    /// Matroska.
    Mkv,
    /// `QuickTime`.
    Mov,
    /// `WebM`.
    WebM,
    /// MPEG-4 as Apple's programs name it.
    M4v,
}

impl VideoFormat {
    /// Every format.
    pub const ALL: [Self; 6] = [
        Self::Mp4,
        Self::Avi,
        Self::Mkv,
        Self::Mov,
        Self::WebM,
        Self::M4v,
    ];

    /// The usual extension, lower case and without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Avi => "avi",
            Self::Mkv => "mkv",
            Self::Mov => "mov",
            Self::WebM => "webm",
            Self::M4v => "m4v",
        }
    }

    /// The content type of such a file.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Mp4 | Self::M4v => "video/mp4",
            Self::Avi => "video/x-msvideo",
            Self::Mkv => "video/x-matroska",
            Self::Mov => "video/quicktime",
            Self::WebM => "video/webm",
        }
    }

    /// The format of this extension, lower case and without the dot.
    pub fn from_extension(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.extension() == name)
    }
}

/// All that is known of a video except its frames and their annotations.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoRecord {
    /// Identifier, 24 hexadecimal digits.
    pub id: String,
    /// Identifier of the dataset in which it is.
    pub dataset_id: String,
    /// Its name without extension; need not be unique.
    pub name: String,
    /// Container of its file.
    pub format: VideoFormat,
    /// Hash of the file's bytes.
    pub hash: ContentHash,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Size of the file in bytes.
    pub size: u64,
    /// When it came into the store.
    pub uploaded_at: Timestamp,
    /// How many frames it has, at least 1.
    pub frame_count: u64,
    /// Frames a second, greater than 0.
    pub frame_rate: f64,
    /// Length in seconds.
    pub duration: f64,
    /// How many of its frames are annotated.
    pub annotated_frames: u64,
}

/// Some videos of a longer list.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoPage {
    /// The videos.
    pub videos: Vec<VideoRecord>,
    /// How many match in all.
    pub total: u64,
}

const SELECT: &str = "SELECT video.id, dataset.id, video.name, format, hash, width, height, size,
        uploaded_at, frame_count, frame_rate, duration,
        (SELECT count(*) FROM frame_annotation WHERE video = video.seq)
    FROM video JOIN dataset ON dataset.seq = video.dataset";

impl VideoRecord {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            dataset_id: row.get(1)?,
            name: row.get(2)?,
            format: format(row)?,
            hash: ContentHash(row.get(4)?),
            width: row.get(5)?,
            height: row.get(6)?,
            size: row.get::<_, i64>(7)? as u64,
            uploaded_at: from_micros(row.get(8)?),
            frame_count: row.get::<_, i64>(9)? as u64,
            frame_rate: row.get(10)?,
            duration: row.get(11)?,
            annotated_frames: row.get::<_, i64>(12)? as u64,
        })
    }

    fn file(&self) -> FileKey {
        FileKey {
            hash: self.hash,
            format: FileFormat::Video(self.format),
        }
    }
}

fn format(row: &Row<'_>) -> rusqlite::Result<VideoFormat> {
    let name: String = row.get(3)?;
    VideoFormat::from_extension(&name).ok_or_else(|| {
        let error = format!("`{name}` is no video format").into();
        rusqlite::Error::FromSqlConversionFailure(3, Type::Text, error)
    })
}

impl Store {
    /// The video of this identifier.
    pub fn video(&self, id: &str) -> Result<VideoRecord, StoreError> {
        self.db().read(|db| {
            let mut statement = db.prepare_cached(&format!("{SELECT} WHERE video.id = ?1"))?;
            let found = statement.query_row([id], VideoRecord::read).optional()?;
            Ok(found.ok_or_else(|| StoreError::not_found("video", id))?)
        })
    }

    /// The videos of a dataset whose names contain a text (empty: all), by name.
    pub fn videos(
        &self,
        dataset_id: &str,
        name: &str,
        direction: SortDirection,
        page: Page,
    ) -> Result<VideoPage, StoreError> {
        self.db().read(|db| {
            let (dataset, _) = dataset::find(db, dataset_id)?;
            let matches = "dataset = ?1 AND instr(lower(video.name), lower(?2)) > 0";
            let count = format!("SELECT count(*) FROM video WHERE {matches}");
            let total = db.query_row(&count, params![dataset, name], |r| r.get::<_, i64>(0))?;
            let order = match direction {
                SortDirection::Ascending => "video.name, video.seq",
                SortDirection::Descending => "video.name DESC, video.seq DESC",
            };
            let query = format!("{SELECT} WHERE {matches} ORDER BY {order} LIMIT ?3 OFFSET ?4");
            let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            let values = params![dataset, name, number(page.limit), number(page.skip)];
            let mut rows = db.prepare_cached(&query)?;
            let videos = rows.query_map(values, VideoRecord::read)?;
            Ok(VideoPage {
                videos: videos.collect::<Result<_, _>>()?,
                total: total as u64,
            })
        })
    }

    /// Where the file of a video lies; it must not be changed.
    pub fn video_path(&self, id: &str) -> Result<PathBuf, StoreError> {
        Ok(self.files().path(self.video(id)?.file()))
    }

    /// The first frame of a video as a small JPEG file, made by `make` from the path of the
    /// video when it is not there yet, and kept; see [`Store::thumbnail`].
    pub fn video_thumbnail<E>(
        &self,
        id: &str,
        make: impl FnOnce(&Path) -> Result<Vec<u8>, E>,
    ) -> Result<Result<Vec<u8>, E>, StoreError> {
        let video = self.video(id)?;
        self.kept_thumbnail(video.hash, 256, || {
            Ok(make(&self.files().path(video.file())))
        })
    }

    /// Deletes a video with the annotations of its frames and, if no other has it, its file.
    pub fn delete_video(&self, id: &str) -> Result<(), StoreError> {
        self.db().write(|db| {
            let seq = find_seq(db, id)?;
            db.execute("DELETE FROM video WHERE seq = ?1", [seq])?;
            Ok(())
        })?;
        self.sweep_garbage()?;
        self.after_write()
    }
}

/// The row number of a video.
pub(super) fn find_seq(db: &Connection, id: &str) -> Result<i64, Fault> {
    let mut statement = db.prepare_cached("SELECT seq FROM video WHERE id = ?1")?;
    let found = statement.query_row([id], |row| row.get(0)).optional()?;
    Ok(found.ok_or_else(|| StoreError::not_found("video", id))?)
}
