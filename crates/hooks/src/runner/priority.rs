//! Hooks give way to inference.
//!
//! The threads of an inference engine wait for each other by spinning: one of them that a hook
//! keeps off its core makes the others burn theirs. So the threads of hooks take what inference
//! leaves.

/// Lets the calling thread take what others leave, if the system can do that.
///
/// A system that refuses costs speed, no correctness, so the refusal is only logged.
pub(super) fn yield_to_inference() {
    #[cfg(target_os = "linux")]
    lower();
}

/// The nicest value rather than the idle policy. Inference in a loop would be 5 % faster beside idle
/// threads. But where other programs keep all cores busy, an idle thread gets next to nothing of a
/// core: it holds a lock, or keeps its process from ending, for as long as that lasts. The nicest
/// thread gets a hundredth of a core and more.
#[cfg(target_os = "linux")]
fn lower() {
    use thread_priority::ThreadPriority::Min;
    use thread_priority::ThreadSchedulePolicy::Normal;
    use thread_priority::unix::{
        NormalThreadSchedulePolicy::Other, set_thread_priority_and_policy, thread_native_id,
    };

    let lowered = set_thread_priority_and_policy(thread_native_id(), Min, Normal(Other));
    if let Err(error) = lowered {
        tracing::debug!(
            ?error,
            "the hook's thread keeps the priority of its process"
        );
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    /// How nice the calling thread is: the 19th field of its state, of which the second is a name.
    fn niceness() -> Option<i32> {
        let state = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
        let (_, fields) = state.rsplit_once(") ")?;
        fields.split(' ').nth(16)?.parse().ok()
    }

    #[test]
    fn only_the_calling_thread_is_lowered() {
        let before = niceness();
        let inside = std::thread::spawn(|| {
            super::yield_to_inference();
            niceness()
        });
        assert_eq!(inside.join().unwrap(), Some(19));
        assert!(before.is_some() && niceness() == before);
    }
}
