//! Annotated sets into a dataset and out of it.

use std::collections::HashSet;
use std::path::Path;

use straylight_core::{Progress, TaskType};
use straylight_files::FileError;
use straylight_formats::{
    AnnotatedImage, AnnotatedSet, Filter, Format, FormatError, Problem, ReadOptions, WriteOptions,
    WriteReport,
};
use straylight_geti::wire::{Annotation, Project};
use straylight_geti::{DatasetApi, DownloadOptions, GetiError, ProjectPlan, TaskPlan};

use super::Platform;
use super::annotate::Labels;
use crate::parallel;

/// Uploads at the same time.
const THREADS: usize = 4;

/// A set could not be brought into a dataset or out of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The annotations.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// The server.
    #[error(transparent)]
    Geti(#[from] GetiError),
    /// A file of this machine.
    #[error(transparent)]
    File(#[from] FileError),
    /// The project lacks labels of the set.
    #[error(
        "the project `{project}` has no label {missing}: filter the set, add the labels, or import \
         into a new project (--task)"
    )]
    MissingLabels {
        /// Name of the project.
        project: String,
        /// The labels in quotes.
        missing: String,
    },
}

/// How a set is imported.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The format; found from the files if `None`.
    pub format: Option<Format>,
    /// Which images; all if `None`.
    pub filter: Option<Filter>,
    /// What the project's task shall be, if the project is to be made.
    pub create: Option<TaskType>,
}

/// What was imported.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// Images that are in the dataset now and were not before.
    pub images: usize,
    /// Images of this name that were there already; they are left as they are.
    pub skipped: usize,
    /// Annotated objects.
    pub objects: usize,
    /// Bad files and entries with their places; they were left out.
    pub problems: Vec<(String, String)>,
}

/// Imports a folder of images and annotations into a dataset, which is made if it is missing.
///
/// Bad files and entries are reported and left out, the good ones go in. An image whose name the
/// dataset has already is skipped, so that an import that was cut off can be repeated.
pub fn import(
    platform: &Platform,
    (project, dataset): (&str, Option<&str>),
    folder: &Path,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Imported, ExchangeError> {
    let format = options.format.map_or_else(|| Format::detect(folder), Ok)?;
    let report = straylight_formats::read(folder, format, &ReadOptions::default())?;
    let mut set = report.set;
    if let Some(filter) = &options.filter {
        set.retain(filter);
    }
    let problems = report
        .problems
        .into_iter()
        .map(|Problem { place, message }| (place, message));
    let problems = problems.collect();
    let project = match options.create {
        Some(task) => create(platform, project, task, &set)?,
        None => platform.project(project)?,
    };
    let labels = Labels::of(&project);
    check_labels(&project, &labels, &set)?;
    let api = platform.geti().at(&project.id);
    let dataset = match dataset {
        Some(name) => api.ensure_dataset(name)?,
        None => api.training_dataset()?,
    };
    let imported = upload(&api.dataset(&dataset.id), &set, &labels, progress)?;
    Ok(add_problems(imported, problems))
}

fn add_problems(imported: Imported, mut problems: Vec<(String, String)>) -> Imported {
    problems.extend(imported.problems);
    Imported {
        problems,
        ..imported
    }
}

/// Makes a project with the labels of the set, unless there is one of this name.
fn create(
    platform: &Platform,
    name: &str,
    task: TaskType,
    set: &AnnotatedSet,
) -> Result<Project, ExchangeError> {
    let geti = platform.geti();
    if let Some(project) = geti.project_named(name)? {
        return Ok(project);
    }
    let plan = ProjectPlan::single(name, TaskPlan::new(task, used_labels(set)));
    let project = geti.create_project(&plan.request(geti.version())?)?;
    Ok(geti.project(&project.id)?)
}

/// Labels in the order of the set that occur on its images.
fn used_labels(set: &AnnotatedSet) -> Vec<String> {
    let counts = set.counts().into_iter();
    counts
        .filter(|count| count.images > 0)
        .map(|count| count.name)
        .collect()
}

fn check_labels(
    project: &Project,
    labels: &Labels,
    set: &AnnotatedSet,
) -> Result<(), ExchangeError> {
    let used = used_labels(set);
    let missing: Vec<String> = used
        .into_iter()
        .filter(|name| !labels.has(name))
        .map(|name| format!("`{name}`"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ExchangeError::MissingLabels {
        project: project.name.clone(),
        missing: missing.join(", "),
    })
}

enum Sent {
    New(usize),
    Present,
}

fn upload(
    api: &DatasetApi,
    set: &AnnotatedSet,
    labels: &Labels,
    progress: &dyn Progress,
) -> Result<Imported, GetiError> {
    let present: HashSet<String> = api.images()?.into_iter().map(|media| media.name).collect();
    progress.begin("Importing images", set.images.len() as u64);
    let sent = parallel::map(set.images.len(), THREADS, |index| {
        let image = &set.images[index];
        let (shapes, _) = image.platform_shapes(&set.labels);
        let sent = upload_one(api, image, labels.annotations(&shapes), &present);
        progress.advance(1);
        (image.file.display().to_string(), sent)
    });
    progress.finish();
    let mut imported = Imported::default();
    for (place, sent) in sent {
        match sent {
            Ok(Sent::New(objects)) => {
                imported.images += 1;
                imported.objects += objects;
            }
            Ok(Sent::Present) => imported.skipped += 1,
            // A server that is gone is gone for all images.
            Err(ExchangeError::Geti(error)) if error.is_fatal() => return Err(error),
            Err(error) => imported.problems.push((place, error.to_string())),
        }
    }
    Ok(imported)
}

fn upload_one(
    api: &DatasetApi,
    image: &AnnotatedImage,
    annotations: Vec<Annotation>,
    present: &HashSet<String>,
) -> Result<Sent, ExchangeError> {
    let name = media_name(image);
    if present.contains(&name) {
        return Ok(Sent::Present);
    }
    let bytes = straylight_files::read(&image.file)?;
    let media = api.upload_image(bytes, &name)?;
    let count = annotations.len();
    if count > 0 {
        let media = api.wait_until_prepared(media)?;
        api.annotate(&media.id, annotations)?;
    }
    Ok(Sent::New(count))
}

/// The path below the set without its extension: stems alone may repeat in subfolders.
fn media_name(image: &AnnotatedImage) -> String {
    let path = match &image.subset {
        Some(subset) => format!("{subset}/{}", image.name),
        None => image.name.clone(),
    };
    let folder = path.rfind('/').map_or(0, |at| at + 1);
    let end = path[folder..]
        .rfind('.')
        .map_or(path.len(), |at| folder + at);
    path[..end].replace('/', "_")
}

/// What was exported.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// The format in which it is.
    pub format: Format,
    /// What was written, and what the format could not hold.
    pub report: WriteReport,
    /// Images that could not be downloaded and files that could not be read.
    pub problems: Vec<(String, String)>,
}

/// Exports a dataset with its annotations into a new or empty folder.
pub fn export(
    dataset: &DatasetApi,
    folder: &Path,
    format: Format,
    filter: Option<&Filter>,
    progress: &dyn Progress,
) -> Result<Exported, ExchangeError> {
    let parent = folder.parent().filter(|path| !path.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    straylight_files::create_folder(parent)?;
    let work = tempfile::Builder::new()
        .prefix(".export-")
        .tempdir_in(parent);
    let work = work.map_err(|error| FileError::new("create a folder in", parent, error))?;
    let problems = download(dataset, work.path(), progress)?;
    let report = straylight_formats::read(work.path(), Format::Geti, &ReadOptions::default())?;
    let mut set = report.set;
    if let Some(filter) = filter {
        set.retain(filter);
    }
    let place = |Problem { place, message }| (place, message);
    let problems = problems
        .into_iter()
        .chain(report.problems.into_iter().map(place))
        .collect();
    let report = straylight_formats::write(&set, folder, format, &WriteOptions::default())?;
    Ok(Exported {
        format,
        report,
        problems,
    })
}

/// Downloads images and annotations as the Python SDK lays them out; says what failed.
pub fn download(
    dataset: &DatasetApi,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Vec<(String, String)>, GetiError> {
    let images = dataset.images()?;
    let project = dataset.project().get()?;
    let options = DownloadOptions::default();
    let files = dataset.download_images(&images, &folder.join("images"), options, progress)?;
    let scenes = dataset.download_annotations(&images, &project, folder, progress)?;
    let failed = files.failed.into_iter().chain(scenes.failed);
    Ok(failed
        .map(|(name, error)| (name, error.to_string()))
        .collect())
}
