//! Models of a project, and their deployment.

use std::path::PathBuf;

use pyo3::prelude::*;
use serde_json::json;
use straylight_geti::best_xai_model;
use straylight_geti::wire::DeploymentModel;

use super::Client;
use crate::error::Raised;
use crate::interruptible;

#[pymethods]
impl Client {
    /// The groups of models of a project.
    fn model_groups(&self, py: Python<'_>, project: &str) -> PyResult<String> {
        self.json(py, |geti| geti.at(project).model_groups())
    }

    /// One model with its optimized forms.
    fn model(&self, py: Python<'_>, project: &str, group: &str, model: &str) -> PyResult<String> {
        self.json(py, |geti| geti.at(project).model(group, model))
    }

    /// The active model of each task that has one, with its task and its group.
    fn active_models(&self, py: Python<'_>, project: &str) -> PyResult<String> {
        let active = self.call(py, |geti| geti.at(project).active_models())?;
        let one = |it: straylight_geti::ActiveModel| {
            let best = best_xai_model(&it.model).map(|model| model.id.clone());
            json!({
                "task_id": it.task_id,
                "group_id": it.group_id,
                "best_xai_model": best,
                "model": it.model,
            })
        };
        let list: Vec<_> = active.into_iter().map(one).collect();
        Ok(serde_json::to_string(&list).map_err(Raised::from)?)
    }

    /// The names of the algorithms that a project's tasks can be trained with.
    fn algorithms(&self, py: Python<'_>, project: &str) -> PyResult<Vec<String>> {
        let found = self.call(py, |geti| geti.at(project).algorithms())?;
        Ok(found.iter().map(|it| it.name().to_owned()).collect())
    }

    /// Makes the latest model of a group the active one.
    fn activate_models(&self, py: Python<'_>, project: &str, group: &str) -> PyResult<()> {
        self.call(py, |geti| geti.at(project).activate_models(group))
    }

    /// Starts to optimize a model; gives the identifier of the job.
    fn optimize(
        &self,
        py: Python<'_>,
        project: &str,
        group: &str,
        model: &str,
    ) -> PyResult<String> {
        self.call(py, |geti| geti.at(project).optimize(group, model))
    }

    /// Deletes the files of a model.
    fn purge(&self, py: Python<'_>, project: &str, group: &str, model: &str) -> PyResult<()> {
        self.call(py, |geti| geti.at(project).purge(group, model))
    }

    /// Downloads the package of a model, or of one of its optimized forms, to a path.
    #[pyo3(signature = (project, group, model, optimized, path))]
    fn export_model(
        &self,
        py: Python<'_>,
        project: &str,
        group: &str,
        model: &str,
        optimized: Option<&str>,
        path: PathBuf,
    ) -> PyResult<()> {
        let api = self.geti().at(project);
        self.call(py, |_| match optimized {
            Some(optimized) => api.export_model(group, model, optimized, &path),
            None => api.export_base_model(group, model, &path),
        })
    }

    /// Downloads a deployment of models, each with its group, below a folder.
    #[pyo3(signature = (project, models, folder, progress = None))]
    fn deploy(
        &self,
        py: Python<'_>,
        project: &str,
        models: Vec<(String, String)>,
        folder: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PathBuf> {
        let api = self.geti().at(project);
        let wanted = models
            .into_iter()
            .map(|(model_id, model_group_id)| DeploymentModel {
                model_id,
                model_group_id,
            });
        let wanted: Vec<_> = wanted.collect();
        interruptible::work(py, progress, move |steps| {
            Ok(api.download_deployment(&wanted, &folder, steps)?.root)
        })
    }

    /// Downloads a deployment of the active models of all tasks below a folder.
    #[pyo3(signature = (project, xai_head, folder, progress = None))]
    fn deploy_active(
        &self,
        py: Python<'_>,
        project: &str,
        xai_head: bool,
        folder: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PathBuf> {
        let api = self.geti().at(project);
        interruptible::work(py, progress, move |steps| {
            Ok(api.deploy_active(xai_head, &folder, steps)?.root)
        })
    }
}
