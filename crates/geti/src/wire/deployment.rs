use serde::{Deserialize, Serialize};

use super::{Id, Open, Time, number, time};

/// A model that a deployment is to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentModel {
    /// Identifier of the optimized model.
    pub model_id: Id,
    /// Identifier of its group.
    pub model_group_id: Id,
}

/// The kind of package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageType {
    /// A deployment folder as the SDK loads it.
    GetiSdk,
    /// A model repository for OpenVINO Model Server.
    Ovms,
}

/// `POST .../deployment_package:download`: answered by the zip file itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentPackageRequest {
    /// The kind of package.
    pub package_type: PackageType,
    /// One model a trainable task.
    pub models: Vec<DeploymentModel>,
}

/// `POST .../code_deployments:prepare`: the older way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeDeploymentRequest {
    /// One model a trainable task.
    pub models: Vec<DeploymentModel>,
}

/// The state of an older deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CodeDeploymentState {
    /// Nothing there.
    None,
    /// Being packed.
    Preparing,
    /// Ready to be downloaded.
    Done,
    /// Could not be packed.
    Failed,
}

/// `GET .../code_deployments/{c}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CodeDeployment {
    /// Identifier.
    pub id: Id,
    /// How far it is.
    pub state: Open<CodeDeploymentState>,
    /// Per cent.
    #[serde(default, deserialize_with = "number::float")]
    pub progress: f64,
    /// What went wrong; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The models in it.
    #[serde(default, deserialize_with = "number::or_default")]
    pub models: Vec<DeploymentModel>,
    /// Who asked for it.
    #[serde(default)]
    pub creator_id: Option<Id>,
    /// When.
    #[serde(default, deserialize_with = "time::lenient")]
    pub creation_time: Option<Time>,
}
