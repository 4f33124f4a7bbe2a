//! Datasets of the store as sets of annotated files, and back.

use std::collections::HashMap;

use straylight_core::{ImageFormat, Project, Shape, TaskType};
use straylight_formats::{
    AnnotatedImage, AnnotatedSet, FileNames, FormatError, Geometry, LeftOut, Object, ProjectLabels,
};
use straylight_store::{
    ImageRecord, ImageSort, NewImage, NewLabel, NewProject, NewTask, Page, Review, SortDirection,
    StoredAnnotation, StoredLabel,
};

use super::export_request::ExportRequest;
use super::{ApiError, ApiResult};
use crate::app::App;

/// Images read from the store at once.
const BATCH: u64 = 500;

/// An error of the formats, which names the file and what is wrong with it.
pub(super) fn unusable(error: &FormatError) -> ApiError {
    ApiError::bad(error.to_string())
}

/// The images of a dataset that are to be exported, with their annotations, as files of the store.
///
/// Rejected images are never among them, those that nobody annotated only when asked for, and no
/// frames of videos: what is left out is counted.
pub(super) fn to_set(
    app: &App,
    project: &str,
    dataset: &str,
    request: &ExportRequest,
) -> ApiResult<(AnnotatedSet, LeftOut)> {
    let labels = project_labels(app, project)?;
    let mut set = AnnotatedSet {
        labels: labels.classes().to_vec(),
        images: Vec::new(),
    };
    let sort = (ImageSort::UploadedAt, SortDirection::Ascending);
    let videos = app
        .store
        .videos(dataset, "", SortDirection::Ascending, Page::ALL)?;
    let frames: u64 = videos.videos.iter().map(|v| v.annotated_frames).sum();
    let mut left_out = LeftOut {
        frames: frames as usize,
        ..LeftOut::default()
    };
    let mut names = FileNames::default();
    for skip in (0..).step_by(BATCH as usize) {
        let page = Page { skip, limit: BATCH };
        let found = app.store.images(dataset, &request.filter, sort, page)?;
        if found.images.is_empty() {
            break;
        }
        for image in &found.images {
            // The names of images must not depend on what is left out.
            let name = names.give(&image.name, &image.id);
            if image.review == Review::Rejected {
                left_out.rejected += 1;
            } else if image.annotated_at.is_none() && !request.unlabelled {
                left_out.unlabelled += 1;
            } else {
                set.images.push(annotated(app, &labels, image, &name)?);
            }
        }
    }
    Ok((set, left_out))
}

fn project_labels(app: &App, project: &str) -> ApiResult<ProjectLabels> {
    let json = app.store.project_json(project)?;
    let tasks = json
        .pointer("/pipeline/tasks")
        .and_then(|tasks| tasks.as_array());
    let mut structures = tasks
        .into_iter()
        .flatten()
        .map(|task| &task["keypoint_structure"]);
    let structure = structures.find(|structure| structure.is_object());
    Ok(ProjectLabels::of(&app.store.project(project)?, structure))
}

fn annotated(
    app: &App,
    labels: &ProjectLabels,
    image: &ImageRecord,
    name: &str,
) -> ApiResult<AnnotatedImage> {
    let scene = app.store.annotation(&image.id)?;
    let shapes = scene.into_iter().flat_map(|scene| scene.annotations);
    let shapes = shapes.map(|annotation| {
        let names = annotation.labels.into_iter().map(|label| label.name);
        (annotation.shape, names.collect())
    });
    Ok(AnnotatedImage {
        name: format!("{name}.{}", image.format.extension()),
        file: app.store.image_path(&image.id)?,
        width: image.width,
        height: image.height,
        objects: labels.objects(shapes, (image.width, image.height)),
        unannotated: image.annotated_at.is_none(),
        ..AnnotatedImage::default()
    })
}

/// The kinds of project that can be made of a set: by what is in it.
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
    if has(has_outline) {
        types.extend([TaskType::InstanceSegmentation, TaskType::Segmentation]);
    }
    if has(|geometry| matches!(geometry, Geometry::Shape(Shape::RotatedRectangle { .. }))) {
        types.push(TaskType::RotatedDetection);
    }
    types
}

fn has_outline(geometry: &Geometry) -> bool {
    matches!(
        geometry,
        Geometry::Polygons(_)
            | Geometry::Mask(_)
            | Geometry::Shape(Shape::Polygon { .. } | Shape::Ellipse { .. })
    )
}

/// Makes a project of a set, with the labels that are wanted.
pub(super) fn to_project(
    app: &App,
    set: &AnnotatedSet,
    name: &str,
    task_type: TaskType,
    labels: &[String],
) -> ApiResult<(Project, Vec<String>)> {
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
    filled.map(|left_out| (project, left_out))
}

/// Whether no image has two labels.
fn exclusive(set: &AnnotatedSet) -> bool {
    let labels =
        |image: &AnnotatedImage| image.objects.iter().map(|o| o.labels.len()).sum::<usize>();
    set.images.iter().all(|image| labels(image) <= 1)
}

/// Adds the images; what the project cannot hold is left out and said.
fn fill(
    app: &App,
    project: &Project,
    set: &AnnotatedSet,
    task_type: TaskType,
) -> ApiResult<Vec<String>> {
    let mut left_out = Vec::new();
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
        let (annotations, said) = stored(image, set, &ids, task_type);
        if !annotations.is_empty() {
            app.store.set_annotation(&id, &annotations)?;
        }
        left_out.extend(said);
    }
    Ok(left_out)
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

/// The objects with the labels of the project, and what it cannot hold.
fn stored(
    image: &AnnotatedImage,
    set: &AnnotatedSet,
    ids: &HashMap<&str, &str>,
    task_type: TaskType,
) -> (Vec<StoredAnnotation>, Vec<String>) {
    let label = |name: &String| {
        let id = ids.get(name.as_str())?;
        Some(StoredLabel {
            id: (*id).to_owned(),
            name: name.clone(),
            probability: 1.0,
        })
    };
    let (shapes, losses) = image.platform_shapes(&set.labels);
    let mut said: Vec<String> = losses.iter().map(ToString::to_string).collect();
    let whole = task_type == TaskType::Classification;
    let mut annotations = Vec::new();
    let mut misfits = 0;
    for (shape, labels) in shapes {
        let labels: Vec<StoredLabel> = labels.iter().filter_map(label).collect();
        if labels.is_empty() {
            // A label that the caller did not choose.
        } else if whole && !shape.is_whole_image(image.width, image.height) {
            misfits += 1;
        } else {
            let id = String::new();
            annotations.push(StoredAnnotation { id, shape, labels });
        }
    }
    if misfits > 0 {
        said.push(format!(
            "{}: {misfits} objects were left out: a classification labels whole images",
            image.name
        ));
    }
    (annotations, said)
}
