//! The store's records as the REST API writes them.

use serde_json::{Map, Value, json};
use straylight_core::{Project as CoreProject, Task, TaskType};
use straylight_geti::wire::{
    Annotation, AnnotationScene, AnnotationState, LabelSource, Media, MediaIdentifier,
    MediaInformation, MediaKind, Preprocessing, PreprocessingStatus, Project, ProjectPerformance,
    SceneKind, ScoredLabel, TaskAnnotationState,
};
use straylight_store::{ImageRecord, VideoRecord, Workspace};

use super::{ApiError, ApiResult};
use crate::app::App;
use crate::config::SdkGeneration;

/// Below which path the server shows a workspace.
pub(super) fn base(workspace: &Workspace) -> String {
    let (organization, id) = (&workspace.organization_id, &workspace.id);
    format!("/api/v1/organizations/{organization}/workspaces/{id}")
}

/// A project with its datasets.
pub(super) fn project(app: &App, id: &str) -> ApiResult<Project> {
    let value = app.store.project_json(id)?;
    let mut project: Project = serde_json::from_value(value)
        .map_err(|e| ApiError::Internal(format!("project {id} cannot be read: {e}")))?;
    let workspace = app.store.workspace();
    project.creator_id = Some(workspace.user_id.clone());
    project.thumbnail = Some(format!("{}/projects/{id}/thumbnail", base(workspace)));
    project.performance = Some(ProjectPerformance::default());
    project.storage_info = Some(Map::new());
    for task in &mut project.pipeline.tasks {
        if task.is_trainable() {
            task.label_schema_id.get_or_insert_with(|| task.id.clone());
            task.labels.get_or_insert_default();
        }
    }
    Ok(project)
}

/// An image of a project.
pub(super) fn media(app: &App, project: &CoreProject, image: &ImageRecord) -> Media {
    let base = base(app.store.workspace());
    let (dataset, id) = (&image.dataset_id, &image.id);
    let url = format!(
        "{base}/projects/{}/datasets/{dataset}/media/images/{id}/display",
        project.id
    );
    Media {
        id: id.clone(),
        name: image.name.clone(),
        kind: MediaKind::Image.into(),
        upload_time: Some(image.uploaded_at.into()),
        uploader_id: Some(app.store.workspace().user_id.clone()),
        thumbnail: Some(format!("{url}/thumb")),
        preprocessing: preprocessing(app),
        annotation_state_per_task: states(project, image.annotated_at.is_some()),
        media_information: MediaInformation {
            display_url: format!("{url}/full"),
            height: image.height.into(),
            width: image.width.into(),
            size: Some(image.size),
            extension: Some(format!(".{}", image.format.extension())),
            ..MediaInformation::default()
        },
    }
}

/// A video of a project.
pub(super) fn video(app: &App, project: &CoreProject, video: &VideoRecord) -> Media {
    let base = base(app.store.workspace());
    let (dataset, id) = (&video.dataset_id, &video.id);
    let url = format!(
        "{base}/projects/{}/datasets/{dataset}/media/videos/{id}/display",
        project.id
    );
    Media {
        id: id.clone(),
        name: video.name.clone(),
        kind: MediaKind::Video.into(),
        upload_time: Some(video.uploaded_at.into()),
        uploader_id: Some(app.store.workspace().user_id.clone()),
        thumbnail: Some(format!("{url}/thumb")),
        preprocessing: preprocessing(app),
        annotation_state_per_task: states(project, video.annotated_frames > 0),
        media_information: MediaInformation {
            display_url: format!("{url}/stream"),
            height: video.height.into(),
            width: video.width.into(),
            size: Some(video.size),
            extension: Some(format!(".{}", video.format.extension())),
            frame_count: Some(video.frame_count),
            // The platform looks at one frame a second.
            frame_stride: Some((video.frame_rate.round() as u64).max(1)),
            frame_rate: Some(video.frame_rate),
            duration: Some(video.duration as u64),
        },
    }
}

/// Everything is ready when it is answered. SDK 2.5 refuses the key.
fn preprocessing(app: &App) -> Option<Preprocessing> {
    (app.config.generation == SdkGeneration::Current).then(|| Preprocessing {
        status: PreprocessingStatus::Finished.into(),
    })
}

fn states(project: &CoreProject, annotated: bool) -> Vec<TaskAnnotationState> {
    let state = if annotated {
        AnnotationState::Annotated
    } else {
        AnnotationState::None
    };
    let state = |task: &Task| TaskAnnotationState {
        task_id: task.id.clone(),
        state: Some(state.into()),
    };
    project.trainable_tasks().map(state).collect()
}

/// An annotation scene: label names are left out, as the platform leaves them out.
pub(super) fn scene(
    app: &App,
    project: &CoreProject,
    identifier: MediaIdentifier,
    scene: straylight_store::AnnotationScene,
) -> AnnotationScene {
    let source = LabelSource {
        user_id: Some(app.store.workspace().user_id.clone()),
        ..LabelSource::default()
    };
    let label = |label: straylight_store::StoredLabel| ScoredLabel {
        id: Some(label.id),
        probability: label.probability,
        name: None,
        color: None,
        source: Some(source.clone()),
    };
    let modified = scene.modified.into();
    let annotation = |annotation: straylight_store::StoredAnnotation| Annotation {
        id: Some(annotation.id),
        modified: Some(modified),
        labels_to_revisit: Some(Vec::new()),
        shape: annotation.shape.into(),
        labels: annotation.labels.into_iter().map(label).collect(),
    };
    AnnotationScene {
        id: Some(scene.id),
        kind: SceneKind::Annotation,
        media_identifier: Some(identifier),
        modified: Some(modified),
        labels_to_revisit_full_scene: Vec::new(),
        annotation_state_per_task: states(project, true),
        annotations: scene.annotations.into_iter().map(annotation).collect(),
    }
}

/// The status of a project on which nothing is being done.
pub(super) fn status(project: &CoreProject) -> Value {
    let task = |task: &Task| {
        json!({
            "id": task.id, "title": task.title, "is_training": false,
            "required_annotations": {"value": 0, "details": []},
            "status": {"progress": -1.0},
        })
    };
    let tasks: Vec<Value> = project.trainable_tasks().map(task).collect();
    json!({
        "is_training": false, "n_required_annotations": 0,
        "status": {"progress": -1.0}, "tasks": tasks,
    })
}

/// A task type as the REST API writes it.
pub(super) fn task_type(task_type: TaskType) -> Value {
    serde_json::to_value(task_type).unwrap_or_default()
}
