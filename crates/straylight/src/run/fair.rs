use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Images of several sources, taken in turns: a fast source never keeps a slow one waiting.
///
/// Each source has one place. Whoever fills it waits while it is full.
pub(super) struct Fair<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    places: Vec<Option<T>>,
    /// Sources that have not ended.
    open: usize,
    /// Whose turn is next.
    next: usize,
    is_closed: bool,
    is_interrupted: bool,
}

impl<T> Fair<T> {
    pub(super) fn new(sources: usize) -> Self {
        Self {
            state: Mutex::new(State {
                places: (0..sources).map(|_| None).collect(),
                open: sources,
                next: 0,
                is_closed: false,
                is_interrupted: false,
            }),
            changed: Condvar::new(),
        }
    }

    /// Gives everything of a source, one after the other, then ends that source.
    pub(super) fn give(&self, source: usize, items: impl Iterator<Item = T>) {
        for item in items {
            let mut state = self.wait(|state| state.is_full(source) && !state.is_closed);
            if state.is_closed {
                break;
            }
            if let Some(place) = state.places.get_mut(source) {
                *place = Some(item);
            }
            drop(state);
            self.changed.notify_all();
        }
        self.state().open -= 1;
        self.changed.notify_all();
    }

    /// The next item and its source; `None` when all sources have ended, or somebody interrupted.
    pub(super) fn take(&self) -> Option<(usize, T)> {
        let waits =
            |state: &State<T>| state.open > 0 && !state.is_told_to_end() && state.is_empty();
        let taken = self.wait(waits).take();
        self.changed.notify_all();
        taken
    }

    /// Lets whoever takes end, with nothing lost: [`Fair::go_on`] goes on.
    pub(super) fn interrupt(&self) {
        self.state().is_interrupted = true;
        self.changed.notify_all();
    }

    /// Ends an interruption; says whether there was one.
    pub(super) fn go_on(&self) -> bool {
        std::mem::take(&mut self.state().is_interrupted)
    }

    /// Nothing more is wanted: whoever waits goes on.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    fn wait(&self, while_so: impl Fn(&State<T>) -> bool) -> MutexGuard<'_, State<T>> {
        let waited = self
            .changed
            .wait_while(self.state(), |state| while_so(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn is_full(&self, source: usize) -> bool {
        self.places.get(source).is_some_and(Option::is_some)
    }

    fn is_empty(&self) -> bool {
        self.places.iter().all(Option::is_none)
    }

    fn is_told_to_end(&self) -> bool {
        self.is_closed || self.is_interrupted
    }

    fn take(&mut self) -> Option<(usize, T)> {
        if self.is_told_to_end() {
            return None;
        }
        let count = self.places.len();
        for offset in 0..count {
            let source = (self.next + offset) % count;
            if let Some(item) = self.places.get_mut(source).and_then(Option::take) {
                self.next = source + 1;
                return Some((source, item));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_fast_source_leaves_every_second_turn_to_the_other() {
        let fair = Fair::new(2);
        let fill = |source: usize, item: u32| {
            *fair.state().places.get_mut(source).unwrap() = Some(item);
        };
        fill(0, 1);
        assert_eq!(fair.take(), Some((0, 1)));
        // It is full again before the other has anything, and after each turn.
        fill(0, 2);
        for item in 1..=5 {
            fill(1, item);
            assert_eq!(fair.take(), Some((1, item)));
            assert_eq!(fair.take().unwrap().0, 0);
            fill(0, item);
        }
        fair.close();
        assert_eq!(fair.take(), None);
    }

    #[test]
    fn everything_comes_once_and_then_the_end() {
        let fair = Fair::new(3);
        thread::scope(|scope| {
            for source in 0..3 {
                let fair = &fair;
                scope.spawn(move || fair.give(source, 0..source));
            }
            let mut taken: Vec<_> = std::iter::from_fn(|| fair.take()).collect();
            taken.sort_unstable();
            assert_eq!(taken, [(1, 0), (2, 0), (2, 1)]);
        });
    }

    #[test]
    fn an_interruption_loses_nothing() {
        let fair = Fair::new(1);
        *fair.state().places.get_mut(0).unwrap() = Some(7);
        fair.interrupt();
        assert_eq!(fair.take(), None);
        assert!(fair.go_on() && !fair.go_on());
        assert_eq!(fair.take(), Some((0, 7)));
    }
}
