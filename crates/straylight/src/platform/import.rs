//! Annotated sets into a dataset.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use straylight_core::{ContentHash, Progress, TaskType};
use straylight_formats::{
    AnnotatedImage, AnnotatedSet, ClassLabel, Filter, Format, Problem, ReadOptions, SetFiles,
};
use straylight_geti::wire::{Media, NewLabel, Project, Task};
use straylight_geti::{DatasetApi, GetiError, ProjectApi, ProjectPlan, TaskPlan};

use super::annotate::{Fitted, Labels, annotate, plain, say_the_same};
use super::imported::is_untouched;
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
    /// Whether annotations that people made or changed in the dataset are replaced.
    pub overwrite: bool,
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
    /// Images whose annotations people made or changed in the dataset, and for which the set has
    /// others: those of people stay.
    pub kept: Vec<(String, String)>,
    /// Images that the set says nothing is on, and that are annotated so.
    pub empty: usize,
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

/// Imports a folder or zip file of images and annotations into a dataset, which is made if it is
/// missing.
///
/// Bad files and entries are reported and left out, the good ones go in; a bad shape costs
/// neither its neighbours nor its image. An image that the set lists without objects is annotated
/// as one on which nothing is. An image that the dataset has already is not uploaded again: its
/// annotations are replaced if an import wrote them and the set has others now. So an import can
/// be corrected, and one that was cut off can be repeated. What people made or changed in the
/// dataset stays, unless it shall be overwritten.
pub fn import(
    platform: &Platform,
    (project, dataset): (&str, Option<&str>),
    folder: &Path,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Imported, ExchangeError> {
    let files = SetFiles::find(folder, options.format)?;
    let report = files.read(&ReadOptions::default())?;
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
    let mut imported =
        Target::new(&api, &project, &set.labels, options.overwrite)?.upload(&set, progress)?;
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
    overwrite: bool,
}

/// What became of an image.
struct Sent {
    fate: Fate,
    objects: usize,
    /// Whether it was annotated as an image of nothing.
    is_empty: bool,
    changed: Vec<String>,
    left_out: Vec<String>,
}

enum Fate {
    New,
    Updated,
    Unchanged,
    Kept,
}

/// Why annotations stay though the set has others.
const KEPT: &str = "kept: its annotations were made or changed here; --overwrite replaces them";

impl<'a> Target<'a> {
    fn new(
        api: &'a DatasetApi,
        project: &'a Project,
        classes: &'a [ClassLabel],
        overwrite: bool,
    ) -> Result<Self, GetiError> {
        let media = api.images()?.into_iter();
        Ok(Self {
            api,
            labels: Labels::of(project),
            classes,
            present: media.map(|media| (media.name.clone(), media)).collect(),
            overwrite,
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
        changed: Vec<String>,
    ) -> Result<Sent, ExchangeError> {
        let bytes = straylight_files::read(&image.file)?;
        // The server drops one extension, which is set to what the bytes are: `a.b` stays whole.
        let media = self.api.upload_image(bytes, &format!("{name}.png"))?;
        let mut fitted = self.labels.fit(image, self.classes);
        fitted.changed.splice(0..0, changed);
        let mut sent = Sent::of(&mut fitted, Fate::New);
        if fitted.says_something() {
            let media = self.api.wait_until_prepared(media)?;
            sent.annotate(self.api, &media.id, fitted)?;
        }
        Ok(sent)
    }

    /// Gives an image that is there the annotations of the set, if it has any.
    fn update(&self, image: &AnnotatedImage, media: &Media) -> Result<Sent, GetiError> {
        let mut fitted = self.labels.fit(image, self.classes);
        let mut sent = Sent::of(&mut fitted, Fate::Unchanged);
        if !fitted.says_something() {
            return Ok(sent);
        }
        let present = self.api.annotation(&media.id)?;
        if let Some(present) = present.map(|scene| scene.annotations) {
            if say_the_same(&present, &fitted.annotations) {
                sent.changed.clear();
                return Ok(sent);
            }
            if !self.overwrite && !is_untouched(&media.id, &present) {
                sent.fate = Fate::Kept;
                return Ok(sent);
            }
        }
        sent.fate = Fate::Updated;
        sent.annotate(self.api, &media.id, fitted)?;
        Ok(sent)
    }
}

impl Sent {
    /// Takes over what was said about annotations that are to be sent.
    fn of(fitted: &mut Fitted, fate: Fate) -> Self {
        Self {
            fate,
            objects: 0,
            is_empty: false,
            changed: std::mem::take(&mut fitted.changed),
            left_out: std::mem::take(&mut fitted.left_out),
        }
    }

    fn annotate(&mut self, api: &DatasetApi, id: &str, fitted: Fitted) -> Result<(), GetiError> {
        let (objects, refused) = annotate(api, id, fitted.annotations)?;
        self.is_empty = fitted.is_empty && refused.is_empty();
        self.objects = if fitted.is_empty { 0 } else { objects };
        self.left_out.extend(refused);
        Ok(())
    }
}

impl Imported {
    fn add(&mut self, place: &str, sent: Sent) {
        match sent.fate {
            Fate::New => self.images += 1,
            Fate::Updated => self.updated += 1,
            Fate::Unchanged => self.unchanged += 1,
            Fate::Kept => self.kept.push((place.to_owned(), KEPT.to_owned())),
        }
        self.objects += sent.objects;
        self.empty += usize::from(sent.is_empty);
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
