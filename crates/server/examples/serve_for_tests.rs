//! A server for tests in other languages: takes a free port, and says as one line of JSON where
//! it listens, which certificate it has and a token.
//!
//! `serve_for_tests STORE [--legacy] [--deployment FOLDER]...`
//!
//! Predictions come from a stand-in that always says the first label, so that neither engine
//! nor model is needed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic
)]

use std::path::Path;
use std::sync::Arc;

use straylight_core::{
    Annotation, Frame, Label, Prediction, Project, SaliencyMap, ScoredLabel, Shape,
};
use straylight_server::{
    HookStatus, PredictError, Predicted, Predictor, PredictorLoader, SdkGeneration, Server,
    ServerConfig, create_token, import_deployment,
};
use straylight_store::Store;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let store = arguments.next().expect("the store's directory");
    let store = Arc::new(Store::open(store).expect("the store"));
    let mut config = ServerConfig::default().listen_on(([127, 0, 0, 1], 0).into());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--legacy" => config = config.for_sdk(SdkGeneration::Legacy),
            "--deployment" => {
                let folder = arguments.next().expect("a folder");
                import_deployment(&store, Path::new(&folder)).expect("the deployment");
            }
            other => panic!("`{other}` is no argument"),
        }
    }
    let token = create_token(&store, "tests", None).expect("a token");
    let server = Server::bind(store, config, Some(Arc::new(FirstLabel))).expect("the server");
    println!(
        "{}",
        serde_json::json!({
            "url": server.url(),
            "login_url": server.login_url(),
            "certificate": server.certificate(),
            "token": token.reveal(),
        })
    );
    server.run().expect("the server runs");
}

struct FirstLabel;

impl PredictorLoader for FirstLabel {
    fn load(&self, folder: &Path) -> Result<Arc<dyn Predictor>, PredictError> {
        let path = folder.join("deployment/project.json");
        let text =
            std::fs::read_to_string(path).map_err(|e| PredictError::Failed(e.to_string()))?;
        let project: Project =
            serde_json::from_str(&text).map_err(|e| PredictError::Failed(e.to_string()))?;
        let labels = project.trainable_tasks().flat_map(|t| t.labels.clone());
        let label = labels.into_iter().next();
        let label = label.ok_or_else(|| PredictError::Failed("there is no label".to_owned()))?;
        Ok(Arc::new(Stub { label }))
    }
}

struct Stub {
    label: Label,
}

impl Predictor for Stub {
    fn predict(&self, frame: &Frame) -> Result<Predicted, PredictError> {
        let (width, height) = (frame.image().width(), frame.image().height());
        let annotation = Annotation {
            shape: Shape::whole_image(width, height),
            labels: vec![ScoredLabel::new(&self.label, 0.75)],
        };
        let annotations = vec![annotation];
        Ok(Predicted {
            prediction: Prediction {
                annotations,
                ..Prediction::default()
            },
            ood_score: Some(0.25),
            ood_threshold: Some(0.5),
            scores: [("knn".to_owned(), 0.25)].into(),
            fired: Vec::new(),
        })
    }

    fn explain(&self, frame: &Frame) -> Result<Prediction, PredictError> {
        let mut prediction = self.predict(frame)?.prediction;
        prediction.saliency_maps.push(SaliencyMap {
            label_id: self.label.id.clone(),
            label_name: self.label.name.clone(),
            width: 4,
            height: 4,
            data: (0..16).map(|level| level * 16).collect(),
        });
        Ok(prediction)
    }

    /// Mean colours of a grid of 4 x 4: photographs are alike when they are in bright and dark.
    fn features(&self, frame: &Frame) -> Result<Option<Arc<[f32]>>, PredictError> {
        let image = frame.image();
        let (width, height) = (image.width() as usize, image.height() as usize);
        let mut sums = [0.0_f32; 4 * 4 * 3];
        for (index, value) in image.data().iter().enumerate() {
            let (x, y) = (index / 3 % width, index / 3 / width);
            let cell = (y * 4 / height) * 4 + x * 4 / width;
            sums[cell * 3 + index % 3] += f32::from(*value) - 128.0;
        }
        Ok(Some(sums.into()))
    }

    fn hooks(&self) -> Vec<HookStatus> {
        vec![HookStatus {
            name: "strays".to_owned(),
            description: "OOD score at least 0.5, into the dataset \"OOD Images Collected\""
                .to_owned(),
            seen: 120,
            fired: 14,
            succeeded: 12,
            failed: 3,
            dropped: 1,
            queued: 0,
            dead_letters: vec!["photo_17: the disk is full".to_owned()],
        }]
    }
}
