use std::path::{Path, PathBuf};
use std::time::Duration;

use straylight_core::Progress;
use straylight_files::{ArchiveLimits, unpack};

use super::download::stream_to_file;
use super::model_choice::{ActiveModel, best_xai_model, default_model};
use super::project::ProjectApi;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Request, encode};
use crate::wire::{
    CodeDeployment, CodeDeploymentRequest, CodeDeploymentState, DeploymentModel,
    DeploymentPackageRequest, OptimizedModel, PackageType,
};

/// How long a server may pack a deployment.
const PACKING: Duration = Duration::from_secs(600);

/// How often an older server is asked whether it has packed.
const POLL: Duration = Duration::from_secs(1);

/// The folder in the archive, and under the target, that holds the deployment.
const FOLDER: &str = "deployment";

/// A downloaded deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentFolder {
    /// The folder that holds `deployment/`.
    pub root: PathBuf,
}

impl ProjectApi {
    /// Downloads the active models of all tasks to `<root>/deployment`.
    ///
    /// With `xai_head` the best form with an XAI head of each model is taken (needed for feature
    /// vectors and saliency maps), otherwise the default form without one.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if a task has no such model; see
    /// [`ProjectApi::download_deployment`] for the others.
    pub fn deploy_active(
        &self,
        xai_head: bool,
        root: &Path,
        progress: &dyn Progress,
    ) -> Result<DeploymentFolder, GetiError> {
        let active = self.active_models()?;
        let tasks = self.get()?;
        let trainable: Vec<_> = tasks
            .pipeline
            .tasks
            .iter()
            .filter(|task| task.is_trainable())
            .collect();
        let mut models = Vec::new();
        for task in trainable {
            let model = active.iter().find(|model| model.task_id == task.id);
            let model = model.ok_or_else(|| no_model(&task.title))?;
            models.push(model.deployment_model(choose_form(model, xai_head)?));
        }
        self.download_deployment(&models, root, progress)
    }

    /// Downloads a deployment of these models, one for each task, to `<root>/deployment`.
    ///
    /// Older servers are asked in their own way. The folder appears only when it is complete;
    /// one that exists is never touched.
    ///
    /// # Errors
    /// [`ErrorKind::Archive`] if the archive is cut off, damaged or dangerous;
    /// [`ErrorKind::File`] if `<root>/deployment` exists or cannot be written.
    pub fn download_deployment(
        &self,
        models: &[DeploymentModel],
        root: &Path,
        progress: &dyn Progress,
    ) -> Result<DeploymentFolder, GetiError> {
        progress.begin("Downloading the deployment", 2);
        let result = self.download_and_unpack(models, root, progress);
        progress.finish();
        result
    }

    fn download_and_unpack(
        &self,
        models: &[DeploymentModel],
        root: &Path,
        progress: &dyn Progress,
    ) -> Result<DeploymentFolder, GetiError> {
        if models.is_empty() {
            return Err(no_model("any task"));
        }
        let target = root.join(FOLDER);
        if target.symlink_metadata().is_ok() {
            let message = format!("{} exists already", target.display());
            return Err(GetiError::new(ErrorKind::File, message).with_hint("choose another folder"));
        }
        if self.geti().version().has_deployment_package() {
            match self.fetch_package(models, root, progress) {
                // Some servers say that they are new enough and are not.
                Err(error) if is_unknown_route(&error) => {}
                result => {
                    return result.map(|()| DeploymentFolder {
                        root: root.to_owned(),
                    });
                }
            }
        }
        let request = self.prepare_code_deployment(models)?;
        self.fetch_archive(request, root, progress)?;
        Ok(DeploymentFolder {
            root: root.to_owned(),
        })
    }

    /// The way of servers from 2.11 on: one request.
    fn fetch_package(
        &self,
        models: &[DeploymentModel],
        root: &Path,
        progress: &dyn Progress,
    ) -> Result<(), GetiError> {
        let package_type = PackageType::GetiSdk;
        let body = DeploymentPackageRequest {
            package_type,
            models: models.to_vec(),
        };
        let request = Request::post(self.path("/deployment_package:download")).json(&body)?;
        self.fetch_archive(request, root, progress)
    }

    /// Downloads the archive and unpacks it; a damaged one is not asked for again by itself.
    fn fetch_archive(
        &self,
        request: Request,
        root: &Path,
        progress: &dyn Progress,
    ) -> Result<(), GetiError> {
        straylight_files::create_folder(root)?;
        let request = request.repeatable().patience(10).download();
        let file = self.geti().transport().run(&request, |answer| {
            if answer.status() == 204 {
                let error = GetiError::new(ErrorKind::NotFound, "the project has no media yet")
                    .with_hint("a server packs a deployment only for a project with images");
                return Err(error.with_status(204, None).into());
            }
            let (file, _) = stream_to_file(answer.refuse_html()?, root)?;
            Ok(file)
        })?;
        progress.advance(1);
        let target = root.join(FOLDER);
        unpack(
            file.as_file(),
            FOLDER,
            &target,
            &ArchiveLimits::default(),
            true,
        )?;
        progress.advance(1);
        Ok(())
    }

    /// The way of servers before 2.11: prepare, wait, download.
    fn prepare_code_deployment(&self, models: &[DeploymentModel]) -> Result<Request, GetiError> {
        let body = CodeDeploymentRequest {
            models: models.to_vec(),
        };
        let request = Request::post(self.path("/code_deployments:prepare")).json(&body)?;
        let mut deployment: CodeDeployment = self.geti().transport().json(&request)?;
        let path = self.path(&format!("/code_deployments/{}", encode(&deployment.id)));
        let start = self.geti().clock().now();
        while !is_done(&deployment)? {
            if self.geti().clock().now().saturating_sub(start) > PACKING {
                let message = format!("the deployment is not ready after {} s", PACKING.as_secs());
                return Err(GetiError::new(ErrorKind::Timeout, message));
            }
            self.geti().clock().sleep(POLL);
            deployment = self.geti().transport().json(&Request::get(path.clone()))?;
        }
        Ok(Request::get(format!("{path}/download")))
    }
}

/// Whether the server does not know the address, as opposed to what is looked for there.
fn is_unknown_route(error: &GetiError) -> bool {
    let unnamed = matches!(
        error.error_code(),
        None | Some("" | "endpoint_not_found_response")
    );
    matches!(error.status(), Some(404 | 405)) && unnamed
}

fn is_done(deployment: &CodeDeployment) -> Result<bool, GetiError> {
    if deployment.state.is(&CodeDeploymentState::Failed) {
        let reason = deployment
            .message
            .as_deref()
            .unwrap_or("the server does not say why");
        let message = format!("the server could not pack the deployment: {reason}");
        return Err(GetiError::new(ErrorKind::Job, message));
    }
    Ok(deployment.state.is(&CodeDeploymentState::Done))
}

fn choose_form(active: &ActiveModel, xai_head: bool) -> Result<&OptimizedModel, GetiError> {
    let model = &active.model;
    let form = if xai_head {
        best_xai_model(model)
    } else {
        default_model(model, false)
    };
    // A form with an XAI head can do all that one without can.
    let form = form.or_else(|| {
        if xai_head {
            None
        } else {
            default_model(model, true)
        }
    });
    form.ok_or_else(|| {
        let with = if xai_head { " with an XAI head" } else { "" };
        let message = format!("the model `{}` has no OpenVINO form{with}", model.name);
        GetiError::new(ErrorKind::NotFound, message).with_hint("optimize it on the server")
    })
}

fn no_model(task: &str) -> GetiError {
    GetiError::new(
        ErrorKind::NotFound,
        format!("there is no trained model for {task}"),
    )
    .with_hint("train one on the server")
}
