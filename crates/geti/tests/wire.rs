//! Every JSON shape of the platform is read, and written back with exactly its keys.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "literals read better without a borrow"
)]

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use straylight_geti::wire;

/// Reads `json` as `T` and demands that it is written back equal, key by key.
fn same<T: DeserializeOwned + Serialize>(json: Value) -> T {
    let value: T = serde_json::from_value(json.clone()).unwrap();
    let written = serde_json::to_value(&value).unwrap();
    assert_eq!(written, json);
    value
}

fn project() -> Value {
    json!({
        "id": "636b963c308ea65372b802bb", "name": "birds",
        "creation_time": "2022-11-09T11:59:56.036000+00:00", "creator_id": "someone",
        "pipeline": {
            "connections": [{"from": "636b963c308ea65372b802b9", "to": "636b963c308ea65372b802ba"}],
            "tasks": [
                {"id": "636b963c308ea65372b802b9", "title": "Dataset", "task_type": "dataset"},
                {"id": "636b963c308ea65372b802ba", "title": "Classification task",
                 "task_type": "classification", "label_schema_id": "636b963c308ea65372b802c5",
                 "labels": [{"id": "636b963c308ea65372b802c2", "name": "cube", "color": "#97bcb2ff",
                   "group": "classification task label group", "hotkey": "", "is_empty": false,
                   "is_anomalous": false, "parent_id": null}]}
            ]
        },
        "thumbnail": "/api/v1/organizations/o/workspaces/w/projects/p/thumbnail",
        "performance": {"score": null, "task_performances": []}, "storage_info": {},
        "datasets": [{"id": "636b963c308ea65372b802bc", "name": "Dataset",
            "use_for_training": true, "creation_time": "2022-11-09T11:59:56.034000+00:00"}]
    })
}

#[test]
fn project_shapes() {
    let read: wire::Project = same(project());
    assert!(read.pipeline.tasks[1].is_trainable());
    let core = straylight_core::Project::try_from(read).unwrap();
    assert_eq!(
        core.trainable_tasks().next().unwrap().labels[0].name,
        "cube"
    );
    same::<wire::ProjectList>(json!({
        "projects": [], "project_counts": 0, "project_page_count": 0, "next_page": null
    }));
    same::<wire::NewProject>(json!({
        "name": "n", "pipeline": {
            "connections": [{"from": "Dataset", "to": "Classification task"}],
            "tasks": [{"title": "Dataset", "task_type": "dataset"},
                {"title": "Classification task", "task_type": "classification",
                 "labels": [{"name": "a", "group": "classification task label group"},
                    {"name": "b", "group": "g", "color": "#00ff00ff", "hotkey": "ctrl+1", "parent_id": "a"}]}]
        }
    }));
}

#[test]
fn an_unknown_task_type_is_kept_and_refused_only_when_it_matters() {
    let mut json = project();
    json["pipeline"]["tasks"][1]["task_type"] = "tracking".into();
    let read: wire::Project = same(json);
    let error = straylight_core::Project::try_from(read).unwrap_err();
    assert!(error.to_string().contains("`tracking`"), "{error}");
}

#[test]
fn a_project_of_a_core_project_has_the_same_data() {
    let wire: wire::Project = serde_json::from_value(project()).unwrap();
    let core = straylight_core::Project::try_from(wire).unwrap();
    let back = straylight_core::Project::try_from(wire::Project::from(core.clone())).unwrap();
    assert_eq!(back, core);
}

#[test]
fn media_shapes() {
    let image = json!({
        "id": "66c31f404d51394108c0d039", "name": "Artic_Tern_0011", "type": "image",
        "upload_time": "2024-08-20T10:00:00.000000+00:00", "uploader_id": "someone",
        "thumbnail": "/api/v1/i/display/thumb", "preprocessing": {"status": "FINISHED"},
        "annotation_state_per_task": [{"task_id": "t", "state": "none"}],
        "media_information": {"display_url": "/api/v1/i/display/full", "height": 375, "width": 500,
            "size": 12345, "extension": ".jpg"}
    });
    let video = json!({
        "id": "v", "name": "clip", "type": "video", "upload_time": null,
        "annotation_state_per_task": [{"task_id": "t", "state": null}],
        "media_information": {"display_url": "/api/v1/v/display/stream", "height": 48, "width": 64,
            "frame_count": 30, "frame_stride": 15, "frame_rate": 29.97, "duration": 1}
    });
    same::<wire::Media>(image.clone());
    same::<wire::Media>(video.clone());
    same::<wire::MediaPage>(json!({
        "media": [image, video], "total_matched_images": 1, "total_matched_videos": 1,
        "total_matched_video_frames": 0, "total_images": 1, "total_videos": 1,
        "next_page": "/api/v1/media:query?limit=2&skip=2"
    }));
    same::<wire::Dataset>(json!({"id": "d", "name": "n", "use_for_training": false,
        "creation_time": "2024-08-20T10:00:00.000000+00:00"}));
    same::<wire::DatasetStatistics>(json!({"overview": {"images": 6, "videos": 0,
        "annotated_images": 1, "annotated_frames": 0, "annotated_videos": 0}, "tasks": [{"id": "t"}]}));
}

#[test]
fn annotation_shapes() {
    same::<wire::AnnotationScene>(json!({
        "id": "s", "kind": "annotation", "media_identifier": {"image_id": "i", "type": "image"},
        "modified": "2024-08-20T10:01:00.000000+00:00", "labels_to_revisit_full_scene": [],
        "annotation_state_per_task": [{"task_id": "t", "state": "annotated"}],
        "annotations": [{"id": "u", "modified": "2024-08-20T10:01:00.000000+00:00",
            "labels_to_revisit": [],
            "shape": {"type": "RECTANGLE", "x": 0, "y": 0, "width": 500, "height": 375},
            "labels": [{"id": "l", "probability": 1.0, "source":
                {"user_id": "someone", "model_id": null, "model_storage_id": null}}]}]
    }));
    same::<wire::NewAnnotationScene>(json!({
        "annotations": [{"labels": [{"id": "l", "probability": 1.0}],
            "shape": {"type": "POLYGON", "points": [{"x": 0, "y": 0}, {"x": 1.5, "y": 0}, {"x": 0, "y": 3}]}}],
        "media_identifier": {"type": "video_frame", "video_id": "v", "frame_index": 3}
    }));
    same::<wire::Prediction>(
        json!({"predictions": [{"labels": [{"id": "l", "probability": 0.5}],
        "shape": {"type": "ROTATED_RECTANGLE", "x": 5, "y": 5, "width": 2, "height": 2, "angle": 45}}],
        "created": "2024-08-20T10:01:00.000000+00:00"}),
    );
    same::<wire::Explanation>(json!({"maps": [{"data": "aGk=", "label_id": "l"}]}));
}

#[test]
fn model_shapes() {
    same::<wire::ModelGroup>(json!({
        "id": "g", "name": "EfficientNet-B0", "model_template_id": "Custom", "task_id": "t",
        "learning_approach": "fully_supervised",
        "models": [{"id": "m", "name": "EfficientNet-B0", "creation_date": "2024-08-20T10:01:00.000000+00:00",
            "score_up_to_date": true, "active_model": true, "size": 1, "performance": {"score": 0.9},
            "label_schema_in_sync": true, "version": 1,
            "purge_info": {"is_purged": false, "purge_time": null, "user_uid": null}}]
    }));
    same::<wire::OptimizedModel>(json!({
        "id": "om", "name": "EfficientNet-B0 OpenVINO FP16 with XAI head", "version": 1,
        "creation_date": "2024-08-20T10:01:00.000000+00:00", "model_format": "OpenVINO",
        "precision": ["FP16"], "has_xai_head": true, "model_status": "SUCCESS",
        "optimization_type": "MO", "optimization_methods": [], "optimization_objectives": {},
        "performance": {"score": 0.9}, "size": 1, "latency": 0, "fps_throughput": 0,
        "target_device": "CPU", "target_device_type": null, "previous_revision_id": "m",
        "previous_trained_revision_id": "m", "configurations": []
    }));
    same::<wire::Model>(json!({
        "id": "m", "name": "n", "architecture": "EfficientNet-B0", "version": 1,
        "creation_date": "2024-08-20T10:01:00.000000+00:00", "size": 1, "total_disk_size": 2,
        "performance": {"score": null}, "precision": ["FP32"], "label_schema_in_sync": true,
        "optimized_models": [], "labels": [{"id": "l", "name": "cube"}],
        "training_dataset_info": {"dataset_storage_id": "d", "dataset_revision_id": "r",
            "n_samples": 1, "n_images": 1, "n_videos": 0, "n_frames": 0},
        "training_framework": {"type": "OTX", "version": "2"},
        "purge_info": {"is_purged": false, "purge_time": null, "user_uid": null},
        "learning_approach": "fully_supervised", "fps_throughput": 1.5, "latency": 0,
        "target_device": "CPU", "target_device_type": null
    }));
}

#[test]
fn algorithms_of_both_generations() {
    let list: wire::AlgorithmList = same(json!({"supported_algorithms": [
        {"model_manifest_id": "a", "task": "classification", "name": "n", "description": "d",
         "stats": {"gigaflops": 0.8, "trainable_parameters": 4.0,
            "performance_ratings": {"accuracy": 1, "training_time": 2, "inference_speed": 3}},
         "support_status": "active", "supported_gpus": {"nvidia": true, "intel": true},
         "capabilities": {"xai": true, "tiling": false}, "is_default_model": true,
         "performance_category": "speed"},
        {"name": "n", "task_type": "detection", "model_size": 5, "model_template_id": "b",
         "gigaflops": 1.5, "summary": "s", "supports_auto_hpo": false, "default_algorithm": true,
         "performance_category": "balance", "lifecycle_stage": "active"}
    ]}));
    let ids: Vec<&str> = list
        .supported_algorithms
        .iter()
        .map(wire::Algorithm::id)
        .collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(
        list.supported_algorithms
            .iter()
            .all(wire::Algorithm::is_default)
    );
}

#[test]
fn deployments_jobs_and_status() {
    same::<wire::DeploymentPackageRequest>(json!({"package_type": "geti_sdk",
        "models": [{"model_id": "m", "model_group_id": "g"}]}));
    same::<wire::CodeDeployment>(json!({"id": "c", "progress": 100.0, "state": "DONE",
        "models": [{"model_id": "m", "model_group_id": "g"}], "creator_id": "someone",
        "creation_time": "2024-08-20T10:01:00.000000+00:00"}));
    same::<wire::ProjectStatus>(json!({"is_training": false, "n_required_annotations": -3,
        "status": {"progress": -1.0}, "tasks": [{"id": "t", "title": "Classification task",
        "is_training": false, "required_annotations": {"value": 0, "details": []},
        "status": {"progress": -1.0}}]}));
    let list: wire::JobList = same(
        json!({"jobs": [{"id": "j", "name": "Export", "type": "export_project",
        "state": "finished", "metadata": {"project": {"id": "p"}, "download_url": "/api/v1/x"},
        "steps": [{"index": 1, "step_name": "s", "progress": 100.0, "state": "finished", "message": "ok"}],
        "creation_time": "2024-08-20T10:01:00.000000+00:00"}],
        "jobs_count": {"n_scheduled_jobs": 0, "n_running_jobs": 0, "n_finished_jobs": 1,
            "n_failed_jobs": 0, "n_cancelled_jobs": 0}}),
    );
    assert_eq!(list.jobs[0].project_id(), Some("p"));
    assert_eq!(list.jobs[0].download_url(), Some("/api/v1/x"));
    assert_eq!(list.jobs[0].message(), Some("ok"));
}

#[test]
fn what_may_be_missing_or_null_may_be() {
    let model: wire::OptimizedModel =
        serde_json::from_value(json!({"name": "n", "precision": null, "latency": null})).unwrap();
    assert!(model.optimization_type.is(&wire::OptimizationType::None));
    let media: wire::Media =
        serde_json::from_value(json!({"id": "i", "name": "n", "type": "image",
        "media_information": {"height": 3.0, "width": null}, "unknown": {}}))
        .unwrap();
    assert_eq!(
        (
            media.media_information.height,
            media.media_information.width
        ),
        (3, 0)
    );
    let scene: wire::AnnotationScene = serde_json::from_value(json!({"annotations": []})).unwrap();
    assert_eq!(scene.kind, wire::SceneKind::Annotation);
}
