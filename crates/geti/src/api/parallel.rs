use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use straylight_core::Progress;

use crate::error::GetiError;

/// What became of many transfers.
#[derive(Debug)]
#[must_use]
pub struct Transfer<T> {
    /// What was transferred now, in the order of the list.
    pub done: Vec<T>,
    /// How many were there already.
    pub skipped: usize,
    /// What failed, with its name.
    pub failed: Vec<(String, GetiError)>,
}

impl<T> Default for Transfer<T> {
    fn default() -> Self {
        Self {
            done: Vec::new(),
            skipped: 0,
            failed: Vec::new(),
        }
    }
}

impl<T> Transfer<T> {
    /// Adds what became of further transfers.
    pub(crate) fn add(&mut self, other: Self) {
        self.done.extend(other.done);
        self.skipped += other.skipped;
        self.failed.extend(other.failed);
    }

    /// The items done, or the first failure if there is one.
    pub fn all(self) -> Result<Vec<T>, GetiError> {
        match self.failed.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(self.done),
        }
    }
}

/// What became of one item.
pub(crate) enum Outcome<T> {
    Done(T),
    Skipped,
}

/// Works on all items over `threads` threads.
///
/// A failure of one item does not stop the others, unless it is fatal for all
/// ([`GetiError::is_fatal`]): then no further item is begun and the error is returned.
pub(crate) fn transfer<T: Sync, R: Send>(
    what: &str,
    items: &[T],
    threads: usize,
    progress: &dyn Progress,
    name: impl Fn(&T) -> String + Sync,
    work: impl Fn(&T) -> Result<Outcome<R>, GetiError> + Sync,
) -> Result<Transfer<R>, GetiError> {
    progress.begin(what, items.len() as u64);
    let results = run(items, threads, progress, work);
    progress.finish();
    let mut transfer = Transfer::default();
    for (item, result) in items.iter().zip(results) {
        match result {
            Some(Ok(Outcome::Done(value))) => transfer.done.push(value),
            Some(Ok(Outcome::Skipped)) => transfer.skipped += 1,
            Some(Err(error)) if error.is_fatal() => return Err(error),
            Some(Err(error)) => transfer.failed.push((name(item), error)),
            None => {}
        }
    }
    Ok(transfer)
}

/// The results in the order of the items; `None` for items that were not begun.
fn run<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    progress: &dyn Progress,
    work: impl Fn(&T) -> Result<R, GetiError> + Sync,
) -> Vec<Option<Result<R, GetiError>>> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let results: Mutex<Vec<_>> = Mutex::new(items.iter().map(|_| None).collect());
    let worker = || {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            let result = work(item);
            if matches!(&result, Err(error) if error.is_fatal()) {
                stop.store(true, Ordering::Relaxed);
            }
            progress.advance(1);
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(slot) = results.get_mut(index) {
                *slot = Some(result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, items.len().max(1)) {
            scope.spawn(worker);
        }
        worker();
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use straylight_core::NoProgress;

    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn failures_are_kept_apart_and_the_order_stays() {
        let items: Vec<u32> = (0..100).collect();
        let transfer = transfer(
            "x",
            &items,
            4,
            &NoProgress,
            ToString::to_string,
            |n| match n {
                7 => Err(GetiError::new(ErrorKind::Server, "x")),
                8 => Ok(Outcome::Skipped),
                n => Ok(Outcome::Done(*n)),
            },
        )
        .unwrap();
        assert_eq!(transfer.done.len(), 98);
        assert!(transfer.done.is_sorted());
        assert_eq!((transfer.skipped, transfer.failed[0].0.as_str()), (1, "7"));
    }

    #[test]
    fn a_fatal_failure_stops_all() {
        let items: Vec<u32> = (0..1000).collect();
        let begun = AtomicUsize::new(0);
        let result = transfer("x", &items, 2, &NoProgress, ToString::to_string, |n| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *n == 3 {
                Err(GetiError::new(ErrorKind::Login, "x"))
            } else {
                Ok(Outcome::Done(()))
            }
        });
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Login);
        assert!(begun.into_inner() < 1000);
    }
}
