//! Models of any origin with a description beside them.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::fs;
use std::path::Path;

use straylight_core::{Frame, NoProgress};
use straylight_deploy::custom::{self, ModelDescription};
use straylight_deploy::{Deployment, Keep, LoadOptions, ModelCache};
use straylight_engine::{Runtime, RuntimeOptions};

const DEMO: &str = "version: 1\nmodel: model.xml\ntask: classification\n\
    labels: [fish, monument, renewable, tool]\n\
    input: {mean: [127], scale: [128]}\n\
    outputs: {scores: logits, features: feature_vector, saliency_map: saliency_map}\n";

fn options() -> LoadOptions {
    LoadOptions {
        cache: ModelCache::Off,
        ..LoadOptions::default()
    }
}

/// The demo's model without anything of Geti's around it.
fn plain_model(description: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let model = common::demo_folder().join("Classification task/model");
    let xml = fs::read_to_string(model.join("model.xml")).unwrap();
    fs::write(
        folder.path().join("model.xml"),
        xml.replace("model_info>", "other>"),
    )
    .unwrap();
    fs::copy(model.join("model.bin"), folder.path().join("model.bin")).unwrap();
    fs::write(folder.path().join("straylight.yaml"), description).unwrap();
    folder
}

fn fish() -> Frame {
    straylight_image::read_frame(&common::root().join("fixtures/demo_io/fish_fish1.png")).unwrap()
}

fn load_error(folder: &Path) -> String {
    Deployment::from_folder(folder, &options())
        .unwrap_err()
        .to_string()
}

#[test]
fn a_described_model_predicts_what_its_deployment_predicts() {
    let folder = plain_model(DEMO);
    let deployment = Deployment::from_folder(folder.path(), &options()).unwrap();
    let (found, expected) = (
        deployment.explain(&fish()).unwrap(),
        common::demo().explain(&fish()).unwrap(),
    );
    assert_eq!(found.activations, expected.activations);
    assert_eq!(found.saliency_maps[1].data, expected.saliency_maps[1].data);
    assert_eq!(
        found.top_label().unwrap().name,
        expected.top_label().unwrap().name
    );
    assert!(deployment.head_weights().unwrap().is_some());
}

#[test]
fn a_described_model_is_saved_and_loaded_like_any_other() {
    let (folder, saved) = (plain_model(DEMO), tempfile::tempdir().unwrap());
    let deployment = Deployment::from_folder(folder.path(), &options()).unwrap();
    deployment.save(saved.path()).unwrap();
    let again = Deployment::from_folder(saved.path(), &options()).unwrap();
    assert_eq!(
        again.infer(&fish()).unwrap(),
        deployment.infer(&fish()).unwrap()
    );
}

#[test]
fn wrong_descriptions_name_what_is_wrong() {
    struct Case(&'static str, &'static str, &'static [&'static str]);
    for Case(from, to, expected) in [
        Case(
            "scores: logits",
            "scores: nothing",
            &["`nothing`", "logits, saliency_map"],
        ),
        Case("model.xml", "other.xml", &["other.xml"]),
        Case(
            "scale: [128]",
            "scale: [0]",
            &["straylight.yaml", "input.scale"],
        ),
    ] {
        let folder = plain_model(&DEMO.replacen(from, to, 1));
        let text = load_error(folder.path());
        let named = expected.iter().all(|part| text.contains(part));
        assert!(named, "{text}");
    }
}

#[test]
fn another_number_of_labels_than_scores_is_refused() {
    for labels in ["tool, more]", "]"] {
        let folder = plain_model(&DEMO.replace("tool]", labels));
        let deployment = Deployment::from_folder(folder.path(), &options()).unwrap();
        let text = deployment.infer(&fish()).unwrap_err().to_string();
        assert!(text.contains("4 scores for"), "{text}");
    }
}

#[test]
fn what_does_not_load_or_run_is_not_proposed() {
    struct Case(&'static [&'static str], &'static [&'static str]);
    let folder = plain_model(DEMO);
    let runtime = Runtime::load(&RuntimeOptions::default(), &NoProgress).unwrap();
    let model = folder.path().join("model.xml");
    for Case(said, expected) in [
        Case(
            &["labels=fish,tool", "input.scale=128"],
            &["labels", "4", "--set labels="],
        ),
        Case(
            &["labels=fish,tool", "input.scale=1", "outputs.scores=logits"],
            &["labels", "4", "--set labels="],
        ),
        Case(&["input.scale=0"], &["input.scale", "0"]),
        Case(&["input.scale=1,2"], &["input.scale", "2 values"]),
        Case(
            &["input.scale=1", "input.mean=1,2,3,4"],
            &["input.mean", "4 values"],
        ),
        Case(&["input.scale=1", "outputs.features=none"], &["`none`"]),
    ] {
        let said: Vec<_> = said.iter().map(|one| one.parse().unwrap()).collect();
        let error = custom::propose(&model, &runtime, &said).unwrap_err();
        let text = error.to_string();
        let named = expected.iter().all(|part| text.contains(part));
        assert!(named, "{said:?}: {text}");
    }
}

#[test]
fn a_proposed_description_fits_the_graph() {
    let folder = plain_model(DEMO);
    fs::write(
        folder.path().join("labels.txt"),
        "fish\nmonument\nrenewable\ntool\n",
    )
    .unwrap();
    let runtime = Runtime::load(&RuntimeOptions::default(), &NoProgress).unwrap();
    let model = folder.path().join("model.xml");
    let undecided = custom::propose(&model, &runtime, &[]).unwrap_err();
    assert!(undecided.to_string().contains("normalised"), "{undecided}");
    let said = ["input.mean=127", "input.scale=128"].map(|one| one.parse().unwrap());
    let proposal = custom::propose(&folder.path().join("model.xml"), &runtime, &said).unwrap();
    let expected = ModelDescription::parse(DEMO, Path::new("straylight.yaml")).unwrap();
    assert_eq!(proposal.description.labels, expected.labels);
    assert_eq!(proposal.description.outputs.scores, expected.outputs.scores);
    assert_eq!(
        proposal.description.outputs.features,
        expected.outputs.features
    );
    assert_eq!(proposal.description.input.mean, expected.input.mean);
    let fixed = proposal.description;
    fs::remove_file(folder.path().join("straylight.yaml")).unwrap();
    fs::write(folder.path().join("straylight.json"), fixed.to_json()).unwrap();
    let deployment = Deployment::from_folder(folder.path(), &options()).unwrap();
    assert_eq!(
        deployment.infer(&fish()).unwrap().top_label().unwrap().name,
        "fish"
    );
}

#[test]
fn a_missing_feature_vector_can_be_added() {
    let folder = plain_model(&DEMO.replace("features: feature_vector, ", ""));
    let report = custom::check(folder.path(), &fish(), &options()).unwrap();
    assert!(
        report.missing[0].contains("no feature vector"),
        "{:?}",
        report.missing
    );
    assert!(report.penultimate.is_some());
    // As if the graph had never had that output.
    let model = folder.path().join("model.xml");
    let xml = fs::read_to_string(&model).unwrap();
    fs::write(
        &model,
        xml.replace("\"feature_vector\"", "\"inner\"")
            .replace("feature_vector", "inner"),
    )
    .unwrap();
    let report = custom::check(folder.path(), &fish(), &options()).unwrap();
    report.add_features(folder.path()).unwrap();
    let report = custom::check(folder.path(), &fish(), &options()).unwrap();
    assert!(report.missing.is_empty(), "{:?}", report.missing);
    let expected = common::demo()
        .infer_with(&fish(), Keep::ACTIVATIONS)
        .unwrap()
        .activations;
    assert_eq!(report.prediction.activations.features, expected.features);
}

/// A real detector that is not part of the repository: set `STRAYLIGHT_TEST_COCO` to a folder
/// with its model, `labels.txt`, `dog.jpg`, `horses.jpg`, `person.jpg`, and the description that
/// `straylight deployment init` proposes, with `"options": {"confidence_threshold": 0.4}` added.
#[test]
#[ignore = "needs the folder of a COCO detector in STRAYLIGHT_TEST_COCO"]
fn a_real_detector_finds_dog_horses_and_person() {
    let folder = std::path::PathBuf::from(std::env::var_os("STRAYLIGHT_TEST_COCO").unwrap());
    let deployment = Deployment::from_folder(&folder, &options()).unwrap();
    for (picture, label) in [
        ("dog.jpg", "dog"),
        ("horses.jpg", "horse"),
        ("person.jpg", "person"),
    ] {
        let frame = straylight_image::read_frame(&folder.join(picture)).unwrap();
        let prediction = deployment.infer(&frame).unwrap();
        assert!(
            prediction.label_names().contains(&label),
            "{picture}: {prediction:?}"
        );
    }
}
