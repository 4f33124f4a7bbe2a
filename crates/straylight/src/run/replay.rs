use std::ops::ControlFlow;
use std::sync::Arc;

use straylight_deploy::{DeployError, Deployment, Keep};
use straylight_hooks::config::HookConfig;
use straylight_hooks::trigger::Needs;
use straylight_hooks::{
    HookSet, HookSetOptions, Replay, ReplayDifference, ReplayReport, compare_replays,
};
use straylight_sources::Frames;

use super::{HookRunError, RunOptions, Step, Summary, run};
use crate::hookfile::context;

/// Hooks could not be tried on images.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The hooks.
    #[error(transparent)]
    Hooks(#[from] HookRunError),
    /// The model.
    #[error(transparent)]
    Deploy(#[from] DeployError),
}

/// What present and new hooks would have done with the same images.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// How many images there were.
    pub summary: Summary,
    /// The present hooks.
    pub present: Vec<ReplayReport>,
    /// The new hooks.
    pub new: Vec<ReplayReport>,
    /// What the two collect differently.
    pub difference: ReplayDifference,
}

/// Tries two sets of hooks on the images of a source, each image at the time when it was taken.
///
/// Nothing is collected, and the same images give the same result every time. `told` gets each
/// image, and those that cannot be read or inferred; when it says so the replay ends early.
pub fn replay(
    deployment: &Arc<Deployment>,
    frames: Frames,
    present: &[HookConfig],
    new: &[HookConfig],
    told: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<Replayed, ReplayError> {
    let mut present = start(deployment, present)?;
    let mut new = start(deployment, new)?;
    let activations = present.needs().union(new.needs()) != Needs::NOTHING;
    let options = RunOptions {
        keep: Keep {
            activations,
            ..Keep::NOTHING
        },
        ..RunOptions::default()
    };
    let none = HookSet::new(HookSetOptions::default());
    let mut failed = None;
    let summary = run(deployment, frames, &none, &options, &mut |step| {
        let Step::Image(seen) = step else {
            return told(step);
        };
        for replay in [&mut present, &mut new] {
            if let Err(error) = replay.submit(&seen.frame, &seen.prediction) {
                failed = Some(error);
                return ControlFlow::Break(());
            }
        }
        told(Step::Image(seen))
    })?;
    if let Some(error) = failed {
        return Err(HookRunError::from(error).into());
    }
    let present = present.finish().map_err(HookRunError::from)?;
    let new = new.finish().map_err(HookRunError::from)?;
    let difference = compare_replays(&present, &new);
    Ok(Replayed {
        summary,
        present,
        new,
        difference,
    })
}

fn start(deployment: &Deployment, hooks: &[HookConfig]) -> Result<Replay, HookRunError> {
    let context = context(deployment.ood_model());
    let hooks = hooks.iter().map(|hook| hook.build(&context));
    Ok(Replay::new(hooks.collect::<Result<_, _>>()?))
}
