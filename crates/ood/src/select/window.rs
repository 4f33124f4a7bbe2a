use crate::OodScore;

/// Keeps the `budget` strangest items of each window of `length` items.
///
/// A budget that takes the first of a window takes whatever comes first; this takes the best.
#[derive(Debug, Clone)]
pub struct BestOfWindow<T> {
    length: usize,
    budget: usize,
    seen: usize,
    /// Descending by score; of equal scores the earlier first.
    best: Vec<(OodScore, T)>,
}

impl<T> BestOfWindow<T> {
    /// `length` and `budget` are at least 1; smaller numbers count as 1.
    pub fn new(length: usize, budget: usize) -> Self {
        Self {
            length: length.max(1),
            budget: budget.max(1),
            seen: 0,
            best: Vec::new(),
        }
    }

    /// Takes the next item; when it ends a window, gives that window's best, the strangest first.
    pub fn offer(&mut self, score: OodScore, item: T) -> Vec<(OodScore, T)> {
        let place = self.best.partition_point(|(other, _)| *other >= score);
        if place < self.budget {
            self.best.insert(place, (score, item));
            self.best.truncate(self.budget);
        }
        self.skip()
    }

    /// Counts an item that is no candidate; ends the window as [`BestOfWindow::offer`] does.
    pub fn skip(&mut self) -> Vec<(OodScore, T)> {
        self.seen += 1;
        if self.seen < self.length {
            Vec::new()
        } else {
            self.finish()
        }
    }

    /// Ends the window early, at the end of the stream.
    pub fn finish(&mut self) -> Vec<(OodScore, T)> {
        self.seen = 0;
        std::mem::take(&mut self.best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_each_window_are_given() {
        let mut window = BestOfWindow::new(4, 2);
        let mut offer = |score: f64| -> Vec<f64> {
            let given = window.offer(OodScore::new(score).unwrap(), ());
            given.into_iter().map(|(score, ())| score.value()).collect()
        };
        assert!(offer(0.1).is_empty() && offer(0.9).is_empty() && offer(0.3).is_empty());
        assert_eq!(offer(0.5), [0.9, 0.5]);
        assert!(offer(0.2).is_empty());
        assert_eq!(window.finish().len(), 1);
        assert!(window.finish().is_empty());
    }
}
