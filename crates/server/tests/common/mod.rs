//! A server on a free port for one test, and a small client for it.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::{Value, json};
use straylight_core::{Annotation, Color, Frame, Prediction, RgbImage, ScoredLabel, Shape};
use straylight_server::{
    HookStatus, Limits, PredictError, Predicted, Predictor, PredictorLoader, Server, ServerConfig,
    Stop, Tls, create_token,
};
use straylight_store::Store;

pub struct TestServer {
    pub base: String,
    pub token: String,
    pub code_url: String,
    pub store: Arc<Store>,
    pub dir: tempfile::TempDir,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
    agent: ureq::Agent,
}

/// An answer, read to its end.
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// Status and error code, to be compared with what is expected.
    pub fn error(&self) -> (u16, String) {
        let code = self.json()["error_code"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (self.status, code)
    }
}

impl TestServer {
    pub fn start() -> Self {
        Self::with(Limits::default(), Tls::Off)
    }

    pub fn with(limits: Limits, tls: Tls) -> Self {
        Self::configured(ServerConfig::default().with_tls(tls).with_limits(limits))
    }

    pub fn configured(config: ServerConfig) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::on(dir, config)
    }

    /// A server on the store in a directory, which may have been used before.
    pub fn on(dir: tempfile::TempDir, config: ServerConfig) -> Self {
        let store = Arc::new(Store::open(dir.path().join("store")).unwrap());
        let config = config.listen_on(([127, 0, 0, 1], 0).into());
        let token = create_token(&store, "test", None)
            .unwrap()
            .reveal()
            .to_owned();
        let server = Server::bind(store.clone(), config, Some(Arc::new(Loader))).unwrap();
        let agent = agent(server.certificate());
        let (base, stop) = (server.url(), server.stop_handle());
        let code_url = server.login_url();
        let thread = Some(std::thread::spawn(move || server.run().unwrap()));
        Self {
            base,
            token,
            code_url,
            store,
            dir,
            stop,
            thread,
            agent,
        }
    }

    /// Path of the workspace.
    pub fn workspace(&self) -> String {
        let workspace = self.store.workspace();
        format!(
            "/api/v1/organizations/{}/workspaces/{}",
            workspace.organization_id, workspace.id
        )
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_vec()).unwrap();
        let mut answer = self.agent.run(request).unwrap();
        let body = answer
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_vec()
            .unwrap();
        Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body,
        }
    }

    /// With token and protection, as the SDK sends it.
    pub fn call(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let headers = [
            ("x-api-key", self.token.as_str()),
            ("x-geti-csrf-protection", "1"),
        ];
        self.send(method, path, &headers, body)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, body.to_string().as_bytes())
    }

    /// Makes a classification project; paths of the project and of its training dataset.
    pub fn project(&self) -> (String, String) {
        let answer = self.post(
            &format!("{}/projects", self.workspace()),
            &new_project(&["cat", "dog"]),
        );
        assert_eq!(answer.status, 201, "{}", answer.text());
        let project = answer.json();
        let path = format!(
            "{}/projects/{}",
            self.workspace(),
            project["id"].as_str().unwrap()
        );
        let dataset = format!(
            "{path}/datasets/{}",
            project["datasets"][0]["id"].as_str().unwrap()
        );
        (path, dataset)
    }

    pub fn upload(&self, dataset: &str, name: &str, bytes: &[u8]) -> Answer {
        self.send_file(&format!("{dataset}/media/images"), name, bytes)
    }

    /// Sends a file as the part `file` of a multipart body.
    pub fn send_file(&self, path: &str, name: &str, bytes: &[u8]) -> Answer {
        let mut body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--b--\r\n");
        let headers = [
            ("x-api-key", self.token.as_str()),
            ("x-geti-csrf-protection", "1"),
            ("content-type", "multipart/form-data; boundary=b"),
        ];
        self.send("POST", path, &headers, &body)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(
                ended.is_ok() || std::thread::panicking(),
                "the server panicked"
            );
        }
    }
}

fn agent(certificate: Option<&Path>) -> ureq::Agent {
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        // The server may close a connection whose request it refused without reading it.
        .max_idle_connections(0)
        // A server that hangs fails the test.
        .timeout_global(Some(std::time::Duration::from_secs(60)))
        .max_redirects(0);
    if let Some(path) = certificate {
        let pem = std::fs::read(path).unwrap();
        let root = ureq::tls::Certificate::from_pem(&pem).unwrap();
        let roots = ureq::tls::RootCerts::new_with_certs(&[root]);
        config = config.tls_config(ureq::tls::TlsConfig::builder().root_certs(roots).build());
    }
    config.build().into()
}

pub fn new_project(labels: &[&str]) -> Value {
    let labels: Vec<Value> = labels
        .iter()
        .map(|l| json!({"name": l, "group": "g"}))
        .collect();
    json!({"name": "birds", "pipeline": {
        "connections": [{"from": "Dataset", "to": "Classification task"}],
        "tasks": [{"title": "Dataset", "task_type": "dataset"},
                  {"title": "Classification task", "task_type": "classification", "labels": labels}]}})
}

pub fn png(width: u32, height: u32) -> Vec<u8> {
    let image = RgbImage::filled(width, height, [9, 99, 199]).unwrap();
    straylight_image::encode_png(&image).unwrap()
}

/// The deployment that is shipped for the demo.
pub fn demo_deployment() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo/deployment")
}

/// Loads anything; predicts the first label with the image's width in per cent.
struct Loader;

impl PredictorLoader for Loader {
    fn load(&self, folder: &Path) -> Result<Arc<dyn Predictor>, PredictError> {
        let path = folder.join("deployment/project.json");
        let text =
            std::fs::read_to_string(&path).map_err(|e| PredictError::Failed(e.to_string()))?;
        let value: Value =
            serde_json::from_str(&text).map_err(|e| PredictError::Failed(e.to_string()))?;
        let label = &value["pipeline"]["tasks"][1]["labels"][0];
        Ok(Arc::new(Stub {
            id: label["id"].as_str().unwrap_or_default().to_owned(),
            name: label["name"].as_str().unwrap_or_default().to_owned(),
        }))
    }

    fn hook_metrics(&self) -> String {
        "straylight_hook_fired_total{hook=\"strays\"} 3\n".to_owned()
    }
}

struct Stub {
    id: String,
    name: String,
}

impl Predictor for Stub {
    fn predict(&self, frame: &Frame) -> Result<Predicted, PredictError> {
        let (width, height) = (frame.image().width(), frame.image().height());
        let label = ScoredLabel {
            id: self.id.clone(),
            name: self.name.clone(),
            color: Color::BLACK,
            probability: width as f32 / 100.0,
        };
        let shape = Shape::whole_image(width, height);
        let annotations = vec![Annotation {
            shape,
            labels: vec![label],
        }];
        Ok(Predicted {
            prediction: Prediction {
                annotations,
                ..Prediction::default()
            },
            ood_score: Some(0.25),
            fired: vec!["strays".to_owned()],
            ..Predicted::default()
        })
    }

    fn explain(&self, _frame: &Frame) -> Result<Prediction, PredictError> {
        Err(PredictError::Unfit(
            "this model has no saliency maps".to_owned(),
        ))
    }

    /// Width and height: images are alike when they have the same form.
    fn features(&self, frame: &Frame) -> Result<Option<Arc<[f32]>>, PredictError> {
        let (width, height) = (frame.image().width(), frame.image().height());
        Ok(Some([width as f32, height as f32].into()))
    }

    fn hooks(&self) -> Vec<HookStatus> {
        vec![HookStatus {
            name: "strays".to_owned(),
            fired: 3,
            dead_letters: vec!["the disk is full".to_owned(), "<i>no such</i>".to_owned()],
            ..HookStatus::default()
        }]
    }
}
