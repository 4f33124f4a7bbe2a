//! Triggers and actions of one's own, and the forms in which pictures are kept.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use std::path::Path;
use std::sync::{Arc, Mutex};

use common::*;
use straylight_core::{EncodedImage, Frame, ImageFormat, Prediction, RgbImage, Timestamp};
use straylight_hooks::action::{FileSystemDataCollection, FileSystemOptions, PictureFormat};
use straylight_hooks::config::HookConfig;
use straylight_hooks::trigger::{AlwaysTrigger, Trigger, TriggerError};
use straylight_hooks::{HookOptions, HookSetOptions, Observer, Outcome, PostInferenceHook};

/// Wants images that are at least twice as wide as high; knows nothing of very low ones.
struct Wide;

impl Trigger for Wide {
    fn name(&self) -> &'static str {
        "Wide"
    }

    fn score(&self, frame: &Frame, _: &Prediction) -> Result<f64, TriggerError> {
        let (width, height) = (frame.image().width(), frame.image().height());
        assert!(height > 1, "boom");
        if height == 2 {
            return Err(TriggerError::failed(self.name(), "too low"));
        }
        Ok(f64::from(width) / f64::from(height))
    }

    fn decide(&self, score: f64) -> bool {
        score >= 2.0
    }
}

/// Writes down what was decided about each image.
#[derive(Default)]
struct Record(Mutex<Vec<(String, Outcome)>>);

impl Observer for Record {
    fn decided(&self, hook: &str, frame: &Frame, outcome: &Outcome) {
        assert_eq!(hook, "hook");
        let name = frame.name().to_owned();
        self.0.lock().unwrap().push((name, outcome.clone()));
    }
}

fn sized(name: &str, width: u32, height: u32) -> Frame {
    let image = RgbImage::filled(width, height, [7; 3]).unwrap();
    Frame::new(image, name, Timestamp::UNIX_EPOCH)
}

#[test]
fn a_trigger_and_an_action_of_ones_own_work_and_every_score_is_told() {
    let record = Arc::new(Record::default());
    let hooks = Watched::new(HookSetOptions {
        observer: Arc::clone(&record) as Arc<dyn Observer>,
        ..HookSetOptions::default()
    });
    let sink = Sink::new(|_| Ok(()));
    let hook = PostInferenceHook::new(Box::new(Wide), Box::new(sink.clone()), inline());
    hooks.add(hook).unwrap();
    let images = [
        ("square", 8, 8),
        ("wide", 16, 8),
        ("low", 8, 2),
        ("bomb", 8, 1),
    ];
    for (name, width, height) in images {
        hooks.show(&sized(name, width, height), &Prediction::default());
    }
    assert_eq!(sink.has(), ["wide"]);
    let told = record.0.lock().unwrap();
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["square", "wide", "low", "bomb"]);
    assert_eq!(told[0].1, Outcome::NotFired { score: 1.0 });
    assert!(told[1].1.is_fired() && told[1].1.score() == Some(2.0));
    for ((_, outcome), expected) in told[2..].iter().zip(["too low", "panicked"]) {
        let Outcome::Failed { error } = outcome else {
            panic!("{outcome:?}")
        };
        assert!(error.contains(expected), "{error}");
    }
    let stats = hooks.statistics();
    assert_eq!((stats.evaluated, stats.failed, stats.not_fired), (4, 2, 1));
    assert_eq!((stats.scores.count, stats.scores.sum), (2, 3.0));
}

#[test]
fn what_is_ones_own_cannot_be_saved_and_the_error_says_which_and_what_to_do() {
    struct Case(PostInferenceHook, &'static str);
    let sink = || Box::new(Sink::new(|_| Ok(())));
    let files = || Box::new(FileSystemDataCollection::new(FileSystemOptions::new("x")));
    let hook = HookOptions::default;
    for Case(hook, expected) in [
        Case(
            PostInferenceHook::new(Box::new(Wide), files(), hook()),
            "trigger `Wide`",
        ),
        Case(
            PostInferenceHook::new(Box::new(AlwaysTrigger), sink(), hook()),
            "action `Sink`",
        ),
    ] {
        let error = HookConfig::of(&hook).unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains("add it again after loading"),
            "{error}"
        );
    }
}

/// The only file in a folder: its extension and its bytes.
fn only_file(folder: &Path) -> (String, Vec<u8>) {
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().collect();
    let [Ok(file)] = &files[..] else {
        panic!("one file: {files:?}")
    };
    let extension = file.path().extension().unwrap().display().to_string();
    (extension, std::fs::read(file.path()).unwrap())
}

#[test]
fn pictures_are_kept_as_png_as_jpeg_or_byte_for_byte() {
    struct Case(PictureFormat, &'static str);
    let image = striped(3).image().clone();
    let original: Arc<[u8]> = straylight_image::encode_jpeg(&image, 80).unwrap().into();
    let encoded = EncodedImage {
        format: ImageFormat::Jpeg,
        bytes: Arc::clone(&original),
    };
    let frame = Frame::new(image.clone(), "x", Timestamp::UNIX_EPOCH).with_encoded(encoded);
    for Case(picture_format, extension) in [
        Case(PictureFormat::Png, "png"),
        Case(PictureFormat::Jpeg, "jpg"),
        Case(PictureFormat::Original, "jpg"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let action = FileSystemDataCollection::new(FileSystemOptions {
            picture_format,
            ..FileSystemOptions::new(folder.path())
        });
        let hooks = Watched::new(HookSetOptions::default());
        let trigger = Box::new(AlwaysTrigger);
        hooks
            .add(PostInferenceHook::new(trigger, Box::new(action), inline()))
            .unwrap();
        hooks.show(&frame, &Prediction::default());
        let (found, bytes) = only_file(&folder.path().join("images"));
        assert_eq!(found, extension, "{picture_format:?}");
        let (decoded, _) = straylight_image::decode(&bytes).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (72, 64));
        match picture_format {
            PictureFormat::Png => assert!(decoded == image, "PNG loses nothing"),
            PictureFormat::Original => assert_eq!(&bytes[..], &original[..]),
            PictureFormat::Jpeg => assert!(bytes[..] != original[..], "written anew"),
        }
    }
}
