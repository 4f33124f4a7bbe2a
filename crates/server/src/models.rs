use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use straylight_store::{DeploymentRecord, Store};

use crate::api::{ApiError, ApiResult};
use crate::predictor::{HookStatus, Predictor, PredictorLoader};

/// A slot that is filled once; those who come meanwhile wait for it.
type Slot = Arc<OnceLock<Result<Arc<dyn Predictor>, String>>>;

/// The deployments that were loaded, by identifier; each is loaded when it is first needed.
pub(crate) struct Models {
    loader: Option<Arc<dyn PredictorLoader>>,
    loaded: Mutex<HashMap<String, Slot>>,
}

impl Models {
    pub(crate) fn new(loader: Option<Arc<dyn PredictorLoader>>) -> Self {
        Self {
            loader,
            loaded: Mutex::default(),
        }
    }

    /// The active deployment of a project, loaded.
    pub(crate) fn active(&self, store: &Store, project: &str) -> ApiResult<Arc<dyn Predictor>> {
        let deployments = store.deployments(project)?;
        let active = deployments.into_iter().find(|d| d.active);
        let active = active.ok_or_else(|| {
            let message = "The project has no deployment: import one";
            ApiError::new(straylight_geti::wire::ErrorCode::ModelNotFound, message)
        })?;
        self.load(store, &active)
    }

    /// A deployment, loaded.
    pub(crate) fn load(
        &self,
        store: &Store,
        deployment: &DeploymentRecord,
    ) -> ApiResult<Arc<dyn Predictor>> {
        let Some(loader) = &self.loader else {
            let message = "This server was started without an inference engine";
            return Err(ApiError::bad(message));
        };
        let folder = store.deployment_folder(&deployment.id)?;
        let slot = self.slot(&deployment.id);
        let loaded = slot.get_or_init(|| loader.load(&folder).map_err(|e| e.to_string()));
        loaded.clone().map_err(|message| {
            // The next request tries again: the user may have fixed it meanwhile.
            self.forget(&deployment.id);
            ApiError::bad(format!("The deployment cannot be loaded: {message}"))
        })
    }

    /// Forgets a deployment, so that it is loaded anew or, when it is deleted, let go.
    pub(crate) fn forget(&self, id: &str) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.remove(id);
    }

    /// Whether a deployment is loaded.
    pub(crate) fn is_loaded(&self, id: &str) -> bool {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = loaded.get(id).and_then(|slot| slot.get());
        slot.is_some_and(Result::is_ok)
    }

    /// The hooks of all loaded deployments.
    pub(crate) fn hooks(&self) -> Vec<HookStatus> {
        let slots: Vec<Slot> = {
            let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.values().cloned().collect()
        };
        let predictors = slots.iter().filter_map(|slot| slot.get()?.as_ref().ok());
        predictors.flat_map(|p| p.hooks()).collect()
    }

    /// Their counters in Prometheus' text format.
    pub(crate) fn hook_metrics(&self) -> String {
        let loader = self.loader.as_ref();
        loader.map_or_else(String::new, |loader| loader.hook_metrics())
    }

    fn slot(&self, id: &str) -> Slot {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.entry(id.to_owned()).or_default().clone()
    }
}
