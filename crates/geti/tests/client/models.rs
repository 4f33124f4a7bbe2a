//! What is done to models, and labels of a project that is there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use straylight_geti::wire::NewLabel;
use straylight_geti::{ErrorKind, LabelChange};

use crate::common::{Received, Reply, Server, connect};
use crate::session::VERSION;
use crate::stub;

/// A server whose answers after the login are these.
fn server(rest: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request| stub::session(request, VERSION).unwrap_or_else(|| rest(request)))
}

fn project() -> Value {
    let label = json!({"id": "1", "name": "dog", "color": "#112233ff", "group": "g", "hotkey": "",
        "is_empty": false, "parent_id": null, "new_key": 7});
    let task = |id: &str, labels: Value| json!({"id": id, "title": id, "task_type": "detection", "labels": labels});
    json!({"id": "p", "name": "pets", "creator_id": null, "pipeline": {"connections": [],
        "tasks": [{"id": "d", "title": "Dataset", "task_type": "dataset"},
            task("a", json!([label])), task("b", json!([]))]}})
}

#[test]
fn models_are_activated_optimized_and_purged() {
    let server = server(|request| {
        let path = request.path.rsplit_once("/projects/p").unwrap().1;
        match (request.method.as_str(), path) {
            ("POST", "/model_groups/g:activate") => Reply::json(json!({"result": "success"})),
            ("POST", "/model_groups/g/models/m:optimize") => {
                assert_eq!(request.json(), json!({}));
                Reply::json(json!({"job_id": "j"}))
            }
            ("POST", "/model_groups/g/models/m:purge") => Reply::empty(204),
            _ => stub::error(405, "method_not_allowed"),
        }
    });
    let (geti, _) = connect(&server);
    let api = geti.at("p");
    api.activate_models("g").unwrap();
    assert_eq!(api.optimize("g", "m").unwrap(), "j");
    api.purge("g", "m").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.zip");
    let error = api.export_base_model("g", "m", &path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(!path.exists());
}

#[test]
fn labels_are_added_and_changed_and_the_rest_stays() {
    let sent = Arc::new(Mutex::new(Value::Null));
    let received = Arc::clone(&sent);
    let server = server(move |request| {
        if request.method == "PUT" {
            *received.lock().unwrap() = request.json();
        }
        Reply::json(project())
    });
    let (geti, _) = connect(&server);
    let label = |name: &str| NewLabel {
        name: name.to_owned(),
        revisit_affected_annotations: Some(true),
        ..NewLabel::default()
    };
    geti.at("p").add_labels(Some("b"), &[label("cat")]).unwrap();
    let tasks = sent.lock().unwrap()["pipeline"]["tasks"].clone();
    let dog = json!({"id": "1", "name": "dog", "color": "#112233ff", "group": "g",
        "is_empty": false, "new_key": 7});
    assert_eq!(tasks[1]["labels"], json!([dog]));
    let cat = json!({"name": "cat", "group": "cat", "revisit_affected_annotations": true});
    assert_eq!(tasks[2]["labels"], json!([cat]));

    let change = LabelChange {
        color: Some("#ff0000".parse().unwrap()),
        hotkey: Some("d".to_owned()),
    };
    let changes = HashMap::from([("dog".to_owned(), change.clone())]);
    geti.at("p").change_labels(&changes).unwrap();
    let dog = sent.lock().unwrap()["pipeline"]["tasks"][1]["labels"][0].clone();
    assert_eq!(
        (&dog["color"], &dog["hotkey"]),
        (&json!("#ff0000ff"), &json!("d"))
    );

    for wrong in [
        geti.at("p").add_labels(None, &[label("cat")]),
        geti.at("p").add_labels(Some("d"), &[label("cat")]),
        geti.at("p")
            .change_labels(&HashMap::from([("cow".to_owned(), change)])),
    ] {
        assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Argument);
    }
}
