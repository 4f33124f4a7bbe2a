//! Annotated sets into a dataset.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use straylight_core::{ContentHash, Progress, TaskType};
use straylight_formats::{
    AnnotatedImage, AnnotatedSet, ClassLabel, Filter, Format, Problem, ReadOptions,
};
use straylight_geti::wire::{Media, NewLabel, Project, Task};
use straylight_geti::{DatasetApi, GetiError, ProjectApi, ProjectPlan, TaskPlan};

use super::annotate::{Labels, annotate, plain, say_the_same};
use super::keypoints::task_of;
use super::{ExchangeError, Platform};
use crate::parallel;

/// Uploads at the same time.
const THREADS: usize = 4;

/// Names that servers keep for the label which says that nothing is there.
const EMPTY_LABELS: [&str; 4] = ["no object", "no class", "empty", "no label"];

/// How a set is imported.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The format; found from the files if `None`.
    pub format: Option<Format>,
    /// Which images; all if `None`.
    pub filter: Option<Filter>,
    /// What the project's task shall be, if the project is to be made.
    pub create: Option<TaskType>,
    /// Whether labels that the project lacks are added to it.
    pub add_labels: bool,
}

/// What was imported.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// Images that are in the dataset now and were not before.
    pub images: usize,
    /// Images that were there already and have other annotations now.
    pub updated: usize,
    /// Images that were there already and are as they were.
    pub unchanged: usize,
    /// Annotations that went in, those of updated images included.
    pub objects: usize,
    /// Labels that were added to the project.
    pub added_labels: Vec<String>,
    /// What went in otherwise than it was, with its place: shapes that were cut at the edge of
    /// the image, images that were given another name.
    pub changed: Vec<(String, String)>,
    /// Bad files and entries with their places; they were left out.
    pub problems: Vec<(String, String)>,
}

/// Imports a folder of images and annotations into a dataset, which is made if it is missing.
///
/// Bad files and entries are reported and left out, the good ones go in; a bad shape costs
/// neither its neighbours nor its image. An image that the dataset has already is not uploaded
/// again: its annotations are replaced if the set has others for it, and left if it has none. So
/// an import can be corrected, and one that was cut off can be repeated.
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
    let project = match options.create {
        Some(task) => create(platform, project, task, &set)?,
        None => platform.project(project)?,
    };
    let api = platform.geti().at(&project.id);
    let (project, added_labels) = with_labels(&api, project, &set, options.add_labels)?;
    let dataset = match dataset {
        Some(name) => api.ensure_dataset(name)?,
        None => api.training_dataset()?,
    };
    let api = api.dataset(&dataset.id);
    let mut imported = Target::new(&api, &project, &set.labels)?.upload(&set, progress)?;
    imported.added_labels = added_labels;
    let place = |Problem { place, message }| (place, message);
    imported
        .problems
        .splice(0..0, report.problems.into_iter().map(place));
    imported
        .changed
        .splice(0..0, report.notes.into_iter().map(place));
    Ok(imported)
}

/// Makes a project with all labels of the set, unless there is one of this name.
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
    let task = match task {
        TaskType::KeypointDetection => task_of(set)?,
        task => TaskPlan::new(task, platform_labels(set)),
    };
    let plan = ProjectPlan::single(name, task);
    let project = geti.create_project(&plan.request(geti.version())?)?;
    Ok(geti.project(&project.id)?)
}

fn is_empty_label(name: &str) -> bool {
    EMPTY_LABELS.contains(&name.to_lowercase().as_str())
}

/// The project with the labels of the set, which are added if they may be.
fn with_labels(
    api: &ProjectApi,
    project: Project,
    set: &AnnotatedSet,
    add: bool,
) -> Result<(Project, Vec<String>), ExchangeError> {
    let labels = Labels::of(&project);
    let lacks = |name: &String| !labels.has(name);
    if add {
        let missing: Vec<String> = platform_labels(set).into_iter().filter(lacks).collect();
        drop(labels);
        if missing.is_empty() {
            return Ok((project, missing));
        }
        return Ok((add_labels(api, &project, None, &missing)?, missing));
    }
    let missing = used_labels(set).into_iter().filter(lacks);
    let missing: Vec<String> = missing.map(|name| format!("`{name}`")).collect();
    if missing.is_empty() {
        return Ok((project, Vec::new()));
    }
    Err(ExchangeError::MissingLabels {
        project: project.name,
        missing: missing.join(", "),
    })
}

/// All labels of a set as a project has them: the points of key points are labels there.
fn platform_labels(set: &AnnotatedSet) -> Vec<String> {
    let names = |label: &ClassLabel| match &label.skeleton {
        Some(skeleton) => skeleton.points.clone(),
        None => vec![label.name.clone()],
    };
    let mut all: Vec<String> = Vec::new();
    for name in set.labels.iter().flat_map(names) {
        if !all.contains(&name) && !is_empty_label(&name) {
            all.push(name);
        }
    }
    all
}

/// Those of them that images have.
fn used_labels(set: &AnnotatedSet) -> Vec<String> {
    let counts = set.counts().into_iter();
    let unused: HashSet<String> = counts.filter(|c| c.images == 0).map(|c| c.name).collect();
    let used = set
        .labels
        .iter()
        .filter(|label| !unused.contains(&label.name));
    let labels = used.cloned().collect();
    platform_labels(&AnnotatedSet {
        labels,
        images: Vec::new(),
    })
}

/// Adds labels to a project, at the end of those that a task has; returns the new project.
///
/// Where the labels of the task exclude one another, the new ones exclude them too.
///
/// # Errors
/// The project has several tasks and none is named by its title, or the server refuses a name.
pub fn add_labels(
    api: &ProjectApi,
    project: &Project,
    task: Option<&str>,
    names: &[String],
) -> Result<Project, GetiError> {
    let tasks = project.pipeline.tasks.iter();
    let task = tasks
        .filter(|found| found.is_trainable())
        .find(|found| task.is_none_or(|title| found.title == title || found.id == title))
        .filter(|_| task.is_some() || is_single(project));
    let group = task.and_then(shared_group);
    let new = |name: &String| NewLabel {
        name: name.clone(),
        group: group.clone(),
        ..NewLabel::default()
    };
    let labels: Vec<NewLabel> = names.iter().map(new).collect();
    api.add_labels(task.map(|task| task.id.as_str()), &labels)
}

fn is_single(project: &Project) -> bool {
    let tasks = project.pipeline.tasks.iter();
    tasks.filter(|task| task.is_trainable()).count() == 1
}

/// The group in which all labels of a task are, if it is one.
fn shared_group(task: &Task) -> Option<String> {
    let labels = task.labels().iter();
    let mut groups = labels
        .filter(|label| !label.is_empty && label.parent_id.is_none())
        .map(|label| &label.group);
    let first = groups.next()?;
    groups.all(|group| group == first).then(|| first.clone())
}

/// A dataset with the images that it has.
struct Target<'a> {
    api: &'a DatasetApi,
    labels: Labels<'a>,
    /// The labels of the set.
    classes: &'a [ClassLabel],
    present: HashMap<String, Media>,
}

/// What became of an image.
struct Sent {
    fate: Fate,
    objects: usize,
    changed: Vec<String>,
    left_out: Vec<String>,
}

enum Fate {
    New,
    Updated,
    Unchanged,
}

impl<'a> Target<'a> {
    fn new(
        api: &'a DatasetApi,
        project: &'a Project,
        classes: &'a [ClassLabel],
    ) -> Result<Self, GetiError> {
        let media = api.images()?.into_iter();
        Ok(Self {
            api,
            labels: Labels::of(project),
            classes,
            present: media.map(|media| (media.name.clone(), media)).collect(),
        })
    }

    fn upload(&self, set: &AnnotatedSet, progress: &dyn Progress) -> Result<Imported, GetiError> {
        let names = media_names(set);
        progress.begin("Importing images", set.images.len() as u64);
        let sent = parallel::map(set.images.len(), THREADS, |index| {
            let sent = self.send(&set.images[index], &names[index]);
            progress.advance(1);
            sent
        });
        progress.finish();
        let mut imported = Imported::default();
        for (image, sent) in set.images.iter().zip(sent) {
            let place = image.file.display().to_string();
            match sent {
                Ok(sent) => imported.add(&place, sent),
                // A server that is gone is gone for all images.
                Err(ExchangeError::Geti(error)) if error.is_fatal() => return Err(error),
                Err(ExchangeError::Geti(error)) => imported.problems.push((place, plain(&error))),
                Err(error) => imported.problems.push((place, error.to_string())),
            }
        }
        Ok(imported)
    }

    /// The image of a name; quotes are escaped on their way to a server.
    fn found(&self, name: &str) -> Option<&Media> {
        let found = self.present.get(name);
        found.or_else(|| self.present.get(&name.replace('"', "%22")))
    }

    fn send(&self, image: &AnnotatedImage, name: &str) -> Result<Sent, ExchangeError> {
        let Some(found) = self.found(name) else {
            return self.send_new(image, name, Vec::new());
        };
        let bytes = straylight_files::read(&image.file)?;
        if may_be(found, image, &bytes) {
            return Ok(self.update(image, found)?);
        }
        // Another image has the name: this one is not dropped for it.
        let other = format!("{name}_{}", &ContentHash::of(&bytes).to_hex()[..8]);
        if let Some(found) = self.found(&other) {
            return Ok(self.update(image, found)?);
        }
        let note = format!("the dataset has another image called `{name}`; it is `{other}` there");
        self.send_new(image, &other, vec![note])
    }

    fn send_new(
        &self,
        image: &AnnotatedImage,
        name: &str,
        mut changed: Vec<String>,
    ) -> Result<Sent, ExchangeError> {
        let bytes = straylight_files::read(&image.file)?;
        // The server drops one extension, which is set to what the bytes are: `a.b` stays whole.
        let media = self.api.upload_image(bytes, &format!("{name}.png"))?;
        let fitted = self.labels.fit(image, self.classes);
        changed.extend(fitted.changed);
        let mut sent = Sent {
            fate: Fate::New,
            objects: 0,
            changed,
            left_out: fitted.left_out,
        };
        if !fitted.annotations.is_empty() {
            let media = self.api.wait_until_prepared(media)?;
            let (objects, refused) = annotate(self.api, &media.id, fitted.annotations)?;
            sent.objects = objects;
            sent.left_out.extend(refused);
        }
        Ok(sent)
    }

    /// Gives an image that is there the annotations of the set, if it has any.
    fn update(&self, image: &AnnotatedImage, media: &Media) -> Result<Sent, GetiError> {
        let fitted = self.labels.fit(image, self.classes);
        let mut sent = Sent {
            fate: Fate::Unchanged,
            objects: 0,
            changed: fitted.changed,
            left_out: fitted.left_out,
        };
        if fitted.annotations.is_empty() {
            return Ok(sent);
        }
        let present = self.api.annotation(&media.id)?;
        let present = present.map(|scene| scene.annotations).unwrap_or_default();
        if say_the_same(&present, &fitted.annotations) {
            sent.changed.clear();
            return Ok(sent);
        }
        let (objects, refused) = annotate(self.api, &media.id, fitted.annotations)?;
        sent.fate = Fate::Updated;
        sent.objects = objects;
        sent.left_out.extend(refused);
        Ok(sent)
    }
}

impl Imported {
    fn add(&mut self, place: &str, sent: Sent) {
        match sent.fate {
            Fate::New => self.images += 1,
            Fate::Updated => self.updated += 1,
            Fate::Unchanged => self.unchanged += 1,
        }
        self.objects += sent.objects;
        let at = |message: String| (place.to_owned(), message);
        self.changed.extend(sent.changed.into_iter().map(at));
        self.problems.extend(sent.left_out.into_iter().map(at));
    }
}

/// Whether an image of a dataset may be this file: it has its size in pixels and, where the
/// server keeps files as they are, in bytes.
fn may_be(media: &Media, image: &AnnotatedImage, bytes: &[u8]) -> bool {
    let information = &media.media_information;
    let known = information.width > 0 && information.height > 0;
    let size = (u64::from(image.width), u64::from(image.height));
    if known && (information.width, information.height) != size {
        return false;
    }
    let kept = information.extension.as_deref().is_some_and(|extension| {
        let extension = extension.trim_start_matches('.');
        let format = straylight_image::sniff(bytes);
        format.is_some_and(|format| format.extension().eq_ignore_ascii_case(extension))
    });
    !kept
        || information
            .size
            .is_none_or(|size| size == bytes.len() as u64)
}

/// A name for each image of a set, each but once.
fn media_names(set: &AnnotatedSet) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut unique = |image: &AnnotatedImage| {
        let (stem, extension) = media_name(image);
        let with_extension = format!("{stem}_{extension}");
        let numbered = (2..).map(|number| format!("{with_extension}_{number}"));
        let mut names = [stem, with_extension.clone()].into_iter().chain(numbered);
        names
            .find(|name| taken.insert(name.clone()))
            .unwrap_or_default()
    };
    set.images.iter().map(&mut unique).collect()
}

/// The path below the set without its extension, which comes second: stems alone may repeat in
/// subfolders.
fn media_name(image: &AnnotatedImage) -> (String, String) {
    let path = match &image.subset {
        Some(subset) => format!("{subset}/{}", image.name),
        None => image.name.clone(),
    };
    let folder = path.rfind('/').map_or(0, |at| at + 1);
    let end = path[folder..]
        .rfind('.')
        .map_or(path.len(), |at| folder + at);
    let extension = path[end..].trim_start_matches('.').to_lowercase();
    (path[..end].replace('/', "_"), extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_images_of_a_set_share_a_name() {
        let image = |name: &str, subset: Option<&str>| AnnotatedImage {
            name: name.to_owned(),
            subset: subset.map(str::to_owned),
            ..AnnotatedImage::default()
        };
        let set = AnnotatedSet {
            labels: Vec::new(),
            images: vec![
                image("a.jpg", None),
                image("a.png", None),
                image("a.PNG", None),
                image("b/a.b.jpg", None),
                image("a.jpg", Some("train")),
                image("train_a.jpg", None),
            ],
        };
        let wanted = ["a", "a_png", "a_png_2", "b_a.b", "train_a", "train_a_jpg"];
        assert_eq!(media_names(&set), wanted);
    }
}
