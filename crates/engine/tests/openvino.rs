//! The real OpenVINO on the demo's model.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use straylight_core::NoProgress;
use straylight_engine::graph::IrModel;
use straylight_engine::{
    CompileOptions, CompiledModel, ElementType, EngineError, ImageInput, Layout, ModelSource,
    Runtime, RuntimeOptions,
};

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::load(&RuntimeOptions::default(), &NoProgress).unwrap())
}

fn model() -> PathBuf {
    let deployment = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/demo/deployment");
    let task = std::fs::read_dir(deployment)
        .unwrap()
        .flatten()
        .find(|entry| entry.path().is_dir());
    task.unwrap().path().join("model/model.xml")
}

fn compile(options: &CompileOptions) -> CompiledModel {
    let image = ImageInput {
        element: ElementType::U8,
        layout: Layout::Nchw,
        reverse_channels: false,
        mean: vec![127.0; 3],
        scale: vec![128.0; 3],
    };
    runtime()
        .compile(&ModelSource::file(model()).with_image_input(image), options)
        .unwrap()
}

/// The logits of an image whose every byte is `level`.
fn logits(model: &CompiledModel, level: u8) -> Vec<f32> {
    let mut session = model.session().unwrap();
    session
        .write_input(0, |pixels: &mut [u8]| pixels.fill(level))
        .unwrap();
    session.run().unwrap();
    session
        .output_named("logits")
        .unwrap()
        .unwrap()
        .values::<f32>()
        .unwrap()
        .to_vec()
}

#[test]
fn pixels_go_in_and_logits_and_features_come_out() {
    let model = compile(&CompileOptions::default());
    assert_eq!(model.inputs()[0].element, ElementType::U8);
    assert_eq!(
        model.inputs()[0].shape,
        [Some(1), Some(224), Some(224), Some(3)]
    );
    let mut session = model.session().unwrap();
    session
        .write_input(0, |pixels: &mut [u8]| pixels.fill(200))
        .unwrap();
    session.run().unwrap();
    let features = session.output_named("feature_vector").unwrap().unwrap();
    assert_eq!(features.shape(), [1, 1280]);
    let saliency = session.output_named("saliency_map").unwrap().unwrap();
    assert_eq!(saliency.element(), ElementType::U8);
    assert!(
        saliency
            .values::<f32>()
            .unwrap_err()
            .to_string()
            .contains("saliency_map")
    );
    assert!(session.output_named("nothing").unwrap().is_none());
}

#[test]
fn the_head_s_weights_give_the_model_s_logits() {
    let head = IrModel::read(&model())
        .unwrap()
        .head_weights("logits")
        .unwrap()
        .unwrap();
    let model = compile(&CompileOptions::default());
    let mut session = model.session().unwrap();
    session
        .write_input(0, |pixels: &mut [u8]| pixels.fill(90))
        .unwrap();
    session.run().unwrap();
    let features = session.output_named("feature_vector").unwrap().unwrap();
    let expected = session.output_named("logits").unwrap().unwrap();
    let computed = head.logits(features.values().unwrap()).unwrap();
    for (computed, expected) in computed.iter().zip(expected.values::<f32>().unwrap()) {
        assert!((computed - expected).abs() < 1e-3, "{computed} {expected}");
    }
}

#[test]
fn threads_share_few_requests_and_never_mix_their_results() {
    let model = compile(&CompileOptions {
        requests: 2,
        ..CompileOptions::default()
    });
    assert_eq!(model.requests(), 2);
    let levels: [u8; 8] = [0, 30, 60, 90, 120, 150, 200, 255];
    let expected: Vec<Vec<f32>> = levels.iter().map(|&level| logits(&model, level)).collect();
    std::thread::scope(|scope| {
        for (level, expected) in levels.iter().zip(&expected) {
            let model = &model;
            scope.spawn(move || {
                for _ in 0..10 {
                    assert_eq!(&logits(model, *level), expected);
                }
            });
        }
    });
}

#[test]
fn a_compiled_model_is_cached_on_disk() {
    let cache = tempfile::tempdir().unwrap();
    let options = CompileOptions {
        cache: Some(cache.path().to_owned()),
        ..CompileOptions::default()
    };
    let first = logits(&compile(&options), 77);
    assert!(std::fs::read_dir(cache.path()).unwrap().next().is_some());
    assert_eq!(logits(&compile(&options), 77), first);
}

#[test]
fn files_that_are_missing_or_damaged_are_named() {
    struct Case {
        xml: Option<usize>,
        bin: Option<usize>,
        names: &'static str,
    }
    let (xml, bin) = (
        std::fs::read(model()).unwrap(),
        std::fs::read(model().with_extension("bin")).unwrap(),
    );
    for case in [
        Case {
            xml: None,
            bin: Some(bin.len()),
            names: "model.xml",
        },
        Case {
            xml: Some(xml.len()),
            bin: None,
            names: "model.bin",
        },
        Case {
            xml: Some(xml.len() / 2),
            bin: Some(bin.len()),
            names: "model.xml",
        },
        Case {
            xml: Some(xml.len()),
            bin: Some(bin.len() / 2),
            names: "model.xml",
        },
        Case {
            xml: Some(0),
            bin: Some(bin.len()),
            names: "model.xml",
        },
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.xml");
        if let Some(length) = case.xml {
            std::fs::write(&path, &xml[..length]).unwrap();
        }
        if let Some(length) = case.bin {
            std::fs::write(path.with_extension("bin"), &bin[..length]).unwrap();
        }
        let error = runtime()
            .compile(&ModelSource::file(&path), &CompileOptions::default())
            .unwrap_err();
        let message = error.to_string();
        assert!(message.contains(case.names), "{message}");
        assert!(!error.hint().is_empty(), "{message}");
    }
}

#[test]
fn an_unknown_device_is_named() {
    let options = CompileOptions {
        device: "TOASTER".to_owned(),
        ..CompileOptions::default()
    };
    let error = runtime()
        .compile(&ModelSource::file(model()), &options)
        .unwrap_err();
    assert!(matches!(&error, EngineError::OpenVino { .. }), "{error}");
    assert!(error.to_string().contains("TOASTER"), "{error}");
}

#[test]
fn the_doctor_sees_the_cpu() {
    runtime();
    let report = straylight_engine::doctor::examine(&RuntimeOptions::default().environment);
    assert!(
        report
            .devices
            .iter()
            .any(|device| device.name == "CPU" && !device.full_name.is_empty())
    );
    assert!(report.runtime.unwrap().version.is_some());
    assert!(!report.searched.is_empty());
}
