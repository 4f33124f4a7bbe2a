use super::*;
use crate::ActionErrorKind::Transient;
use crate::testing::{Answer, Identity, Receiver, event_named};

const SECRET: &str = "swordfish";

fn collection(endpoint: &str, ca_file: Option<String>) -> S3Collection {
    let mut config = serde_json::json!({
        "bucket": "b", "endpoint": endpoint, "access_key_id": "id",
        "secret_access_key": SECRET, "session_token": SECRET, "timeout_seconds": 5.0,
    });
    config["ca_file"] = ca_file.into();
    S3Collection::new(serde_json::from_value(config).unwrap())
}

#[test]
fn a_bucket_with_a_certificate_of_its_own_needs_its_file() {
    struct Case<'a>(&'a Identity, Option<&'a Identity>, Option<&'a str>);
    let (here, elsewhere) = (Identity::of("127.0.0.1"), Identity::of("s3.example.org"));
    for Case(server, trusted, refusal) in [
        Case(&here, Some(&here), None),
        Case(&here, None, Some("`ca_file`")),
        Case(&here, Some(&elsewhere), Some("`ca_file`")),
        Case(&elsewhere, Some(&elsewhere), Some("not valid for name")),
    ] {
        let receiver = Receiver::with_identity(Some(server), |_| Answer::Status(200));
        let endpoint = format!("https://{}", receiver.address);
        let action = collection(&endpoint, trusted.map(Identity::ca_file));
        let result = action.perform(&event_named("x"));
        let Some(refusal) = refusal else {
            result.unwrap();
            assert_eq!(receiver.requests().len(), 3);
            continue;
        };
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Transient);
        let text = error.to_string();
        assert!(text.contains(refusal) && !text.contains(SECRET), "{text}");
        assert!(receiver.requests().is_empty());
    }
}

/// A page that asks to log in is no bucket that has the image.
#[test]
fn a_redirect_is_an_error_and_takes_no_token_along() {
    let other = Receiver::start(|_| Answer::Status(200));
    let target = other.address;
    for status in [301, 302, 303, 307, 308] {
        let receiver = Receiver::start(move |_| Answer::MovedTo(status, target));
        let action = collection(&format!("http://{}", receiver.address), None);
        let event = event_named("x");
        let errors = [
            action.perform(&event).unwrap_err(),
            action.is_delivered(&event).unwrap_err(),
        ];
        for error in errors {
            let text = error.to_string();
            assert_eq!(error.kind(), Transient, "{text}");
            assert!(text.contains(&status.to_string()), "{text}");
            assert!(!text.contains(SECRET), "{text}");
        }
        assert_eq!(receiver.requests().len(), 2);
    }
    assert!(other.requests().is_empty());
}
