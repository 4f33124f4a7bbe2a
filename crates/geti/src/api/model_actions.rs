use std::path::Path;

use super::project::ProjectApi;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Request, encode};
use crate::wire::JobRef;

impl ProjectApi {
    /// Makes the latest model of a group the one that predicts for its task.
    pub fn activate_models(&self, group_id: &str) -> Result<(), GetiError> {
        let path = self.path(&format!("/model_groups/{}:activate", encode(group_id)));
        // Twice active is active.
        self.geti()
            .transport()
            .done(&Request::post(path).repeatable())
    }

    /// Starts to make a model smaller and faster; returns the identifier of the job.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the server does not train, such as our own.
    pub fn optimize(&self, group_id: &str, model_id: &str) -> Result<String, GetiError> {
        let path = self.model_path(group_id, model_id, ":optimize");
        let request = Request::post(path).json(&serde_json::json!({}))?;
        let answer: Result<JobRef, _> = self.geti().transport().json(&request);
        Ok(answer.map_err(unsupported)?.job_id)
    }

    /// Deletes the files of a model for good; servers refuse that for the latest and the active.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the server does not train, such as our own.
    pub fn purge(&self, group_id: &str, model_id: &str) -> Result<(), GetiError> {
        let path = self.model_path(group_id, model_id, ":purge");
        let answer = self.geti().transport().done(&Request::post(path));
        answer.map_err(unsupported)
    }

    /// Downloads the package of a model as it was trained to `path`.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if the server does not train, such as our own.
    pub fn export_base_model(
        &self,
        group_id: &str,
        model_id: &str,
        path: &Path,
    ) -> Result<(), GetiError> {
        let request = Request::get(self.model_path(group_id, model_id, "/export"));
        let answer = self.geti().download_archive(&request.download(), path);
        answer.map_err(unsupported)
    }

    fn model_path(&self, group_id: &str, model_id: &str, rest: &str) -> String {
        let (group, model) = (encode(group_id), encode(model_id));
        self.path(&format!("/model_groups/{group}/models/{model}{rest}"))
    }
}

/// Says what is behind a route that a server has not.
fn unsupported(error: GetiError) -> GetiError {
    match error.error_code() {
        Some("method_not_allowed" | "endpoint_not_found_response") => GetiError::new(
            ErrorKind::Unsupported,
            "this server runs models: it does not train, optimize or delete them, and hands them \
             out as deployments alone",
        )
        .with_hint("ask the Geti server that trained the model, or deploy the project"),
        _ => error,
    }
}
