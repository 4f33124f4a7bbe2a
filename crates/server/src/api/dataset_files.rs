//! Datasets of the store as sets of annotated files, and back.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use straylight_core::{ImageFormat, Project, Shape, TaskType};
use straylight_formats::{
    AnnotatedImage, AnnotatedSet, ClassLabel, Format, FormatError, Geometry, LabelledShape, Object,
};
use straylight_store::{
    ImageFilter, ImageRecord, ImageSort, NewImage, NewLabel, NewProject, NewTask, Page,
    SortDirection, StoredAnnotation, StoredLabel,
};

use super::{ApiError, ApiResult};
use crate::app::App;

/// Images read from the store at once.
const BATCH: u64 = 500;

/// An error of the formats, which names the file and what is wrong with it.
pub(super) fn unusable(error: &FormatError) -> ApiError {
    ApiError::bad(error.to_string())
}

/// The format that a set is in; archives often have one folder around everything.
pub(super) fn detect(folder: &Path) -> ApiResult<(std::path::PathBuf, Format)> {
    let first = match Format::detect(folder) {
        Ok(format) => return Ok((folder.to_owned(), format)),
        Err(error) => error,
    };
    let entries = std::fs::read_dir(folder).map_err(|e| ApiError::Internal(e.to_string()))?;
    let mut dirs = entries.flatten().map(|e| e.path()).filter(|p| p.is_dir());
    let (Some(only), None) = (dirs.next(), dirs.next()) else {
        return Err(unusable(&first));
    };
    let format = Format::detect(&only).map_err(|e| unusable(&e))?;
    Ok((only, format))
}

/// The images of a dataset with their annotations, as files of the store.
pub(super) fn to_set(
    app: &App,
    project: &Project,
    dataset: &str,
    with_unannotated: bool,
) -> ApiResult<AnnotatedSet> {
    let mut set = AnnotatedSet {
        labels: class_labels(project),
        images: Vec::new(),
    };
    let mut filter = ImageFilter::default();
    filter.annotated = (!with_unannotated).then_some(true);
    let sort = (ImageSort::UploadedAt, SortDirection::Ascending);
    let mut names = HashSet::new();
    for skip in (0..).step_by(BATCH as usize) {
        let page = Page { skip, limit: BATCH };
        let found = app.store.images(dataset, &filter, sort, page)?;
        if found.images.is_empty() {
            break;
        }
        for image in &found.images {
            set.images.push(annotated(app, image, &mut names)?);
        }
    }
    Ok(set)
}

fn class_labels(project: &Project) -> Vec<ClassLabel> {
    let labels: Vec<_> = project
        .pipeline
        .tasks
        .iter()
        .flat_map(|t| &t.labels)
        .collect();
    let name_of = |id: &String| {
        let parent = labels.iter().find(|l| &l.id == id);
        parent.map(|l| l.name.clone())
    };
    let label = |label: &&straylight_core::Label| ClassLabel {
        name: label.name.clone(),
        color: Some(label.color),
        parent: label.parent_id.as_ref().and_then(name_of),
        ..ClassLabel::default()
    };
    labels.iter().map(label).collect()
}

fn annotated(
    app: &App,
    image: &ImageRecord,
    names: &mut HashSet<String>,
) -> ApiResult<AnnotatedImage> {
    let scene = app.store.annotation(&image.id)?;
    let objects = scene.into_iter().flat_map(|s| s.annotations).map(|a| {
        let whole = a.shape.is_whole_image(image.width, image.height);
        let geometry = if whole {
            Geometry::Image
        } else {
            a.shape.into()
        };
        Object::with_labels(geometry, a.labels.into_iter().map(|l| l.name).collect())
    });
    Ok(AnnotatedImage {
        name: file_name(image, names),
        file: app.store.image_path(&image.id)?,
        width: image.width,
        height: image.height,
        objects: objects.collect(),
        ..AnnotatedImage::default()
    })
}

/// A name that no other image has and that stays in its folder.
fn file_name(image: &ImageRecord, taken: &mut HashSet<String>) -> String {
    let clean = |c: char| {
        if c.is_control() || "/\\:*?\"<>|".contains(c) {
            '_'
        } else {
            c
        }
    };
    let mut stem: String = image.name.chars().take(120).map(clean).collect();
    if stem.starts_with('.') || !taken.insert(stem.to_lowercase()) {
        stem = format!("{}_{}", stem.trim_start_matches('.'), image.id);
        taken.insert(stem.to_lowercase());
    }
    format!("{stem}.{}", image.format.extension())
}

/// The kinds of project that can be made of a set: by the shapes in it.
pub(super) fn project_types(set: &AnnotatedSet) -> Vec<TaskType> {
    let objects = || set.images.iter().flat_map(|image| &image.objects);
    // Formats without labels of images have boxes over the whole image instead.
    let is_label = |image: &AnnotatedImage, object: &Object| match &object.geometry {
        Geometry::Image => true,
        Geometry::Shape(shape) => shape.is_whole_image(image.width, image.height),
        _ => false,
    };
    let only_labels = |image: &AnnotatedImage| image.objects.iter().all(|o| is_label(image, o));
    if set.images.iter().all(only_labels) {
        return vec![TaskType::Classification];
    }
    let has = |fits: fn(&Geometry) -> bool| objects().any(|object| fits(&object.geometry));
    let mut types = vec![TaskType::Detection];
    if has(is_area) {
        types.extend([TaskType::InstanceSegmentation, TaskType::Segmentation]);
    }
    if has(|g| matches!(g, Geometry::Shape(Shape::RotatedRectangle { .. }))) {
        types.push(TaskType::RotatedDetection);
    }
    types
}

fn is_area(geometry: &Geometry) -> bool {
    matches!(
        geometry,
        Geometry::Shape(Shape::Polygon { .. } | Shape::Ellipse { .. })
            | Geometry::Polygons(_)
            | Geometry::Mask(_)
    )
}

/// Makes a project of a set, with the labels that are wanted.
pub(super) fn to_project(
    app: &App,
    set: &AnnotatedSet,
    name: &str,
    task_type: TaskType,
    labels: &[String],
) -> ApiResult<Project> {
    let mut task = NewTask::new(task_type, &[]);
    let known = |name: &String| set.labels.iter().any(|l| &l.name == name);
    let single = task_type != TaskType::Classification || exclusive(set);
    task.labels = labels
        .iter()
        .filter(|name| known(name))
        .map(|name| NewLabel {
            // Labels that occur together on an image cannot exclude one another.
            group: (!single).then(|| name.clone()),
            ..NewLabel::named(name)
        })
        .collect();
    let new = NewProject {
        name: name.to_owned(),
        tasks: vec![task],
    };
    let project = app.store.create_project(&new)?;
    let filled = fill(app, &project, set, task_type);
    if filled.is_err() {
        app.store.delete_project(&project.id)?;
    }
    filled.map(|()| project)
}

/// Whether no image has two labels.
fn exclusive(set: &AnnotatedSet) -> bool {
    let labels =
        |image: &AnnotatedImage| image.objects.iter().map(|o| o.labels.len()).sum::<usize>();
    set.images.iter().all(|image| labels(image) <= 1)
}

fn fill(app: &App, project: &Project, set: &AnnotatedSet, task_type: TaskType) -> ApiResult<()> {
    let tasks = project.pipeline.tasks.iter();
    let ids: HashMap<&str, &str> = tasks
        .flat_map(|t| &t.labels)
        .map(|l| (l.name.as_str(), l.id.as_str()))
        .collect();
    let Some(dataset) = project.datasets.first() else {
        return Err(ApiError::Internal(
            "a new project has no dataset".to_owned(),
        ));
    };
    for image in &set.images {
        let bytes = std::fs::read(&image.file)
            .map_err(|e| ApiError::bad(format!("{}: {e}", image.name)))?;
        let id = add(app, &dataset.id, image, bytes)?;
        let (shapes, _) = image.platform_shapes(&set.labels);
        let annotations = stored(image, shapes, &ids, task_type);
        if !annotations.is_empty() {
            app.store.set_annotation(&id, &annotations)?;
        }
    }
    Ok(())
}

fn add(app: &App, dataset: &str, image: &AnnotatedImage, bytes: Vec<u8>) -> ApiResult<String> {
    let bad = |e: &dyn std::fmt::Display| ApiError::media(format!("{}: {e}", image.name));
    let info = straylight_image::probe(&bytes).map_err(|e| bad(&e))?;
    let size = (info.width, info.height);
    let (bytes, format) = match info.format {
        ImageFormat::Tiff | ImageFormat::Gif => {
            let (pixels, _) = straylight_image::decode(&bytes).map_err(|e| bad(&e))?;
            let png = straylight_image::encode_png(&pixels).map_err(|e| bad(&e))?;
            (png, ImageFormat::Png)
        }
        kept => (bytes, kept),
    };
    let stem = image.name.rsplit('/').next().unwrap_or(&image.name);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let new = NewImage::new(stem, bytes.into(), format, size);
    Ok(app.store.add_image(dataset, &new)?.image().id.clone())
}

/// The objects with the labels of the project; a classification labels the whole image.
fn stored(
    image: &AnnotatedImage,
    shapes: Vec<LabelledShape>,
    ids: &HashMap<&str, &str>,
    task_type: TaskType,
) -> Vec<StoredAnnotation> {
    let label = |name: String| {
        let id = ids.get(name.as_str())?;
        Some(StoredLabel {
            id: (*id).to_owned(),
            name,
            probability: 1.0,
        })
    };
    let annotation = |(shape, labels): LabelledShape| StoredAnnotation {
        id: String::new(),
        shape,
        labels: labels.into_iter().filter_map(label).collect(),
    };
    let whole = task_type == TaskType::Classification;
    let fits = |shape: &Shape| shape.is_whole_image(image.width, image.height) == whole;
    let shapes = shapes.into_iter().filter(|(shape, _)| fits(shape));
    let annotations = shapes.map(annotation);
    annotations.filter(|a| !a.labels.is_empty()).collect()
}
