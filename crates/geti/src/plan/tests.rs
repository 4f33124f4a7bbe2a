use serde_json::{Value, json};

use super::*;

fn request(plan: &ProjectPlan) -> Result<Value, GetiError> {
    let version = "2.13.0".parse().unwrap();
    plan.request(&version)
        .map(|request| serde_json::to_value(request).unwrap())
}

#[test]
fn a_classification_project_is_the_one_of_the_sdk() {
    let task = TaskPlan::new(TaskType::Classification, ["cat", "dog"]);
    assert_eq!(
        request(&ProjectPlan::single("pets", task)).unwrap(),
        json!({"name": "pets", "pipeline": {
                "connections": [{"from": "Dataset", "to": "Classification task"}],
                "tasks": [{"title": "Dataset", "task_type": "dataset"},
                    {"title": "Classification task", "task_type": "classification", "labels": [
                        {"name": "cat", "group": "classification task label group"},
                        {"name": "dog", "group": "classification task label group"}]}]}})
    );
}

#[test]
fn a_chain_cuts_out_what_the_first_task_finds() {
    let first = TaskPlan::new(TaskType::Detection, ["animal"]);
    let second = TaskPlan::new(TaskType::Classification, ["cat", "dog"]);
    let request = request(&ProjectPlan::chain("pets", first, second)).unwrap();
    let titles: Vec<&str> = request["pipeline"]["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["title"].as_str().unwrap())
        .collect();
    assert_eq!(
        titles,
        [
            "Dataset",
            "Detection task",
            "Crop task",
            "Classification task"
        ]
    );
    assert_eq!(
        request["pipeline"]["connections"],
        json!([{"from": "Dataset", "to": "Detection task"},
                {"from": "Detection task", "to": "Crop task"},
                {"from": "Crop task", "to": "Classification task"}])
    );
}

#[test]
fn groups_parents_and_colours_are_written() {
    let child = LabelPlan {
        name: "kitten".to_owned(),
        parent: Some("cat".to_owned()),
        color: Some(Color::opaque([1, 2, 3])),
        ..LabelPlan::default()
    };
    let labels = [LabelPlan::from("cat"), LabelPlan::from("dog"), child];
    let task = TaskPlan::new(TaskType::Classification, labels).multi_label();
    let request = request(&ProjectPlan::single("pets", task)).unwrap();
    assert_eq!(
        request["pipeline"]["tasks"][1]["labels"],
        json!([{"name": "cat", "group": "classification task label group: cat"},
                {"name": "dog", "group": "classification task label group: dog"},
                {"name": "kitten", "group": "classification task label group: below cat",
                 "color": "#010203ff", "parent_id": "cat"}])
    );
}

#[test]
fn every_kind_of_task_can_be_created_on_every_generation() {
    struct Case(
        TaskType,
        &'static [&'static str],
        &'static str,
        &'static str,
    );
    let old: ServerVersion = "2.0.0".parse().unwrap();
    let new: ServerVersion = "2.13.0".parse().unwrap();
    for Case(task_type, labels, on_old, on_new) in [
        Case(
            TaskType::Classification,
            &["a", "b"],
            "classification",
            "classification",
        ),
        Case(TaskType::Detection, &["a"], "detection", "detection"),
        Case(
            TaskType::RotatedDetection,
            &["a"],
            "rotated_detection",
            "rotated_detection",
        ),
        Case(
            TaskType::Segmentation,
            &["a"],
            "segmentation",
            "segmentation",
        ),
        Case(
            TaskType::InstanceSegmentation,
            &["a"],
            "instance_segmentation",
            "instance_segmentation",
        ),
        Case(
            TaskType::AnomalyClassification,
            &[],
            "anomaly_classification",
            "anomaly",
        ),
        Case(
            TaskType::AnomalyDetection,
            &[],
            "anomaly_detection",
            "anomaly",
        ),
        Case(
            TaskType::AnomalySegmentation,
            &[],
            "anomaly_segmentation",
            "anomaly",
        ),
        Case(TaskType::Anomaly, &[], "anomaly_classification", "anomaly"),
        Case(
            TaskType::KeypointDetection,
            &["a"],
            "keypoint_detection",
            "keypoint_detection",
        ),
    ] {
        for (version, expected) in [(&old, on_old), (&new, on_new)] {
            let mut task = TaskPlan::new(task_type, labels.iter().copied());
            if task_type == TaskType::KeypointDetection {
                task = task.with_keypoints(KeypointStructure::default());
            }
            let request = ProjectPlan::single("p", task).request(version).unwrap();
            let json = serde_json::to_value(&request.pipeline.tasks[1]).unwrap();
            assert_eq!(json["task_type"], expected);
        }
    }
}

#[test]
fn what_every_server_refuses_is_refused_here() {
    struct Case(&'static str, ProjectPlan);
    let single = |labels: &[&str]| {
        let task = TaskPlan::new(TaskType::Classification, labels.iter().copied());
        ProjectPlan::single("p", task)
    };
    let orphan = LabelPlan {
        parent: Some("x".into()),
        ..LabelPlan::from("c")
    };
    let orphan = [LabelPlan::from("a"), LabelPlan::from("b"), orphan];
    for Case(needle, plan) in [
        Case("at least 2", single(&["a"])),
        Case("two labels", single(&["a", "a"])),
        Case("server adds it", single(&["a", "No Object"])),
        Case("needs a name", single(&["a", " "])),
        Case(
            "needs a name",
            ProjectPlan {
                name: String::new(),
                ..single(&["a", "b"])
            },
        ),
        Case(
            "one or two",
            ProjectPlan {
                name: "p".into(),
                tasks: vec![],
            },
        ),
        Case(
            "parent",
            ProjectPlan::single("p", TaskPlan::new(TaskType::Classification, orphan)),
        ),
        Case(
            "give none",
            ProjectPlan::single("p", TaskPlan::new(TaskType::Anomaly, ["a"])),
        ),
        Case(
            "key points",
            ProjectPlan::single("p", TaskPlan::new(TaskType::KeypointDetection, ["a"])),
        ),
        Case(
            "no task",
            ProjectPlan::single("p", TaskPlan::new(TaskType::Crop, ["a"])),
        ),
    ] {
        let error = request(&plan).unwrap_err();
        assert!(error.to_string().contains(needle), "{needle}: {error}");
    }
}
