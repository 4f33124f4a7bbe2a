//! Videos in the archive of a project.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use straylight_store::{NewVideo, Page, SortDirection, StoredAnnotation, VideoFormat, VideoRecord};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::export::failed;
use super::imports::{Archive, broken};
use super::{ApiError, ApiResult};
use crate::app::App;

/// One video as `straylight.json` of an archive describes it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ArchivedVideo {
    name: String,
    file: String,
    width: u32,
    height: u32,
    frame_count: u64,
    frame_rate: f64,
    duration: f64,
    /// By number of the frame, from 0.
    #[serde(default)]
    frames: BTreeMap<u64, Vec<StoredAnnotation>>,
}

/// Writes the videos of a dataset into an archive; their descriptions.
pub(super) fn write(app: &App, dataset: &str, zip: &mut ZipWriter<File>) -> ApiResult<Vec<Value>> {
    let videos = app
        .store
        .videos(dataset, "", SortDirection::Ascending, Page::ALL)?;
    let described = videos.videos.iter().map(|video| {
        let archived = describe(app, video)?;
        copy(app, video, &archived.file, zip)?;
        Ok(json!(archived))
    });
    described.collect()
}

fn describe(app: &App, video: &VideoRecord) -> ApiResult<ArchivedVideo> {
    let frames = app.store.frame_annotations(&video.id)?;
    let frames = frames.into_iter().map(|(frame, s)| (frame, s.annotations));
    Ok(ArchivedVideo {
        name: video.name.clone(),
        file: format!("videos/{}.{}", video.id, video.format.extension()),
        width: video.width,
        height: video.height,
        frame_count: video.frame_count,
        frame_rate: video.frame_rate,
        duration: video.duration,
        frames: frames.collect(),
    })
}

fn copy(app: &App, video: &VideoRecord, name: &str, zip: &mut ZipWriter<File>) -> ApiResult<()> {
    let path = app.store.video_path(&video.id)?;
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(true);
    let copy = || -> io::Result<u64> {
        zip.start_file(name, options)?;
        io::copy(&mut File::open(path)?, zip)
    };
    copy().map(drop).map_err(|e| failed(&e))
}

/// Adds a video of an archive to a dataset. What the archive says of its size is believed only
/// where it is possible; nothing here depends on it.
pub(super) fn read(
    app: &App,
    dataset: &str,
    archived: &ArchivedVideo,
    zip: &mut Archive,
) -> ApiResult<()> {
    let new = check(archived)?;
    let pending = app.store.pending_file()?;
    let limit = app.config.limits.upload_bytes;
    let mut entry = zip.entry(&archived.file, limit).map_err(broken)?;
    let file = File::options().write(true).open(pending.path());
    let mut file = file.map_err(|e| pending.write_error(e))?;
    io::copy(&mut entry, &mut file).map_err(broken)?;
    drop(file);
    let video = app.store.add_video(dataset, &new, &pending)?;
    for (frame, annotations) in &archived.frames {
        app.store
            .set_frame_annotation(&video.id, *frame, annotations)?;
    }
    Ok(())
}

fn check(archived: &ArchivedVideo) -> ApiResult<NewVideo> {
    let extension = archived.file.rsplit('.').next().unwrap_or_default();
    let format = VideoFormat::from_extension(extension);
    let positive = |n: f64| n.is_finite() && n > 0.0;
    let sound = archived.width > 0
        && archived.height > 0
        && (1..1 << 40).contains(&archived.frame_count)
        && positive(archived.frame_rate)
        && positive(archived.duration);
    let format = format.filter(|_| sound).ok_or_else(|| {
        ApiError::media(format!("{} is not described as a video is", archived.name))
    })?;
    Ok(NewVideo {
        name: archived.name.clone(),
        format,
        width: archived.width,
        height: archived.height,
        frame_count: archived.frame_count,
        frame_rate: archived.frame_rate,
        duration: archived.duration,
    })
}
