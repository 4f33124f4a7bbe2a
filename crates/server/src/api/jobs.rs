use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use straylight_geti::wire::{Done, Job, JobCounts, JobList};
use straylight_store::Page;

use super::endpoint::W;
use super::extract::{Ids, Query};
use super::{ApiError, ApiResult, Endpoint, render};
use crate::app::{App, Shared};
use crate::jobs::to_wire;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::at(W, "/jobs").get("A page of the jobs", list),
        Endpoint::at(W, "/jobs/{j}")
            .get("A job", get)
            .post("`{j}:cancel`: refused while it runs", cancel)
            .status(202)
            .delete("Forget a job that has ended", cancel)
            .status(202),
    ]
}

async fn list(State(app): State<Shared>, _ids: Ids, query: Query) -> ApiResult<Json<JobList>> {
    let limit = query.number("limit", 10, (1, 100))?;
    let skip = query.number("skip", 0, (0, i64::MAX as u64))?;
    let page = Page { skip, limit };
    let list = app.run(move |app| find(app, &query, page)).await?;
    Ok(Json(list))
}

fn find(app: &App, query: &Query, page: Page) -> ApiResult<JobList> {
    let project = query.text("project_id");
    let state = query.text("state").map(str::to_lowercase);
    let jobs = app.store.jobs(project, state.as_deref(), page)?;
    let counts = app.store.count_jobs(project)?;
    let count = |state: &str| {
        counts
            .iter()
            .filter(|(s, _)| s == state)
            .map(|(_, n)| n)
            .sum()
    };
    let jobs_count = JobCounts {
        n_scheduled_jobs: count("scheduled"),
        n_running_jobs: count("running"),
        n_finished_jobs: count("finished"),
        n_failed_jobs: count("failed"),
        n_cancelled_jobs: count("cancelled"),
    };
    let matching: u64 = match &state {
        Some(state) => count(state),
        None => counts.iter().map(|(_, n)| n).sum(),
    };
    let end = page.skip.saturating_add(jobs.len() as u64);
    let next = || {
        let base = render::base(app.store.workspace());
        let project = project
            .map(|p| format!("&project_id={p}"))
            .unwrap_or_default();
        let state = state
            .as_deref()
            .map(|s| format!("&state={s}"))
            .unwrap_or_default();
        format!(
            "{base}/jobs?limit={}&skip={end}{project}{state}",
            page.limit
        )
    };
    Ok(JobList {
        next_page: (end < matching && !jobs.is_empty()).then(next),
        jobs: jobs
            .into_iter()
            .map(|job| to_wire(job, app.config.generation))
            .collect(),
        jobs_count,
    })
}

async fn get(State(app): State<Shared>, ids: Ids) -> ApiResult<Json<Job>> {
    let generation = app.config.generation;
    let job = app.run(move |app| Ok(app.store.job(ids.get("j"))?)).await?;
    Ok(Json(to_wire(job, generation)))
}

/// The work of this server takes seconds and cannot be interrupted.
async fn cancel(State(app): State<Shared>, ids: Ids) -> ApiResult<(StatusCode, Json<Done>)> {
    let job = app.run(move |app| Ok(app.store.job(ids.get("j"))?)).await?;
    if matches!(job.state.as_str(), "running" | "scheduled") {
        return Err(ApiError::bad(
            "The job is about to end and cannot be cancelled",
        ));
    }
    Ok((StatusCode::ACCEPTED, Json(Done::success())))
}
