//! Hooks give way to inference.
//!
//! The threads of an inference engine wait for each other by spinning: one of them that a hook
//! keeps off its core makes the others burn theirs. So the threads of hooks take what inference
//! leaves.

/// Lets the calling thread run only where nothing else wants to, if the system can do that.
///
/// A system that refuses costs speed, no correctness, so the refusal is only logged.
pub(super) fn yield_to_inference() {
    #[cfg(target_os = "linux")]
    lower();
}

/// The idle policy rather than a nice value: a thread of inference that wakes up is put on a core
/// with only such threads as if the core were free, and goes first at once; against the nicest
/// thread it waits for the next tick. A full queue makes inference wait, and then the cores are
/// the hooks' alone.
#[cfg(target_os = "linux")]
fn lower() {
    use thread_priority::unix::{
        NormalThreadSchedulePolicy::Idle, set_thread_priority_and_policy, thread_native_id,
        thread_schedule_policy,
    };
    use thread_priority::{ThreadPriority, ThreadSchedulePolicy::Normal};

    let thread = thread_native_id();
    let lowered = set_thread_priority_and_policy(thread, ThreadPriority::Min, Normal(Idle));
    // After the policy the call sets the nice value to 0, which a process that is nicer may not;
    // to an idle thread it means nothing.
    if thread_schedule_policy() != Ok(Normal(Idle)) {
        tracing::debug!(
            ?lowered,
            "the hook's thread keeps the priority of its process"
        );
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use thread_priority::ThreadSchedulePolicy::Normal;
    use thread_priority::unix::{NormalThreadSchedulePolicy, thread_schedule_policy};

    #[test]
    fn only_the_calling_thread_is_lowered() {
        let before = thread_schedule_policy().unwrap();
        let inside = std::thread::spawn(|| {
            super::yield_to_inference();
            thread_schedule_policy().unwrap()
        });
        let idle = Normal(NormalThreadSchedulePolicy::Idle);
        assert_eq!(inside.join().unwrap(), idle);
        assert_eq!(thread_schedule_policy().unwrap(), before);
    }
}
