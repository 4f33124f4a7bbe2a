use std::collections::VecDeque;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{LimitTime, SameObjectOptions};

/// How many objects are remembered: those that were seen last.
const MEMORY: usize = 32;

/// Holds back images of an object that was collected and has not been away for long.
///
/// Two images show the same object when the angle between their feature vectors is small. While the
/// object is seen again and again its time begins anew: one that stays is collected once.
#[derive(Debug)]
pub(super) struct SameObjects {
    options: SameObjectOptions,
    seen: ObjectState,
}

/// The objects that were seen last, the latest at the end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct ObjectState(VecDeque<Seen>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Seen {
    /// In microseconds of limit time.
    at: i64,
    direction: Direction,
}

/// A feature vector without its length, each number in steps of 1/127 of the largest.
#[derive(Debug, Clone, PartialEq)]
struct Direction(Vec<i8>);

impl SameObjects {
    pub(super) fn new(options: SameObjectOptions, seen: ObjectState) -> Self {
        Self { options, seen }
    }

    /// Whether an image shows an object that was seen lately; if so, its time begins anew.
    pub(super) fn sees(&mut self, now: LimitTime, features: &[f32]) -> bool {
        let direction = Direction::of(features);
        let (earliest, seen) = (self.earliest(now), &mut self.seen.0);
        seen.retain(|object| object.at >= earliest);
        let least = self.options.min_similarity;
        let same = |object: &Seen| object.direction.cosine(&direction) >= least;
        // What was collected stays the measure: an object that changes slowly is seen anew some day.
        let Some(known) = seen
            .iter()
            .position(same)
            .and_then(|place| seen.remove(place))
        else {
            return false;
        };
        seen.push_back(Seen { at: now.0, ..known });
        true
    }

    /// Remembers the object of an image that passed.
    pub(super) fn passed(&mut self, now: LimitTime, features: &[f32]) {
        self.seen.0.push_back(Seen {
            at: now.0,
            direction: Direction::of(features),
        });
        while self.seen.0.len() > MEMORY {
            self.seen.0.pop_front();
        }
    }

    fn earliest(&self, now: LimitTime) -> i64 {
        now.0.saturating_sub((self.options.seconds * 1e6) as i64)
    }

    pub(super) fn state(&self) -> ObjectState {
        self.seen.clone()
    }
}

#[cfg(test)]
impl SameObjects {
    fn admit(&mut self, now: LimitTime, features: &[f32]) -> bool {
        let is_new = !self.sees(now, features);
        if is_new {
            self.passed(now, features);
        }
        is_new
    }
}

impl Direction {
    fn of(features: &[f32]) -> Self {
        let largest = features
            .iter()
            .fold(0.0, |most: f32, value| most.max(value.abs()));
        let step = |value: &f32| (value / largest * 127.0).round() as i8;
        // A vector of zeros has no direction, and 0 / 0 becomes 0.
        Self(features.iter().map(step).collect())
    }

    /// The cosine of the angle between two directions; 0 where there is no angle.
    fn cosine(&self, other: &Self) -> f64 {
        if self.0.len() != other.0.len() {
            return 0.0;
        }
        let product = |a: &[i8], b: &[i8]| -> f64 {
            let sum: i64 = a
                .iter()
                .zip(b)
                .map(|(a, b)| i64::from(*a) * i64::from(*b))
                .sum();
            sum as f64
        };
        let lengths = product(&self.0, &self.0) * product(&other.0, &other.0);
        if lengths == 0.0 {
            return 0.0;
        }
        product(&self.0, &other.0) / lengths.sqrt()
    }
}

impl Serialize for Direction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().map(|step| step.to_ne_bytes()[0]).collect();
        serializer.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Direction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
        Ok(Self(
            bytes
                .into_iter()
                .map(|byte| i8::from_ne_bytes([byte]))
                .collect(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn limit(memory: &str) -> SameObjects {
        let options = SameObjectOptions {
            seconds: 10.0,
            ..SameObjectOptions::default()
        };
        SameObjects::new(options, serde_json::from_str(memory).unwrap())
    }

    #[test]
    fn an_object_that_stays_is_collected_once_and_again_after_it_was_away() {
        let mut limit = limit("[]");
        let mut admit =
            |second: i64, features: &[f32]| limit.admit(LimitTime(second * SECOND), features);
        let (cat, dog) = ([1.0, 0.1, 0.0], [0.0, 0.1, 1.0]);
        assert!(admit(0, &cat) && admit(1, &dog));
        // For 300 frames, ever brighter.
        for frame in 2..302_i16 {
            let brighter = cat.map(|value| value * (1.0 + f32::from(frame) / 100.0));
            assert!(!admit(i64::from(frame), &brighter), "{frame}");
        }
        // The dog was away for all that time.
        assert!(admit(302, &dog));
        assert!(!admit(311, &cat) && admit(322, &cat));
    }

    #[test]
    fn what_is_remembered_is_the_same_after_a_restart() {
        let mut first = limit("[]");
        assert!(first.admit(LimitTime(0), &[1.0, -1.0, 0.5]));
        let mut second = limit(&serde_json::to_string(&first.state()).unwrap());
        assert_eq!(first.state(), second.state());
        assert!(!second.admit(LimitTime(SECOND), &[2.0, -2.0, 1.0]));
        // Another model: vectors of another length are of other objects.
        assert!(second.admit(LimitTime(SECOND), &[2.0, -2.0]));
    }

    #[test]
    fn a_vector_of_zeros_is_like_nothing() {
        let mut limit = limit("[]");
        assert!(limit.admit(LimitTime(0), &[0.0; 3]) && limit.admit(LimitTime(1), &[0.0; 3]));
    }
}
