//! What the tests of this crate share.

#[cfg(feature = "mqtt")]
mod broker;
mod receiver;
mod tls;

use std::sync::{Arc, OnceLock};

use straylight_core::{
    Annotation, Color, ContentHash, Frame, Prediction, RgbImage, ScoredLabel, Shape, Timestamp,
};

#[cfg(feature = "mqtt")]
pub(crate) use self::broker::Broker;
pub(crate) use self::receiver::{Answer, Received, Receiver};
pub(crate) use self::tls::Identity;
use crate::event::{Event, EventId, KeyPolicy, Picture};

/// 2024-08-20 17:22:42.537 UTC.
pub(crate) const NOON: i64 = 1_724_174_562_537;

pub(crate) fn time(millis_after_noon: i64) -> Timestamp {
    Timestamp::from_millisecond(NOON + millis_after_noon).unwrap()
}

/// A picture that differs with the name, as small as a Geti server takes it.
pub(crate) fn frame(name: &str) -> Frame {
    let hash = ContentHash::of(name.as_bytes()).0;
    let image = RgbImage::new(32, 32, hash[..24].repeat(128)).unwrap();
    Frame::new(image, name, time(0))
}

pub(crate) fn scored(name: &str, probability: f32) -> ScoredLabel {
    ScoredLabel {
        id: name.to_owned(),
        name: name.to_owned(),
        color: Color::BLACK,
        probability,
    }
}

pub(crate) fn object(labels: &[(&str, f32)]) -> Annotation {
    let shape = Shape::Rectangle {
        x: 0.0,
        y: 0.0,
        width: 1.0,
        height: 1.0,
    };
    let labels = labels
        .iter()
        .map(|(name, probability)| scored(name, *probability))
        .collect();
    Annotation { shape, labels }
}

pub(crate) fn prediction(labels: &[(&str, f32)]) -> Prediction {
    let shape = Shape::whole_image(32, 32);
    let labels = labels
        .iter()
        .map(|(name, probability)| scored(name, *probability))
        .collect();
    Prediction {
        annotations: vec![Annotation { shape, labels }],
        ..Default::default()
    }
}

pub(crate) fn event_with(id: u128, name: &str) -> Event {
    Event {
        id: EventId(id),
        hook: Arc::from("hook"),
        name: Arc::from(name),
        source: Some(Arc::from("gate")),
        captured_at: time(0),
        fired_at: time(0),
        trigger: Arc::from("OODTrigger"),
        score: 0.93,
        ood_score: Some(0.93),
        reason: Arc::from("OOD score 0.930 > 0.500"),
        picture: Picture::of_frame(&frame(name)),
        prediction: Arc::new(prediction(&[("dog", 0.9)])),
        key_policy: KeyPolicy::Event,
        key: OnceLock::new(),
    }
}

pub(crate) fn event_named(name: &str) -> Event {
    event_with(1 << 64, name)
}
