use std::sync::Arc;

use jiff::Timestamp;
use straylight_store::Store;
use tokio::sync::Semaphore;

use crate::api::{ApiError, ApiResult};
use crate::auth::{LoginLimiter, Sessions};
use crate::config::ServerConfig;
use crate::connection::Admission;
use crate::hosts::HostNames;
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::models::Models;
use crate::predictor::PredictorLoader;

/// Strangers for whom the store is asked at the same time.
const GREETED: usize = 4;

/// What every request handler shares.
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) config: ServerConfig,
    pub(crate) sessions: Sessions,
    pub(crate) limiter: LoginLimiter,
    pub(crate) metrics: Metrics,
    pub(crate) models: Models,
    pub(crate) jobs: Jobs,
    /// Who may keep a connection open.
    pub(crate) admission: Admission,
    /// Under which names the server answers.
    pub(crate) hosts: HostNames,
    /// One permit a KiB of bodies in memory.
    pub(crate) memory: Arc<Semaphore>,
    /// One permit for each stranger for whom the store is asked at the same time.
    greeting: Semaphore,
    /// One permit a core: decoding and inference take no more.
    pub(crate) cores: Semaphore,
}

pub(crate) type Shared = Arc<App>;

impl App {
    pub(crate) fn new(
        store: Arc<Store>,
        config: ServerConfig,
        loader: Option<Arc<dyn PredictorLoader>>,
        hosts: HostNames,
    ) -> Result<Self, crate::ServerError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            sessions: Sessions::new()?,
            limiter: LoginLimiter::new(config.limits.failed_logins),
            metrics: Metrics::new()?,
            models: Models::new(loader),
            jobs: Jobs::new(&store)?,
            admission: Admission::new(&config.limits),
            hosts,
            memory: Arc::new(Semaphore::new((config.limits.memory_bytes / 1024) as usize)),
            greeting: Semaphore::new(GREETED),
            cores: Semaphore::new(cores),
            store,
            config,
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.store.clock().now()
    }

    /// Runs work that reads or writes files on a thread that may wait.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&App) -> ApiResult<T> + Send + 'static,
    ) -> ApiResult<T> {
        let app = self.clone();
        let task = tokio::task::spawn_blocking(move || work(&app));
        task.await
            .unwrap_or_else(|e| Err(ApiError::Internal(format!("a task ended early: {e}"))))
    }

    /// Runs short work for somebody who may be a stranger: few at a time, so that a crowd of them
    /// takes neither threads nor memory.
    pub(crate) async fn greet<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&App) -> ApiResult<T> + Send + 'static,
    ) -> ApiResult<T> {
        let permit = self.greeting.acquire().await;
        let _permit = permit.map_err(|_| ApiError::Busy)?;
        self.run(work).await
    }

    /// Runs work that keeps a core busy; as many at a time as there are cores.
    pub(crate) async fn compute<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&App) -> ApiResult<T> + Send + 'static,
    ) -> ApiResult<T> {
        let permit = self.cores.acquire().await;
        let _permit = permit.map_err(|_| ApiError::Busy)?;
        self.run(work).await
    }
}
