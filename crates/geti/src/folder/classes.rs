use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use straylight_core::{Progress, TaskType};
use straylight_files::FileError;

use crate::api::{
    Geti, Outcome, Transfer, image_annotation, is_image, list_files, split, transfer,
};
use crate::error::{ErrorKind, GetiError};
use crate::plan::{ProjectPlan, TaskPlan};
use crate::wire::{Dataset, Media, Project, Task};

/// A dataset as a directory tree: a folder for each class with its images in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassFolders {
    /// Class names with their images, sorted by name; every class has at least one image.
    pub classes: Vec<(String, Vec<PathBuf>)>,
    /// Files that are no images that servers take, and folders without any.
    pub ignored: Vec<PathBuf>,
}

impl ClassFolders {
    /// Looks a directory tree through; images are known by their content.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] if there are fewer than two classes with images.
    pub fn read(root: &Path) -> Result<Self, GetiError> {
        let mut ignored = list_files(root)?;
        let mut classes = Vec::new();
        for folder in list_folders(root)? {
            let (images, others) = split(list_files(&folder)?, is_image)?;
            ignored.extend(others);
            match folder.file_name().and_then(|name| name.to_str()) {
                Some(name) if !images.is_empty() => classes.push((name.to_owned(), images)),
                _ => ignored.push(folder),
            }
        }
        if classes.len() < 2 {
            let message = format!(
                "{} has {} folders with images; a classification needs two classes",
                root.display(),
                classes.len()
            );
            return Err(GetiError::new(ErrorKind::Argument, message)
                .with_hint("put the images of each class into a folder of its own"));
        }
        Ok(Self { classes, ignored })
    }
}

impl Geti {
    /// Creates a classification project from a directory tree: a label for each class folder,
    /// all images uploaded to the training dataset and annotated.
    ///
    /// Automatic training is off meanwhile, and afterwards as `auto_training` says.
    pub fn create_project_from_folders(
        &self,
        name: &str,
        folders: &ClassFolders,
        auto_training: bool,
        progress: &dyn Progress,
    ) -> Result<(Project, Transfer<Media>), GetiError> {
        let labels = folders.classes.iter().map(|(label, _)| label.as_str());
        let plan = ProjectPlan::single(name, TaskPlan::new(TaskType::Classification, labels));
        let project = self.create_project(&plan.request(self.version())?)?;
        let api = self.at(&project.id);
        api.set_auto_training(false)?;
        let dataset = training_dataset(&project)?;
        let images = self.upload_classes(&project, dataset, folders, progress)?;
        api.set_auto_training(auto_training)?;
        Ok((project, images))
    }

    fn upload_classes(
        &self,
        project: &Project,
        dataset: &Dataset,
        folders: &ClassFolders,
        progress: &dyn Progress,
    ) -> Result<Transfer<Media>, GetiError> {
        let api = self.at(&project.id).dataset(&dataset.id);
        let mut all = Transfer::default();
        for (class, paths) in &folders.classes {
            let label = label_id(project, class)?;
            let mut uploaded = api.upload_image_files(paths, &HashSet::new(), progress)?;
            let images = std::mem::take(&mut uploaded.done);
            all.add(uploaded);
            let threads = self.options().threads;
            let name = |image: &Media| image.name.clone();
            let annotated = transfer(
                "Annotating images",
                &images,
                threads,
                progress,
                name,
                |image| {
                    let image = api.wait_until_prepared(image.clone())?;
                    api.annotate(&image.id, vec![image_annotation(label, &image)])?;
                    Ok(Outcome::Done(image))
                },
            )?;
            all.add(annotated);
        }
        Ok(all)
    }
}

/// The dataset on which models are trained, as a new project names it.
pub(crate) fn training_dataset(project: &Project) -> Result<&Dataset, GetiError> {
    let datasets = project.datasets.as_deref().unwrap_or_default();
    let training = datasets.iter().find(|dataset| dataset.use_for_training);
    training.or(datasets.first()).ok_or_else(|| {
        let message = format!("the project `{}` has no dataset", project.name);
        GetiError::new(ErrorKind::Answer, message)
    })
}

fn label_id<'a>(project: &'a Project, name: &str) -> Result<&'a str, GetiError> {
    let labels = project.pipeline.tasks.iter().flat_map(Task::labels);
    let label = labels.into_iter().find(|label| label.name == name);
    label.map(|label| label.id.as_str()).ok_or_else(|| {
        let message = format!("the server created the project without the label `{name}`");
        GetiError::new(ErrorKind::Answer, message)
    })
}

fn list_folders(root: &Path) -> Result<Vec<PathBuf>, GetiError> {
    let failed = |source| FileError::new("list", root, source);
    let mut folders = Vec::new();
    for entry in fs::read_dir(root).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !hidden && entry.path().is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_folders_with_images() {
        let root = tempfile::tempdir().unwrap();
        let png = b"\x89PNG\r\n\x1a\n12345678";
        for path in ["dog/1.PNG", "dog/2", "cat/1.png", ".git/1.png"] {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, png).unwrap();
        }
        fs::create_dir(root.path().join("empty")).unwrap();
        fs::write(root.path().join("cat/notes.jpg"), b"text").unwrap();
        let folders = ClassFolders::read(root.path()).unwrap();
        let counts: Vec<(&str, usize)> = folders
            .classes
            .iter()
            .map(|(name, images)| (name.as_str(), images.len()))
            .collect();
        assert_eq!(counts, [("cat", 1), ("dog", 2)]);
        assert_eq!(
            folders.ignored,
            [root.path().join("cat/notes.jpg"), root.path().join("empty")]
        );
        assert!(ClassFolders::read(&root.path().join("dog")).is_err());
    }
}
