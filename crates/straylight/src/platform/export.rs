//! Datasets as folders of annotated files.

use std::path::Path;

use straylight_core::{Progress, Project as CoreProject};
use straylight_files::FileError;
use straylight_formats::{
    AnnotatedImage, AnnotatedSet, FileNames, Filter, Format, LeftOut, ProjectLabels, Shares, Split,
    WriteOptions, WriteReport,
};
use straylight_geti::wire::{Annotation, Media, MediaIdentifier, Project};
use straylight_geti::{DatasetApi, DownloadOptions, ErrorKind, GetiError, Rendition, name_labels};

use super::ExchangeError;
use crate::parallel;

/// Downloads at the same time.
const THREADS: usize = 4;

/// How a dataset is exported.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// The format.
    pub format: Format,
    /// Which images by their labels; all if `None`.
    pub filter: Option<Filter>,
    /// Whether images that nobody has annotated come along; a training takes them for images of
    /// nothing.
    pub unlabelled: bool,
    /// How the images are shared out; not at all if `None`.
    pub split: Option<Split>,
    /// How the files are written.
    pub write: WriteOptions,
}

impl ExportOptions {
    /// Everything that is decided, in one part.
    pub fn new(format: Format) -> Self {
        let write = WriteOptions::default();
        Self {
            format,
            filter: None,
            unlabelled: false,
            split: None,
            write,
        }
    }
}

/// What was exported.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// What was written, and what the format could not hold.
    pub report: WriteReport,
    /// Images that were left out on purpose.
    pub left_out: LeftOut,
    /// How the images were shared out, if they were.
    pub shares: Option<Shares>,
    /// Images that could not be downloaded or read.
    pub problems: Vec<(String, String)>,
}

/// Exports the decided images of a dataset, and annotated frames of its videos, into a folder.
///
/// Decided are images that somebody annotated, with nothing on them as well, and did not reject.
/// The classes are the labels of the project in its order.
///
/// # Errors
/// [`ExchangeError::NothingDecided`] if no image is left; the folder is not made then.
pub fn export(
    dataset: &DatasetApi,
    folder: &Path,
    options: &ExportOptions,
    progress: &dyn Progress,
) -> Result<Exported, ExchangeError> {
    let project = dataset.project().get()?;
    let labels = project_labels(&project)?;
    let (items, mut left_out, mut problems) =
        Collector::new(dataset, &project, options).collect(progress)?;
    let parent = folder.parent().filter(|path| !path.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    straylight_files::create_folder(parent)?;
    let work = tempfile::Builder::new()
        .prefix(".export-")
        .tempdir_in(parent);
    let work = work.map_err(|error| FileError::new("create a folder in", parent, error))?;
    let mut set = AnnotatedSet {
        labels: labels.classes().to_vec(),
        images: Vec::new(),
    };
    let fetched = fetch(dataset, &items, &labels, options, work.path(), progress)?;
    for (item, fetched) in items.iter().zip(fetched) {
        match fetched {
            Ok(Some(image)) => set.images.push(image),
            Ok(None) => left_out.filtered += 1,
            Err(reason) => problems.push((item.name.clone(), reason)),
        }
    }
    if set.images.is_empty() && problems.is_empty() {
        return Err(ExchangeError::NothingDecided { left_out });
    }
    let shares = options.split.map(|split| split.apply(&mut set, progress));
    let report = straylight_formats::write(&set, folder, options.format, &options.write)?;
    Ok(Exported {
        report,
        left_out,
        shares,
        problems,
    })
}

fn project_labels(project: &Project) -> Result<ProjectLabels, GetiError> {
    let structure = project
        .pipeline
        .tasks
        .iter()
        .find_map(|task| task.keypoint_structure.as_ref());
    let structure = structure.map(|structure| serde_json::to_value(structure).unwrap_or_default());
    let core = CoreProject::try_from(project.clone());
    let core = core.map_err(|error| GetiError::new(ErrorKind::Answer, error.to_string()))?;
    Ok(ProjectLabels::of(&core, structure.as_ref()))
}

/// An image of a dataset, or an annotated frame of a video.
struct Item {
    /// File name without extension.
    name: String,
    source: Source,
    /// `None` if nobody annotated it.
    scene: Option<Vec<Annotation>>,
}

enum Source {
    Image(Box<Media>),
    Frame { video: String, index: u64 },
}

/// Finds the images that are to be exported.
struct Collector<'a> {
    dataset: &'a DatasetApi,
    project: &'a Project,
    unlabelled: bool,
    names: FileNames,
}

type Collected = (Vec<Item>, LeftOut, Vec<(String, String)>);

impl<'a> Collector<'a> {
    fn new(dataset: &'a DatasetApi, project: &'a Project, options: &ExportOptions) -> Self {
        let names = FileNames::default();
        Self {
            dataset,
            project,
            unlabelled: options.unlabelled,
            names,
        }
    }

    fn collect(mut self, progress: &dyn Progress) -> Result<Collected, GetiError> {
        let mut images = self.dataset.images()?;
        // The first of a name keeps it, so names must not depend on the order of a page.
        images.sort_by(|a, b| (&a.upload_time, &a.id).cmp(&(&b.upload_time, &b.id)));
        let rejected = self.dataset.rejected_images()?;
        let all = images.len();
        images.retain(|image| !rejected.contains(&image.id));
        let mut left_out = LeftOut {
            rejected: all - images.len(),
            ..LeftOut::default()
        };
        let scenes = self.scenes(&images, progress);
        let (mut items, mut problems) = (Vec::new(), Vec::new());
        for (image, scene) in images.into_iter().zip(scenes) {
            match scene {
                Ok(None) if !self.unlabelled => left_out.unlabelled += 1,
                Ok(scene) => items.push(Item {
                    name: self.names.give(&image.name, &image.id),
                    source: Source::Image(Box::new(image)),
                    scene,
                }),
                Err(error) if error.is_fatal() => return Err(error),
                Err(error) => problems.push((image.name, super::annotate::plain(&error))),
            }
        }
        self.add_frames(&mut items)?;
        Ok((items, left_out, problems))
    }

    fn scenes(
        &self,
        images: &[Media],
        progress: &dyn Progress,
    ) -> Vec<Result<Option<Vec<Annotation>>, GetiError>> {
        progress.begin("Reading annotations", images.len() as u64);
        let scenes = parallel::map(images.len(), THREADS, |index| {
            let scene = self.dataset.annotation(&images[index].id);
            progress.advance(1);
            let named = |scene: straylight_geti::wire::AnnotationScene| {
                name_labels(scene.annotations, self.project)
            };
            scene?.map(named).transpose()
        });
        progress.finish();
        scenes
    }

    fn add_frames(&mut self, items: &mut Vec<Item>) -> Result<(), GetiError> {
        for video in self.dataset.videos()? {
            for scene in self.dataset.video_annotations(&video.id)? {
                let Some(MediaIdentifier::VideoFrame { frame_index, .. }) = scene.media_identifier
                else {
                    continue;
                };
                let name = format!("{}_frame_{frame_index}", video.name);
                items.push(Item {
                    name: self.names.give(&name, &video.id),
                    source: Source::Frame {
                        video: video.id.clone(),
                        index: frame_index,
                    },
                    scene: Some(name_labels(scene.annotations, self.project)?),
                });
            }
        }
        Ok(())
    }
}

/// Downloads what fits the filter; `None` for what does not, or why an image cannot be had.
fn fetch(
    dataset: &DatasetApi,
    items: &[Item],
    labels: &ProjectLabels,
    options: &ExportOptions,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<Vec<Result<Option<AnnotatedImage>, String>>, ExchangeError> {
    progress.begin("Downloading images", items.len() as u64);
    let fetched = parallel::map(items.len(), THREADS, |index| {
        let image = items[index].fetch(dataset, labels, options.filter.as_ref(), folder);
        progress.advance(1);
        image
    });
    progress.finish();
    let told = |result: Result<Option<AnnotatedImage>, ExchangeError>| match result {
        Ok(image) => Ok(Ok(image)),
        Err(ExchangeError::Geti(error)) if !error.is_fatal() => {
            Ok(Err(super::annotate::plain(&error)))
        }
        Err(error) => Err(error),
    };
    fetched.into_iter().map(told).collect()
}

impl Item {
    fn fetch(
        &self,
        dataset: &DatasetApi,
        labels: &ProjectLabels,
        filter: Option<&Filter>,
        folder: &Path,
    ) -> Result<Option<AnnotatedImage>, ExchangeError> {
        let names = self
            .scene
            .iter()
            .flatten()
            .flat_map(|annotation| &annotation.labels);
        let names: Vec<&str> = names.filter_map(|label| label.name.as_deref()).collect();
        if filter.is_some_and(|filter| !filter.accepts(&labelled(&names))) {
            return Ok(None);
        }
        let bytes = match &self.source {
            Source::Image(media) => dataset.download_image(media, Rendition::Full)?,
            Source::Frame { video, index } => dataset.video_frame(video, *index)?,
        };
        let bad = |error: straylight_image::ImageError| {
            GetiError::new(ErrorKind::Answer, error.to_string())
        };
        let info = straylight_image::probe(&bytes).map_err(bad)?;
        let name = format!("{}.{}", self.name, info.format.extension());
        let file = folder.join(&name);
        straylight_files::write_atomically(&file, &bytes)?;
        let shapes = self.scene.iter().flatten().map(|annotation| {
            let names = annotation
                .labels
                .iter()
                .filter_map(|label| label.name.clone());
            (annotation.shape.clone().into(), names.collect())
        });
        Ok(Some(AnnotatedImage {
            objects: labels.objects(shapes, (info.width, info.height)),
            unannotated: self.scene.is_none(),
            name,
            file,
            width: info.width,
            height: info.height,
            ..AnnotatedImage::default()
        }))
    }
}

/// An image of which only the labels are known.
fn labelled(names: &[&str]) -> AnnotatedImage {
    let mut image = AnnotatedImage::default();
    for name in names {
        image.add_image_label(name);
    }
    image
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
        .map(|(name, error)| (name, super::annotate::plain(&error)))
        .collect())
}
