use super::*;
use crate::ActionErrorKind::Transient;
use crate::testing::{Broker, Identity, event_named};

const SECRET: &str = "swordfish";

fn settings(host: &str, port: u16) -> MqttConfig {
    let config = serde_json::json!({
        "host": host, "port": port, "tls": true, "topic": "strays", "username": "u",
        "password": SECRET, "timeout_seconds": 5.0,
    });
    serde_json::from_value(config).unwrap()
}

fn trusting(ca_file: Option<String>, config: MqttConfig) -> MqttPublish {
    MqttPublish::new(MqttConfig { ca_file, ..config }).unwrap()
}

#[test]
fn a_message_goes_encrypted_to_a_broker_whose_certificate_is_trusted() {
    for host in ["localhost", "127.0.0.1"] {
        let identity = Identity::of(host);
        let broker = Broker::start(Some(&identity));
        let action = trusting(Some(identity.ca_file()), settings(host, broker.port));
        let event = event_named("x");
        action.perform(&event).unwrap();
        let heard = broker.heard();
        assert!(heard.keys.contains(event.key()), "{host}");
        let [greeting] = &heard.greetings[..] else {
            panic!("one greeting: {heard:?}")
        };
        assert!(greeting.ends_with(SECRET.as_bytes()), "{greeting:?}");
    }
}

#[test]
fn a_broker_that_is_not_trusted_gets_neither_password_nor_message() {
    struct Case<'a>(&'a Identity, Option<&'a Identity>, &'a str);
    let (here, elsewhere) = (
        Identity::of("localhost"),
        Identity::of("broker.example.org"),
    );
    for Case(server, trusted, refusal) in [
        Case(&here, None, "`ca_file`"),
        Case(&here, Some(&elsewhere), "`ca_file`"),
        Case(&elsewhere, Some(&elsewhere), "not valid for name"),
    ] {
        let broker = Broker::start(Some(server));
        let config = settings("localhost", broker.port);
        let action = trusting(trusted.map(Identity::ca_file), config);
        let error = action.perform(&event_named("x")).unwrap_err();
        assert_eq!(error.kind(), Transient);
        let text = error.to_string();
        assert!(
            text.contains(refusal) && text.contains("localhost"),
            "{text}"
        );
        let shown = format!("{text} {error:?} {action:?} {:?}", action.config());
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(broker.heard().greetings.is_empty());
    }
}

#[test]
fn a_file_of_certificates_that_is_not_there_or_not_right_is_named() {
    let identity = Identity::of("localhost");
    let broker = Broker::start(Some(&identity));
    let path = identity.folder().join("other.pem");
    let action = trusting(
        Some(path.display().to_string()),
        settings("localhost", broker.port),
    );
    for text in [
        None,
        Some("nothing"),
        Some("-----BEGIN CERTIFICATE-----\n!"),
    ] {
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let error = action.perform(&event_named("x")).unwrap_err();
        assert_eq!(error.kind(), Transient);
        let message = error.to_string();
        assert!(message.contains("other.pem"), "{message}");
    }
    // Mended while the event waits.
    std::fs::copy(identity.ca_file(), &path).unwrap();
    action.perform(&event_named("x")).unwrap();
}

#[test]
fn one_side_that_encrypts_and_one_that_does_not_come_to_no_delivery() {
    let identity = Identity::of("localhost");
    let (plain, encrypted) = (Broker::start(None), Broker::start(Some(&identity)));
    let ca_file = Some(identity.ca_file());
    let quick = |port| MqttConfig {
        timeout_seconds: 0.3,
        ..settings("localhost", port)
    };
    let to_plain = trusting(ca_file, quick(plain.port));
    let to_encrypted = MqttConfig {
        tls: false,
        ..quick(encrypted.port)
    };
    let to_encrypted = MqttPublish::new(to_encrypted).unwrap();
    for action in [to_plain, to_encrypted] {
        let error = action.perform(&event_named("x")).unwrap_err();
        assert_eq!(error.kind(), Transient, "{error}");
    }
    assert!(encrypted.heard().greetings.is_empty() && plain.heard().keys.is_empty());
    // What a broker takes for a greeting here is the beginning of an encrypted connection.
    let heard = format!("{:?}", plain.heard().greetings);
    assert!(!heard.contains(&format!("{:?}", SECRET.as_bytes()).replace(['[', ']'], "")));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    struct Case(MqttConfig, &'static str);
    let config = || MqttConfig {
        tls: false,
        ..settings("h", 1883)
    };
    for Case(config, expected) in [
        Case(
            MqttConfig {
                topic: "a/#".into(),
                ..config()
            },
            "no topic",
        ),
        Case(
            MqttConfig {
                ca_file: Some("ca.pem".into()),
                ..config()
            },
            "`tls`",
        ),
        Case(
            MqttConfig {
                username: None,
                ..config()
            },
            "`username`",
        ),
    ] {
        let error = MqttPublish::new(config).unwrap_err().to_string();
        assert!(
            error.contains(expected) && !error.contains(SECRET),
            "{error}"
        );
    }
}
