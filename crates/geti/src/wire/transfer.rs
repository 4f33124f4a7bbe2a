use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Id;

/// Header names and values of resumable uploads (tus 1.0.0).
pub mod tus {
    /// The protocol version that both ends speak.
    pub const VERSION: &str = "1.0.0";
    /// Says which version; in every request and answer.
    pub const RESUMABLE: &str = "tus-resumable";
    /// The versions that a server speaks (`OPTIONS`).
    pub const SUPPORTED: &str = "tus-version";
    /// The extensions that a server speaks (`OPTIONS`).
    pub const EXTENSION: &str = "tus-extension";
    /// The extension that lets a client begin an upload.
    pub const CREATION: &str = "creation";
    /// Length of the whole file in bytes.
    pub const LENGTH: &str = "upload-length";
    /// Bytes that the server has.
    pub const OFFSET: &str = "upload-offset";
    /// Optional names and values in base64.
    pub const METADATA: &str = "upload-metadata";
    /// The content type of a chunk.
    pub const CONTENT_TYPE: &str = "application/offset+octet-stream";
    /// Bytes of one chunk as the SDK sends it.
    pub const CHUNK: usize = 5 * 1024 * 1024;
}

/// The format of an exported dataset (`export_format`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// Datumaro.
    Datumaro,
    /// COCO.
    Coco,
    /// YOLO.
    Yolo,
    /// Pascal VOC.
    Voc,
}

impl ExportFormat {
    /// Its name in the query.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Datumaro => "datumaro",
            Self::Coco => "coco",
            Self::Yolo => "yolo",
            Self::Voc => "voc",
        }
    }
}

/// Which models an exported project holds (`include_models`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProjectModels {
    /// All.
    All,
    /// None.
    None,
    /// The latest active one of each task.
    LatestActive,
}

impl ProjectModels {
    /// Its name in the query.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::None => "none",
            Self::LatestActive => "latest_active",
        }
    }
}

/// `POST .../projects:import-from-dataset`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportDatasetRequest {
    /// Name of the project to be made.
    pub project_name: String,
    /// Its task type, one of those that the preparing job offered.
    pub task_type: String,
    /// Identifier of the uploaded file.
    pub file_id: Id,
    /// The labels to be taken over.
    pub labels: Vec<ImportedLabel>,
}

/// A label to be taken over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedLabel {
    /// Its name.
    pub name: String,
}

/// `POST .../projects:import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportProjectRequest {
    /// Identifier of the uploaded file.
    pub file_id: Id,
    /// Name of the project to be made; that of the file when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project_name: Option<String>,
}

/// A kind of project that can be made of an uploaded dataset (metadata of the preparing job).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupportedProjectType {
    /// The kind, a task type or a chain such as `detection_to_classification`.
    pub project_type: String,
    /// Its tasks with the labels found.
    #[serde(default)]
    pub pipeline: Value,
}
