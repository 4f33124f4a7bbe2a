//! `straylight ood` through the real program, on arrays of one's own.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Runs the program in a folder with the arrays of `fixtures/ood`.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/ood"));
        for entry in std::fs::read_dir(fixtures).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(
                entry.path(),
                place.path(&entry.file_name().to_string_lossy()),
            )
            .unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, words: &str) -> Output {
        Command::new(env!("CARGO_BIN_EXE_straylight"))
            .args(words.split_whitespace())
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// Runs a command that must succeed; gives its standard output.
    fn good(&self, words: &str) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command that must fail with a code and say something about it.
    fn bad(&self, words: &str, code: i32, about: &str) {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(code), "{words}");
        let error = text(&output.stderr);
        assert!(error.contains(about), "{words}: {error}");
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// The arrays of doubles of an archive whose entries are stored, by name.
    fn arrays(&self, name: &str) -> Vec<(String, Vec<f64>)> {
        let bytes = std::fs::read(self.path(name)).unwrap();
        let mut rest = bytes.as_slice();
        let mut found = Vec::new();
        while let Some(header) = rest.strip_prefix(b"PK\x03\x04") {
            let number = |at: usize, size: usize| -> usize {
                header[at..at + size]
                    .iter()
                    .rev()
                    .fold(0, |sum, &byte| sum << 8 | usize::from(byte))
            };
            let (size, name, extra) = (number(14, 4), number(22, 2), number(24, 2));
            let start = 26 + name + extra;
            let array = &header[start..start + size];
            let words = usize::from(u16::from_le_bytes([array[8], array[9]]));
            let (numbers, _) = array[10 + words..].as_chunks::<8>();
            let numbers = numbers
                .iter()
                .map(|bytes| f64::from_le_bytes(*bytes))
                .collect();
            found.push((text(&header[26..26 + name]), numbers));
            rest = &header[start + size..];
        }
        found
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const FIT: &str = "ood fit --train train.npz --calibrate calibrate.npz --out model";

#[test]
fn a_fit_promises_and_reports_what_it_did() {
    let place = Place::new();
    let told = place.good(&format!("{FIT} --json fit.json"));
    for part in [
        "330 for the threshold",
        "at most 1",
        "detectors: gaussian",
        "knn_first",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let report = place.json("fit.json");
    let promise = &report["threshold"]["promise"];
    assert_eq!(promise["images"], 330);
    assert_eq!(promise["max_false_collection_rate"], 0.01);
    assert_eq!(report["in_distribution"]["fit"], 360);
    assert_eq!(report["detectors"].as_array().unwrap().len(), 6);
    assert!(
        report["left_out"].as_array().unwrap().is_empty(),
        "{report}"
    );
    // Standard output holds the report alone when it is asked for there.
    let alone: Value = serde_json::from_str(&place.good(&format!("{FIT} --json -"))).unwrap();
    assert_eq!(alone, report);
}

#[test]
fn scores_have_one_array_a_detector_and_the_combination() {
    let place = Place::new();
    place.good(FIT);
    place.good("ood score model strange.npz --out scores.npz");
    let arrays = place.arrays("scores.npz");
    let names: Vec<&str> = arrays.iter().map(|(name, _)| name.as_str()).collect();
    for detector in [
        "gaussian",
        "gaussian_unit",
        "class_fre_minimum",
        "knn_first",
        "neco",
    ] {
        assert!(
            names.contains(&format!("{detector}.npy").as_str()),
            "{names:?}"
        );
    }
    assert_eq!(names.len(), 7, "{names:?}");
    assert!(arrays.iter().all(|(_, values)| values.len() == 60));
    let (_, scores) = arrays.iter().find(|(name, _)| name == "score.npy").unwrap();
    assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)));
    let shown: Value = serde_json::from_str(&place.good("ood show model")).unwrap();
    let threshold = shown["threshold"]["value"].as_f64().unwrap();
    let found = scores.iter().filter(|&&score| score >= threshold).count();
    assert!(found > 50, "{found} of 60 strange images found");
    assert_eq!(shown["dimensions"], 8);
}

#[test]
fn an_evaluation_is_a_table_a_page_and_json() {
    let place = Place::new();
    place.good(FIT);
    let eval = "ood eval model --id known.npz --ood strange.npz";
    let table = place.good(&format!("{eval} --json eval.json --html eval.html"));
    assert!(table.contains("score (the combination)"), "{table}");
    let report = place.json("eval.json");
    assert!(
        report["model"]["auroc"].as_f64().unwrap() > 0.99,
        "{report}"
    );
    assert_eq!(report["in_distribution"].as_array().unwrap().len(), 100);
    assert_eq!(report["outliers"].as_array().unwrap().len(), 60);
    let page = std::fs::read_to_string(place.path("eval.html")).unwrap();
    for part in ["<!doctype html>", "<svg", "knn_first"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_threshold_is_found_anew() {
    let place = Place::new();
    place.good("ood fit --train train.npz --relax --out model");
    let before: Value = serde_json::from_str(&place.good("ood show model")).unwrap();
    let told = place.good(
        "ood calibrate model calibrate.npz --max-false-collection-rate 0.01 --confidence 0.95",
    );
    assert!(told.contains("threshold"), "{told}");
    let after: Value = serde_json::from_str(&place.good("ood show model")).unwrap();
    assert_ne!(before["threshold"], after["threshold"]);
    assert_eq!(after["threshold"]["promise"]["images"], 330);
    place.bad("ood calibrate model known.npz", 1, "needs 299 held-out");
    let same: Value = serde_json::from_str(&place.good("ood show model")).unwrap();
    assert_eq!(same, after, "a refusal changes nothing");
}

#[test]
fn kinds_that_learn_from_outliers_take_them() {
    let place = Place::new();
    for kind in ["geti", "supervised"] {
        let words = format!("{FIT} --kind {kind} --outliers outliers.npz --json {kind}.json");
        place.good(&words);
        let report = place.json(&format!("{kind}.json"));
        assert!(
            report["test"]["auroc"].as_f64().unwrap() > 0.95,
            "{kind}: {report}"
        );
        place.bad(&format!("{FIT} --kind {kind}"), 1, "learns from outliers");
    }
    let words = "--kind geti --no-reconstruction --outliers outliers.npz --json fast.json";
    place.good(&format!("{FIT} {words}"));
    let report = place.json("fast.json");
    let detectors = report["detectors"].as_array().unwrap();
    assert!(!detectors.is_empty());
    for detector in detectors {
        assert!(!detector["name"].as_str().unwrap().contains("fre"));
    }
}

#[test]
fn the_same_fit_gives_the_same_bytes() {
    let place = Place::new();
    let content = || {
        let entries = std::fs::read_dir(place.path("model")).unwrap();
        let mut files: Vec<(PathBuf, Vec<u8>)> = entries
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    place.good(FIT);
    let first = content();
    place.good(FIT);
    assert_eq!(content(), first);
    assert_eq!(first.len(), 2);
}

#[test]
fn bad_input_is_refused_with_its_reason() {
    struct Case(&'static str, i32, &'static str);
    let place = Place::new();
    place.good(FIT);
    for Case(words, code, about) in [
        Case(
            "ood fit --train train.npz --out other",
            1,
            "needs 299 held-out",
        ),
        Case(
            "ood fit --train no-features.npz --out other",
            1,
            "no array `features`",
        ),
        Case(
            "ood fit --train not-a-number.npz --out other",
            1,
            "NaN or infinity",
        ),
        Case("ood fit --train make.py --out other", 1, "make.py"),
        Case("ood fit --train nowhere.npz --out other", 1, "nowhere.npz"),
        Case("ood fit --train train.npz", 2, "--out"),
        Case("ood fit --out other", 2, "--train"),
        Case(
            "ood fit --train train.npz --out other --kind forest",
            2,
            "forest",
        ),
        Case(
            "ood fit --train train.npz --out other --max-false-collection-rate 2",
            1,
            "between 0 and 1",
        ),
        Case("ood score nowhere known.npz --out scores.npz", 1, "nowhere"),
        Case(
            "ood score model no-features.npz --out scores.npz",
            1,
            "no array `features`",
        ),
        Case("ood eval model --id known.npz", 2, "--ood"),
        Case(
            "ood eval model --id known.npz --ood nowhere.npz",
            1,
            "nowhere.npz",
        ),
    ] {
        place.bad(words, code, about);
    }
    assert!(!place.path("other").exists() && !place.path("scores.npz").exists());
    std::fs::write(place.path("model/ood_model.json"), "{").unwrap();
    place.bad("ood show model", 1, "ood_model.json");
}
