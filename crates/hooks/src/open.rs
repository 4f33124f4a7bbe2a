//! Checks a hook's settings and opens its queue.

use std::path::Path;

use crate::hook::PostInferenceHook;
use crate::limit::LimitOptions;
use crate::queue::{DiskJournal, Overflow, Queue, QueueOptions};
use crate::runner::Opened;
use crate::set::HookError;

/// Says which of the hook's values is out of its range, if one is.
pub(crate) fn check(hook: &PostInferenceHook, name: &str) -> Result<(), HookError> {
    let options = &hook.options;
    options.limits.check().map_err(|what| invalid(name, what))?;
    if options.retry.max_attempts == 0 {
        return Err(invalid(name, "retry.max_attempts: 0 is not at least 1"));
    }
    if options.max_threads > MOST_THREADS {
        let what = format!(
            "max_threads: {} is more than {MOST_THREADS}",
            options.max_threads
        );
        return Err(invalid(name, what));
    }
    Ok(())
}

/// More threads than this are a mistake in the configuration.
const MOST_THREADS: usize = 1_000;

fn invalid(name: &str, what: impl Into<String>) -> HookError {
    HookError::Invalid {
        hook: name.to_owned(),
        what: what.into(),
    }
}

/// The queue that the user chose, or the one that suits the action.
///
/// What waits for a remote sink is kept on disk, and a queue in memory spills onto the disk, if
/// there is a folder for it.
fn queue_options(hook: &PostInferenceHook, has_folder: bool) -> QueueOptions {
    match hook.options.queue {
        Some(options) => options,
        None if has_folder && hook.action.is_remote() => QueueOptions::DISK,
        None if has_folder => QueueOptions {
            overflow: Overflow::Spill,
            ..QueueOptions::MEMORY
        },
        None => QueueOptions::MEMORY,
    }
}

/// Opens the hook's queue, in the folder `<state folder>/<name>` if it needs one.
pub(crate) fn open_queue(
    hook: &PostInferenceHook,
    name: &str,
    state_folder: Option<&Path>,
) -> Result<Opened, HookError> {
    let options = queue_options(hook, state_folder.is_some());
    let has_limits = hook.options.limits != LimitOptions::default();
    let Some(folder) = state_folder.filter(|_| options.needs_disk() || has_limits) else {
        if options.needs_disk() {
            return Err(invalid(
                name,
                "its queue is to be on disk: give the hooks a state folder",
            ));
        }
        if hook.action.is_remote() && hook.options.queue.is_none() {
            tracing::warn!(
                hook = name,
                "no state folder: what waits for the sink dies with us"
            );
        }
        return Ok(Opened {
            queue: Queue::in_memory(options),
            limits: None,
            last: None,
        });
    };
    let failed = |source| HookError::Queue {
        hook: name.to_owned(),
        source,
    };
    let (journal, mut resumed) = DiskJournal::open(&folder.join(name)).map_err(failed)?;
    let limits = resumed.limits.take();
    let waiting = resumed.waiting.iter().map(|(id, _)| id);
    let dead = resumed.dead.iter().map(|(id, ..)| id);
    let last = waiting.chain(dead).chain(&resumed.held).max().copied();
    let queue = Queue::with_journal(options, Box::new(journal), resumed);
    Ok(Opened {
        queue,
        limits,
        last,
    })
}
