//! Checks a hook's settings and opens its queue.

use std::path::Path;

use crate::hook::PostInferenceHook;
use crate::queue::{DiskJournal, Overflow, Queue, QueueOptions, SourceKind};
use crate::runner::Opened;
use crate::set::HookError;

/// Says which of the hook's values is out of its range, if one is.
pub(crate) fn check(
    hook: &PostInferenceHook,
    name: &str,
    has_folder: bool,
) -> Result<(), HookError> {
    let options = &hook.options;
    options.limits.check().map_err(|what| invalid(name, what))?;
    if options.retry.max_attempts == 0 {
        return Err(invalid(name, "retry.max_attempts: 0 is not at least 1"));
    }
    if options.queue_size == Some(0) || options.queue.is_some_and(|queue| queue.max_events == 0) {
        return Err(invalid(name, "a queue has room for at least 1 event"));
    }
    let is_said = options.queue_size.is_some() || options.when_full != Overflow::Auto;
    if is_said && options.queue.is_some() {
        let what = "give `when_full` and `queue_size`, or all bounds in `queue`, not both";
        return Err(invalid(name, what));
    }
    if options.max_threads > MOST_THREADS {
        let what = format!(
            "max_threads: {} is more than {MOST_THREADS}",
            options.max_threads
        );
        return Err(invalid(name, what));
    }
    if !has_folder && queue_options(hook, has_folder).needs_disk() {
        let what = "its queue is to be on disk: give the hooks a state folder";
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
/// What waits for a remote sink is kept on disk if there is a folder for it.
fn queue_options(hook: &PostInferenceHook, has_folder: bool) -> QueueOptions {
    let options = &hook.options;
    if let Some(queue) = options.queue {
        return queue;
    }
    let base = if has_folder && hook.action.is_remote() {
        QueueOptions::DISK
    } else {
        QueueOptions::MEMORY
    };
    QueueOptions {
        overflow: options.when_full,
        max_events: options.queue_size.unwrap_or(base.max_events),
        ..base
    }
}

/// Opens the hook's queue, in the folder `<state folder>/<name>` if there is one: a queue in memory
/// spills there if it may, and keeps there what is left at the end.
pub(crate) fn open_queue(
    hook: &PostInferenceHook,
    name: &str,
    state_folder: Option<&Path>,
    source: SourceKind,
) -> Result<Opened, HookError> {
    let options = queue_options(hook, state_folder.is_some());
    let Some(folder) = state_folder else {
        return Ok(in_memory(hook, name, options, source));
    };
    let failed = |source| HookError::Queue {
        hook: name.to_owned(),
        source,
    };
    let (journal, mut resumed) = DiskJournal::open(&folder.join(name)).map_err(failed)?;
    let limits = resumed.limits.take();
    let expected = std::mem::take(&mut resumed.expected);
    let waiting = resumed.waiting.iter().map(|(id, _)| id);
    let dead = resumed.dead.iter().map(|(id, ..)| id);
    let last = waiting.chain(dead).chain(&resumed.held).max().copied();
    let queue = Queue::with_journal(options, source, Box::new(journal), resumed);
    Ok(Opened {
        queue,
        limits,
        last,
        expected,
    })
}

fn in_memory(
    hook: &PostInferenceHook,
    name: &str,
    options: QueueOptions,
    source: SourceKind,
) -> Opened {
    if hook.action.is_remote() && hook.options.queue.is_none() {
        tracing::warn!(
            hook = name,
            "no state folder: what waits for the sink is lost when the program ends"
        );
    }
    Opened {
        queue: Queue::in_memory(options, source),
        limits: None,
        last: None,
        expected: Vec::new(),
    }
}
