//! Hooks and sets of hooks that belong to no deployment.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use serde_json::{Value, json};
use straylight::hooks::config::HookConfig;
use straylight::hooks::{
    self as core, HookOptions, HookSetOptions, HookStats, PostInferenceHook, RetryOptions,
};

use super::{Action, Trigger};
use crate::error::{Outcome, Raised};
use crate::interpreter::{let_go, remember_hooks};
use crate::{convert, frame};

/// A trigger, an action, and how the two run.
#[pyclass(frozen, module = "straylight._native")]
pub(crate) struct Hook {
    trigger: Py<Trigger>,
    action: Py<Action>,
    options: HookOptions,
}

#[pymethods]
impl Hook {
    /// Makes a hook; `options` is JSON with the keys of a saved hook but trigger and action.
    #[new]
    fn new(trigger: Py<Trigger>, action: Py<Action>, options: &str) -> PyResult<Self> {
        let options = hook_options(options)?;
        Ok(Self {
            trigger,
            action,
            options,
        })
    }
}

/// Reads options as a saved hook has them.
fn hook_options(text: &str) -> Outcome<HookOptions> {
    let mut settings: Value = serde_json::from_str(text)?;
    settings["trigger"] = json!({"AlwaysTrigger": {}});
    settings["action"] = json!({"FileSystemDataCollection": {"target_folder": "."}});
    let config: HookConfig = serde_json::from_value(settings)?;
    Ok(config.options())
}

impl Hook {
    /// The hook for one set.
    pub(crate) fn build(&self) -> PostInferenceHook {
        let (trigger, action) = (self.trigger.get().boxed(), self.action.get().boxed());
        PostInferenceHook::new(trigger, action, self.options.clone())
    }
}

/// Hooks at work without a deployment.
#[pyclass(frozen, module = "straylight._native")]
pub(crate) struct HookSet {
    inner: Option<Arc<core::HookSet>>,
}

impl HookSet {
    fn core(&self) -> Outcome<&Arc<core::HookSet>> {
        self.inner
            .as_ref()
            .ok_or_else(|| Raised::value("the hooks are closed"))
    }
}

#[pymethods]
impl HookSet {
    /// A set with one hook.
    #[new]
    fn new(py: Python<'_>, hook: &Hook) -> PyResult<Self> {
        let hook = hook.build();
        let hooks = py.detach(|| {
            let set = core::HookSet::new(HookSetOptions::default());
            set.add(hook).map(|()| Arc::new(set))
        });
        let hooks = hooks.map_err(Raised::from)?;
        remember_hooks(&hooks);
        Ok(Self { inner: Some(hooks) })
    }

    /// Lets the hook decide about an image.
    #[pyo3(signature = (image, prediction, name = None))]
    fn submit(
        &self,
        py: Python<'_>,
        image: &Bound<'_, PyAny>,
        prediction: &Bound<'_, PyAny>,
        name: Option<&str>,
    ) -> PyResult<()> {
        let image = frame::frame(image, name, None)?;
        let prediction = convert::from_python(prediction)?;
        let core = self.core()?;
        py.detach(|| core.submit(&image, &prediction));
        Ok(())
    }

    /// Waits until nothing is queued, at most so many seconds; says whether nothing is.
    fn drain(&self, py: Python<'_>, seconds: f64) -> PyResult<bool> {
        let (core, time) = (self.core()?, seconds_to_wait(seconds)?);
        Ok(py.detach(|| core.drain(time)))
    }

    /// What the hook has done, as JSON.
    fn stats(&self, py: Python<'_>) -> PyResult<String> {
        let core = self.core()?;
        Ok(py.detach(|| stats_json(core)).to_string())
    }
}

impl Drop for HookSet {
    fn drop(&mut self) {
        let_go(self.inner.take());
    }
}

/// A time to wait that is a number of seconds and not negative.
pub(crate) fn seconds_to_wait(seconds: f64) -> Outcome<Duration> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Raised::value(format!("{seconds} is no number of seconds to wait")))
}

/// What each hook of a set has done in this process, with the words of its last dead letters;
/// `earlier` is what earlier processes left, `total` are all.
pub(crate) fn stats_json(hooks: &core::HookSet) -> Value {
    let one = |stats: HookStats| {
        let dead = hooks.dead_letters(&stats.hook);
        let errors: Vec<&str> = dead.iter().map(|letter| letter.error.as_str()).collect();
        let suppressed: Value = stats
            .suppressed
            .iter()
            .map(|(kind, count)| (kind.as_str().to_owned(), json!(count)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        json!({
            "hook": stats.hook,
            "evaluated": stats.evaluated,
            "failed": stats.failed,
            "not_fired": stats.not_fired,
            "suppressed": suppressed,
            "held": stats.held,
            "fired": stats.fired,
            "retried": stats.retried,
            "delivered": stats.run.delivered,
            "queued": stats.run.queued,
            "in_memory": stats.run.in_memory,
            "dropped": stats.run.total_dropped(),
            "dead": stats.run.dead,
            "earlier": fates(&stats.earlier),
            "total": fates(&stats.ledger),
            "dead_letters": errors,
            "memory_bytes": stats.memory_bytes,
            "disk_bytes": stats.disk_bytes,
            "breaker_open": stats.breaker_open,
        })
    };
    hooks
        .stats()
        .into_iter()
        .map(one)
        .collect::<Vec<_>>()
        .into()
}

/// What became of events: fired = delivered + queued + `in_memory` + dropped + dead.
fn fates(ledger: &core::Ledger) -> Value {
    json!({
        "fired": ledger.fired,
        "delivered": ledger.delivered,
        "queued": ledger.queued,
        "in_memory": ledger.in_memory,
        "dropped": ledger.total_dropped(),
        "dead": ledger.dead,
    })
}

/// The settings of each hook as JSON; null for one with a trigger or an action of Python's.
pub(crate) fn hook_configs(hooks: &core::HookSet) -> Outcome<Vec<Option<String>>> {
    let text = |hook: Arc<PostInferenceHook>| {
        let config = HookConfig::of(&hook).ok();
        let text = config.map(|config| serde_json::to_string(&config));
        text.transpose().map_err(Raised::from)
    };
    hooks.hooks().into_iter().map(text).collect()
}

/// Delivers one image with an action, here and now, with one attempt.
#[pyfunction]
#[pyo3(signature = (action, image, prediction, score = None, name = None))]
pub(crate) fn perform(
    py: Python<'_>,
    action: &Action,
    image: &Bound<'_, PyAny>,
    prediction: &Bound<'_, PyAny>,
    score: Option<f64>,
    name: Option<&str>,
) -> PyResult<()> {
    let options = HookOptions {
        max_threads: 0,
        retry: RetryOptions {
            max_attempts: 1,
            ..RetryOptions::default()
        },
        ..HookOptions::default()
    };
    let trigger = Given(score.unwrap_or(1.0));
    let hook = PostInferenceHook::new(Box::new(trigger), action.boxed(), options);
    let image = frame::frame(image, name, None)?;
    let prediction = convert::from_python(prediction)?;
    let error = py.detach(|| -> Outcome<Option<String>> {
        let hooks = core::HookSet::new(HookSetOptions::default());
        hooks.add(hook)?;
        hooks.submit(&image, &prediction);
        let stats = hooks.stats();
        let names = stats
            .iter()
            .flat_map(|stats| hooks.dead_letters(&stats.hook));
        Ok(names.map(|letter| letter.error).next())
    })?;
    match error {
        Some(error) => Err(Raised::new("HookFailedError", error).into()),
        None => Ok(()),
    }
}

/// Fires always, with a score that was given.
struct Given(f64);

impl core::Trigger for Given {
    fn name(&self) -> &'static str {
        "call"
    }

    fn score(
        &self,
        _frame: &straylight::Frame,
        _prediction: &straylight::Prediction,
    ) -> Result<f64, core::TriggerError> {
        Ok(self.0)
    }

    fn decide(&self, _score: f64) -> bool {
        true
    }
}
