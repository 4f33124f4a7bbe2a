//! Answers that refuse, stall or make no sense.

use std::time::Duration;

use serde_json::{Value, json};
use straylight_geti::{ErrorKind, GetiError};

use crate::common::{Reply, Server, TOKEN, TestClock, connect, try_connect};
use crate::hostile_lists::{after_login, projects_of};
use crate::stub;

pub fn no_secret(error: &GetiError) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(TOKEN), "{shown}");
}

#[test]
fn a_web_page_in_the_place_of_an_answer_is_an_expired_login() {
    let server = after_login(|_| Reply::bytes("text/html; charset=utf-8", "<html>Log in</html>"));
    let (result, clock, calls) = projects_of(&server);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login);
    assert!(error.hint().unwrap().contains("expired"));
    assert_eq!((calls, clock.sleeps().len()), (1, 0));
}

#[test]
fn a_wrong_token_is_named_as_such_and_never_shown() {
    let server = Server::start(|request| {
        let token = request.header("x-api-key").unwrap_or_default().to_owned();
        Reply::bytes("text/plain", format!("Invalid authorization token {token}")).with_status(401)
    });
    let error = try_connect(&server, &TestClock::new()).unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Login, Some(401))
    );
    assert!(
        error.message().contains("Invalid authorization token ***"),
        "{error}"
    );
    no_secret(&error);
}

#[test]
fn answers_that_are_not_json_are_refused() {
    struct Case(&'static str, Reply);
    for Case(name, reply) in [
        Case("text", Reply::bytes("application/json", "oops")),
        Case("another shape", Reply::json(json!({"projects": 3}))),
        Case("nothing", Reply::empty(204)),
        Case(
            "cut off",
            Reply::Raw(
                b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{}"
                    .to_vec(),
            ),
        ),
        Case("not HTTP", Reply::Raw(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec())),
        Case(
            "headers without end",
            Reply::Raw({
                let mut bytes = b"HTTP/1.1 200 X\r\nx: ".to_vec();
                bytes.resize(1_000_000, b'x');
                bytes
            }),
        ),
    ] {
        let server = after_login(move |_| reply.clone());
        let (result, _, calls) = projects_of(&server);
        let error = result.unwrap_err();
        let expected = [ErrorKind::Answer, ErrorKind::Connection];
        assert!(expected.contains(&error.kind()), "{name}: {error}");
        assert!(calls <= 5, "{name}: {calls}");
    }
}

#[test]
fn too_many_requests_wait_as_the_server_asks() {
    let server = after_login(|_| stub::error(429, "").with_header("retry-after", "7"));
    let (result, clock, calls) = projects_of(&server);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::TooManyRequests);
    assert_eq!(calls, 5);
    assert_eq!(clock.sleeps(), [Duration::from_secs(7); 4]);

    let server = after_login(|_| stub::error(429, "").with_header("retry-after", "86400"));
    let (result, clock, calls) = projects_of(&server);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::TooManyRequests);
    assert_eq!((calls, clock.sleeps().len()), (1, 0));
}

#[test]
fn a_busy_server_is_asked_again_with_growing_waits() {
    let server = after_login(|_| stub::error(503, "busy"));
    let (result, clock, calls) = projects_of(&server);
    let error = result.unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Server, Some(503))
    );
    assert_eq!(calls, 5);
    let waits = [375, 750, 1500, 3000].map(Duration::from_millis);
    assert_eq!(clock.sleeps(), waits);
}

#[test]
fn a_change_is_not_repeated_when_its_answer_is_lost() {
    struct Case(&'static str, Reply, usize);
    for Case(name, reply, calls) in [
        Case("hangup", Reply::Hangup, 1),
        Case("gateway", stub::error(502, ""), 1),
        Case("server error", stub::error(500, ""), 1),
        Case("busy", stub::error(503, ""), 5),
        Case("too many", stub::error(429, ""), 5),
    ] {
        let server = after_login(move |_| reply.clone());
        let (geti, _) = connect(&server);
        server.take_calls();
        let error = geti.at("p").create_dataset("d").unwrap_err();
        assert!(error.may_pass(), "{name}: {error}");
        assert_eq!(server.take_calls().len(), calls, "{name}");
    }
}

#[test]
fn a_server_that_is_too_old_or_no_geti_is_refused() {
    struct Case(Value, &'static str);
    for Case(info, needle) in [
        Case(json!({"product-version": "1.15.0"}), "too old"),
        Case(json!({"product-version": "soon"}), "is not a version"),
        Case(json!({"hello": "world"}), "does not say its version"),
    ] {
        let server = Server::start(move |_| Reply::json(info.clone()));
        let error = try_connect(&server, &TestClock::new()).unwrap_err();
        assert!(error.to_string().contains(needle), "{error}");
    }
}
