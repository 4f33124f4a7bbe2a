use super::*;
use crate::ActionErrorKind;
use crate::testing::{Answer, Receiver, event_named};

fn config(url: &str) -> HttpConfig {
    HttpConfig {
        method: "POST".to_owned(),
        body: HttpBody::CloudEvent,
        include_prediction_data: true,
        include_picture: true,
        timeout_seconds: 2.0,
        ..HttpConfig::new(url)
    }
}

#[test]
fn a_cloud_event_holds_prediction_score_and_picture() {
    let receiver = Receiver::start(|_| Answer::Status(204));
    let event = event_named("dog");
    HttpRequestAction::new(config(&receiver.url()))
        .unwrap()
        .perform(&event)
        .unwrap();
    let [request] = &receiver.requests()[..] else {
        panic!("one request")
    };
    assert_eq!(
        request.header("content-type"),
        Some("application/cloudevents+json")
    );
    assert_eq!(request.header("idempotency-key"), Some(event.key()));
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(
        (&body["specversion"], &body["id"]),
        (&"1.0".into(), &event.key().into())
    );
    assert_eq!(body["data"]["score"], 0.93);
    assert_eq!(
        body["data"]["prediction"]["annotations"][0]["labels"][0]["name"],
        "dog"
    );
    let picture = body["data"]["picture"]["data"].as_str().unwrap();
    let bytes =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, picture).unwrap();
    assert_eq!(
        straylight_image::decode(&bytes).unwrap().0,
        *event.picture.image().unwrap()
    );
}

#[test]
fn the_sdk_form_sends_a_prediction_with_a_post_and_nothing_else() {
    let receiver = Receiver::start(|_| Answer::Status(200));
    for (method, length) in [("GET", 0), ("POST", 1)] {
        let config = HttpConfig {
            method: method.to_owned(),
            body: HttpBody::Sdk,
            include_picture: false,
            ..config(&receiver.url())
        };
        HttpRequestAction::new(config)
            .unwrap()
            .perform(&event_named("dog"))
            .unwrap();
        let request = receiver.requests().pop().unwrap();
        assert_eq!(request.method, method);
        assert_eq!(request.body.len().min(1), length);
    }
}

#[test]
fn a_sink_that_never_answers_is_ambiguous_and_a_status_is_checked() {
    for (answer, kind) in [
        (Answer::Hang, ActionErrorKind::Ambiguous),
        (Answer::Close, ActionErrorKind::Ambiguous),
        (Answer::Status(503), ActionErrorKind::Transient),
        (Answer::Status(404), ActionErrorKind::Permanent),
    ] {
        let receiver = Receiver::start(move |_| answer);
        let config = HttpConfig {
            timeout_seconds: 0.3,
            ..config(&receiver.url())
        };
        let error = HttpRequestAction::new(config)
            .unwrap()
            .perform(&event_named("x"))
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{answer:?}: {error}");
    }
}

#[test]
fn secrets_are_resolved_when_used_and_never_shown() {
    let receiver = Receiver::start(|_| Answer::Status(500));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let config = |value: &str| {
        let mut config = config(&format!("{}?token=hidden", receiver.url()));
        config
            .headers
            .insert("Authorization".to_owned(), value.to_owned());
        config
    };
    let action = HttpRequestAction::new(config(&format!("file:{}", path.display()))).unwrap();
    let error = action.perform(&event_named("x")).unwrap_err();
    assert_eq!(error.kind(), ActionErrorKind::Transient);
    std::fs::write(&path, "Bearer swordfish\n").unwrap();
    let error = action.perform(&event_named("x")).unwrap_err();
    assert_eq!(
        receiver.requests()[0].header("authorization"),
        Some("Bearer swordfish")
    );
    let shown = format!(
        "{error} {action:?} {} {:?}",
        action.sink(),
        config("swordfish")
    );
    assert!(
        !shown.contains("swordfish") && !shown.contains("hidden"),
        "{shown}"
    );
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for (config, expected) in [
        (config("ftp://h"), "http://"),
        (config("http://user:pass@h/"), "header"),
        (
            HttpConfig {
                method: "GET".into(),
                ..config("http://h")
            },
            "POST",
        ),
        (
            HttpConfig {
                timeout_seconds: 0.0,
                ..config("http://h")
            },
            "timeout_seconds",
        ),
    ] {
        let error = HttpRequestAction::new(config).unwrap_err().to_string();
        assert!(
            error.contains(expected) && !error.contains("pass@"),
            "{error}"
        );
    }
}
