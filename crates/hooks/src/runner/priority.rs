//! Hooks give way to inference.
//!
//! The threads of an inference engine wait for each other by spinning: one of them that a hook
//! keeps off its core makes the others burn theirs. So the threads of hooks run at a lower
//! priority, and take what inference leaves.

/// Lowers the priority of the calling thread, where the system has one for each thread.
///
/// A system that refuses costs speed, no correctness, so the refusal is only logged.
pub(super) fn yield_to_inference() {
    #[cfg(target_os = "linux")]
    lower();
}

/// How much nicer than inference: as nice as there is. A full queue makes inference wait, and then
/// the cores are the hooks' alone; sharing a core with inference would slow down both.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

/// On Linux the call for a process takes a thread's number as well, and means that thread alone.
#[cfg(target_os = "linux")]
fn lower() {
    use rustix::process::{getpriority_process, setpriority_process};
    let thread = Some(rustix::thread::gettid());
    let lowered =
        getpriority_process(thread).and_then(|now| setpriority_process(thread, now + NICE));
    if let Err(error) = lowered {
        tracing::debug!(%error, "the hook's thread keeps the priority of its process");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::getpriority_process;
    use rustix::thread::gettid;

    #[test]
    fn only_the_calling_thread_is_lowered() {
        let before = getpriority_process(Some(gettid())).unwrap();
        let inside = std::thread::spawn(|| {
            super::yield_to_inference();
            getpriority_process(Some(gettid())).unwrap()
        });
        assert!(inside.join().unwrap() > before || before > 9);
        assert_eq!(getpriority_process(Some(gettid())).unwrap(), before);
    }
}
