//! Any bytes sent to the server, by a stranger or with a token, get an answer that is no failure
//! of the server, or end the connection; and the server goes on.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use straylight_server::{Route, Server, ServerConfig, Stop, Tls, create_token, routes};
use straylight_store::Store;

/// Requests after which the server begins anew, so that its store stays small.
const FRESH_AFTER: usize = 2_000;
/// Longer than any answer takes.
const HANGS: Duration = Duration::from_secs(30);

/// A server with a project, an image and a token.
struct Running {
    address: SocketAddr,
    token: String,
    store: Arc<Store>,
    project: Value,
    image: String,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
    asked: usize,
    _folder: tempfile::TempDir,
}

static RUNNING: Mutex<Option<Running>> = Mutex::new(None);

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Arc::new(Store::open(folder.path().join("store")).expect("a store"));
        let token = create_token(&store, "fuzz", None).expect("a token");
        let config = ServerConfig::default()
            .with_tls(Tls::Off)
            .listen_on(([127, 0, 0, 1], 0).into());
        let server = Server::bind(store.clone(), config, None).expect("a server");
        let (address, stop) = (server.address(), server.stop_handle());
        let thread = std::thread::spawn(move || server.run().expect("a server that runs"));
        let mut running = Self {
            address,
            token: token.reveal().to_owned(),
            store,
            project: Value::Null,
            image: String::new(),
            stop,
            thread: Some(thread),
            asked: 0,
            _folder: folder,
        };
        running.fill();
        running
    }

    fn fill(&mut self) {
        let task = |title: &str, kind: &str| json!({"title": title, "task_type": kind});
        let mut classes = task("Classes", "classification");
        classes["labels"] = json!([{"name": "a", "group": "g"}, {"name": "b", "group": "g"}]);
        let project = json!({"name": "p", "pipeline": {
            "connections": [{"from": "Dataset", "to": "Classes"}],
            "tasks": [task("Dataset", "dataset"), classes],
        }});
        let workspace = self.workspace();
        let path = format!("{workspace}/projects");
        self.project = self.json("POST", &path, JSON, project.to_string().as_bytes());
        let image = straylight_core::RgbImage::filled(40, 40, [9; 3]).expect("a size");
        let image = straylight_image::encode_png(&image).expect("a PNG file");
        let head =
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n";
        let body = [head.as_bytes(), &image, b"\r\n--b--\r\n"].concat();
        let project = self.project["id"].as_str().expect("an id");
        let dataset = self.project["datasets"][0]["id"].as_str().expect("an id");
        let path = format!("{path}/{project}/datasets/{dataset}/media/images");
        let image = self.json("POST", &path, MULTIPART, &body);
        image["id"]
            .as_str()
            .expect("an id")
            .clone_into(&mut self.image);
    }

    fn workspace(&self) -> String {
        let workspace = self.store.workspace();
        let organization = &workspace.organization_id;
        format!(
            "/api/v1/organizations/{organization}/workspaces/{}",
            workspace.id
        )
    }

    fn json(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Value {
        let answer = self.exchange(&self.request(method, path, kind, body), true);
        let start = answer.windows(4).position(|w| w == b"\r\n\r\n");
        let body = &answer[start.expect("an answer") + 4..];
        serde_json::from_slice(body).expect("an answer in JSON")
    }

    /// A request with the token.
    fn request(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Vec<u8> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
             x-api-key: {}\r\nx-geti-csrf-protection: 1\r\ncontent-type: {kind}\r\n\
             tus-resumable: 1.0.0\r\nupload-length: {}\r\nupload-offset: 0\r\n\
             content-length: {}\r\n\r\n",
            self.token,
            body.len(),
            body.len(),
        );
        [head.as_bytes(), body].concat()
    }

    /// Sends bytes; what comes back until the connection ends. Where the request may have no end, its
    /// sender ends it.
    fn exchange(&self, bytes: &[u8], has_end: bool) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).expect("a server that listens");
        stream.set_read_timeout(Some(HANGS)).expect("a time");
        // The server may answer and end before everything is sent.
        let _ = stream.write_all(bytes);
        if !has_end {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let mut answer = Vec::new();
        if let Err(error) = stream.read_to_end(&mut answer) {
            let kind = error.kind();
            assert!(
                kind == std::io::ErrorKind::ConnectionReset,
                "no end: {error}"
            );
        }
        answer
    }

    /// A path of the route, with identifiers of what is there.
    fn path(&self, route: &Route) -> String {
        let workspace = self.store.workspace();
        let path = route.path();
        let parts = path.split('/').map(|part| {
            let Some((before, rest)) = part.split_once('{') else {
                return part.to_owned();
            };
            let (name, after) = rest.split_once('}').expect("a closed brace");
            let value = match name {
                "org" => &workspace.organization_id,
                "ws" => &workspace.id,
                "p" | "name" => self.project["id"].as_str().expect("an id"),
                "d" => self.project["datasets"][0]["id"].as_str().expect("an id"),
                "i" => &self.image,
                "n" | "version" => "1",
                "what" => "accept",
                _ => "000000000000000000000000",
            };
            format!("{before}{value}{after}")
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a server that did not panic");
        }
    }
}

const JSON: &str = "application/json";
const MULTIPART: &str = "multipart/form-data; boundary=b";

fn with_server(work: impl FnOnce(&Running)) {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if running
        .as_ref()
        .is_none_or(|running| running.asked >= FRESH_AFTER)
    {
        *running = None;
        *running = Some(Running::start());
    }
    let running = running.as_mut().expect("a server");
    running.asked += 1;
    work(running);
}

/// The first byte chooses a route, the second the kind of the body; up to the first line break
/// comes the query, then the body.
pub(crate) fn fuzz_request(input: &[u8]) {
    let [which, kind, rest @ ..] = input else {
        return;
    };
    let usable: Vec<&Route> = routes()
        .iter()
        // What is there has to stay.
        .filter(|route| route.method != "DELETE" && !route.path().ends_with("/logout"))
        .collect();
    let route = usable[usize::from(*which) % usable.len()];
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (query, body) = rest.split_at(end);
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    let query: String = query
        .iter()
        .filter(|byte| byte.is_ascii_graphic() && **byte != b'#')
        .map(|byte| char::from(*byte))
        .collect();
    let kind = match kind % 3 {
        0 => JSON,
        1 => MULTIPART,
        _ => "application/offset+octet-stream",
    };
    with_server(|running| {
        let path = format!("{}?{query}", running.path(route));
        let answer = running.exchange(&running.request(route.method, &path, kind, body), true);
        check(&answer, &format!("{} {path}", route.method));
        assert!(!answer.is_empty(), "{} {path}: no answer", route.method);
    });
}

/// The bytes as they are, without a token.
pub(crate) fn fuzz_stranger(input: &[u8]) {
    with_server(|running| {
        check(&running.exchange(input, false), "a stranger");
        let health = running.exchange(
            b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            true,
        );
        assert!(
            health.starts_with(b"HTTP/1.1 200"),
            "the server is not well"
        );
    });
}

/// Whatever was answered is no failure of the server.
fn check(answer: &[u8], asked: &str) {
    let start = String::from_utf8_lossy(&answer[..answer.len().min(600)]);
    let code = start
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    assert!(
        code != Some("500") && code != Some("502"),
        "{asked}: {start}"
    );
}

/// A JSON file as the body of the route of annotations, of projects or of any other.
pub(crate) fn lead(path: &Path) -> Vec<u8> {
    let sum = path.to_string_lossy().bytes().fold(0_u8, u8::wrapping_add);
    vec![sum, 0, b'\n']
}
