//! An OOD model belongs to one deployment: graph, weights, configuration, description.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use straylight_core::{NoProgress, Prediction, Progress};
use straylight_deploy::{Deployment, JpegDecoding, Keep, LoadOptions, ModelCache, SavedOodModel};
use straylight_ood::{ActivationSet, FitOptions, Matrix, ModelBinding, OodModel, Provenance};

const DESCRIPTION: &str = "version: 1\nname: first\nmodel: model.xml\ntask: classification\n\
    labels: [fish, monument, renewable, tool]\n\
    input: {mean: [127], scale: [128]}\n\
    outputs: {scores: logits, features: feature_vector}\n";

fn options() -> LoadOptions {
    LoadOptions {
        cache: ModelCache::Off,
        ..LoadOptions::default()
    }
}

/// The demo's model with a description.
fn described() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let model = common::demo_folder().join("Classification task/model");
    for name in ["model.xml", "model.bin"] {
        fs::copy(model.join(name), folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("straylight.yaml"), DESCRIPTION).unwrap();
    folder
}

fn load(folder: &Path) -> Deployment {
    Deployment::from_folder(folder, &options()).unwrap()
}

/// A small OOD model that remembers a hash; what it was fitted on plays no part.
fn save_ood(folder: &Path, model_hash: Option<String>) {
    save_ood_of(
        folder,
        Provenance {
            model_hash,
            ..Provenance::default()
        },
    );
}

fn save_ood_of(folder: &Path, provenance: Provenance) {
    let (images, dimensions) = (120, 8);
    let noise = |i: usize| ((i * 7919 + 104_729) % 1009) as f32 / 1009.0;
    let values = (0..images * dimensions).map(noise).collect();
    let set = ActivationSet::new(Matrix::new(images, dimensions, values).unwrap()).unwrap();
    let (model, _) = OodModel::fit(&set, None, &FitOptions::default(), &NoProgress).unwrap();
    model
        .with_provenance(provenance)
        .save(&folder.join("ood"))
        .unwrap();
}

/// Keeps what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Progress for Notes {
    fn begin(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn finish(&self) {}
    fn note(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

/// What is told at loading; an error in words.
fn notes(folder: &Path) -> Result<Vec<String>, String> {
    let notes = Notes::default();
    let loaded = Deployment::from_folder_with_progress(folder, &options(), &notes);
    loaded.map_err(|error| error.to_string())?;
    Ok(notes.0.into_inner().unwrap())
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn an_ood_model_is_refused_by_a_deployment_that_computes_something_else() {
    let folder = described();
    save_ood(
        folder.path(),
        Some(load(folder.path()).model_hash().unwrap()),
    );
    assert_eq!(notes(folder.path()).unwrap(), [""; 0]);
    let yaml = folder.path().join("straylight.yaml");
    edit(&yaml, "name: first", "name: second");
    assert_eq!(
        notes(folder.path()).unwrap(),
        [""; 0],
        "a name changes no number"
    );
    edit(&yaml, "mean: [127]", "mean: [0]");
    let error = notes(folder.path()).unwrap_err();
    assert!(
        error.contains("fitted for the model") && error.contains("fit it again"),
        "{error}"
    );
    edit(&yaml, "mean: [0]", "mean: [127]");
    let weights = folder.path().join("model.bin");
    let mut bytes = fs::read(&weights).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&weights, bytes).unwrap();
    assert!(notes(folder.path()).unwrap_err().contains("fit it again"));
}

#[test]
fn ood_models_of_older_versions_load_with_a_note() {
    let folder = described();
    save_ood(folder.path(), None);
    assert!(notes(folder.path()).unwrap()[0].contains("does not say for which model"));
    let mut older = blake3::Hasher::new();
    for name in ["model.xml", "model.bin"] {
        older.update(blake3::hash(&fs::read(folder.path().join(name)).unwrap()).as_bytes());
    }
    save_ood(folder.path(), Some(older.finalize().to_hex().to_string()));
    assert!(notes(folder.path()).unwrap()[0].contains("an older version"));
    save_ood(folder.path(), Some("0".repeat(64)));
    assert!(notes(folder.path()).is_err());
}

#[test]
fn damaged_arrays_of_an_ood_model_are_refused() {
    let folder = described();
    save_ood(folder.path(), None);
    let entries = fs::read_dir(folder.path().join("ood")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let arrays = paths.find(|path| path.extension().is_some_and(|end| end == "safetensors"));
    let arrays = arrays.unwrap();
    let mut bytes = fs::read(&arrays).unwrap();
    let begin = bytes.len() - 64;
    for byte in &mut bytes[begin..] {
        *byte ^= 0xFF;
    }
    fs::write(&arrays, bytes).unwrap();
    let error = notes(folder.path()).unwrap_err();
    assert!(
        error.contains("damaged") && error.contains("safetensors"),
        "{error}"
    );
}

/// A model whose weights lie in a file of their own.
fn external() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let source = common::root().join("fixtures/models/external");
    for name in ["model.onnx", "model.onnx.data"] {
        fs::copy(source.join(name), folder.path().join(name)).unwrap();
    }
    let description = "version: 1\nmodel: model.onnx\ntask: classification\n\
        labels: [red, green, blue]\noutputs: {scores: z}\n";
    fs::write(folder.path().join("straylight.yaml"), description).unwrap();
    folder
}

#[test]
fn external_weights_are_part_of_the_model_and_travel_along() {
    let (folder, saved) = (external(), tempfile::tempdir().unwrap());
    let deployment = load(folder.path());
    let hash = deployment.model_hash().unwrap();
    deployment.save(saved.path()).unwrap();
    let weights = saved.path().join("deployment/model.onnx.data");
    assert_eq!(load(saved.path()).model_hash().unwrap(), hash);
    let mut bytes = fs::read(&weights).unwrap();
    bytes[1] ^= 1;
    fs::write(&weights, bytes).unwrap();
    assert_ne!(load(saved.path()).model_hash().unwrap(), hash);
    fs::remove_file(&weights).unwrap();
    let error = notes(saved.path()).unwrap_err();
    assert!(
        error.contains("model.onnx.data") && error.contains("read the weights"),
        "{error}"
    );
}

#[test]
fn jpeg_files_are_decoded_as_for_the_fit_of_the_ood_model() {
    let folder = described();
    let model_hash = Some(load(folder.path()).model_hash().unwrap());
    let loaded = |jpeg_decoding: Option<JpegDecoding>, ood_model: SavedOodModel| {
        let options = LoadOptions {
            jpeg_decoding,
            ood_model,
            ..options()
        };
        let loaded = Deployment::from_folder(folder.path(), &options);
        loaded.map(|deployment| deployment.jpeg_decoding())
    };
    let (scaled, whole) = (JpegDecoding::Scaled, JpegDecoding::Whole);
    let attached = |jpeg_decoding| loaded(jpeg_decoding, SavedOodModel::Attach);
    assert_eq!(attached(None).unwrap(), scaled, "no OOD model");
    for (stored, fitted, other) in [
        (None, whole, scaled),
        (Some("whole"), whole, scaled),
        (Some("scaled"), scaled, whole),
    ] {
        let provenance = Provenance {
            model_hash: model_hash.clone(),
            jpeg_decoding: stored.map(str::to_owned),
            ..Provenance::default()
        };
        save_ood_of(folder.path(), provenance);
        assert_eq!(attached(None).unwrap(), fitted, "{stored:?}");
        assert_eq!(attached(Some(fitted)).unwrap(), fitted, "{stored:?}");
        let error = attached(Some(other)).unwrap_err().to_string();
        let expected = format!(
            "decoded `{}`, and `{}` is asked for",
            fitted.name(),
            other.name()
        );
        assert!(
            error.contains(&expected) && error.contains("fit again"),
            "{error}"
        );
        // Another is about to be fitted.
        assert_eq!(loaded(Some(other), SavedOodModel::Ignore).unwrap(), other);
    }
}

/// The choice decides what the network sees, not how the frame came to be.
#[test]
fn a_photo_gives_the_same_whether_it_was_decoded_smaller_before() {
    let folder = described();
    let photo = folder.path().join("photo.jpg");
    let small = common::root().join("fixtures/demo_io/fish_fish1.png");
    let small = straylight_image::read_frame(&small).unwrap();
    let large = straylight_image::resize::bicubic_cv(small.image(), 3584, 2688);
    fs::write(&photo, straylight_image::encode_jpeg(&large, 90).unwrap()).unwrap();
    let mut by_decoding = Vec::new();
    for jpeg_decoding in [JpegDecoding::Scaled, JpegDecoding::Whole] {
        let options = LoadOptions {
            jpeg_decoding: Some(jpeg_decoding),
            ..options()
        };
        let deployment = Deployment::from_folder(folder.path(), &options).unwrap();
        let whole = straylight_image::read_frame(&photo).unwrap();
        let read = deployment.read_frame(&photo).unwrap();
        assert_eq!(read.size(), (3584, 2688));
        let width = if jpeg_decoding == JpegDecoding::Scaled {
            896
        } else {
            3584
        };
        assert_eq!(read.decoded().width(), width);
        let keep = Keep::ACTIVATIONS;
        let prediction = deployment.predict(&read, keep).unwrap();
        assert_eq!(prediction, deployment.predict(&whole, keep).unwrap());
        assert!(prediction.annotations[0].shape.is_whole_image(3584, 2688));
        by_decoding.push(prediction);
    }
    let [scaled, whole] = by_decoding.try_into().unwrap();
    assert_ne!(scaled, whole);
    let label = |prediction: &Prediction| prediction.annotations[0].labels[0].name.clone();
    assert_eq!(label(&scaled), label(&whole));
}

#[test]
fn an_ood_model_that_is_set_decides_how_jpeg_files_are_decoded() {
    let folder = described();
    let model_of = |jpeg_decoding: &str| {
        let provenance = Provenance {
            jpeg_decoding: Some(jpeg_decoding.to_owned()),
            ..Provenance::default()
        };
        save_ood_of(folder.path(), provenance);
        let folder = folder.path().join("ood");
        Arc::new(OodModel::load(&folder, ModelBinding::Any).unwrap())
    };
    let [scaled, whole, other] = ["scaled", "whole", "sharpened"].map(model_of);
    let load = |jpeg_decoding| {
        let options = LoadOptions {
            jpeg_decoding,
            ood_model: SavedOodModel::Ignore,
            ..options()
        };
        Deployment::from_folder(folder.path(), &options).unwrap()
    };
    let deployment = load(None);
    for (model, expected) in [
        (&whole, JpegDecoding::Whole),
        (&scaled, JpegDecoding::Scaled),
    ] {
        deployment.set_ood_model(Arc::clone(model)).unwrap();
        assert_eq!(deployment.jpeg_decoding(), expected);
    }
    let error = deployment.set_ood_model(other).unwrap_err().to_string();
    assert!(error.contains("`sharpened`"), "{error}");
    assert!(
        load(Some(JpegDecoding::Scaled))
            .set_ood_model(whole)
            .is_err()
    );
    assert_eq!(deployment.jpeg_decoding(), JpegDecoding::Scaled);
}
