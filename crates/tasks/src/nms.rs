//! Non-maximum suppression: of boxes that overlap, the one with the best score stays.

use std::cmp::Ordering;
use std::collections::HashMap;

/// An upright box with its class and score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredBox {
    /// Left, upper, right and lower edge.
    pub corners: [f64; 4],
    /// Confidence; NaN never stays.
    pub score: f32,
    /// Class.
    pub class: i64,
}

/// How boxes suppress each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suppression {
    /// A box goes if its intersection over union with a better one is above it.
    pub iou_threshold: f64,
    /// Most boxes that stay, 0 for no limit.
    pub limit: usize,
    /// Whether boxes of different classes suppress each other.
    pub agnostic: bool,
    /// Whether edges are pixels that belong to the box, so that sides are one longer.
    pub include_edges: bool,
}

impl Suppression {
    /// The indices of the boxes that stay, by falling score.
    ///
    /// Of equal scores the later box comes first, as NumPy's reversed `argsort` has it. With
    /// `agnostic` the limit cuts the candidates (as in `ModelAPI`), else the result.
    pub fn keep(&self, boxes: &[ScoredBox]) -> Vec<usize> {
        let mut order = by_falling_score(boxes);
        if self.agnostic && self.limit > 0 {
            order.truncate(self.limit);
        }
        let most = if self.limit == 0 {
            usize::MAX
        } else {
            self.limit
        };
        let mut kept = Vec::new();
        let mut survivors: HashMap<i64, Survivors> = HashMap::new();
        for index in order {
            let Some(candidate) = boxes.get(index) else {
                continue;
            };
            let class = if self.agnostic { 0 } else { candidate.class };
            let rivals = survivors.entry(class).or_default();
            if kept.len() < most && rivals.admit(candidate.corners, self) {
                kept.push(index);
            }
        }
        kept
    }
}

fn by_falling_score(boxes: &[ScoredBox]) -> Vec<usize> {
    let score = |index: usize| boxes.get(index).map_or(f32::NAN, |item| item.score);
    let mut order: Vec<usize> = (0..boxes.len())
        .filter(|&index| !score(index).is_nan())
        .collect();
    order.sort_unstable_by(|&a, &b| {
        let falling = score(b).partial_cmp(&score(a)).unwrap_or(Ordering::Equal);
        falling.then(b.cmp(&a))
    });
    order
}

/// The boxes of one class that stayed so far, edges apart so that comparing them vectorises.
#[derive(Default)]
struct Survivors {
    edges: [Vec<f64>; 4],
    areas: Vec<f64>,
}

impl Survivors {
    /// Takes the box in, unless one that is there overlaps it too much.
    fn admit(&mut self, corners: [f64; 4], rule: &Suppression) -> bool {
        let edge = if rule.include_edges { 1.0 } else { 0.0 };
        let area = (corners[2] - corners[0] + edge) * (corners[3] - corners[1] + edge);
        if self.is_covered(corners, area, edge, rule.iou_threshold) {
            return false;
        }
        for (edges, value) in self.edges.iter_mut().zip(corners) {
            edges.push(value);
        }
        self.areas.push(area);
        true
    }

    fn is_covered(&self, corners: [f64; 4], area: f64, edge: f64, threshold: f64) -> bool {
        let [left, upper, right, lower] = &self.edges;
        let horizontal = left.iter().zip(right);
        let vertical = upper.iter().zip(lower);
        let rivals = horizontal.zip(vertical).zip(&self.areas);
        rivals
            .map(|(((&x1, &x2), (&y1, &y2)), &other)| {
                let width = (x2.min(corners[2]) - x1.max(corners[0]) + edge).max(0.0);
                let height = (y2.min(corners[3]) - y1.max(corners[1]) + edge).max(0.0);
                overlap(width * height, area, other)
            })
            .any(|iou| iou > threshold)
    }
}

/// Intersection over union; 0 for two empty boxes.
fn overlap(intersection: f64, area: f64, other: f64) -> f64 {
    let union = area + other - intersection;
    if union == 0.0 {
        0.0
    } else {
        intersection / union
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULE: Suppression = Suppression {
        iou_threshold: 0.5,
        limit: 0,
        agnostic: false,
        include_edges: false,
    };

    fn item(corners: [f64; 4], score: f32, class: i64) -> ScoredBox {
        ScoredBox {
            corners,
            score,
            class,
        }
    }

    #[test]
    fn only_boxes_above_the_threshold_go() {
        let boxes = [
            item([0.0, 0.0, 10.0, 10.0], 0.9, 0),
            item([0.0, 0.0, 10.0, 5.0], 0.8, 0),
            item([0.0, 0.0, 10.0, 5.1], 0.7, 0),
            item([0.0, 0.0, 10.0, 10.0], 0.6, 1),
            item([0.0, 0.0, 10.0, 10.0], f32::NAN, 2),
        ];
        assert_eq!(RULE.keep(&boxes), [0, 1, 3]);
        let agnostic = Suppression {
            agnostic: true,
            ..RULE
        };
        assert_eq!(agnostic.keep(&boxes), [0, 1]);
    }

    #[test]
    fn the_limit_cuts_the_result_or_the_candidates() {
        let boxes = [
            item([0.0, 0.0, 9.0, 9.0], 0.9, 0),
            item([0.0, 0.0, 9.0, 9.0], 0.8, 0),
            item([50.0, 0.0, 60.0, 9.0], 0.7, 0),
        ];
        assert_eq!(Suppression { limit: 2, ..RULE }.keep(&boxes), [0, 2]);
        assert_eq!(
            Suppression {
                limit: 2,
                agnostic: true,
                ..RULE
            }
            .keep(&boxes),
            [0]
        );
    }

    #[test]
    fn of_equal_scores_the_later_comes_first() {
        let boxes = [0.0, 20.0, 40.0].map(|x| item([x, 0.0, x + 9.0, 9.0], 0.5, 0));
        assert_eq!(RULE.keep(&boxes), [2, 1, 0]);
    }

    #[test]
    fn empty_boxes_do_not_divide_by_zero() {
        let boxes = [
            item([5.0, 5.0, 5.0, 5.0], 0.9, 0),
            item([5.0, 5.0, 5.0, 5.0], 0.8, 0),
        ];
        assert_eq!(RULE.keep(&boxes).len(), 2);
        assert_eq!(
            Suppression {
                include_edges: true,
                ..RULE
            }
            .keep(&boxes),
            [0]
        );
    }

    fn any_box() -> impl Strategy<Value = ScoredBox> {
        let sides = (-50_i32..50, -50_i32..50, 0_i32..60, 0_i32..60);
        (sides, 0_u8..20, 0_i64..3).prop_map(|((x, y, w, h), score, class)| {
            let corners = [x, y, x + w, y + h].map(f64::from);
            item(corners, f32::from(score) / 20.0, class)
        })
    }

    fn iou(a: &ScoredBox, b: &ScoredBox) -> f64 {
        let side = |low: usize| {
            (a.corners[low + 2].min(b.corners[low + 2]) - a.corners[low].max(b.corners[low]))
                .max(0.0)
        };
        let area = |item: &ScoredBox| {
            (item.corners[2] - item.corners[0]) * (item.corners[3] - item.corners[1])
        };
        overlap(side(0) * side(1), area(a), area(b))
    }

    proptest! {
        #[test]
        fn who_stays_overlaps_no_better_one_and_who_goes_does(
            boxes in proptest::collection::vec(any_box(), 0..60)
        ) {
            let kept = RULE.keep(&boxes);
            for (place, &index) in kept.iter().enumerate() {
                for &better in &kept[..place] {
                    prop_assert!(boxes[better].score >= boxes[index].score);
                    let same = boxes[better].class == boxes[index].class;
                    prop_assert!(!same || iou(&boxes[better], &boxes[index]) <= 0.5);
                }
            }
            for (index, gone) in boxes.iter().enumerate().filter(|(i, _)| !kept.contains(i)) {
                let went = kept.iter().any(|&other| {
                    let rival = &boxes[other];
                    rival.class == gone.class
                        && rival.score >= gone.score
                        && iou(rival, gone) > 0.5
                        && other != index
                });
                prop_assert!(went);
            }
        }
    }
}
