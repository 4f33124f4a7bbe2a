use std::path::{Path, PathBuf};

use straylight_core::Progress;

use super::recreate::recreate;
use crate::api::{
    DatasetApi, Geti, Outcome, ProjectApi, Transfer, read_json, read_scene, safe_name, transfer,
};
use crate::error::{ErrorKind, GetiError};
use crate::wire::{Dataset, Media, Project};

/// How a project is uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectUpload {
    /// The name of the new project; that of the downloaded one if there is none.
    pub name: Option<String>,
    /// Whether automatic training is on afterwards; it is off meanwhile.
    pub auto_training: bool,
}

/// What of a project was uploaded.
#[derive(Debug)]
pub struct UploadedProject {
    /// The new project.
    pub project: Project,
    /// Images and videos.
    pub media: Transfer<Media>,
    /// Names of the media that were annotated; media without an annotation file are skipped.
    pub annotations: Transfer<String>,
    /// Files in the folders of media that are none.
    pub ignored: Vec<PathBuf>,
}

impl Geti {
    /// Makes a new project from a folder that [`ProjectApi::download_to`] or the SDK wrote.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if there is a project of this name already.
    pub fn upload_project(
        &self,
        folder: &Path,
        options: &ProjectUpload,
        progress: &dyn Progress,
    ) -> Result<UploadedProject, GetiError> {
        let old: Project = read_json(&folder.join("project.json"))?;
        let name = options.name.as_deref().unwrap_or(&old.name);
        if self.projects()?.iter().any(|project| project.name == name) {
            let message = format!("there is a project named `{name}` already");
            return Err(GetiError::new(ErrorKind::Conflict, message).with_hint("give another name"));
        }
        let project = self.create_project(&recreate(&old, name, self.version()))?;
        let api = self.at(&project.id);
        let places = api.create_datasets_like(&old, &project)?;
        api.set_auto_training(false)?;
        let mut result = UploadedProject {
            project,
            media: Transfer::default(),
            annotations: Transfer::default(),
            ignored: Vec::new(),
        };
        for (dataset_id, part) in placed(folder, &places) {
            api.dataset(dataset_id)
                .upload_part(folder, &part, &mut result, progress)?;
        }
        api.set_auto_training(options.auto_training)?;
        Ok(result)
    }
}

impl Geti {
    /// Makes a project, with its datasets and without media, of the `project.json` of a folder
    /// that [`ProjectApi::download_to`] or the SDK wrote; a project that has the name is taken.
    pub fn project_like(&self, folder: &Path, name: Option<&str>) -> Result<Project, GetiError> {
        let old: Project = read_json(&folder.join("project.json"))?;
        let name = name.unwrap_or(&old.name);
        let project = match self.project_named(name)? {
            Some(project) => project,
            None => self.create_project(&recreate(&old, name, self.version()))?,
        };
        self.at(&project.id).create_datasets_like(&old, &project)?;
        self.project(&project.id)
    }
}

/// A dataset of the new project and the name that its folders have.
struct Place {
    dataset_id: String,
    folder: String,
}

impl ProjectApi {
    /// The datasets of the new project; those that the old one had besides are created.
    ///
    /// The training dataset takes the place of the old one, whatever its name is now.
    fn create_datasets_like(&self, old: &Project, new: &Project) -> Result<Vec<Place>, GetiError> {
        let present = new.datasets.clone().unwrap_or_default();
        let mut places = Vec::new();
        for wanted in old.datasets.iter().flatten() {
            let fits = |dataset: &&Dataset| {
                dataset.name == wanted.name || (dataset.use_for_training && wanted.use_for_training)
            };
            let dataset_id = match present.iter().find(fits) {
                Some(dataset) => dataset.id.clone(),
                None => self.create_dataset(&wanted.name)?.id,
            };
            places.push(Place {
                dataset_id,
                folder: safe_name(&wanted.name),
            });
        }
        if places.is_empty() {
            let training = self.training_dataset()?;
            places.push(Place {
                dataset_id: training.id,
                folder: safe_name(&training.name),
            });
        }
        Ok(places)
    }
}

/// Each dataset with its folder below `images` and `videos`; without such folders all media
/// belong to the first dataset.
fn placed<'a>(folder: &Path, places: &'a [Place]) -> Vec<(&'a str, PathBuf)> {
    let has = |part: &str| {
        ["images", "videos"]
            .iter()
            .any(|kind| folder.join(kind).join(part).is_dir())
    };
    let named: Vec<(&str, PathBuf)> = places
        .iter()
        .filter(|place| has(&place.folder))
        .map(|place| (place.dataset_id.as_str(), PathBuf::from(&place.folder)))
        .collect();
    if !named.is_empty() {
        return named;
    }
    places
        .iter()
        .take(1)
        .map(|place| (place.dataset_id.as_str(), PathBuf::new()))
        .collect()
}

impl DatasetApi {
    fn upload_part(
        &self,
        folder: &Path,
        part: &Path,
        result: &mut UploadedProject,
        progress: &dyn Progress,
    ) -> Result<(), GetiError> {
        let images = folder.join("images").join(part);
        if images.is_dir() {
            let upload = self.upload_image_folder(&images, progress)?;
            let scenes = self.upload_scenes(folder, &upload.transfer.done, result, progress)?;
            result.annotations.add(scenes);
            result.media.add(upload.transfer);
            result.ignored.extend(upload.ignored);
        }
        let videos = folder.join("videos").join(part);
        if videos.is_dir() {
            let upload = self.upload_video_folder(&videos, progress)?;
            let scenes = self.upload_frame_annotations(
                folder,
                &upload.transfer.done,
                &result.project,
                false,
            )?;
            result.annotations.add(scenes);
            result.media.add(upload.transfer);
            result.ignored.extend(upload.ignored);
        }
        Ok(())
    }

    fn upload_scenes(
        &self,
        folder: &Path,
        images: &[Media],
        result: &UploadedProject,
        progress: &dyn Progress,
    ) -> Result<Transfer<String>, GetiError> {
        let threads = self.project().geti().options().threads;
        let name = |image: &Media| image.name.clone();
        transfer(
            "Uploading annotations",
            images,
            threads,
            progress,
            name,
            |image| {
                let path = folder
                    .join("annotations")
                    .join(format!("{}.json", safe_name(&image.name)));
                if !path.is_file() {
                    return Ok(Outcome::Skipped);
                }
                let annotations = read_scene(&path, &result.project)?;
                self.wait_until_prepared(image.clone())?;
                self.annotate(&image.id, annotations)?;
                Ok(Outcome::Done(image.name.clone()))
            },
        )
    }
}
