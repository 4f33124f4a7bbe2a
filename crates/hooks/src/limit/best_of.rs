use super::{BestOfOptions, LimitTime};

/// Keeps the candidates with the highest scores of the open window.
#[derive(Debug)]
pub(crate) struct BestOf<T> {
    options: BestOfOptions,
    ends: Option<LimitTime>,
    candidates: Vec<(f64, T)>,
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer<T> {
    /// It waits for the end of the window.
    Held,
    /// It waits, and this worse one was put aside for it.
    HeldForAnother(T),
    /// All that wait are better.
    Refused,
}

impl<T> BestOf<T> {
    pub(crate) fn new(options: BestOfOptions) -> Self {
        Self {
            options,
            ends: None,
            candidates: Vec::new(),
        }
    }

    /// Goes on with a window that an earlier process opened.
    pub(crate) fn resume(&mut self, ends: Option<LimitTime>) {
        self.ends = ends;
    }

    /// When the open window ends.
    pub(crate) fn ends(&self) -> Option<LimitTime> {
        self.ends
    }

    /// The candidates that wait, in the order in which they came.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &T> {
        self.candidates.iter().map(|(_, candidate)| candidate)
    }

    /// The best of a window that is over, in the order in which they came.
    pub(crate) fn close_if_over(&mut self, now: LimitTime) -> Vec<T> {
        if self.ends.is_some_and(|end| now >= end) {
            self.close()
        } else {
            Vec::new()
        }
    }

    /// Ends the window now.
    pub(crate) fn close(&mut self) -> Vec<T> {
        self.ends = None;
        let candidates = std::mem::take(&mut self.candidates);
        candidates
            .into_iter()
            .map(|(_, candidate)| candidate)
            .collect()
    }

    /// Takes a candidate in if it is among the best of its window; of equals the first wins.
    pub(crate) fn offer(&mut self, now: LimitTime, score: f64, candidate: T) -> Offer<T> {
        let micros = (self.options.window_seconds * 1e6) as i64;
        self.ends
            .get_or_insert(LimitTime(now.0.saturating_add(micros)));
        if self.candidates.len() < self.options.keep {
            self.candidates.push((score, candidate));
            return Offer::Held;
        }
        let scores = self.candidates.iter().map(|(score, _)| *score).enumerate();
        // Of equal worst ones the last is put aside.
        let worst = scores.rev().min_by(|(_, a), (_, b)| a.total_cmp(b));
        match worst {
            Some((index, least)) if score.total_cmp(&least).is_gt() => {
                let (_, other) = self.candidates.remove(index);
                self.candidates.push((score, candidate));
                Offer::HeldForAnother(other)
            }
            _ => Offer::Refused,
        }
    }
}
