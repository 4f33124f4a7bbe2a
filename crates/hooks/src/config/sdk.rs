//! Hooks in the form of the Python SDK: class names, then constructor arguments by name.

use serde::{Deserialize, Serialize};

use super::{ActionConfig, BreakerConfig, HookConfig, RetryConfig, TriggerConfig};
use crate::event::KeyPolicy;
use crate::limit::LimitOptions;
use crate::queue::Overflow;

/// The SDK's only class of hooks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum SdkHook {
    PostInferenceHook(SdkArguments),
}

/// The arguments of the SDK's constructor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SdkArguments {
    trigger: TriggerConfig,
    action: ActionConfig,
    #[serde(default = "five")]
    max_threads: usize,
    #[serde(default)]
    limit_action_rate: bool,
    #[serde(default = "one")]
    max_frames_per_second: f64,
    /// Most events that wait; 0, the SDK's default, means no bound there and ours here.
    #[serde(default)]
    queue_limit: usize,
}

impl SdkHook {
    /// The hook in our form. A queue with a limit makes the caller wait when it is full, as it does
    /// in the SDK.
    pub(super) fn into_config(self) -> HookConfig {
        let Self::PostInferenceHook(arguments) = self;
        let rate = arguments
            .limit_action_rate
            .then_some(arguments.max_frames_per_second);
        let has_limit = arguments.queue_limit > 0;
        HookConfig {
            name: None,
            trigger: arguments.trigger,
            action: arguments.action,
            max_threads: arguments.max_threads,
            limits: LimitOptions {
                max_frames_per_second: rate,
                ..LimitOptions::default()
            },
            when_full: if has_limit {
                Overflow::Wait
            } else {
                Overflow::Auto
            },
            queue_size: has_limit.then_some(arguments.queue_limit),
            queue: None,
            retry: RetryConfig::default(),
            breaker: BreakerConfig::default(),
            key_policy: KeyPolicy::default(),
        }
    }

    /// The hook in the SDK's form, or `None` if the SDK does not know its trigger or action.
    ///
    /// Settings that the SDK lacks are left out: there the hook runs without them.
    pub(super) fn of(config: &HookConfig) -> Option<Self> {
        if !config.trigger.is_known_to_sdk() {
            return None;
        }
        let rate = config.limits.max_frames_per_second;
        let queue = config
            .queue
            .filter(|queue| queue.overflow == Overflow::Wait);
        let size = config
            .queue_size
            .filter(|_| config.when_full == Overflow::Wait);
        Some(Self::PostInferenceHook(SdkArguments {
            trigger: config.trigger.clone(),
            action: config.action.for_sdk()?,
            max_threads: config.max_threads,
            limit_action_rate: rate.is_some(),
            max_frames_per_second: rate.unwrap_or(1.0),
            queue_limit: size
                .or(queue.and_then(|queue| queue.max_events))
                .unwrap_or(0),
        }))
    }
}

fn five() -> usize {
    5
}

fn one() -> f64 {
    1.0
}
