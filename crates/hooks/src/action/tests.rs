//! What every action must do, whatever its sink.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use straylight_core::TaskType;
use straylight_server::{Server, ServerConfig, Tls, create_token};
use straylight_store::{NewProject, Store};

use super::*;
use crate::config::{BuildContext, GetiConfig, HttpConfig, SessionConfig};
use crate::testing::{Answer, Receiver, event_with};

/// An action with a look at what its sink has.
/// A sink that keeps every event.
const EACH_EVENT: [usize; 2] = [2, 4];

struct Case {
    action: Box<dyn Action>,
    /// Number of different events that are at the sink.
    count: Box<dyn Fn() -> usize>,
    /// An action of the same kind whose sink is out of reach.
    broken: Box<dyn Action>,
    _folder: tempfile::TempDir,
    /// What the sink has after two events with the same picture, and after two more.
    kept: [usize; 2],
}

const SECRET: &str = "swordfish";

fn file_system() -> Case {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("data");
    let images = target.join("images");
    let blocked = folder.path().join("blocked");
    std::fs::write(&blocked, b"a file, not a folder").unwrap();
    let collection = |path| Box::new(FileSystemDataCollection::new(FileSystemOptions::new(path)));
    Case {
        action: collection(target),
        count: Box::new(move || std::fs::read_dir(&images).unwrap().count()),
        broken: collection(blocked),
        kept: EACH_EVENT,
        _folder: folder,
    }
}

fn local_dataset() -> Case {
    let folder = tempfile::tempdir().unwrap();
    let (store, count) = store_with_project(folder.path());
    let blocked = folder.path().join("blocked");
    std::fs::write(&blocked, b"a file, not a store").unwrap();
    let broken = LocalStore::Folder(blocked);
    Case {
        action: Box::new(LocalDatasetCollection::new(
            LocalStore::Open(store),
            "p",
            "strays",
        )),
        count,
        broken: Box::new(LocalDatasetCollection::new(broken, "p", "strays")),
        // One picture: the dataset takes a file once.
        kept: [1, 1],
        _folder: folder,
    }
}

fn store_with_project(folder: &std::path::Path) -> (Arc<Store>, Box<dyn Fn() -> usize>) {
    let store = Arc::new(Store::open(folder.join("store")).unwrap());
    let project = NewProject::single("p", TaskType::Classification, &["dog", "cat"]);
    let project = store.create_project(&project).unwrap();
    let kept = Arc::clone(&store);
    let count = move || {
        let dataset = kept.dataset_named(&project.id, "strays").unwrap().unwrap();
        kept.count_images(&dataset.id, &straylight_store::ImageFilter::default())
            .unwrap() as usize
    };
    (store, Box::new(count))
}

/// An address on loopback where nobody listens.
fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn http() -> Case {
    let receiver = Receiver::start(|_| Answer::Status(200));
    let action = |url: String| {
        let mut config = HttpConfig {
            method: "POST".into(),
            ..HttpConfig::new(url)
        };
        config.headers.insert("Authorization".into(), SECRET.into());
        Box::new(HttpRequestAction::new(config).unwrap())
    };
    Case {
        action: action(receiver.url()),
        broken: action(nobody()),
        count: Box::new(move || {
            let requests = receiver.requests();
            let keys = requests
                .iter()
                .map(|r| r.header("idempotency-key").unwrap().to_owned());
            keys.collect::<BTreeSet<String>>().len()
        }),
        kept: EACH_EVENT,
        _folder: tempfile::tempdir().unwrap(),
    }
}

fn geti() -> Case {
    let folder = tempfile::tempdir().unwrap();
    let (store, count) = store_with_project(folder.path());
    let token = create_token(&store, "t", None).unwrap();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = ServerConfig::default()
        .listen_on(loopback)
        .with_tls(Tls::Off);
    let server = Server::bind(store, config, None).unwrap();
    let url = format!("http://{}", server.address());
    std::thread::spawn(move || server.run().unwrap());
    let action = |host: String| {
        let session = SessionConfig {
            host,
            has_valid_certificate: true,
            proxies: None,
            token: Some(token.reveal().to_owned()),
            username: None,
            password: None,
            organization_id: None,
            ca_file: None,
        };
        Box::new(GetiDataCollection::new(GetiConfig {
            session,
            workspace_id: String::new(),
            project: "p".into(),
            dataset: Some("strays".into()),
            log_level: crate::config::LogLevel::Debug,
            timeout_seconds: 5.0,
        }))
    };
    Case {
        action: action(url),
        count,
        broken: action(nobody()),
        kept: EACH_EVENT,
        _folder: folder,
    }
}

fn comply(case: &Case) {
    let action = case.action.as_ref();
    // The same name and time twice are two events; the same event twice is one.
    let (first, second) = (event_with(1 << 64, "a"), event_with(2 << 64, "a"));
    for event in [&first, &second, &first] {
        if action.is_delivered(event).unwrap() != Delivery::Done {
            action.perform(event).unwrap();
        }
    }
    assert_eq!((case.count)(), case.kept[0], "{}", action.name());
    let (third, fourth) = (event_with(3 << 64, "a"), event_with(4 << 64, "a"));
    let progress = [&third, &fourth].map(|event| action.begin(event).unwrap());
    let begun = progress.iter().filter_map(|progress| match progress {
        DeliveryProgress::Begun(begun) => Some(begun),
        DeliveryProgress::Delivered => None,
    });
    for result in action.finish(&begun.collect::<Vec<_>>()) {
        result.unwrap();
    }
    assert_eq!((case.count)(), case.kept[1], "{}", action.name());
    let error = case.broken.perform(&event_with(3 << 64, "b")).unwrap_err();
    assert_ne!(
        error.kind(),
        ActionErrorKind::Permanent,
        "{error}: a sink may come back"
    );
    assert!(!error.to_string().is_empty() && !error.to_string().contains(SECRET));
    assert!(!action.sink().contains(SECRET) && !action.sink().is_empty());
    let config = action.config().unwrap();
    assert!(!format!("{config:?}").contains(SECRET));
    let built = config.build(&BuildContext::default()).unwrap();
    assert_eq!((built.name(), built.sink()), (action.name(), action.sink()));
    assert_eq!(built.config(), Some(config));
}

#[test]
fn the_file_system_complies() {
    comply(&file_system());
}

#[test]
fn the_local_dataset_complies() {
    comply(&local_dataset());
}

#[test]
fn the_http_request_complies() {
    comply(&http());
}

#[test]
fn the_geti_dataset_complies() {
    comply(&geti());
}

/// A bucket that keeps the names of its objects.
#[cfg(feature = "s3")]
fn s3() -> Case {
    let objects = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    let kept = Arc::clone(&objects);
    let receiver = Receiver::start(move |request| {
        let mut kept = kept.lock().unwrap();
        if request.method == "PUT" {
            kept.insert(request.path.clone());
        }
        Answer::Status(if kept.contains(&request.path) {
            200
        } else {
            404
        })
    });
    let action = |endpoint: String| {
        let config = serde_json::json!({
            "bucket": "b", "prefix": "x/", "endpoint": endpoint, "access_key_id": "id",
            "secret_access_key": SECRET, "timeout_seconds": 5.0,
        });
        Box::new(S3Collection::new(serde_json::from_value(config).unwrap()))
    };
    let url = receiver.url();
    Case {
        action: action(url.trim_end_matches("/events").to_owned()),
        broken: action(nobody()),
        count: Box::new(move || {
            assert!(!receiver.requests().is_empty());
            let objects = objects.lock().unwrap();
            assert_eq!(objects.len() % 3, 0, "{objects:?}");
            objects
                .iter()
                .filter(|path| path.contains("x/images/"))
                .count()
        }),
        kept: EACH_EVENT,
        _folder: tempfile::tempdir().unwrap(),
    }
}

#[cfg(feature = "s3")]
#[test]
fn the_bucket_complies() {
    comply(&s3());
}

#[cfg(feature = "mqtt")]
#[test]
fn the_broker_complies() {
    let broker = crate::testing::Broker::start(None);
    let nobody = nobody().rsplit(':').next().unwrap().parse().unwrap();
    let action = |port: u16| {
        let config = serde_json::json!({
            "host": "127.0.0.1", "port": port, "topic": "strays", "username": "u",
            "password": SECRET, "include_picture": true, "timeout_seconds": 5.0,
        });
        Box::new(MqttPublish::new(serde_json::from_value(config).unwrap()).unwrap())
    };
    comply(&Case {
        action: action(broker.port),
        broken: action(nobody),
        count: Box::new(move || broker.heard().keys.len()),
        kept: EACH_EVENT,
        _folder: tempfile::tempdir().unwrap(),
    });
}
