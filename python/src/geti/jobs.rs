//! Jobs of a server, and the archives that they read and write.

use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use serde_json::json;
use straylight::platform::{ExportOptions, export};
use straylight_geti::wire::{ExportFormat, ProjectModels};

use super::{Client, to_json};
use crate::error::{Outcome, Raised};
use crate::{formats, interruptible};

#[pymethods]
impl Client {
    /// One job.
    fn job(&self, py: Python<'_>, job: &str) -> PyResult<String> {
        self.json(py, |geti| geti.job(job))
    }

    /// Waits until a job has finished; gives the job.
    #[pyo3(signature = (job, interval, limit, progress = None))]
    fn wait_for_job(
        &self,
        py: Python<'_>,
        job: String,
        interval: f64,
        limit: f64,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let geti = self.geti().clone();
        let (interval, limit) = (seconds(interval)?, seconds(limit)?);
        interruptible::work(py, progress, move |steps| {
            to_json(&geti.wait_asking_every(&job, interval, limit, steps)?)
        })
    }

    /// Writes a whole project to an archive.
    #[pyo3(signature = (project, models, path, progress = None))]
    fn export_project(
        &self,
        py: Python<'_>,
        project: &str,
        models: &str,
        path: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let models: ProjectModels = named("models", models)?;
        let api = self.geti().at(project);
        interruptible::work(py, progress, move |steps| {
            Ok(api.export_archive(models, &path, steps)?)
        })
    }

    /// Makes a project of an archive; gives the project.
    #[pyo3(signature = (path, name = None, progress = None))]
    fn import_project(
        &self,
        py: Python<'_>,
        path: PathBuf,
        name: Option<String>,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let geti = self.geti().clone();
        interruptible::work(py, progress, move |steps| {
            to_json(&geti.import_project_archive(&path, name.as_deref(), steps)?)
        })
    }

    /// Writes a dataset to an archive.
    #[pyo3(signature = (project, dataset, format, unannotated, path, progress = None))]
    fn export_dataset(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        format: &str,
        unannotated: bool,
        path: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let format: ExportFormat = named("format", format)?;
        let api = self.geti().at(project).dataset(dataset);
        interruptible::work(py, progress, move |steps| {
            Ok(api.export_archive(format, unannotated, &path, steps)?)
        })
    }

    /// Writes the decided images of a dataset into a folder; gives what was written as JSON.
    #[pyo3(signature = (project, dataset, folder, format, rule, unlabelled, shares, seed, task, merge, progress = None))]
    fn write_dataset(
        &self,
        py: Python<'_>,
        project: &str,
        dataset: &str,
        folder: PathBuf,
        format: &str,
        rule: Option<&str>,
        unlabelled: bool,
        shares: Option<&str>,
        seed: u64,
        task: Option<&str>,
        merge: bool,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let format = format.parse().map_err(Raised::from)?;
        let filter = rule.map(str::parse).transpose().map_err(Raised::from)?;
        let options = ExportOptions {
            filter,
            unlabelled,
            split: formats::split(shares, seed)?,
            write: formats::write_options(task, merge, true)?,
            ..ExportOptions::new(format)
        };
        let api = self.dataset_api(project, dataset);
        interruptible::work(py, progress, move |steps| {
            let done = export(&api, &folder, &options, steps)?;
            let mut value = formats::written(&done.report, done.shares.as_ref());
            value["left_out"] = json!({
                "rejected": done.left_out.rejected,
                "unlabelled": done.left_out.unlabelled,
                "filtered": done.left_out.filtered,
            });
            value["problems"] = json!(done.problems);
            Ok(value.to_string())
        })
    }

    /// Makes a project of an archive of a dataset; gives the project.
    #[pyo3(signature = (path, name, kind, progress = None))]
    fn import_dataset(
        &self,
        py: Python<'_>,
        path: PathBuf,
        name: String,
        kind: String,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let geti = self.geti().clone();
        interruptible::work(py, progress, move |steps| {
            to_json(&geti.import_dataset_archive(&path, &name, &kind, steps)?)
        })
    }
}

fn seconds(value: f64) -> Outcome<Duration> {
    Duration::try_from_secs_f64(value)
        .map_err(|error| Raised::value(format!("`{value}` seconds: {error}")))
}

/// A value that the REST API knows by its name, in any case.
fn named<T: serde::de::DeserializeOwned>(what: &str, name: &str) -> Outcome<T> {
    serde_json::from_value(name.to_lowercase().into())
        .map_err(|error| Raised::value(format!("{what} `{name}`: {error}")))
}
