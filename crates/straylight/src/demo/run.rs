//! The model meets the held-out photos, with hooks and without.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use straylight_core::{Frame, Prediction, Progress};
use straylight_deploy::{Deployment, Keep};
use straylight_hooks::action::{
    FileSystemDataCollection, FileSystemOptions, LocalDatasetCollection, LocalStore,
};
use straylight_hooks::trigger::OodTrigger;
use straylight_hooks::{HookOptions, PostInferenceHook};
use straylight_store::Store;

use super::assets::{Assets, Photo};
use super::{DATASET, DemoError};

/// How long the hooks may take to deliver what they accepted: they write to this disk, and when it
/// is full waiting for longer frees nothing.
const DRAIN: Duration = Duration::from_secs(15);
/// Photos that are inferred before the first clock starts, so that both passes are warm.
const WARM_UP: usize = 5;

/// All held-out photos after one pass through the model.
pub(super) struct Pass {
    pub(super) photos: Vec<(Photo, bool, Frame, Prediction)>,
    pub(super) images_per_second: f64,
}

/// A photo that the model met.
pub(super) struct Met {
    /// Class, or folder for a strange photo, and file name.
    pub(super) name: String,
    pub(super) label: String,
    pub(super) is_strange: bool,
    /// Whether it is in the dataset that the hook fills.
    pub(super) is_collected: bool,
    /// OOD score, `0..=1`.
    pub(super) score: f64,
    pub(super) frame: Frame,
    pub(super) prediction: Prediction,
}

impl Met {
    /// Whether a known photo got its own class.
    pub(super) fn is_right(&self) -> bool {
        !self.is_strange
            && self
                .prediction
                .top_label()
                .is_some_and(|label| label.name == self.label)
    }
}

/// Collects strays into the dataset and into a folder.
pub(super) fn attach_hooks(
    deployment: &Deployment,
    store: &Arc<Store>,
    project: &str,
    folder: &Path,
) -> Result<(), DemoError> {
    let dataset =
        LocalDatasetCollection::new(LocalStore::Open(Arc::clone(store)), project, DATASET);
    let files = FileSystemDataCollection::new(FileSystemOptions::new(folder.join("collected")));
    for (name, action) in [
        ("dataset", Box::new(dataset) as Box<_>),
        ("folder", Box::new(files) as Box<_>),
    ] {
        let Some(model) = deployment.ood_model() else {
            continue;
        };
        let trigger = Box::new(OodTrigger::new(Arc::clone(&model) as Arc<_>));
        let options = HookOptions {
            name: Some(name.to_owned()),
            ..HookOptions::default()
        };
        deployment.add_hook(PostInferenceHook::new(trigger, action, options))?;
    }
    Ok(())
}

/// Infers a few photos that are not counted.
pub(super) fn warm_up(deployment: &Deployment, assets: &Assets) -> Result<(), DemoError> {
    for photo in assets.split.known.iter().take(WARM_UP) {
        deployment.infer(&deployment.read_frame(&assets.path(photo))?)?;
    }
    Ok(())
}

/// Decodes and infers every held-out photo; the clock stops when all is collected.
pub(super) fn timed(
    deployment: &Deployment,
    assets: &Assets,
    what: &str,
    progress: &dyn Progress,
) -> Result<Pass, DemoError> {
    let known = assets.split.known.iter().map(|photo| (photo, false));
    let strange = assets.split.strange.iter().map(|photo| (photo, true));
    let all: Vec<_> = known.chain(strange).collect();
    progress.begin(what, all.len() as u64);
    let start = Instant::now();
    let mut photos = Vec::with_capacity(all.len());
    for (photo, is_strange) in all {
        let frame = deployment.read_frame(&assets.path(photo))?;
        let prediction = deployment.infer_with(&frame, Keep::ACTIVATIONS)?;
        photos.push((photo.clone(), is_strange, frame, prediction));
        progress.advance(1);
    }
    deployment.hooks().drain(DRAIN);
    let images_per_second = photos.len() as f64 / start.elapsed().as_secs_f64();
    progress.finish();
    Ok(Pass {
        photos,
        images_per_second,
    })
}

/// Scores every photo and looks up which were collected; the highest score comes first.
pub(super) fn score(
    deployment: &Deployment,
    photos: Vec<(Photo, bool, Frame, Prediction)>,
    collected: &HashSet<String>,
) -> Result<Vec<Met>, DemoError> {
    let Some(model) = deployment.ood_model() else {
        return Ok(Vec::new());
    };
    let mut met = Vec::with_capacity(photos.len());
    for (photo, is_strange, frame, prediction) in photos {
        met.push(Met {
            score: model.score(&prediction.activations)?.value(),
            name: photo.name(),
            label: photo.label,
            is_strange,
            is_collected: collected.contains(frame.name()),
            frame,
            prediction,
        });
    }
    met.sort_by(|a, b| b.score.total_cmp(&a.score));
    Ok(met)
}
