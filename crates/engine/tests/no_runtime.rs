//! A machine without OpenVINO. These tests load none, so that they see the search itself.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use straylight_core::NoProgress;
use straylight_engine::env::{self, Environment};
use straylight_engine::{EngineError, Runtime, RuntimeOptions, doctor};

fn load(environment: Environment, may_fetch: bool) -> EngineError {
    Runtime::load(
        &RuntimeOptions {
            environment,
            may_fetch,
        },
        &NoProgress,
    )
    .unwrap_err()
}

#[test]
fn a_variable_that_names_an_empty_place_is_not_passed_over() {
    let empty = tempfile::tempdir().unwrap();
    let environment = Environment::default().with(env::STRAYLIGHT_OPENVINO, empty.path());
    let error = load(environment, true);
    let text = error.to_string();
    assert!(text.contains("STRAYLIGHT_OPENVINO"), "{text}");
    assert!(text.contains(&*empty.path().to_string_lossy()), "{text}");
    assert!(
        error.hint().contains("pip install openvino"),
        "{}",
        error.hint()
    );
}

#[test]
fn a_library_that_is_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("libopenvino_c.so.2641");
    std::fs::write(&library, b"not a library").unwrap();
    let environment = Environment::default().with(env::STRAYLIGHT_OPENVINO, folder.path());
    let error = load(environment, true);
    assert!(
        matches!(&error, EngineError::Load { path, .. } if *path == library),
        "{error}"
    );
}

/// Only where the system itself has no OpenVINO can one be missing.
fn bare_machine(cache: &std::path::Path) -> Option<Environment> {
    let environment = Environment::default()
        .with(env::STRAYLIGHT_PYTHON, "/no/such/python3")
        .with(env::STRAYLIGHT_CACHE, cache);
    doctor::examine(&environment)
        .runtime
        .is_none()
        .then_some(environment)
}

#[test]
fn without_runtime_and_pip_the_error_lists_the_places_and_the_way_out() {
    let cache = tempfile::tempdir().unwrap();
    let Some(environment) = bare_machine(cache.path()) else {
        return;
    };
    let error = load(environment.clone(), true);
    let text = error.to_string();
    assert!(text.contains("python3 with pip is not there"), "{text}");
    assert!(text.contains("/no/such/python3"), "{text}");
    assert!(error.hint().contains("STRAYLIGHT_OPENVINO"));
    assert_eq!(std::fs::read_dir(cache.path()).unwrap().count(), 0);
    let report = doctor::examine(&environment);
    assert!(
        report.hints[0].contains("install python3 and pip"),
        "{:?}",
        report.hints
    );
}

#[test]
fn nothing_is_fetched_when_fetching_is_off() {
    let cache = tempfile::tempdir().unwrap();
    let Some(environment) = bare_machine(cache.path()) else {
        return;
    };
    let text = load(environment, false).to_string();
    assert!(text.contains("fetching is switched off"), "{text}");
}
