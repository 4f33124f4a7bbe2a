//! Clients that only hold places keep nobody out.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
#[path = "common/slow.rs"]
mod slow;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use common::{TestServer, png};
use slow::SlowClients;
use straylight_server::{Limits, Tls};

/// Longer than any answer takes; only a server that hangs needs it.
const HANGS: Duration = Duration::from_secs(60);

fn address(server: &TestServer) -> SocketAddr {
    let port = server.base.rsplit(':').next().unwrap();
    SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()))
}

fn connect(server: &TestServer) -> TcpStream {
    let stream = TcpStream::connect(address(server)).unwrap();
    stream.set_read_timeout(Some(HANGS)).unwrap();
    stream.set_write_timeout(Some(HANGS)).unwrap();
    stream
}

fn with(change: impl FnOnce(&mut Limits)) -> TestServer {
    let mut limits = Limits::default();
    change(&mut limits);
    TestServer::with(limits, Tls::Off)
}

/// The head of an authenticated upload of a file of so many bytes, and the beginning of its body.
fn begun_upload(server: &TestServer, dataset: &str, length: usize) -> Vec<u8> {
    let token = &server.token;
    format!(
        "POST {dataset}/media/images HTTP/1.1\r\nhost: localhost\r\nx-api-key: {token}\r\n\
         x-geti-csrf-protection: 1\r\ncontent-type: multipart/form-data; boundary=b\r\n\
         content-length: {length}\r\n\r\n--b\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n"
    )
    .into_bytes()
}

fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    let reset = |e: &std::io::Error| e.kind() == ErrorKind::ConnectionReset;
    assert!(
        ended.is_ok() || ended.as_ref().is_err_and(reset),
        "{ended:?}"
    );
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_token_finds_its_way_past_any_number_of_slow_strangers() {
    let server = with(|limits| {
        limits.strangers = 30;
        limits.strangers_per_address = 10;
        limits.head_timeout = HANGS * 10;
    });
    let (_, dataset) = server.project();
    let mut crowd = SlowClients::open(address(&server), 300, 100);
    for round in 0..3 {
        crowd.step(100);
        assert_eq!(server.get("/").status, 200);
        let uploaded = server.upload(&dataset, &format!("{round}.png"), &png(64, 48));
        assert_eq!(uploaded.status, 200, "{}", uploaded.text());
        assert_eq!(server.send("GET", "/healthz", &[], b"").status, 200);
        assert_eq!(server.send("GET", "/login", &[], b"").status, 200);
    }
    // A client sees later than the server that it was closed.
    while crowd.closed < 3 * (300 - 30) {
        crowd.step(100);
        assert_eq!(server.get("/").status, 200);
    }
}

#[test]
fn strangers_of_one_address_push_out_each_other_and_nobody_else() {
    let server = with(|limits| {
        limits.strangers_per_address = 6;
        limits.head_timeout = HANGS * 10;
    });
    let mut elsewhere = SlowClients::open(address(&server), 6, 6);
    let mut one = SlowClients::open(address(&server), 60, 1);
    assert_eq!(server.send("GET", "/healthz", &[], b"").status, 200);
    // Client and server see an end at different moments: reading it is waiting for it.
    while one.still_open() > 6 {
        assert_eq!(server.send("GET", "/healthz", &[], b"").status, 200);
    }
    // One of the six shares its address with the sixty.
    assert!(elsewhere.still_open() >= 5);
}

#[test]
fn slow_uploads_hold_no_memory_that_others_need() {
    let server = with(|limits| limits.memory_bytes = 1 << 20);
    let (_, dataset) = server.project();
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&server);
        let head = begun_upload(&server, &dataset, 60 << 20);
        stream.write_all(&head).unwrap();
        stream.write_all(&vec![0; 3 << 20]).unwrap();
        held.push(stream);
    }
    for name in ["a.png", "b.png"] {
        let uploaded = server.upload(&dataset, name, &png(640, 480));
        assert_eq!(uploaded.status, 200, "{}", uploaded.text());
    }
    drop(held);
    // What was spooled goes with its sender.
    let pending = server.store.root().join("pending");
    while std::fs::read_dir(&pending).unwrap().count() > 0 {
        assert_eq!(server.get("/").status, 200);
    }
}

#[test]
fn a_large_upload_is_whole_after_its_way_over_the_disk() {
    let server = TestServer::start();
    let (_, dataset) = server.project();
    let mut file = png(64, 48);
    // What follows the end of a PNG file is kept with it.
    file.extend((0..1_000_000_u32).flat_map(u32::to_le_bytes));
    let uploaded = server.upload(&dataset, "a.png", &file);
    assert_eq!(uploaded.status, 200, "{}", uploaded.text());
    let id = uploaded.json()["id"].as_str().unwrap().to_owned();
    let kept = server.get(&format!("{dataset}/media/images/{id}/display/full"));
    assert!(
        kept.body == file,
        "{} of {} bytes",
        kept.body.len(),
        file.len()
    );
}

#[test]
fn a_body_that_stops_is_answered_and_ended() {
    let server = with(|limits| {
        limits.body_timeout = Duration::from_millis(300);
        limits.head_timeout = Duration::from_millis(300);
    });
    let (_, dataset) = server.project();
    let mut upload = connect(&server);
    let head = begun_upload(&server, &dataset, 60 << 20);
    upload.write_all(&head).unwrap();
    let answered = answer(&mut upload);
    assert!(answered.starts_with("HTTP/1.1 408"), "{answered}");
    let mut login = connect(&server);
    let head = "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\
                x-geti-csrf-protection: 1\r\n\r\n{";
    login.write_all(head.as_bytes()).unwrap();
    let answered = answer(&mut login);
    assert!(answered.starts_with("HTTP/1.1 408"), "{answered}");
    let mut nothing = connect(&server);
    nothing.write_all(b"GET / HT").unwrap();
    let answered = answer(&mut nothing);
    assert!(
        answered.is_empty() || answered.starts_with("HTTP/1.1 408"),
        "{answered}"
    );
}

#[test]
fn who_never_reads_is_let_go_token_or_not() {
    let server = with(|limits| {
        limits.body_timeout = Duration::from_millis(300);
        limits.head_timeout = Duration::from_millis(300);
    });
    for key in ["x: y", &format!("x-api-key: {}", server.token)] {
        let request = format!("GET /static/app.js HTTP/1.1\r\nhost: localhost\r\n{key}\r\n\r\n");
        let mut stream = connect(&server);
        let refused = loop {
            if let Err(error) = stream.write_all(request.as_bytes()) {
                break error;
            }
        };
        let closed = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
        assert!(closed.contains(&refused.kind()), "{refused:?}");
    }
}

#[test]
fn heads_beyond_sixteen_kib_are_refused() {
    let server = TestServer::start();
    let mut stream = connect(&server);
    let head = format!(
        "GET / HTTP/1.1\r\nhost: localhost\r\na: {}\r\n\r\n",
        "y".repeat(17 << 10)
    );
    let _ = stream.write_all(head.as_bytes());
    let answered = answer(&mut stream);
    assert!(
        answered.is_empty() || answered.starts_with("HTTP/1.1 431"),
        "{answered}"
    );
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_head_of_a_part_that_does_not_end_is_refused() {
    let server = TestServer::start();
    let (_, dataset) = server.project();
    let headers = [
        ("x-api-key", server.token.as_str()),
        ("x-geti-csrf-protection", "1"),
        ("content-type", "multipart/form-data; boundary=b"),
    ];
    let long = "a".repeat(8 << 20);
    let head = "Content-Disposition: form-data; name=\"";
    for body in [
        format!("--b\r\n{head}{long}"),
        long.clone(),
        format!("--b\r\n{head}other\"\r\n\r\n{long}\r\n--b\r\n"),
    ] {
        for media in ["images", "videos"] {
            let path = format!("{dataset}/media/{media}");
            let answer = server.send("POST", &path, &headers, body.as_bytes());
            let text = answer.text();
            assert!(matches!(answer.status, 400 | 413), "{media}: {text}");
            assert!(text.contains("65536"), "{media}: {text}");
        }
    }
}
