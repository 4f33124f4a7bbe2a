//! The demo: a deployed model meets photos that it has never seen.
//!
//! Everything it says is computed in the run: the photos of the four classes that the model was
//! trained on become a local project, an OOD model is fitted on them, hooks are attached, and
//! the held-out photos go through. Which of them are strange is used only to judge the result.

mod assets;
mod folder;
mod import;
mod report;
mod run;
mod sheet;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use straylight_core::{ImageSizeError, Progress};
use straylight_deploy::{DeployError, Deployment, LoadOptions};
use straylight_files::FileError;
use straylight_hooks::HookError;
use straylight_image::ImageError;
use straylight_ood::{FitOptions, RocCurve, ScoreError};
use straylight_store::{ImageFilter, ImageSort, Page, SortDirection, Store, StoreError};

pub use report::DemoReport;

use self::assets::Assets;
use self::run::Met;
use crate::fit::{OodFitError, Outliers, fit_ood, stored_images};

/// Dataset of the local project that receives the strays; the name of the notebook.
const DATASET: &str = "OOD Images Collected";

/// How the demo runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DemoOptions {
    /// Folder for everything that the demo makes; one that an earlier demo made is replaced.
    pub folder: PathBuf,
    /// Folder with `deployment`, `photos` and `split.json`; found by itself if it is `None`.
    pub assets: Option<PathBuf>,
    /// How the deployment is loaded.
    pub load: LoadOptions,
    /// How the OOD model is fitted.
    pub fit: FitOptions,
}

impl DemoOptions {
    /// The defaults, everything going into `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            assets: None,
            load: LoadOptions::default(),
            fit: FitOptions::default(),
        }
    }
}

/// The demo could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// The demo's assets were not found.
    #[error(
        "the demo's photos and deployment were not found in {}: name their folder with --assets",
        list(searched)
    )]
    NoAssets {
        /// Where they were looked for.
        searched: Vec<PathBuf>,
    },
    /// A file of the assets is not what it should be.
    #[error("{}: {source}; name another folder of assets or restore this one", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line, column and what was wrong.
        source: serde_json::Error,
    },
    /// The demo's folder holds something that no demo made.
    #[error(
        "{} is not empty and was not made by the demo: name another folder with --dir",
        folder.display()
    )]
    NotOurs {
        /// The folder.
        folder: PathBuf,
    },
    /// There are no known or no strange photos in the split.
    #[error("the split holds no known or no strange photos, so there is nothing to compare")]
    NothingToCompare,
    /// Writing or reading a file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Reading or writing a photo.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The local store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Loading, running or saving the deployment.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// Fitting the OOD model.
    #[error(transparent)]
    Fit(#[from] OodFitError),
    /// Drawing the contact sheet.
    #[error(transparent)]
    Sheet(#[from] ImageSizeError),
    /// Scoring a photo.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// Attaching a hook.
    #[error(transparent)]
    Hook(#[from] HookError),
}

fn list(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(" or ")
}

/// Runs the demo from the empty folder to the contact sheet.
pub fn run(options: &DemoOptions, progress: &dyn Progress) -> Result<DemoReport, DemoError> {
    let start = Instant::now();
    let assets = Assets::open(options.assets.as_deref())?;
    // Saved hooks hold their folders: an absolute one is found from wherever they are loaded.
    let folder = &folder::prepare(&options.folder)?;
    let deployment =
        Deployment::from_folder_with_progress(assets.deployment(), &options.load, progress)?;
    let store = Arc::new(Store::open(folder.join("store"))?);
    let project = import::training_photos(&store, &deployment, &assets, progress)?;
    let known = stored_images(&store, &project.training_dataset)?;
    let fitted = fit_ood(
        &deployment,
        &known,
        &Outliers::Automatic,
        &options.fit,
        progress,
    )?;
    let threshold = fitted.model.threshold();
    deployment.set_ood_model(Arc::new(fitted.model))?;

    run::warm_up(&deployment, &assets)?;
    let without_hooks = run::timed(&deployment, &assets, "Without hooks", progress)?;
    run::attach_hooks(&deployment, &store, &project.id, folder)?;
    let with_hooks = run::timed(&deployment, &assets, "With two hooks", progress)?;
    deployment.save(folder)?;

    let collected = collected_names(&store, &project.id)?;
    let met = run::score(&deployment, with_hooks.photos, &collected)?;
    let contact_sheet = folder.join("contact-sheet.png");
    sheet::write(&contact_sheet, &met, threshold)?;
    Ok(DemoReport {
        collected: collected.len(),
        threshold,
        project: project.name,
        store: store.root().to_owned(),
        folder: folder.join("collected"),
        deployment: folder.join("deployment"),
        contact_sheet,
        images_per_second_without_hooks: without_hooks.images_per_second,
        images_per_second_with_hooks: with_hooks.images_per_second,
        seconds: start.elapsed().as_secs_f64(),
        ..judge(&met)?
    })
}

/// The names of the photos in the dataset that the hook fills.
fn collected_names(store: &Store, project: &str) -> Result<HashSet<String>, StoreError> {
    let Some(dataset) = store.dataset_named(project, DATASET)? else {
        return Ok(HashSet::new());
    };
    let sort = (ImageSort::Name, SortDirection::Ascending);
    let page = store.images(&dataset.id, &ImageFilter::default(), sort, Page::ALL)?;
    Ok(page.images.into_iter().map(|image| image.name).collect())
}

/// Compares what the model found strange with what is.
fn judge(met: &[Met]) -> Result<DemoReport, DemoError> {
    let scores = |strange: bool| -> Vec<f64> {
        met.iter()
            .filter(|photo| photo.is_strange == strange)
            .map(|photo| photo.score)
            .collect()
    };
    let (known, strange) = (scores(false), scores(true));
    let curve = RocCurve::new(&known, &strange).ok_or(DemoError::NothingToCompare)?;
    let names = |strange: bool, collected: bool| -> Vec<String> {
        let wanted = |photo: &&Met| (photo.is_strange, photo.is_collected) == (strange, collected);
        met.iter()
            .filter(wanted)
            .map(|photo| photo.name.clone())
            .collect()
    };
    let right = met.iter().filter(|photo| photo.is_right()).count();
    Ok(DemoReport {
        images: met.len(),
        known: known.len(),
        strange: strange.len(),
        accuracy: right as f64 / known.len() as f64,
        auroc: curve.auroc(),
        fpr_at_95_tpr: curve.fpr_at_tpr(0.95),
        false_alarms: names(false, true),
        misses: names(true, false),
        dataset: DATASET.to_owned(),
        ..DemoReport::default()
    })
}
