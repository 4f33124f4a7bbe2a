use std::sync::Arc;

use jiff::Timestamp;
use straylight_store::Store;
use tokio::sync::Semaphore;

use crate::api::{ApiError, ApiResult};
use crate::auth::{LoginLimiter, Sessions};
use crate::config::ServerConfig;
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::models::Models;
use crate::predictor::PredictorLoader;

/// What every request handler shares.
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) config: ServerConfig,
    pub(crate) sessions: Sessions,
    pub(crate) limiter: LoginLimiter,
    pub(crate) metrics: Metrics,
    pub(crate) models: Models,
    pub(crate) jobs: Jobs,
    /// One permit a KiB of image uploads in memory.
    pub(crate) memory: Semaphore,
    /// One permit a core: decoding and inference take no more.
    pub(crate) cores: Semaphore,
}

pub(crate) type Shared = Arc<App>;

impl App {
    pub(crate) fn new(
        store: Arc<Store>,
        config: ServerConfig,
        loader: Option<Arc<dyn PredictorLoader>>,
    ) -> Result<Self, crate::ServerError> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            sessions: Sessions::new()?,
            limiter: LoginLimiter::new(config.limits.failed_logins),
            metrics: Metrics::new()?,
            models: Models::new(loader),
            jobs: Jobs::new(&store)?,
            memory: Semaphore::new((config.limits.memory_bytes / 1024) as usize),
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
