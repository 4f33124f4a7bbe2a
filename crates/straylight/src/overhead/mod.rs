//! "What about overhead?": a deployment alone, with decoding, and with a hook, one image at a time
//! and asynchronously, measured one after the other in one process.

mod measure;
mod plot;

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use straylight_core::Progress;
use straylight_deploy::{DeployError, Deployment, LoadOptions, SavedHooks};
use straylight_files::FileError;
use straylight_hooks::HookError;
use straylight_image::ImageError;

pub use plot::plot;

/// What is measured.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OverheadOptions {
    /// The deployment's folder; its own hooks are left out.
    pub deployment: PathBuf,
    /// The images, at least one; they are used again and again.
    pub images: Vec<PathBuf>,
    /// Seconds of each measurement.
    pub seconds: f64,
    /// How the deployment is loaded.
    pub load: LoadOptions,
}

impl OverheadOptions {
    /// Three seconds for each row.
    pub fn new(deployment: impl Into<PathBuf>, images: Vec<PathBuf>) -> Self {
        Self {
            deployment: deployment.into(),
            images,
            seconds: 3.0,
            load: LoadOptions::default(),
        }
    }
}

/// How images are handed to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One after the other on one thread.
    Sync,
    /// Several at once, as many as the deployment can infer.
    Async,
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OverheadRow {
    /// How images were handed over.
    pub mode: Mode,
    /// Whether each image was decoded from its file each time.
    pub decode: bool,
    /// Whether a hook fired on every image and wrote picture, prediction, score and overlay.
    pub hook: bool,
    /// Images inferred.
    pub images: usize,
    /// Images a second, until the last file of the hook was written.
    pub images_per_second: f64,
    /// Median time from handing an image over to its prediction, in milliseconds.
    pub latency_median_ms: f64,
    /// Time within which 90 % of the predictions were there, in milliseconds.
    pub latency_p90_ms: f64,
    /// Time within which 99 % of the predictions were there, in milliseconds.
    pub latency_p99_ms: f64,
}

impl OverheadRow {
    /// What was measured, in words.
    pub fn name(&self) -> &'static str {
        match (self.decode, self.hook) {
            (false, false) => "model alone",
            (true, false) => "with decoding",
            (false, true) => "with a hook",
            (true, true) => "with both",
        }
    }
}

/// The table could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OverheadError {
    /// No image was named.
    #[error("name at least one image to infer")]
    NoImages,
    /// The time of a row is no time.
    #[error("{0} is not a number of seconds above 0")]
    Seconds(f64),
    /// Loading or running the deployment.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// Reading an image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Attaching the hook.
    #[error(transparent)]
    Hook(#[from] HookError),
    /// The folder for what the hook writes.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Measures all rows.
pub fn overhead(
    options: &OverheadOptions,
    progress: &dyn Progress,
) -> Result<Vec<OverheadRow>, OverheadError> {
    if options.images.is_empty() {
        return Err(OverheadError::NoImages);
    }
    if !(options.seconds.is_finite() && options.seconds > 0.0) {
        return Err(OverheadError::Seconds(options.seconds));
    }
    let load = LoadOptions {
        hooks: SavedHooks::Ignore,
        ..options.load.clone()
    };
    let deployment = Deployment::from_folder_with_progress(&options.deployment, &load, progress)?;
    let bench = measure::Bench::new(Arc::new(deployment), options)?;
    let kinds = [(false, false), (true, false), (false, true), (true, true)];
    progress.begin("Measuring", 2 * kinds.len() as u64);
    let mut rows = Vec::new();
    for mode in [Mode::Sync, Mode::Async] {
        for (decode, hook) in kinds {
            rows.push(bench.row(mode, decode, hook)?);
            progress.advance(1);
        }
    }
    progress.finish();
    Ok(rows)
}
