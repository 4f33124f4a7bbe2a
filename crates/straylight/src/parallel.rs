//! The same work on many items, on all cores, results in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Calls `work` for `0..count` on at most `threads` threads; result `i` is of call `i`.
pub(crate) fn map<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut all = Vec::with_capacity(count);
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads.clamp(1, count.max(1)))
            .map(|_| scope.spawn(worker))
            .collect();
        all.extend(worker());
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    all.sort_unstable_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, result)| result).collect()
}

/// How many threads the machine can run at once.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_whatever_the_number_of_threads() {
        for threads in [0, 1, 3, 100] {
            let doubled = map(50, threads, |index| index * 2);
            assert!(
                doubled
                    .iter()
                    .enumerate()
                    .all(|(index, &value)| value == index * 2)
            );
        }
        assert!(map(0, 4, |index| index).is_empty());
    }
}
