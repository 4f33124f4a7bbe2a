//! The JSON that travels between a Geti client and a Geti server.
//!
//! Every shape is written once and used by both ends.
//!
//! - **Reading is lenient**: unknown keys are ignored, optional keys may be missing or null,
//!   and an enumeration that a newer server extended is kept as text ([`Open`]).
//! - **Writing is strict**: exactly the keys below, because Python SDK 2.13 refuses an unknown
//!   key inside annotation scenes, annotations, shapes, scored labels, predictions, media
//!   identifiers and all nested optional objects, and SDK 2.5 refuses it everywhere. Keys that
//!   the doc comments call optional are left out when they are `None`.
//! - Times are [`Time`]: six digits of a second and `+00:00`, never `Z`.
//! - Coordinates and sizes that are whole numbers are written as JSON integers.
//! - Identifiers are opaque texts ([`Id`]); a Geti server uses 24 hexadecimal digits, UUIDs for
//!   organizations, workspaces and the annotations of a scene.

mod algorithm;
mod annotation;
mod configuration;
mod convert;
mod dataset;
mod deployment;
mod error;
mod id;
mod job;
mod limits;
mod media;
mod model;
mod number;
mod open;
mod prediction;
mod project;
mod project_request;
mod query;
mod session;
mod shape;
mod status;
mod time;
mod transfer;

pub use algorithm::{
    Algorithm, AlgorithmList, AlgorithmStats, Capabilities, LegacyAlgorithm, ModernAlgorithm,
    PerformanceRatings, SupportedGpus,
};
pub use annotation::{
    Annotation, AnnotationScene, AnnotationState, LabelSource, MediaIdentifier, NewAnnotationScene,
    SceneKind, ScoredLabel, TaskAnnotationState, VideoAnnotationProperties, VideoAnnotations,
};
pub use configuration::{
    ConfigEntry, ConfigItem, DatasetPreparation, ProjectConfiguration, TaskConfig, TaskTraining,
    TrainingConfiguration,
};
pub use convert::UnknownTaskType;
pub use dataset::{Dataset, DatasetList, DatasetStatistics, NewDataset, StatisticsOverview};
pub use deployment::{
    CodeDeployment, CodeDeploymentRequest, CodeDeploymentState, DeploymentModel,
    DeploymentPackageRequest, PackageType,
};
pub use error::{ErrorBody, ErrorCode};
pub use id::{Id, is_object_id, is_uuid};
pub use job::{Job, JobCounts, JobList, JobRef, JobState, JobStep, TrainRequest};
pub use limits::{
    IMAGE_EXTENSIONS, MAX_IMAGE_SIDE, MAX_PAGE_LIMIT, MAX_POLYGON_POINTS, MAX_TEXT,
    MAX_UPLOAD_BYTES, MIN_IMAGE_SIDE, VIDEO_EXTENSIONS,
};
pub use media::{Media, MediaInformation, MediaKind, Preprocessing, PreprocessingStatus};
pub use model::{
    LabelRef, Model, ModelGroup, ModelGroupList, ModelSummary, OptimizationType, OptimizedModel,
    Performance, PurgeInfo, TrainingDatasetInfo, TrainingFramework,
};
pub use open::Open;
pub use prediction::{
    Explanation, PredictRequest, PredictedAnnotation, PredictedLabel, Prediction, SaliencyMapData,
};
pub use project::{
    Connection, Done, KeypointStructure, Label, Pipeline, Project, ProjectList, ProjectPerformance,
    Task, TaskPerformance,
};
pub use project_request::{NewConnection, NewLabel, NewPipeline, NewProject, NewTask};
pub use query::{Condition, MediaPage, MediaQuery, Rule, SortDirection};
pub use session::{
    Balance, OrganizationEntry, Organizations, ProductInfo, Workspace, WorkspaceList,
};
pub use shape::{Shape, ShapePoint};
pub use status::{ProjectStatus, RequiredAnnotations, TaskStatus, WorkProgress};
pub use time::Time;
pub use transfer::{
    ExportFormat, ImportDatasetRequest, ImportProjectRequest, ImportedLabel, ProjectModels,
    SupportedProjectType, tus,
};
