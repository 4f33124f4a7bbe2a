//! What decides about images: a hook's trigger and its limits, which can be exchanged at work.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use straylight_core::{Frame, Prediction};

use super::limiter::Limiter;
use super::{Runner, World};
use crate::config::HookConfig;
use crate::hook::PostInferenceHook;
use crate::limit::LimitOptions;
use crate::trigger::TriggerError;

/// The hook as it was configured last, and its limits.
pub(super) struct Judge {
    pub(super) hook: Arc<PostInferenceHook>,
    pub(super) limits: Arc<Limiter>,
}

impl Judge {
    pub(super) fn new(
        hook: Arc<PostInferenceHook>,
        world: &World,
        remembered: Option<&str>,
    ) -> Self {
        let limits = Limiter::new(&hook.options.limits, world, remembered);
        Self {
            hook,
            limits: Arc::new(limits),
        }
    }

    pub(super) fn score(
        &self,
        frame: &Frame,
        prediction: &Prediction,
    ) -> Result<f64, TriggerError> {
        let trigger = &self.hook.trigger;
        let score = || trigger.score(frame, prediction);
        catch_unwind(AssertUnwindSafe(score))
            .unwrap_or_else(|_| Err(TriggerError::failed(trigger.name(), "it panicked")))
    }
}

impl Runner {
    pub(super) fn judge(&self) -> Arc<Judge> {
        let judge = self.judge.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&judge)
    }

    /// The hook as it was configured last.
    pub(crate) fn hook(&self) -> Arc<PostInferenceHook> {
        Arc::clone(&self.judge().hook)
    }

    /// Whether the two differ in trigger and limits only, so that the queue need not end.
    pub(crate) fn can_become(&self, hook: &PostInferenceHook) -> bool {
        let rest = |hook: &PostInferenceHook| {
            let config = HookConfig::of(hook).ok()?;
            let limits = LimitOptions::default();
            Some((config.trigger.clone(), HookConfig { limits, ..config }))
        };
        match (rest(&self.hook()), rest(hook)) {
            (Some((trigger, own)), Some((_, other))) => own == HookConfig { trigger, ..other },
            // One that cannot be saved cannot be compared.
            _ => false,
        }
    }

    /// Exchanges trigger and limits; what is queued and counted stays.
    ///
    /// Limits that change take up what the old ones remember, and end the open window of the best.
    pub(crate) fn become_hook(self: &Arc<Self>, hook: PostInferenceHook) {
        let old = self.judge();
        let is_same = old.hook.options.limits == hook.options.limits;
        if !is_same {
            self.release_held(None);
        }
        let hook = Arc::new(hook);
        let new = if is_same {
            Judge {
                hook,
                limits: Arc::clone(&old.limits),
            }
        } else {
            Judge::new(hook, &self.world, old.limits.to_keep().as_deref())
        };
        *self.judge.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
    }
}
