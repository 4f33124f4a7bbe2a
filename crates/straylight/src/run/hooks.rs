use std::path::PathBuf;
use std::time::Duration;

use straylight_deploy::Deployment;
use straylight_hooks::config::{ConfigError, HookConfig};
use straylight_hooks::{HookError, HookSet, HookSetOptions, LimitTimes};

use crate::hookfile::context;

/// The hooks of a run cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookRunError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A hook cannot run as it is configured.
    #[error(transparent)]
    Hook(#[from] HookError),
}

/// Sets hooks up for a run of a deployment, with its OOD model.
///
/// `state` is the folder of queues on disk; without one all queues are in memory. Dropping the
/// set delivers for at most `drain` and leaves the rest in the queues on disk.
pub fn hook_set(
    deployment: &Deployment,
    hooks: &[HookConfig],
    state: Option<PathBuf>,
    times: LimitTimes,
    drain: Duration,
) -> Result<HookSet, HookRunError> {
    let set = HookSet::new(HookSetOptions {
        state_folder: state,
        limit_times: times,
        drain_time: drain,
        ..HookSetOptions::default()
    });
    let context = context(deployment.ood_model());
    for hook in hooks {
        set.add(hook.build(&context)?)?;
    }
    Ok(set)
}
