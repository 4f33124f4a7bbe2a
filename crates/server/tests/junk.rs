//! Malformed and hostile requests: no 5xx, no panic, and the server still answers.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::TestServer;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use straylight_server::import_deployment;

fn raw(server: &TestServer, bytes: &[u8]) -> Vec<u8> {
    let address = server
        .base
        .trim_start_matches("http://")
        .replace("localhost", "127.0.0.1");
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // The server may close before everything is written.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

#[test]
fn bytes_that_are_no_request_do_no_harm() {
    let server = TestServer::start();
    let mut runner = TestRunner::new(Config::with_cases(200));
    let bytes = proptest::collection::vec(any::<u8>(), 0..4000);
    runner
        .run(&bytes, |bytes| {
            let answer = raw(&server, &bytes);
            prop_assert!(!answer.starts_with(b"HTTP/1.1 5"));
            Ok(())
        })
        .unwrap();
    let head = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\na: {}\r\n\r\n",
        "y".repeat(1 << 20)
    );
    for request in [
        head.as_str(),
        "POST /login HTTP/1.1\r\ncontent-length: 99999999999999999999\r\n\r\n",
        "POST /login HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        "POST /login HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "GET /%00%ff HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "GET //../../etc/passwd HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "GET http://elsewhere/ HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "BREW / HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ] {
        let answer = raw(&server, request.as_bytes());
        assert!(
            !answer.starts_with(b"HTTP/1.1 5"),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn strange_paths_queries_and_bodies_are_client_errors() {
    let server = TestServer::start();
    let (project, dataset) = server.project();
    let places = [
        format!("{}/projects", server.workspace()),
        format!("{project}/datasets"),
        format!("{dataset}/media:query"),
        format!("{dataset}/media/images"),
        format!("{project}/deployment_package:download"),
        format!("{project}/project_configuration"),
        format!("{project}/pipelines/active:predict"),
        "/actions/undo".to_owned(),
        "/v2/models/x/infer".to_owned(),
        "/login".to_owned(),
    ];
    let body = prop_oneof![
        "[ -~]{0,200}",
        r#"\{"(name|annotations|rules|pipeline|models)": ?(null|1|\[\]|\{\}|"x"|\[\{\}\])\}"#,
    ];
    let methods = prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE"]);
    let strategy = (0..places.len(), methods, "[a-z0-9%/:.?&=]{0,40}", body);
    TestRunner::new(Config::with_cases(400))
        .run(&strategy, |(place, method, tail, body)| {
            let path = format!("{}{tail}", places[place]);
            if path.parse::<ureq::http::Uri>().is_ok() {
                let answer = server.call(method, &path, body.as_bytes());
                prop_assert!(
                    answer.status < 500,
                    "{method} {path} {body}: {}",
                    answer.text()
                );
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn broken_uploads_and_tensors_are_client_errors() {
    let server = TestServer::start();
    let (project, dataset) = server.project();
    let record = import_deployment(&server.store, &common::demo_deployment()).unwrap();
    let places = [
        format!("{dataset}/media/images"),
        format!("{dataset}/media/videos"),
        format!("{project}/pipelines/active:predict"),
    ];
    let piece = prop_oneof![
        Just("--b\r\n".to_owned()),
        Just("--b--\r\n".to_owned()),
        Just("\r\n\r\n".to_owned()),
        Just("Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n".to_owned()),
        Just("\u{89}PNG\r\n\u{1a}\n".to_owned()),
        "[ -~]{0,40}",
    ];
    let datatype = prop::sample::select(vec!["BYTES", "UINT8", "FP32", ""]);
    let number = prop_oneof![any::<i64>(), 0..4_i64];
    let strategy = (
        prop::sample::select(places.to_vec()),
        proptest::collection::vec(piece, 0..12),
        datatype,
        proptest::collection::vec(number, 0..5),
        "[A-Za-z0-9+/=]{0,40}",
    );
    let infer = format!("/v2/models/{}/infer", record.id);
    TestRunner::new(Config::with_cases(200))
        .run(&strategy, |(path, pieces, datatype, shape, text)| {
            let headers = [
                ("x-api-key", server.token.as_str()),
                ("x-geti-csrf-protection", "1"),
                ("content-type", "multipart/form-data; boundary=b"),
            ];
            let answer = server.send("POST", &path, &headers, pieces.concat().as_bytes());
            prop_assert!(answer.status < 500, "{path} {pieces:?}: {}", answer.text());
            for data in [json!([text]), json!(shape), json!(text), json!([[shape]])] {
                let tensor =
                    json!({"name": "image", "datatype": datatype, "shape": shape, "data": data});
                let answer = server.post(&infer, &json!({"inputs": [tensor]}));
                prop_assert!(answer.status < 500, "{tensor}: {}", answer.text());
            }
            Ok(())
        })
        .unwrap();
}
