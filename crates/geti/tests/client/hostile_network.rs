//! Connections that break, stall or lead to other servers.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;
use straylight_geti::{
    Certificates, ErrorKind, Geti, ProxyChoice, Rendition, Secret, ServerDetails, wire,
};

use crate::common::{Reply, Server, TOKEN, TestClock, connect, options, png, try_connect};
use crate::hostile_answers::no_secret;
use crate::hostile_lists::{after_login, image, projects_of};
use crate::stub;

#[test]
fn a_connection_that_breaks_is_tried_again() {
    let server = after_login(|_| Reply::Hangup);
    let (result, clock, calls) = projects_of(&server);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!((calls, clock.sleeps().len()), (5, 4));
    assert_eq!(error.request().unwrap().0, "GET");
}

#[test]
fn no_server_at_all_is_a_clear_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let details = ServerDetails {
        proxy: ProxyChoice::Direct,
        ..ServerDetails::new(host, Secret::new(TOKEN))
    };
    let clock = TestClock::new();
    let error = Geti::connect_with(&details, options(&clock)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert_eq!(clock.sleeps().len(), 4);
    no_secret(&error);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let server = after_login(|_| Reply::Silence);
    let mut options = options(&TestClock::new());
    options.patience = Duration::from_millis(100);
    let geti = Geti::connect_with(&server.details(), options).unwrap();
    let error = geti.projects().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[test]
fn a_body_that_trickles_is_given_up() {
    let server = after_login(|_| Reply::Trickle);
    // Every look at this clock is ten seconds later.
    let clock = TestClock::with_step(Duration::from_secs(10));
    let geti = try_connect(&server, &clock).unwrap();
    let error = geti.projects().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("too slow"), "{error}");
}

#[test]
fn the_token_never_follows_a_redirect_to_another_server() {
    let other = Server::start(|_| Reply::bytes("image/png", png("x")));
    let address = format!("{}/stolen", other.host());
    let target = address.clone();
    let server = after_login(move |_| Reply::empty(302).with_header("location", target.clone()));
    let (geti, _) = connect(&server);

    let error = geti.projects().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(other.requests().is_empty());

    // A download may be elsewhere, as presigned addresses are; the token stays here.
    let media: wire::Media = serde_json::from_value(image("1", "/api/v1/i/display/full")).unwrap();
    let bytes = geti
        .at("p")
        .dataset("d")
        .download_image(&media, Rendition::Full)
        .unwrap();
    assert_eq!(bytes, png("x"));
    let stolen = other.requests();
    assert_eq!(stolen.len(), 1);
    assert!(
        stolen[0]
            .headers
            .iter()
            .all(|(_, value)| !value.contains(TOKEN)),
        "{stolen:?}"
    );

    // A change is never redirected.
    assert_eq!(
        geti.at("p").create_dataset("d").unwrap_err().kind(),
        ErrorKind::Redirect
    );
    assert_eq!(other.requests().len(), 1);
}

#[test]
fn redirects_at_the_server_itself_are_followed_but_not_for_ever() {
    let server = after_login(|request| match request.path.as_str() {
        "/moved" => Reply::json(json!({"projects": [], "project_counts": 0})),
        "/loop" => Reply::empty(302).with_header("location", "/loop"),
        path if path.contains("/jobs") => Reply::empty(302).with_header("location", "/loop"),
        _ => Reply::empty(307).with_header("location", "/moved"),
    });
    let (geti, _) = connect(&server);
    assert!(geti.projects().unwrap().is_empty());
    assert!(
        server
            .requests()
            .last()
            .unwrap()
            .header("x-api-key")
            .is_some()
    );
    assert_eq!(geti.jobs(None).unwrap_err().kind(), ErrorKind::Redirect);
}

#[test]
fn an_image_address_elsewhere_gets_no_request_with_the_token() {
    let other = Server::start(|_| Reply::bytes("image/png", png("x")));
    let server = after_login(|_| Reply::empty(404));
    let (geti, _) = connect(&server);
    let url = format!("{}/display/full", other.host());
    let media: wire::Media = serde_json::from_value(image("1", &url)).unwrap();
    let error = geti
        .at("p")
        .dataset("d")
        .download_image(&media, Rendition::Full)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert!(other.requests().is_empty());
}

#[test]
fn a_proxy_that_is_no_proxy_is_a_clear_error() {
    let proxy = Server::start(|_| stub::error(407, ""));
    let server = after_login(|_| Reply::empty(500));
    let url = proxy.host().replace("http://", "http://user:hunter2@");
    let mut details = server.details();
    details.proxy = ProxyChoice::Through(Secret::new(url));
    let error = Geti::connect_with(&details, options(&TestClock::new())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    assert!(server.requests().is_empty());
}

#[test]
fn a_file_of_certificates_must_hold_some() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, "hello").unwrap();
    let mut details = ServerDetails::new("https://127.0.0.1:1", Secret::new(TOKEN));
    details.certificates = Certificates::SignedBy(path);
    let error = Geti::connect(&details).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Settings);
}
