use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The JSON body of an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// What went wrong, for programs, in `snake_case`.
    pub error_code: String,
    /// What went wrong, for people.
    pub message: String,
    /// The status once more.
    pub http_status: u16,
}

impl ErrorBody {
    /// The body for an error code, with the status that belongs to it.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            error_code: code.as_str().to_owned(),
            message: message.into(),
            http_status: code.status(),
        }
    }

    /// Reads any of the error bodies of the platform; `None` if it is none of them.
    ///
    /// Besides the documented object: `{"detail"}` of the import and export services,
    /// `{"endpoint_not_found_response"}` for an unknown route and `{"internal_server_error"}`.
    pub fn read(bytes: &[u8], status: u16) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let fallback = |key: &str| text(key).map(|message| (key.to_owned(), message));
        let (error_code, message) = match (text("error_code"), text("message")) {
            (None, None) => fallback("endpoint_not_found_response")
                .or_else(|| fallback("internal_server_error"))
                .or_else(|| value.get("detail").map(|d| (String::new(), detail(d))))?,
            (code, message) => (code.unwrap_or_default(), message.unwrap_or_default()),
        };
        Some(Self {
            error_code,
            message,
            http_status: status,
        })
    }
}

/// A text as it is, any other value as JSON.
fn detail(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $status:literal;)*) => {
        /// The error codes of the platform, each with the status that belongs to it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is written.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The HTTP status that belongs to it.
            pub fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)*
                }
            }
        }
    };
}

error_codes! {
    /// Something in the request is not as the API wants it.
    BadRequest = "bad_request", 400;
    /// No body, or not JSON.
    MissingPayload = "missing_payload", 400;
    /// The filter of a media query is malformed.
    InvalidFilter = "invalid_filter", 400;
    /// A project needs a name.
    EmptyProjectName = "empty_project_name", 400;
    /// A project needs a task.
    TasklessProject = "taskless_project", 400;
    /// Two tasks have one title.
    DuplicateTaskNames = "duplicate_task_names", 400;
    /// No such task type.
    InvalidTaskType = "invalid_task_type", 400;
    /// Tasks without connections.
    NoTasksConnections = "no_tasks_connections", 400;
    /// Too many or too few connections.
    BadNumberOfTaskConnections = "bad_number_of_task_connections", 400;
    /// More than one source.
    TooManySourceTasks = "too_many_source_tasks", 400;
    /// More than one end.
    TooManySinkTasks = "too_many_sink_tasks", 400;
    /// A task is not connected.
    UnconnectedTasks = "unconnected_tasks", 400;
    /// More than two trainable tasks.
    TooManyTasks = "too_many_tasks", 400;
    /// Two labels have one name.
    DuplicateLabelNames = "duplicate_label_names", 400;
    /// Two labels have one colour.
    DuplicateLabelColors = "duplicate_label_colors", 400;
    /// Two labels have one hotkey.
    DuplicateLabelHotkeys = "duplicate_label_hotkeys", 400;
    /// The name is kept for the empty label.
    ReservedEmptyLabel = "reserved_empty_label", 400;
    /// Too few or too many labels.
    BadNumberOfLabels = "bad_number_of_labels", 400;
    /// The label above is not there.
    ParentLabelNotFound = "parent_label_not_found", 400;
    /// A group has labels of two tasks.
    MultiTaskLabelGroup = "multi_task_label_group", 400;
    /// Two labels that exclude one another, or an empty and a normal one.
    ConflictingExclusiveLabels = "conflicting_exclusive_labels", 400;
    /// Two annotations have one id.
    DuplicatedAnnotationId = "duplicated_annotation_id", 400;
    /// The model cannot be packed in this way.
    IncompatibleModelFormat = "incompatible_model_format", 400;
    /// No such project.
    ProjectNotFound = "project_not_found", 404;
    /// No such dataset.
    DatasetNotFound = "dataset_not_found", 404;
    /// No such dataset in this project.
    DatasetNotFoundInProject = "dataset_not_found_in_project", 404;
    /// No such image.
    ImageNotFound = "image_not_found", 404;
    /// No such video.
    VideoNotFound = "video_not_found", 404;
    /// No such model.
    ModelNotFound = "model_not_found", 404;
    /// No such task.
    TaskNotFound = "task_not_found", 404;
    /// No such label.
    LabelNotFound = "label_not_found", 404;
    /// No such job.
    JobNotFound = "job_not_found", 404;
    /// The model has no code to be packed.
    ExportableCodeNotFound = "exportable_code_not_found", 404;
    /// A dataset of this name is there.
    DatasetAlreadyExists = "dataset_already_exists", 409;
    /// No more datasets.
    TooManyDatasets = "too_many_datasets", 409;
    /// No more labels.
    TooManyLabels = "too_many_labels", 409;
    /// Jobs of the project are running.
    ProjectLocked = "project_locked", 409;
    /// The medium is being prepared.
    MediaIsNotPreprocessed = "media_is_not_preprocessed", 412;
    /// The upload is too large.
    PayloadTooLarge = "payload_too_large", 413;
    /// The file is no image or video that the server takes.
    InvalidMedia = "invalid_media", 415;
    /// The older deployment is not ready.
    CodeDeploymentDownloadNotReady = "code_deployment_download_not_ready", 503;
    /// The disk is full.
    NotEnoughSpace = "not_enough_space", 507;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_written_as_serde_writes_it() {
        for &code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn all_error_bodies_are_read() {
        struct Case(&'static str, Option<(&'static str, &'static str)>);
        for Case(body, read) in [
            Case(
                r#"{"error_code":"project_not_found","message":"gone","http_status":404}"#,
                Some(("project_not_found", "gone")),
            ),
            Case(r#"{"message":"gone"}"#, Some(("", "gone"))),
            Case(
                r#"{"endpoint_not_found_response":"no route"}"#,
                Some(("endpoint_not_found_response", "no route")),
            ),
            Case(
                r#"{"internal_server_error":"oh"}"#,
                Some(("internal_server_error", "oh")),
            ),
            Case(r#"{"detail":"bad file"}"#, Some(("", "bad file"))),
            Case(
                r#"{"detail":[{"loc":"x"}]}"#,
                Some(("", r#"[{"loc":"x"}]"#)),
            ),
            Case("Invalid authorization token", None),
            Case("[]", None),
            Case("", None),
        ] {
            let body = ErrorBody::read(body.as_bytes(), 404);
            let pair = body
                .as_ref()
                .map(|b| (b.error_code.as_str(), b.message.as_str()));
            assert_eq!(pair, read);
        }
    }
}
