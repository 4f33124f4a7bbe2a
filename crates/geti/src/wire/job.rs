use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Id, Open, Time, number, time};

/// `{"job_id"}`: the answer of everything that starts a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRef {
    /// Identifier of the job.
    pub job_id: Id,
}

/// The state of a job or of one of its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Not begun.
    Idle,
    /// Being done.
    Running,
    /// Halted.
    Paused,
    /// Done.
    Finished,
    /// Ended with an error.
    Error,
    /// Ended with an error, as newer servers say.
    Failed,
    /// Stopped by a person.
    Cancelled,
    /// Not to be done.
    Inactive,
    /// Waiting for its turn.
    Scheduled,
}

impl JobState {
    /// Whether the state will not change any more.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Finished | Self::Error | Self::Failed | Self::Cancelled
        )
    }
}

/// A job as the server answers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Identifier.
    pub id: Id,
    /// What people call it.
    #[serde(default, deserialize_with = "number::or_default")]
    pub name: String,
    /// What it does: `train`, `optimize`, `export_project`, ...
    #[serde(rename = "type", default, deserialize_with = "number::or_default")]
    pub kind: String,
    /// How far it is.
    pub state: Open<JobState>,
    /// What it is about and what came of it; the keys depend on its type.
    #[serde(default, deserialize_with = "number::or_default")]
    pub metadata: Map<String, Value>,
    /// Its steps in order.
    #[serde(default, deserialize_with = "number::or_default")]
    pub steps: Vec<JobStep>,
    /// When it was started; optional key.
    #[serde(
        default,
        deserialize_with = "time::lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub creation_time: Option<Time>,
    /// When it began; optional key.
    #[serde(
        default,
        deserialize_with = "time::lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub start_time: Option<Time>,
    /// When it ended; optional key.
    #[serde(
        default,
        deserialize_with = "time::lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub end_time: Option<Time>,
}

impl Job {
    /// A text of the metadata: `metadata[path[0]][path[1]]...`.
    pub fn metadata_text(&self, path: &[&str]) -> Option<&str> {
        let (first, rest) = path.split_first()?;
        let mut value = self.metadata.get(*first)?;
        for key in rest {
            value = value.get(key)?;
        }
        value.as_str()
    }

    /// The project that the job made or is about.
    pub fn project_id(&self) -> Option<&str> {
        self.metadata_text(&["project_id"])
            .or_else(|| self.metadata_text(&["project", "id"]))
    }

    /// Where the file is that an export made.
    pub fn download_url(&self) -> Option<&str> {
        self.metadata_text(&["download_url"])
    }

    /// What the last step with a message said.
    pub fn message(&self) -> Option<&str> {
        self.steps
            .iter()
            .rev()
            .find_map(|step| step.message.as_deref())
    }
}

/// One step of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobStep {
    /// Its place, counted from 1.
    #[serde(default, deserialize_with = "number::count")]
    pub index: u64,
    /// What it does.
    #[serde(default, deserialize_with = "number::or_default")]
    pub step_name: String,
    /// Per cent, or -1.
    #[serde(default, deserialize_with = "number::float")]
    pub progress: f64,
    /// How far it is.
    #[serde(default)]
    pub state: Option<Open<JobState>>,
    /// What it has to say.
    #[serde(default)]
    pub message: Option<String>,
}

/// `GET .../jobs`: a page of jobs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobList {
    /// The jobs of this page.
    pub jobs: Vec<Job>,
    /// How many there are in all, state by state.
    #[serde(default)]
    pub jobs_count: JobCounts,
    /// Path of the next page; optional key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
}

/// Numbers of jobs, state by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_field_names)]
pub struct JobCounts {
    /// Waiting.
    #[serde(default, deserialize_with = "number::count")]
    pub n_scheduled_jobs: u64,
    /// Running.
    #[serde(default, deserialize_with = "number::count")]
    pub n_running_jobs: u64,
    /// Done.
    #[serde(default, deserialize_with = "number::count")]
    pub n_finished_jobs: u64,
    /// Ended with an error.
    #[serde(default, deserialize_with = "number::count")]
    pub n_failed_jobs: u64,
    /// Stopped.
    #[serde(default, deserialize_with = "number::count")]
    pub n_cancelled_jobs: u64,
}

/// `POST {project}:train`: what to train.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainRequest {
    /// Identifier of the task.
    pub task_id: Id,
    /// Whether to begin anew rather than from the last model.
    #[serde(default)]
    pub train_from_scratch: bool,
    /// Identifier of the algorithm; the server's default when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_template_id: Option<Id>,
    /// Hyper-parameters that differ from the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hyper_parameters: Option<Value>,
}
