use std::path::{Path, PathBuf};

use straylight_core::Progress;

use crate::api::{DatasetApi, DownloadOptions, ProjectApi, Transfer, safe_name, stems};
use crate::error::{ErrorKind, GetiError};
use crate::wire::{Dataset, Media, Project};

/// What of a project is downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectDownload {
    /// Whether videos, and the annotations of their frames, are downloaded as well.
    pub videos: bool,
}

impl Default for ProjectDownload {
    /// Everything.
    fn default() -> Self {
        Self { videos: true }
    }
}

/// What of a project was downloaded.
#[derive(Debug)]
pub struct DownloadedProject {
    /// The project.
    pub project: Project,
    /// Image and video files.
    pub media: Transfer<PathBuf>,
    /// Annotation files; media without an annotation count as skipped.
    pub annotations: Transfer<PathBuf>,
}

/// The media of one dataset, with the stems under which they are stored.
struct Part<'a> {
    api: DatasetApi,
    folder: String,
    images: Vec<(String, &'a Media)>,
    videos: Vec<(String, &'a Media)>,
}

impl ProjectApi {
    /// Downloads the whole project: description, media and annotations.
    ///
    /// Can be called again after an interruption: media that are in the folder are not
    /// downloaded again; annotations are, for they may have changed.
    pub fn download_to(
        &self,
        folder: &Path,
        options: ProjectDownload,
        progress: &dyn Progress,
    ) -> Result<DownloadedProject, GetiError> {
        let project = self.download_description(folder)?;
        let lists = self.list_media(options)?;
        let mut result = DownloadedProject {
            project,
            media: Transfer::default(),
            annotations: Transfer::default(),
        };
        for part in self.parts(&lists) {
            part.download(folder, &mut result, progress)?;
        }
        Ok(result)
    }

    /// Images and videos of every dataset.
    fn list_media(&self, options: ProjectDownload) -> Result<Lists, GetiError> {
        let mut lists = Vec::new();
        for dataset in self.datasets()? {
            let api = self.dataset(&dataset.id);
            let images = api.images()?;
            let videos = if options.videos {
                api.videos()?
            } else {
                Vec::new()
            };
            lists.push((dataset, images, videos));
        }
        Ok(lists)
    }

    /// Gives every medium a stem that no other of the project has.
    fn parts<'a>(&self, lists: &'a Lists) -> Vec<Part<'a>> {
        let all_images: Vec<Media> = lists.iter().flat_map(|l| l.1.iter().cloned()).collect();
        let all_videos: Vec<Media> = lists.iter().flat_map(|l| l.2.iter().cloned()).collect();
        let mut image_stems = stems(&all_images).into_iter();
        let mut video_stems = stems(&all_videos).into_iter();
        let part = |(dataset, images, videos): &'a (Dataset, Vec<Media>, Vec<Media>)| Part {
            api: self.dataset(&dataset.id),
            folder: safe_name(&dataset.name),
            images: image_stems.by_ref().zip(images).collect(),
            videos: video_stems.by_ref().zip(videos).collect(),
        };
        lists.iter().map(part).collect()
    }
}

type Lists = Vec<(Dataset, Vec<Media>, Vec<Media>)>;

impl Part<'_> {
    fn download(
        &self,
        folder: &Path,
        result: &mut DownloadedProject,
        progress: &dyn Progress,
    ) -> Result<(), GetiError> {
        let images = folder.join("images").join(&self.folder);
        let options = DownloadOptions::default();
        result.media.add(self.api.download_named_images(
            &self.images,
            &images,
            options,
            progress,
        )?);
        let project = &result.project;
        let scenes =
            self.api
                .download_named_annotations(&self.images, project, folder, progress)?;
        result.annotations.add(scenes);
        if !self.videos.is_empty() {
            let videos = folder.join("videos").join(&self.folder);
            result.media.add(
                self.api
                    .download_named_videos(&self.videos, &videos, progress)?,
            );
            let frames = self
                .api
                .download_named_frames(&self.videos, project, folder, progress)?;
            result.annotations.add(frames);
        }
        Ok(())
    }
}

impl ProjectApi {
    /// Writes the description of the project to `<folder>/project.json`, as
    /// [`ProjectApi::download_to`] does; returns the project.
    pub fn download_description(&self, folder: &Path) -> Result<Project, GetiError> {
        let project = self.get()?;
        write_project(folder, &project)?;
        Ok(project)
    }
}

fn write_project(folder: &Path, project: &Project) -> Result<(), GetiError> {
    let path = folder.join("project.json");
    let json = serde_json::to_vec_pretty(project).map_err(|error| {
        GetiError::new(
            ErrorKind::File,
            format!("cannot write {}: {error}", path.display()),
        )
    })?;
    Ok(straylight_files::write_atomically(&path, &json)?)
}
