//! OOD models of images, through a deployment.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::prelude::*;
use straylight::fit::{Fitted, LabelledImage, Outliers, dataset_images, fit_ood};
use straylight::{Deployment as CoreDeployment, Progress};
use straylight_geti::{DownloadOptions, ProjectApi};

use super::{OodModel, Rule, Wishes, fitted};
use crate::deployment::Deployment;
use crate::error::{Outcome, Raised};
use crate::geti::Client;
use crate::interruptible;

/// A fitted model, the report as JSON, and the images that were left out with the reasons.
type Fit = (OodModel, String, Vec<(String, String)>);

fn wishes(kind: String, rule: Rule, seed: u64) -> Wishes {
    Wishes {
        kind,
        rule,
        neighbours: 10,
        seed,
    }
}

fn keep(deployment: &CoreDeployment, fit: Fitted) -> PyResult<Fit> {
    let (model, report) = fitted(fit.model, &fit.report)?;
    let set = deployment.set_ood_model(Arc::clone(&model.0));
    set.map_err(Raised::from)?;
    Ok((model, report, fit.skipped))
}

/// Fits a model on a folder with a subfolder for each class; the deployment keeps it.
#[pyfunction]
#[pyo3(signature = (
    deployment, images, outliers, kind, max_false_collection_rate, confidence, relax, threshold,
    seed, progress
))]
pub(crate) fn fit_folder(
    py: Python<'_>,
    deployment: &Deployment,
    images: PathBuf,
    outliers: Option<PathBuf>,
    kind: String,
    max_false_collection_rate: f64,
    confidence: f64,
    relax: bool,
    threshold: Option<f64>,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Fit> {
    let rule = Rule {
        max_false_collection_rate,
        confidence,
        relax,
        threshold,
    };
    let options = wishes(kind, rule, seed).options()?;
    let core = Arc::clone(deployment.core()?);
    let theirs = Arc::clone(&core);
    let fit = interruptible::work(py, progress, move |steps| {
        let listed = dataset_images(&images)?;
        let mut left_out = listed.left_out;
        let outliers = match outliers {
            Some(folder) => {
                let strange = dataset_images(&folder)?;
                left_out.extend(strange.left_out);
                Outliers::Images(strange.images)
            }
            None => Outliers::Automatic,
        };
        let mut fit = fit_ood(&theirs, &listed.images, &outliers, &options, steps)?;
        fit.skipped.extend(left_out);
        Ok(fit)
    })?;
    keep(&core, fit)
}

/// Fits a model on the training dataset of a project; datasets with one of the names in
/// `outlier_datasets` hold outliers. The deployment keeps the model.
#[pyfunction]
#[pyo3(signature = (
    deployment, client, project_id, outlier_datasets, folder, kind, max_false_collection_rate,
    confidence, relax, threshold, seed, progress
))]
pub(crate) fn fit_project(
    py: Python<'_>,
    deployment: &Deployment,
    client: &Client,
    project_id: String,
    outlier_datasets: Vec<String>,
    folder: PathBuf,
    kind: String,
    max_false_collection_rate: f64,
    confidence: f64,
    relax: bool,
    threshold: Option<f64>,
    seed: u64,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Fit> {
    let rule = Rule {
        max_false_collection_rate,
        confidence,
        relax,
        threshold,
    };
    let options = wishes(kind, rule, seed).options()?;
    let core = Arc::clone(deployment.core()?);
    let theirs = Arc::clone(&core);
    let project = client.geti().at(&project_id);
    let fit = interruptible::work(py, progress, move |steps| {
        let mut images = Vec::new();
        let mut strange = Vec::new();
        for dataset in project.datasets()? {
            let place = folder.join(&dataset.id);
            if dataset.use_for_training {
                images.extend(download(&project, &dataset.id, &place, steps)?);
            } else if outlier_datasets.contains(&dataset.name) {
                strange.extend(download(&project, &dataset.id, &place, steps)?);
            }
        }
        let outliers = if strange.is_empty() {
            Outliers::Automatic
        } else {
            Outliers::Images(strange)
        };
        Ok(fit_ood(&theirs, &images, &outliers, &options, steps)?)
    })?;
    keep(&core, fit)
}

/// Downloads a dataset with its annotations; images without one have no label.
fn download(
    project: &ProjectApi,
    dataset: &str,
    folder: &Path,
    progress: &dyn Progress,
) -> Outcome<Vec<LabelledImage>> {
    let api = project.dataset(dataset);
    let images = api.images()?;
    if images.is_empty() {
        return Ok(Vec::new());
    }
    let files = folder.join("images");
    let done = api.download_images(&images, &files, DownloadOptions::default(), progress)?;
    for (name, error) in &done.failed {
        tracing::warn!(image = name, %error, "not downloaded");
    }
    let scenes = api.download_annotations(&images, &project.get()?, folder, progress)?;
    for (name, error) in &scenes.failed {
        tracing::warn!(image = name, %error, "its annotation was not downloaded");
    }
    let found = dataset_images(folder)?;
    for (place, reason) in &found.left_out {
        tracing::warn!("left out {place}: {reason}");
    }
    Ok(found.images)
}
