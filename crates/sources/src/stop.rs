use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Asks a source to end; clones ask the same source.
///
/// Images that are already read are still delivered. May be called from any thread and more
/// than once.
#[derive(Clone, Default)]
pub struct Stop {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    asked: bool,
    /// Ends what blocks the feed at the moment.
    interrupt: Option<Box<dyn FnOnce() + Send>>,
}

impl Stop {
    /// Asks the source to end.
    pub fn ask(&self) {
        let interrupt = {
            let mut state = self.state();
            state.asked = true;
            state.interrupt.take()
        };
        self.shared.changed.notify_all();
        if let Some(interrupt) = interrupt {
            interrupt();
        }
    }

    /// Whether the source was asked to end.
    pub fn is_asked(&self) -> bool {
        self.state().asked
    }

    /// Waits until the source is asked to end, but no longer than `time`; whether it was asked.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let waiting = |state: &mut State| !state.asked;
        let waited = self
            .shared
            .changed
            .wait_timeout_while(self.state(), time, waiting);
        waited.unwrap_or_else(PoisonError::into_inner).0.asked
    }

    /// Calls `interrupt` when the source is asked to end, at once if it was already.
    ///
    /// It replaces the one that was set before.
    pub(crate) fn set_interrupt(&self, interrupt: impl FnOnce() + Send + 'static) {
        let mut state = self.state();
        if state.asked {
            drop(state);
            interrupt();
        } else {
            state.interrupt = Some(Box::new(interrupt));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stop(asked: {})", self.is_asked())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn waiting_ends_when_asked() {
        let stop = Stop::default();
        let other = stop.clone();
        let waiter = std::thread::spawn(move || other.wait(Duration::from_secs(3600)));
        stop.ask();
        assert!(waiter.join().unwrap() && stop.is_asked());
        assert!(!Stop::default().wait(Duration::ZERO));
    }

    #[test]
    fn what_blocks_is_interrupted_even_if_it_comes_late() {
        let (sender, calls) = mpsc::channel();
        let stop = Stop::default();
        let first = sender.clone();
        stop.set_interrupt(move || first.send(1).unwrap());
        stop.ask();
        stop.set_interrupt(move || sender.send(2).unwrap());
        assert_eq!(calls.iter().collect::<Vec<_>>(), [1, 2]);
    }
}
