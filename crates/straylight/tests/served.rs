//! The local server with the real engine: a deployment is imported and asked by our client and
//! over the KServe protocol, and says what it says when it is asked directly.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use serde_json::{Value, json};
use straylight::engine::{Runtime, RuntimeOptions};
use straylight::fit::{LabelledImage, Outliers, fit_ood};
use straylight::geti::{Geti, ProxyChoice, Secret, ServerDetails};
use straylight::hooks::action::{FileSystemDataCollection, FileSystemOptions};
use straylight::hooks::trigger::AlwaysTrigger;
use straylight::hooks::{HookOptions, PostInferenceHook};
use straylight::ood::FitOptions;
use straylight::serve::{EngineLoader, take_deployment};
use straylight::server::{Server, ServerConfig, Stop, Tls, create_token, import_deployment};
use straylight::store::Store;
use straylight::{
    Deployment, Frame, Keep, LoadOptions, ModelCache, NoProgress, RgbImage, Timestamp, custom,
};

fn options() -> LoadOptions {
    LoadOptions {
        cache: ModelCache::Off,
        ..LoadOptions::default()
    }
}

/// A server that listens without TLS, in a thread of its own.
struct Running {
    store: Arc<Store>,
    address: String,
    token: String,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(root: &Path) -> Self {
        let store = Arc::new(Store::open(root.join("store")).unwrap());
        let token = create_token(&store, "test", None).unwrap();
        let config = ServerConfig::default()
            .listen_on(([127, 0, 0, 1], 0).into())
            .with_tls(Tls::Off);
        let loader = Arc::new(EngineLoader::new(options()));
        let server = Server::bind(store.clone(), config, Some(loader)).unwrap();
        Self {
            address: server.url().replace("http://", ""),
            token: token.reveal().to_owned(),
            stop: server.stop_handle(),
            thread: Some(std::thread::spawn(move || server.run().unwrap())),
            store,
        }
    }

    /// One request of the KServe protocol, which knows nothing of our client.
    fn kserve(&self, path: &str, body: &Value) -> Value {
        serde_json::from_str(&self.ask("POST", path, &body.to_string())).unwrap()
    }

    /// The body of an answer that must be a success.
    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nx-api-key: {}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            self.token,
            body.len()
        );
        let address = self.address.replace("localhost", "127.0.0.1");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer.split_once("\r\n\r\n").unwrap().1.to_owned()
    }

    fn connect(&self) -> Geti {
        let details = ServerDetails {
            proxy: ProxyChoice::Direct,
            ..ServerDetails::new(
                format!("http://{}", self.address),
                Secret::new(self.token.as_str()),
            )
        };
        Geti::connect(&details).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo")
}

/// A known fish and a strange cup.
fn photos() -> [Vec<u8>; 2] {
    ["fish/fish1.webp", "other/cup.webp"]
        .map(|name| std::fs::read(demo().join("photos").join(name)).unwrap())
}

fn decoded(bytes: &[u8]) -> RgbImage {
    straylight::image::decode(bytes).unwrap().0
}

fn frame(image: RgbImage) -> Frame {
    Frame::new(image, "photo", Timestamp::UNIX_EPOCH)
}

/// Collects each image, so that its counters can be foretold.
fn strays(folder: &Path) -> PostInferenceHook {
    let action = FileSystemDataCollection::new(FileSystemOptions::new(folder));
    let options = HookOptions {
        name: Some("strays".to_owned()),
        max_threads: 0,
        ..HookOptions::default()
    };
    PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(action), options)
}

/// The demo's deployment with an OOD model that was fitted on some of its photos.
fn with_ood_model(root: &Path) -> Deployment {
    let deployment = Deployment::from_folder(demo().join("deployment"), &options()).unwrap();
    let mut images = Vec::new();
    for class in ["fish", "tool", "renewable"] {
        let folder = std::fs::read_dir(demo().join("photos").join(class)).unwrap();
        let mut files: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let known = |file: &PathBuf| LabelledImage::file(file, Some(class.to_owned()));
        images.extend(files.iter().take(12).map(known));
    }
    let fitted = fit_ood(
        &deployment,
        &images,
        &Outliers::Automatic,
        &FitOptions::default(),
        &NoProgress,
    );
    deployment
        .set_ood_model(Arc::new(fitted.unwrap().model))
        .unwrap();
    deployment
        .add_hook(strays(&root.with_file_name("strays")))
        .unwrap();
    deployment.save(root).unwrap();
    deployment
}

#[test]
fn the_server_says_what_the_deployment_says() {
    let folder = tempfile::tempdir().unwrap();
    let direct = with_ood_model(&folder.path().join("saved"));
    let server = Running::start(folder.path());
    let record = import_deployment(&server.store, &folder.path().join("saved")).unwrap();
    let geti = server.connect();
    let project = geti.at(record.project_id.as_str());
    for photo in photos() {
        let image = decoded(&photo);
        let expected = direct
            .predict(&frame(image.clone()), Keep::ACTIVATIONS)
            .unwrap();
        let top = expected.top_label().unwrap().clone();
        let score = direct
            .ood_model()
            .unwrap()
            .score_detailed(&expected.activations);
        let score = score.unwrap().score.value();

        let shape = [1, image.height(), image.width(), 3];
        let tensor =
            json!({"name": "image", "datatype": "UINT8", "shape": shape, "data": image.data()});
        let path = format!("/v2/models/{}/infer", record.id);
        let answer = server.kserve(&path, &json!({"inputs": [tensor]}));
        let output = |name: &str| {
            let outputs = answer["outputs"].as_array().unwrap();
            outputs.iter().find(|o| o["name"] == name).unwrap()["data"][0].clone()
        };
        assert_eq!(output("label"), json!(top.name));
        let told = output("probability").as_f64().unwrap();
        assert!((told - f64::from(top.probability)).abs() < 1e-5, "{answer}");
        let told = output("ood_score").as_f64().unwrap();
        assert!((told - score).abs() < 1e-5, "{told} {score}");

        let predicted = project.predict_image(photo.clone()).unwrap().unwrap();
        let label = &predicted.predictions[0].labels[0];
        assert_eq!(label.id, top.id);
        assert!((label.probability - f64::from(top.probability)).abs() < 1e-5);
        let explained = project.explain_image(photo).unwrap().unwrap();
        assert!(!explained.maps.is_empty() && !explained.maps[0].data.is_empty());
    }
    // Each photo was predicted twice; explaining asks no hooks.
    let metrics = server.ask("GET", "/metrics", "");
    for name in [
        "evaluated_total",
        "fired_total",
        "delivered_total",
        "score_count",
    ] {
        let labels = format!("hook=\"strays\",deployment=\"{}\"", record.id);
        let line = format!("straylight_hook_{name}{{{labels}}} 4\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
}

/// A copy of a small twin with the description that is proposed for it.
fn own_model(place: &Path, twin: &str) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/families");
    let own = place.join("own");
    std::fs::create_dir(&own).unwrap();
    for entry in std::fs::read_dir(fixtures.join(twin)).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, own.join(path.file_name().unwrap())).unwrap();
    }
    let runtime = Runtime::load(&RuntimeOptions::default(), &NoProgress).unwrap();
    let proposal = custom::propose(&own.join("model.onnx"), &runtime, &[]).unwrap();
    std::fs::write(own.join("straylight.json"), proposal.description.to_json()).unwrap();
    own
}

#[test]
fn a_model_of_anybody_is_served_and_taken_once() {
    let folder = tempfile::tempdir().unwrap();
    let own = own_model(folder.path(), "one_score");
    let server = Running::start(folder.path());
    let take = || take_deployment(&server.store, &own, &options()).unwrap();
    let record = take();
    assert_eq!(take().id, record.id, "a restart takes nothing twice");
    assert_eq!(server.store.all_deployments().unwrap().len(), 1);

    let geti = server.connect();
    let stored = server.store.project(&record.project_id).unwrap();
    assert_eq!(stored.name, "own", "`model` would be the name of them all");
    let project = geti.at(record.project_id.as_str());
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/families/red.png");
    let image = std::fs::read(image).unwrap();
    let predicted = project.predict_image(image).unwrap().unwrap();
    let label = &predicted.predictions[0].labels[0];
    let score = 1.0 / (1.0 + (-4.0 * 200.0 / 255.0_f64).exp());
    assert!((label.probability - score).abs() < 1e-3, "{label:?}");
    let mut names = stored.trainable_tasks().flat_map(|task| &task.labels);
    let name = names.find(|one| one.id == label.id).unwrap();
    assert_eq!(name.name, "bad");

    // Another model with the same labels is another deployment of the same project.
    let description = std::fs::read_to_string(own.join("straylight.json")).unwrap();
    let changed = description.replace("\"scale\": []", "\"scale\": [2]");
    std::fs::write(own.join("straylight.json"), changed).unwrap();
    let other = take();
    assert_ne!(other.id, record.id);
    assert_eq!(other.project_id, record.project_id);
}
