use std::path::Path;
use std::time::Duration;

use straylight_core::Progress;

use super::dataset::DatasetApi;
use super::download::{publish, stream_to_file};
use super::project::ProjectApi;
use super::session::Geti;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Method, Request, Target, encode};
use crate::wire::{
    ExportFormat, ImportDatasetRequest, ImportProjectRequest, ImportedLabel, Job, JobRef, Project,
    ProjectModels, SupportedProjectType,
};

/// How long the server may work on an import or export.
const WORKING: Duration = Duration::from_secs(3600);

impl Geti {
    /// Imports an archive that [`ProjectApi::export_archive`] wrote as a new project.
    pub fn import_project_archive(
        &self,
        archive: &Path,
        name: Option<&str>,
        progress: &dyn Progress,
    ) -> Result<Project, GetiError> {
        let file_id = self.upload_resumable("projects/uploads/resumable", archive, progress)?;
        let body = ImportProjectRequest {
            file_id,
            project_name: name.map(str::to_owned),
        };
        let request = Request::post(self.workspace_path("projects:import")).json(&body)?;
        self.imported_project(&request, progress)
    }

    /// Imports an archive of a dataset (Datumaro, COCO, YOLO, VOC) as a new project.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] if the dataset cannot become a project of this type; the message
    /// names those that it can become.
    pub fn import_dataset_archive(
        &self,
        archive: &Path,
        name: &str,
        project_type: &str,
        progress: &dyn Progress,
    ) -> Result<Project, GetiError> {
        let file_id = self.upload_resumable("datasets/uploads/resumable", archive, progress)?;
        let path = format!("datasets:prepare-for-import?file_id={}", encode(&file_id));
        let job = self.run_job(&Request::post(self.workspace_path(&path)), progress)?;
        let labels = labels_for(&job, project_type)?;
        let (project_name, task_type) = (name.to_owned(), project_type.to_owned());
        let body = ImportDatasetRequest {
            project_name,
            task_type,
            file_id,
            labels,
        };
        let path = self.workspace_path("projects:import-from-dataset");
        self.imported_project(&Request::post(path).json(&body)?, progress)
    }

    fn imported_project(
        &self,
        request: &Request,
        progress: &dyn Progress,
    ) -> Result<Project, GetiError> {
        let job = self.run_job(request, progress)?;
        let id = job.project_id().ok_or_else(|| {
            GetiError::new(
                ErrorKind::Answer,
                "the import does not say which project it made",
            )
        })?;
        self.project(id)
    }

    /// Starts a job and waits until it has finished.
    fn run_job(&self, request: &Request, progress: &dyn Progress) -> Result<Job, GetiError> {
        let job: JobRef = self.transport().json(request)?;
        self.wait_for_job(&job.job_id, WORKING, progress)
    }

    /// Starts a job that makes a file, waits, and downloads the file to `path`.
    fn export_to(
        &self,
        request: &Request,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<(), GetiError> {
        let job = self.run_job(request, progress)?;
        let url = job.download_url().ok_or_else(|| {
            GetiError::new(
                ErrorKind::Answer,
                "the export does not say where its file is",
            )
        })?;
        let target = self.transport().base().target(url);
        if matches!(&target, Target::Elsewhere(url) if !url.starts_with("https://")) {
            let message = "the export is at an address that is not secure";
            return Err(GetiError::new(ErrorKind::Redirect, message));
        }
        self.download_archive(&Request::new(Method::Get, target).download(), path)
    }

    /// Downloads a file to exactly this path.
    pub(super) fn download_archive(&self, request: &Request, path: &Path) -> Result<(), GetiError> {
        let folder = path
            .parent()
            .filter(|f| !f.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        straylight_files::create_folder(folder)?;
        self.transport().run(request, |answer| {
            let (file, _) = stream_to_file(answer.refuse_html()?, folder)?;
            Ok(publish(file, path)?)
        })
    }
}

impl DatasetApi {
    /// Exports the dataset as an archive to `path`.
    pub fn export_archive(
        &self,
        format: ExportFormat,
        with_unannotated: bool,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<(), GetiError> {
        let query = format!(
            ":prepare-for-export?export_format={}&include_unannotated_media={with_unannotated}",
            format.as_str()
        );
        let request = Request::post(self.path(&query));
        self.project().geti().export_to(&request, path, progress)
    }
}

impl ProjectApi {
    /// Exports the whole project as an archive to `path`.
    pub fn export_archive(
        &self,
        models: ProjectModels,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<(), GetiError> {
        let query = format!(":export?include_models={}", models.as_str());
        self.geti()
            .export_to(&Request::post(self.path(&query)), path, progress)
    }

    /// Downloads the package of one optimized model to `path`.
    pub fn export_model(
        &self,
        group_id: &str,
        model_id: &str,
        optimized_id: &str,
        path: &Path,
    ) -> Result<(), GetiError> {
        let (group, model, optimized) = (encode(group_id), encode(model_id), encode(optimized_id));
        let rest = format!("models/{model}/optimized_models/{optimized}/export");
        let request = Request::get(self.path(&format!("/model_groups/{group}/{rest}")));
        self.geti().download_archive(&request.download(), path)
    }
}

/// The labels that the prepared dataset has for a type of project.
fn labels_for(job: &Job, project_type: &str) -> Result<Vec<ImportedLabel>, GetiError> {
    let supported = job
        .metadata
        .get("supported_project_types")
        .cloned()
        .unwrap_or_default();
    let supported: Vec<SupportedProjectType> = serde_json::from_value(supported)
        .map_err(|_| GetiError::new(ErrorKind::Answer, "the server offers no project types"))?;
    let Some(found) = supported
        .iter()
        .find(|offer| offer.project_type == project_type)
    else {
        let offers: Vec<&str> = supported.iter().map(|o| o.project_type.as_str()).collect();
        let message = format!("the dataset cannot become a project of type `{project_type}`");
        return Err(GetiError::new(ErrorKind::Argument, message)
            .with_hint(format!("it can become one of: {}", offers.join(", "))));
    };
    let tasks = found
        .pipeline
        .get("tasks")
        .and_then(|tasks| tasks.as_array());
    let labels = tasks
        .into_iter()
        .flatten()
        .filter_map(|task| task.get("labels")?.as_array());
    let names = labels
        .flatten()
        .filter_map(|label| label.get("name")?.as_str());
    Ok(names
        .map(|name| ImportedLabel {
            name: name.to_owned(),
        })
        .collect())
}
