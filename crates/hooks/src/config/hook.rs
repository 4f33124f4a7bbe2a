use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ActionConfig, ConfigError, TriggerConfig};
use crate::delivery::{BreakerOptions, RetryOptions};
use crate::event::KeyPolicy;
use crate::hook::{HookOptions, PostInferenceHook};
use crate::limit::LimitOptions;
use crate::queue::{Overflow, QueueOptions, Storage};

/// One hook in the form that Straylight keeps: everything that the hook can be told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookConfig {
    /// Name in metrics, logs and queue folders; made of position, trigger and action if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which images are wanted.
    pub trigger: TriggerConfig,
    /// Where they go.
    pub action: ActionConfig,
    /// Most threads that deliver events; 0 delivers on the thread that submits the image.
    #[serde(default = "default_threads")]
    pub max_threads: usize,
    /// What holds events back after the trigger fired.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: LimitOptions,
    /// What happens when the queue is full, unless `queue` says it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub when_full: Overflow,
    /// Most events that wait or are being delivered, unless `queue` says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_size: Option<usize>,
    /// All bounds of the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueConfig>,
    /// How failed deliveries are tried again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retry: RetryConfig,
    /// When a failing sink is left alone.
    #[serde(default, skip_serializing_if = "is_default")]
    pub breaker: BreakerConfig,
    /// Which deliveries count as the same.
    #[serde(default, skip_serializing_if = "is_default")]
    pub key_policy: KeyPolicy,
}

/// Bounds of a queue; what is absent keeps the default of its storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConfig {
    /// Where events wait.
    pub storage: Storage,
    /// What happens when there is no room.
    #[serde(default)]
    pub overflow: Overflow,
    /// Most events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_events: Option<usize>,
    /// Most bytes of all events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Most bytes of events on their way to the disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_staged_bytes: Option<u64>,
    /// Most bytes of spilled events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_spilled_bytes: Option<u64>,
    /// Most dead letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_dead: Option<usize>,
}

/// How failed deliveries are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryConfig {
    /// Wait after the first failure, in milliseconds.
    pub initial_ms: u64,
    /// Longest wait, in milliseconds.
    pub longest_ms: u64,
    /// Attempts after which an event becomes a dead letter.
    pub max_attempts: u32,
}

/// When a failing sink is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// Failures in a row that open the breaker; 0 leaves only the rests that a sink asks for.
    pub failures: u32,
    /// First rest, in milliseconds.
    pub rest_ms: u64,
    /// Longest rest, in milliseconds.
    pub longest_rest_ms: u64,
}

impl QueueConfig {
    fn options(self) -> QueueOptions {
        let base = match self.storage {
            Storage::Memory => QueueOptions::MEMORY,
            Storage::Disk => QueueOptions::DISK,
        };
        QueueOptions {
            storage: self.storage,
            overflow: self.overflow,
            max_events: self.max_events.unwrap_or(base.max_events),
            max_bytes: self.max_bytes.unwrap_or(base.max_bytes),
            max_staged_bytes: self.max_staged_bytes.unwrap_or(base.max_staged_bytes),
            max_spilled_bytes: self.max_spilled_bytes.unwrap_or(base.max_spilled_bytes),
            max_dead: self.max_dead.unwrap_or(base.max_dead),
        }
    }
}

impl From<QueueOptions> for QueueConfig {
    fn from(options: QueueOptions) -> Self {
        Self {
            storage: options.storage,
            overflow: options.overflow,
            max_events: Some(options.max_events),
            max_bytes: Some(options.max_bytes),
            max_staged_bytes: Some(options.max_staged_bytes),
            max_spilled_bytes: Some(options.max_spilled_bytes),
            max_dead: Some(options.max_dead),
        }
    }
}

impl From<RetryOptions> for RetryConfig {
    fn from(options: RetryOptions) -> Self {
        let RetryOptions {
            initial,
            longest,
            max_attempts,
        } = options;
        Self {
            initial_ms: millis(initial),
            longest_ms: millis(longest),
            max_attempts,
        }
    }
}

impl From<RetryConfig> for RetryOptions {
    fn from(config: RetryConfig) -> Self {
        Self {
            initial: Duration::from_millis(config.initial_ms),
            longest: Duration::from_millis(config.longest_ms),
            max_attempts: config.max_attempts,
        }
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        RetryOptions::default().into()
    }
}

impl From<BreakerOptions> for BreakerConfig {
    fn from(options: BreakerOptions) -> Self {
        let BreakerOptions {
            failures,
            rest,
            longest_rest,
        } = options;
        Self {
            failures,
            rest_ms: millis(rest),
            longest_rest_ms: millis(longest_rest),
        }
    }
}

impl From<BreakerConfig> for BreakerOptions {
    fn from(config: BreakerConfig) -> Self {
        Self {
            failures: config.failures,
            rest: Duration::from_millis(config.rest_ms),
            longest_rest: Duration::from_millis(config.longest_rest_ms),
        }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        BreakerOptions::default().into()
    }
}

impl HookConfig {
    /// The configuration of a hook, so that it can be saved.
    pub fn of(hook: &PostInferenceHook) -> Result<Self, ConfigError> {
        let unsaved = |kind, name: &str| ConfigError::Unsaved {
            kind,
            name: name.to_owned(),
        };
        let trigger = hook.trigger().config();
        let action = hook.action().config();
        let options = hook.options();
        Ok(Self {
            name: options.name.clone(),
            trigger: trigger.ok_or_else(|| unsaved("trigger", hook.trigger().name()))?,
            action: action.ok_or_else(|| unsaved("action", hook.action().name()))?,
            max_threads: options.max_threads,
            limits: options.limits.clone(),
            when_full: options.when_full,
            queue_size: options.queue_size,
            queue: options.queue.map(QueueConfig::from),
            retry: options.retry.into(),
            breaker: options.breaker.into(),
            key_policy: options.key_policy,
        })
    }

    /// How the hook runs.
    pub fn options(&self) -> HookOptions {
        HookOptions {
            name: self.name.clone(),
            max_threads: self.max_threads,
            limits: self.limits.clone(),
            when_full: self.when_full,
            queue_size: self.queue_size,
            queue: self.queue.map(QueueConfig::options),
            retry: self.retry.into(),
            breaker: self.breaker.into(),
            key_policy: self.key_policy,
        }
    }
}

fn default_threads() -> usize {
    HookOptions::default().max_threads
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
