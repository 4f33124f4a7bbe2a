use std::time::Duration;

use straylight_core::Progress;

use super::pages::{self, Cursor, Page, Paging};
use super::project::ProjectApi;
use super::session::Geti;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Request, encode};
use crate::wire::{Job, JobList, JobRef, JobState, TrainRequest};

/// How long a page of jobs is; the SDK asks for as many.
const JOBS_A_PAGE: u64 = 100;

/// How often a running job is asked for its state.
const POLL: Duration = Duration::from_secs(2);

/// How long a job that was just started may be unknown to the server.
const UNKNOWN: Duration = Duration::from_secs(15);

impl Geti {
    /// The jobs of the workspace, or of one project.
    pub fn jobs(&self, project_id: Option<&str>) -> Result<Vec<Job>, GetiError> {
        let limit = JOBS_A_PAGE;
        let filter = project_id
            .map(|id| format!("&project_id={}", encode(id)))
            .unwrap_or_default();
        pages::read_all(
            "jobs",
            Paging::BySkip,
            limit,
            |job: &Job| &job.id,
            |cursor| {
                let skip = if let Cursor::Skip(skip) = cursor {
                    skip
                } else {
                    0
                };
                let path = self.workspace_path(&format!("jobs?limit={limit}{filter}&skip={skip}"));
                let list: JobList = self.transport().json(&Request::get(path))?;
                let counts = list.jobs_count;
                // Scheduled jobs may be counted without being listed.
                let total = counts.n_running_jobs
                    + counts.n_finished_jobs
                    + counts.n_failed_jobs
                    + counts.n_cancelled_jobs;
                Ok(Page {
                    items: list.jobs,
                    total,
                    next: None,
                })
            },
        )
    }

    /// One job.
    pub fn job(&self, id: &str) -> Result<Job, GetiError> {
        self.transport().json(&Request::get(
            self.workspace_path(&format!("jobs/{}", encode(id))),
        ))
    }

    /// Stops a job.
    pub fn cancel_job(&self, id: &str) -> Result<(), GetiError> {
        let path = self.workspace_path(&format!("jobs/{}", encode(id)));
        self.transport().run(&Request::delete(path), |_| Ok(()))
    }

    /// Waits until a job has finished, at most `limit`.
    ///
    /// # Errors
    /// [`ErrorKind::Job`] if it failed or was cancelled, [`ErrorKind::Timeout`] if it runs
    /// longer than that: it then goes on.
    pub fn wait_for_job(
        &self,
        id: &str,
        limit: Duration,
        progress: &dyn Progress,
    ) -> Result<Job, GetiError> {
        self.wait_asking_every(id, POLL, limit, progress)
    }

    /// Waits as [`Self::wait_for_job`] does and asks the server once in each `interval`.
    pub fn wait_asking_every(
        &self,
        id: &str,
        interval: Duration,
        limit: Duration,
        progress: &dyn Progress,
    ) -> Result<Job, GetiError> {
        progress.begin("Waiting for the server", 100);
        let result = self.poll_job(id, interval, limit, progress);
        progress.finish();
        result
    }

    fn poll_job(
        &self,
        id: &str,
        interval: Duration,
        limit: Duration,
        progress: &dyn Progress,
    ) -> Result<Job, GetiError> {
        let start = self.clock().now();
        let mut shown = 0;
        loop {
            let waited = self.clock().now().saturating_sub(start);
            match self.job(id) {
                Ok(job) => {
                    let percent = percent(&job).max(shown);
                    progress.advance(percent - shown);
                    shown = percent;
                    if let Some(result) = ended(job) {
                        return result;
                    }
                }
                Err(error) if is_unknown_yet(&error) && waited < UNKNOWN => {}
                Err(error) => return Err(error),
            }
            if waited >= limit {
                let message = format!("the job {id} still runs after {} s", limit.as_secs());
                return Err(GetiError::new(ErrorKind::Timeout, message));
            }
            self.clock().sleep(interval);
        }
    }
}

impl ProjectApi {
    /// Starts the training of a task; returns the identifier of the job.
    pub fn train(&self, request: &TrainRequest) -> Result<String, GetiError> {
        let request = Request::post(self.path(":train")).json(request)?;
        let job: JobRef = self.geti().transport().json(&request)?;
        Ok(job.job_id)
    }
}

/// Right after its start a job may be answered with 403 or 404.
fn is_unknown_yet(error: &GetiError) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden)
}

/// The result of a job that has ended.
fn ended(job: Job) -> Option<Result<Job, GetiError>> {
    let state = *job.state.known()?;
    if state == JobState::Finished {
        return Some(Ok(job));
    }
    state.is_final().then(|| {
        let reason = job.message().unwrap_or("the server does not say why");
        let message = format!("the job `{}` ended as {state:?}: {reason}", job.name);
        Err(GetiError::new(ErrorKind::Job, message))
    })
}

/// Progress over all steps, 0 to 100.
fn percent(job: &Job) -> u64 {
    if job.steps.is_empty() {
        return 0;
    }
    let sum: f64 = job
        .steps
        .iter()
        .map(|step| step.progress.clamp(0.0, 100.0))
        .sum();
    (sum / job.steps.len() as f64) as u64
}
