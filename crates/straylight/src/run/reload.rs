//! Another deployment and other hooks for a run at work.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use straylight_deploy::Deployment;
use straylight_hooks::{DrainOptions, HookError, HookSet, HookStats, LostImage, PostInferenceHook};

/// What a run goes on with: all of it was loaded and checked before.
#[derive(Debug)]
pub struct Replacement {
    /// The deployment.
    pub deployment: Arc<Deployment>,
    /// The hooks of each source, in the order of the sources.
    pub hooks: Vec<Vec<PostInferenceHook>>,
    /// How long hooks that end go on delivering what is in memory.
    pub drain: DrainOptions,
}

/// The way in which a replacement reaches a run.
///
/// The run takes it between two images: those on their way are judged by what was there before, and
/// none is lost.
#[derive(Clone, Default)]
pub struct Reloads(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    offered: Option<Replacement>,
    wake: Option<Box<dyn Fn() + Send>>,
}

impl fmt::Debug for Reloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reloads")
    }
}

impl Reloads {
    /// Hands a replacement over; one that the run has not taken yet is forgotten.
    pub fn offer(&self, replacement: Replacement) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.offered = Some(replacement);
        if let Some(wake) = &state.wake {
            wake();
        }
    }

    /// What is called when there is a replacement.
    pub(super) fn wakes(&self, wake: impl Fn() + Send + 'static) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.offered.is_some() {
            wake();
        }
        state.wake = Some(Box::new(wake));
    }

    pub(super) fn take(&self) -> Option<Replacement> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.offered.take()
    }
}

/// What became of a source's hooks when a run was reloaded.
pub type HooksReloaded = Result<(Vec<HookStats>, Vec<LostImage>), HookError>;

/// Exchanges the hooks of each source.
pub(super) fn replace_hooks(
    sets: &[&HookSet],
    hooks: Vec<Vec<PostInferenceHook>>,
    drain: DrainOptions,
) -> Vec<HooksReloaded> {
    let replace = |(set, hooks): (&&HookSet, _)| set.replace(hooks, drain);
    sets.iter().zip(hooks).map(replace).collect()
}
