//! A proposed description is tried: what it describes must load and give a result.

use straylight_core::RgbImage;
use straylight_engine::CompileOptions;
use straylight_tasks::{Size, TaskError};

use super::evidence::Evidence;
use crate::custom::ModelDescription;
use crate::model::TaskModel;
use crate::picture::Picture;
use crate::{DeployError, Keep};

/// Width and height of the made-up image.
const SIZE: (u32, u32) = (320, 240);

/// Loads what is described and infers one made-up image; returns what is worth a look.
pub(super) fn run(
    evidence: &Evidence<'_>,
    description: &ModelDescription,
) -> Result<Option<String>, DeployError> {
    let path = evidence.model.with_file_name("straylight.json");
    let options = CompileOptions::default();
    let (_, models) = description.load(&path, evidence.runtime(), &options)?;
    let any_size = evidence.input.shape.contains(&None) && description.input.size.is_none();
    for model in &models {
        match infer(model) {
            Ok(()) => {}
            Err(error) => return judged(evidence, error, any_size),
        }
    }
    Ok(None)
}

fn infer(model: &TaskModel) -> Result<(), DeployError> {
    let (width, height) = SIZE;
    let levels =
        (0..width * height * 3).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8);
    let Ok(image) = RgbImage::new(width, height, levels.collect::<Vec<u8>>()) else {
        return Ok(());
    };
    let picture = Picture {
        image: &image,
        deep: None,
        size: Size::new(width, height),
    };
    model.infer(picture, Keep::ACTIVATIONS).map(|_| ())
}

/// What a failed inference says of the description.
fn judged(
    evidence: &Evidence<'_>,
    error: DeployError,
    any_size: bool,
) -> Result<Option<String>, DeployError> {
    match error {
        // A graph may want sides that are multiples of something.
        DeployError::Engine(_) if any_size => Ok(Some(format!(
            "a made-up image of {} x {} cannot be run: {error}",
            SIZE.0, SIZE.1
        ))),
        // Other images may be well.
        DeployError::Task {
            source: TaskError::NotFinite { .. },
            ..
        } => Ok(Some(format!("for a made-up image, {error}"))),
        DeployError::Task { source, .. } if is_of_labels(&source) => Err(evidence.undecided(
            "labels",
            source.to_string(),
            &[(
                "--set labels=NAME,NAME",
                "one name for each class, in the order of the training; or in labels.txt",
            )],
        )),
        other => Err(other),
    }
}

fn is_of_labels(error: &TaskError) -> bool {
    match error {
        TaskError::NoSuchLabel { .. } => true,
        TaskError::Output { reason, .. } => reason.contains("labels"),
        _ => false,
    }
}
