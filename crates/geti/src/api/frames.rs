use std::collections::HashMap;
use std::path::{Path, PathBuf};

use straylight_core::{NoProgress, Progress};

use super::annotations::{identify_labels, merge, write_scene};
use super::dataset::DatasetApi;
use super::naming::{safe_name, stems};
use super::parallel::{Outcome, Transfer, transfer};
use super::upload::list_files;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Request, encode};
use crate::wire::{Annotation, AnnotationScene, Media, MediaIdentifier, Project};

/// The largest frame that is downloaded into memory, in bytes.
const LARGEST_FRAME: u64 = 256 * 1024 * 1024;

impl DatasetApi {
    /// One frame of a video as an image file, counted from 0.
    pub fn video_frame(&self, video_id: &str, frame_index: u64) -> Result<Vec<u8>, GetiError> {
        let request = Request::get(self.frame_path(video_id, frame_index, "display/full"));
        let geti = self.project().geti();
        geti.transport().run(&request.download(), |answer| {
            answer.refuse_html()?.into_bytes(LARGEST_FRAME)
        })
    }

    /// The annotation of one frame of a video; `None` if it has none.
    pub fn frame_annotation(
        &self,
        video_id: &str,
        frame_index: u64,
    ) -> Result<Option<AnnotationScene>, GetiError> {
        let path = self.frame_path(video_id, frame_index, "annotations/latest");
        let transport = self.project().geti().transport();
        transport.json_or_none(&Request::get(path))
    }

    /// Adds annotations to those that a frame has: labels are merged where shapes are equal.
    pub fn append_frame_annotations(
        &self,
        video_id: &str,
        frame_index: u64,
        annotations: Vec<Annotation>,
    ) -> Result<AnnotationScene, GetiError> {
        let present = self.frame_annotation(video_id, frame_index)?;
        let present = present.map(|scene| scene.annotations).unwrap_or_default();
        self.annotate_frame(video_id, frame_index, merge(present, annotations))
    }

    /// Downloads the annotations of all annotated frames into `<folder>/annotations`, one file
    /// `<name>_frame_<number>.json` a frame, as [`Self::download_annotations`] does for images.
    pub fn download_video_annotations(
        &self,
        videos: &[Media],
        project: &Project,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Transfer<PathBuf>, GetiError> {
        let jobs: Vec<(String, &Media)> = stems(videos).into_iter().zip(videos).collect();
        self.download_named_frames(&jobs, project, folder, progress)
    }

    pub(crate) fn download_named_frames(
        &self,
        videos: &[(String, &Media)],
        project: &Project,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Transfer<PathBuf>, GetiError> {
        let name = |(_, video): &(String, &Media)| video.name.clone();
        let what = "Downloading annotations of videos";
        let files = transfer(what, videos, 1, progress, name, |(stem, video)| {
            let scenes = self.video_annotations(&video.id)?;
            write_frames(scenes, stem, project, folder).map(Outcome::Done)
        })?;
        let done = files.done.into_iter().flatten().collect();
        Ok(Transfer {
            done,
            skipped: files.skipped,
            failed: files.failed,
        })
    }

    /// Annotates the frames of videos for which there are files `<video>_frame_<number>.json`
    /// in `<folder>/annotations`; `append` adds to what the frames have. Returns the files.
    pub fn upload_frame_annotations(
        &self,
        folder: &Path,
        videos: &[Media],
        project: &Project,
        append: bool,
    ) -> Result<Transfer<String>, GetiError> {
        let frames = frame_files(folder, videos)?;
        let name = |frame: &(PathBuf, &str, u64)| frame.0.display().to_string();
        transfer("", &frames, 1, &NoProgress, name, |(path, video, frame)| {
            let annotations = read_scene(path, project)?;
            if append {
                self.append_frame_annotations(video, *frame, annotations)?;
            } else {
                self.annotate_frame(video, *frame, annotations)?;
            }
            Ok(Outcome::Done(path.display().to_string()))
        })
    }

    fn frame_path(&self, video_id: &str, frame_index: u64, rest: &str) -> String {
        let video = encode(video_id);
        self.path(&format!(
            "/media/videos/{video}/frames/{frame_index}/{rest}"
        ))
    }
}

fn write_frames(
    scenes: Vec<AnnotationScene>,
    stem: &str,
    project: &Project,
    folder: &Path,
) -> Result<Vec<PathBuf>, GetiError> {
    let mut paths = Vec::new();
    for scene in scenes {
        if let Some(MediaIdentifier::VideoFrame { frame_index, .. }) = scene.media_identifier {
            let file = format!("{stem}_frame_{frame_index}.json");
            let path = folder.join("annotations").join(file);
            write_scene(&path, scene, project)?;
            paths.push(path);
        }
    }
    Ok(paths)
}

/// The files of frames with the identifiers of their videos and their numbers.
fn frame_files<'a>(
    folder: &Path,
    videos: &'a [Media],
) -> Result<Vec<(PathBuf, &'a str, u64)>, GetiError> {
    let ids: HashMap<String, &str> = videos
        .iter()
        .map(|v| (safe_name(&v.name), v.id.as_str()))
        .collect();
    let annotations = folder.join("annotations");
    if !annotations.is_dir() {
        return Ok(Vec::new());
    }
    let files = list_files(&annotations)?.into_iter();
    Ok(files
        .filter_map(|path| {
            let (video, frame) = path.file_stem()?.to_str()?.rsplit_once("_frame_")?;
            let found = (*ids.get(video)?, frame.parse().ok()?);
            Some((path, found.0, found.1))
        })
        .collect())
}

/// Reads a file that [`write_scene`] wrote, with the identifiers that the project has for labels.
pub(crate) fn read_scene(path: &Path, project: &Project) -> Result<Vec<Annotation>, GetiError> {
    let scene: AnnotationScene = read_json(path)?;
    let mut annotations = scene.annotations;
    identify_labels(&mut annotations, project)?;
    Ok(annotations)
}

pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, GetiError> {
    let bytes = straylight_files::read(path)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let message = format!("{} is not what it should be: {error}", path.display());
        GetiError::new(ErrorKind::Argument, message)
    })
}
