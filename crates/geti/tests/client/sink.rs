//! The collecting dataset stores every image exactly once, whatever happens to the answers.

use std::sync::Mutex;
use std::time::Duration;

use crate::common::{Received, Reply, Server, connect, png};
use crate::stub::{self, memory, respond};
use straylight_geti::{DatasetSink, ErrorKind, ProjectPlan, Stored, TaskPlan};

/// What happens to one upload.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// It arrives and is answered.
    Fine,
    /// It arrives, but the connection breaks before the answer.
    AnswerLost,
    /// The connection breaks and nothing arrives.
    RequestLost,
    /// It is refused with this status.
    Status(u16),
}

fn is_upload(request: &Received) -> bool {
    request.method == "POST" && request.path.ends_with("/media/images")
}

/// A server whose uploads meet these fates in turn, the last of them for ever.
fn server(fates: &'static [Fate]) -> Server {
    let state = memory("2.13.0");
    let next = Mutex::new(0);
    Server::start(move |request| {
        if !is_upload(request) {
            return respond(&state, request);
        }
        let mut next = next.lock().unwrap();
        let fate = fates[(*next).min(fates.len() - 1)];
        *next += 1;
        match fate {
            Fate::Fine => respond(&state, request),
            Fate::AnswerLost => {
                respond(&state, request);
                Reply::Hangup
            }
            Fate::RequestLost => Reply::Hangup,
            Fate::Status(status) => stub::error(status, "no"),
        }
    })
}

#[test]
fn an_image_is_stored_once_whatever_is_lost() {
    use Fate::{AnswerLost, Fine, RequestLost, Status};
    struct Case {
        fates: &'static [Fate],
        stored: Result<&'static str, ErrorKind>,
        uploads: usize,
        images: usize,
    }
    for case in [
        Case {
            fates: &[Fine],
            stored: Ok("new"),
            uploads: 1,
            images: 1,
        },
        Case {
            fates: &[AnswerLost],
            stored: Ok("there"),
            uploads: 1,
            images: 1,
        },
        Case {
            fates: &[RequestLost, Fine],
            stored: Ok("new"),
            uploads: 2,
            images: 1,
        },
        Case {
            fates: &[RequestLost, AnswerLost],
            stored: Ok("there"),
            uploads: 2,
            images: 1,
        },
        Case {
            fates: &[RequestLost, RequestLost, AnswerLost],
            stored: Ok("there"),
            uploads: 3,
            images: 1,
        },
        Case {
            fates: &[Status(502), Fine],
            stored: Ok("new"),
            uploads: 2,
            images: 1,
        },
        Case {
            fates: &[RequestLost],
            stored: Err(ErrorKind::Connection),
            uploads: 3,
            images: 0,
        },
        Case {
            fates: &[Status(415)],
            stored: Err(ErrorKind::Refused),
            uploads: 1,
            images: 0,
        },
        Case {
            fates: &[Status(507)],
            stored: Err(ErrorKind::Server),
            uploads: 1,
            images: 0,
        },
        Case {
            fates: &[Status(503)],
            stored: Err(ErrorKind::Server),
            uploads: 5,
            images: 0,
        },
    ] {
        let server = server(case.fates);
        let (geti, _) = connect(&server);
        let plan = ProjectPlan::single(
            "p",
            TaskPlan::new(straylight_core::TaskType::Classification, ["a", "b"]),
        );
        geti.create_project(&plan.request(geti.version()).unwrap())
            .unwrap();
        let sink = DatasetSink::in_project(&geti, "p", "strays").unwrap();
        server.take_calls();
        let result = sink
            .store(png("x"), "stray-0001.png")
            .map(|stored| match stored {
                Stored::New(_) => "new",
                Stored::AlreadyThere(_) => "there",
            });
        let fates = case.fates;
        assert_eq!(
            result.map_err(|error| error.kind()),
            case.stored,
            "{fates:?}"
        );
        let uploads = server.requests().into_iter().filter(is_upload).count();
        assert_eq!(uploads, case.uploads, "{fates:?}");
        assert_eq!(
            sink.dataset().images().unwrap().len(),
            case.images,
            "{fates:?}"
        );
    }
}

#[test]
fn an_earlier_upload_is_found_after_a_restart() {
    let server = server(&[Fate::Fine]);
    let (geti, clock) = connect(&server);
    let plan = ProjectPlan::single(
        "p",
        TaskPlan::new(straylight_core::TaskType::Classification, ["a", "b"]),
    );
    geti.create_project(&plan.request(geti.version()).unwrap())
        .unwrap();
    let sink = DatasetSink::in_project(&geti, "p", "strays").unwrap();
    let first = sink.store(png("x"), "stray.jpg").unwrap();
    assert_eq!(first.media().name, "stray");
    let second = sink.store_again(png("x"), "stray.jpg").unwrap();
    assert_eq!(second, Stored::AlreadyThere(first.media().clone()));
    assert_eq!(clock.sleeps(), [Duration::ZERO; 0]);
}

#[test]
fn a_project_that_is_missing_is_named() {
    let server = server(&[Fate::Fine]);
    let (geti, _) = connect(&server);
    let error = DatasetSink::in_project(&geti, "birds", "strays").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("`birds`"));
}

#[test]
fn bytes_that_are_no_image_are_not_sent() {
    let server = server(&[Fate::Fine]);
    let (geti, _) = connect(&server);
    server.take_calls();
    let sink = DatasetSink::new(geti.at("p").dataset("d"));
    for bytes in [&b"GIF89a"[..], b"hello", b""] {
        let error = sink.store(bytes.to_vec(), "x.png").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
    }
    assert!(server.take_calls().is_empty());
}
