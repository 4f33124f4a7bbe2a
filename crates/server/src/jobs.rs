use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value, json};
use straylight_geti::wire::{Job, JobState, JobStep, Open};
use straylight_store::{JobRecord, Page, Store, StoreError};

use crate::api::{ApiError, ApiResult, discard};
use crate::app::Shared;
use crate::config::SdkGeneration;

/// Long pieces of work: each runs on a thread of its own and writes its state into the store.
pub(crate) struct Jobs {
    stopping: AtomicBool,
}

/// What a job is about.
pub(crate) struct NewJob {
    /// `export_dataset`, `import_project` and so on.
    pub(crate) kind: &'static str,
    /// What people call it.
    pub(crate) name: &'static str,
    /// The project, if there is one.
    pub(crate) project_id: Option<String>,
    /// What is known before it begins.
    pub(crate) metadata: Map<String, Value>,
}

impl Jobs {
    /// Ends what an earlier server left unfinished.
    pub(crate) fn new(store: &Store) -> Result<Self, StoreError> {
        for state in ["running", "scheduled"] {
            for job in store.jobs(None, Some(state), Page::ALL)? {
                let mut json = job.json;
                json["steps"][0]["message"] = json!("the server stopped before it was done");
                store.update_job(&job.id, "failed", &json)?;
            }
        }
        Ok(Self {
            stopping: AtomicBool::new(false),
        })
    }

    /// No further jobs are begun.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Starts a job; `work` returns what is to be added to its metadata.
    pub(crate) async fn start(
        app: &Shared,
        new: NewJob,
        work: impl FnOnce(&crate::app::App) -> ApiResult<Map<String, Value>> + Send + 'static,
    ) -> ApiResult<String> {
        if app.jobs.stopping.load(Ordering::Relaxed) {
            return Err(ApiError::Busy);
        }
        let json = describe(&new);
        // What an import was made of is of no use any more when it fails.
        let upload = new.metadata.get("file_id").and_then(Value::as_str);
        let upload = upload.map(str::to_owned);
        let record = app
            .run(move |app| {
                let project = new.project_id.as_deref();
                Ok(app.store.add_job(project, "running", &json)?)
            })
            .await?;
        let id = record.id.clone();
        let shared = app.clone();
        tokio::task::spawn_blocking(move || {
            let outcome = work(&shared);
            if outcome.is_err()
                && let Some(upload) = upload
            {
                discard(&shared, &upload);
            }
            if let Err(error) = finish(&shared.store, &record, outcome) {
                tracing::error!(%error, job = record.id, "the end of a job could not be noted");
            }
        });
        Ok(id)
    }
}

fn describe(new: &NewJob) -> Value {
    let mut metadata = new.metadata.clone();
    if let Some(id) = &new.project_id {
        metadata
            .entry("project")
            .or_insert_with(|| json!({"id": id}));
    }
    json!({
        "name": new.name,
        "type": new.kind,
        "metadata": metadata,
        "steps": [{"index": 1, "step_name": new.name, "progress": 0.0, "state": "running",
                   "message": null}],
    })
}

fn finish(
    store: &Store,
    job: &JobRecord,
    outcome: ApiResult<Map<String, Value>>,
) -> Result<(), StoreError> {
    let mut json = job.json.clone();
    let step = &mut json["steps"][0];
    let state = match &outcome {
        Ok(_) => {
            step["progress"] = json!(100.0);
            "finished"
        }
        Err(error) => {
            step["message"] = json!(message(error));
            "failed"
        }
    };
    step["state"] = json!(state);
    for (key, value) in outcome.into_iter().flatten() {
        json["metadata"][key] = value;
    }
    store.update_job(&job.id, state, &json)
}

fn message(error: &ApiError) -> String {
    match error {
        ApiError::Coded(_, message) | ApiError::Status(_, message) => message.clone(),
        ApiError::Internal(cause) => {
            tracing::error!(%cause, "a job failed");
            "see the server's log".to_owned()
        }
        other => format!("{other:?}"),
    }
}

/// The job as the REST API gives it.
pub(crate) fn to_wire(record: JobRecord, generation: SdkGeneration) -> Job {
    let json = &record.json;
    let mut metadata = json["metadata"].as_object().cloned().unwrap_or_default();
    if generation == SdkGeneration::Legacy {
        // SDK 2.5 refuses the key.
        metadata.remove("size");
    }
    let text = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    let steps: Option<Vec<JobStep>> = serde_json::from_value(json["steps"].clone()).ok();
    Job {
        name: text("name"),
        kind: text("type"),
        state: state(&record.state),
        metadata,
        steps: steps.unwrap_or_default(),
        creation_time: Some(record.created_at.into()),
        start_time: Some(record.created_at.into()),
        end_time: None,
        id: record.id,
    }
}

fn state(text: &str) -> Open<JobState> {
    let known = serde_json::from_value(json!(text)).map(Open::Known);
    known.unwrap_or_else(|_| Open::Other(text.to_owned()))
}
