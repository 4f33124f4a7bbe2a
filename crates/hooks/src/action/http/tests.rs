use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::*;
use crate::clock::ManualClock;
use crate::testing::{Answer, Identity, Receiver, event_named, frame, time};
use crate::trigger::AlwaysTrigger;
use crate::{ActionErrorKind, HookOptions, HookSet, HookSetOptions, Ledger, PostInferenceHook};

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

#[test]
fn a_receiver_with_a_certificate_of_its_own_needs_its_file() {
    struct Case<'a>(&'a Identity, Option<&'a Identity>, Option<&'a str>);
    let (here, elsewhere) = (Identity::of("127.0.0.1"), Identity::of("example.org"));
    for Case(server, trusted, refusal) in [
        Case(&here, Some(&here), None),
        Case(&here, None, Some("`ca_file`")),
        Case(&here, Some(&elsewhere), Some("`ca_file`")),
        Case(&elsewhere, Some(&elsewhere), Some("not valid for name")),
    ] {
        let receiver = Receiver::with_identity(Some(server), |_| Answer::Status(200));
        let url = format!("https://{}/events?token=hidden", receiver.address);
        let config = HttpConfig {
            ca_file: trusted.map(Identity::ca_file),
            ..config(&url)
        };
        let result = HttpRequestAction::new(config)
            .unwrap()
            .perform(&event_named("x"));
        let Some(refusal) = refusal else {
            result.unwrap();
            assert_eq!(receiver.requests().len(), 1);
            continue;
        };
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ActionErrorKind::Transient);
        let text = error.to_string();
        assert!(text.contains(refusal) && !text.contains("hidden"), "{text}");
        assert!(receiver.requests().is_empty());
    }
}

#[test]
fn a_file_of_certificates_may_come_while_the_event_waits() {
    let identity = Identity::of("127.0.0.1");
    let receiver = Receiver::with_identity(Some(&identity), |_| Answer::Status(200));
    let path = identity.folder().join("late.pem");
    let action = HttpRequestAction::new(HttpConfig {
        ca_file: Some(path.display().to_string()),
        ..config(&format!("https://{}/", receiver.address))
    })
    .unwrap();
    let error = action.perform(&event_named("x")).unwrap_err();
    assert_eq!(error.kind(), ActionErrorKind::Transient);
    assert!(error.to_string().contains("late.pem"), "{error}");
    std::fs::copy(identity.ca_file(), &path).unwrap();
    action.perform(&event_named("x")).unwrap();
}

#[test]
fn a_redirect_is_not_followed_and_takes_no_secret_along() {
    let other = Receiver::start(|_| Answer::Status(200));
    for status in [301, 302, 303, 307, 308] {
        let target = other.address;
        let receiver = Receiver::start(move |_| Answer::MovedTo(status, target));
        let mut config = config(&receiver.url());
        let secret = "swordfish".to_owned();
        config.headers.insert("X-Api-Key".to_owned(), secret);
        let error = HttpRequestAction::new(config)
            .unwrap()
            .perform(&event_named("x"))
            .unwrap_err();
        assert_eq!(error.kind(), ActionErrorKind::Permanent);
        assert!(error.to_string().contains("give the URL"), "{error}");
        assert_eq!(receiver.requests().len(), 1);
    }
    assert!(other.requests().is_empty());
}

#[test]
fn the_rest_that_a_receiver_asks_for_is_handed_on() {
    for (answer, asked) in [
        (Answer::After(429, 7), Some(Duration::from_secs(7))),
        (Answer::After(503, 60), Some(Duration::from_secs(60))),
        (
            Answer::After(503, u64::MAX),
            Some(Duration::from_secs(3_600)),
        ),
        (Answer::Status(503), None),
    ] {
        let receiver = Receiver::start(move |_| answer);
        let action = HttpRequestAction::new(config(&receiver.url())).unwrap();
        let error = action.perform(&event_named("x")).unwrap_err();
        assert_eq!(error.retry_after(), asked, "{answer:?}");
    }
}

/// What became of one event whose receiver answers so at first and takes it afterwards: the
/// numbers of the hook at once and `later`, and the keys of the requests.
fn told(first: Answer, later: Duration) -> ([Ledger; 2], Vec<String>) {
    let asked = AtomicUsize::new(0);
    let receiver = Receiver::start(move |_| match asked.fetch_add(1, SeqCst) {
        0 => first,
        _ => Answer::Status(200),
    });
    let (state, clock) = (tempfile::tempdir().unwrap(), ManualClock::new(time(0)));
    let hooks = HookSet::new(HookSetOptions {
        state_folder: Some(state.path().to_owned()),
        clock: Arc::new(clock.clone()),
        drain_time: Duration::ZERO,
        ..HookSetOptions::default()
    });
    let action = HttpRequestAction::new(HttpConfig {
        timeout_seconds: 0.5,
        ..config(&receiver.url())
    });
    let options = HookOptions {
        max_threads: 0,
        ..HookOptions::default()
    };
    let hook = PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(action.unwrap()), options);
    hooks.add(hook).unwrap();
    drop(hooks.submit(&frame("a"), &straylight_core::Prediction::default()));
    let at_once = hooks.stats().remove(0).ledger;
    clock.advance(later);
    hooks.drain(Duration::ZERO);
    let ledgers = [at_once, hooks.stats().remove(0).ledger];
    let key =
        |request: &crate::testing::Received| request.header("idempotency-key").map(str::to_owned);
    (
        ledgers,
        receiver.requests().iter().filter_map(key).collect(),
    )
}

#[test]
fn what_a_receiver_answers_decides_whether_an_event_waits_dies_or_comes_twice() {
    let hour = Duration::from_secs(3_600);
    for refusal in [
        Answer::Status(413),
        Answer::MovedTo(307, ([127, 0, 0, 1], 9).into()),
    ] {
        let ([at_once, later], keys) = told(refusal, hour);
        assert_eq!(
            (at_once.dead, later.dead, keys.len()),
            (1, 1, 1),
            "{refusal:?}"
        );
    }
    let ([at_once, later], keys) = told(Answer::After(429, 60), Duration::from_secs(59));
    assert_eq!((at_once.waiting(), later.waiting(), keys.len()), (1, 1, 1));
    let ([at_once, later], keys) = told(Answer::After(429, 60), Duration::from_secs(60));
    assert_eq!((at_once.waiting(), later.delivered, keys.len()), (1, 1, 2));
    // Nobody knows whether the first one has arrived: the second says that it is the same.
    for silence in [Answer::Hang, Answer::Close] {
        let ([at_once, later], keys) = told(silence, hour);
        assert_eq!(
            (at_once.waiting(), later.delivered, keys.len()),
            (1, 1, 2),
            "{silence:?}"
        );
        assert_eq!(keys[0], keys[1]);
    }
}
