use std::fmt;

use crate::action::Action;
use crate::delivery::{BreakerOptions, RetryOptions};
use crate::event::KeyPolicy;
use crate::limit::LimitOptions;
use crate::queue::{Overflow, QueueOptions};
use crate::trigger::{Needs, Trigger};

/// How a hook runs.
#[derive(Debug, Clone, PartialEq)]
pub struct HookOptions {
    /// Name in metrics, logs and queue folders; `None` for one made of position, trigger and
    /// action. Letters, digits, `-`, `_` and `.` only.
    pub name: Option<String>,
    /// Most threads that deliver events; 0 delivers on the thread that submits the image.
    pub max_threads: usize,
    /// What holds events back after the trigger fired.
    pub limits: LimitOptions,
    /// What happens when the queue is full, unless `queue` says it.
    pub when_full: Overflow,
    /// Most events that wait or are being delivered, unless `queue` says it; `None` for the
    /// default of the queue.
    pub queue_size: Option<usize>,
    /// All bounds of the queue; `None` for a queue in memory, or on disk for a remote action when
    /// the hooks have a folder for their queues.
    pub queue: Option<QueueOptions>,
    /// How failed deliveries are tried again.
    pub retry: RetryOptions,
    /// When a failing sink is left alone.
    pub breaker: BreakerOptions,
    /// Which deliveries count as the same.
    pub key_policy: KeyPolicy,
}

impl Default for HookOptions {
    /// Five threads, no limits.
    fn default() -> Self {
        Self {
            name: None,
            max_threads: 5,
            limits: LimitOptions::default(),
            when_full: Overflow::Auto,
            queue_size: None,
            queue: None,
            retry: RetryOptions::default(),
            breaker: BreakerOptions::default(),
            key_policy: KeyPolicy::default(),
        }
    }
}

/// A trigger, the action that it leads to, and how the two run.
pub struct PostInferenceHook {
    pub(crate) trigger: Box<dyn Trigger>,
    pub(crate) action: Box<dyn Action>,
    pub(crate) options: HookOptions,
}

impl PostInferenceHook {
    /// A hook; it runs once it is added to a [`HookSet`](crate::HookSet).
    pub fn new(trigger: Box<dyn Trigger>, action: Box<dyn Action>, options: HookOptions) -> Self {
        Self {
            trigger,
            action,
            options,
        }
    }

    /// The trigger.
    pub fn trigger(&self) -> &dyn Trigger {
        self.trigger.as_ref()
    }

    /// The action.
    pub fn action(&self) -> &dyn Action {
        self.action.as_ref()
    }

    /// What a prediction must bring along for the trigger and the limits.
    pub fn needs(&self) -> Needs {
        let features = self.options.limits.same_object.is_some();
        self.trigger.needs().union(Needs {
            features,
            ..Needs::NOTHING
        })
    }

    /// How the hook runs.
    pub fn options(&self) -> &HookOptions {
        &self.options
    }
}

impl fmt::Debug for PostInferenceHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PostInferenceHook({} -> {})",
            self.trigger.name(),
            self.action.name()
        )
    }
}
