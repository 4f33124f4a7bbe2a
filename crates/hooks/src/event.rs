//! What a hook hands to its action: an image, its prediction, the score, and who asked.
//!
//! An event owns or shares all of its data. Its picture is held as it came: as pixels, as the
//! bytes of a file, or as both; the missing form is made when something asks for it, once.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock};

use straylight_core::{
    ContentHash, EncodedImage, Frame, ImageFormat, Prediction, RgbImage, Timestamp,
};
use straylight_image::DecodeLimits;

use crate::clock::lock;

/// Identifies an event; later events of one queue have greater ids.
///
/// The upper 64 bits are the microseconds since 1970 at which the hook fired (or one more than
/// the id before, should the clock stand still or jump back), the lower 64 bits are random.
/// Written as 32 hexadecimal digits, so that text sorts as time does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u128);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

/// A text is not an event id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an event id: it has 32 hexadecimal digits")]
pub struct EventIdError(pub String);

impl FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let is_id = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let value = is_id.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        value.map(Self).ok_or_else(|| EventIdError(text.to_owned()))
    }
}

/// Gives out event ids in ascending order.
#[derive(Debug, Default)]
pub(crate) struct EventIds {
    last_micros: Mutex<u64>,
}

impl EventIds {
    /// The next id; `random` keeps the ids of several processes apart.
    pub(crate) fn next(&self, now: Timestamp, random: u64) -> EventId {
        let micros = u64::try_from(now.as_microsecond()).unwrap_or(0);
        let mut last = lock(&self.last_micros);
        *last = micros.max(*last + 1);
        EventId(u128::from(*last) << 64 | u128::from(random))
    }

    /// Makes all further ids greater than this one.
    pub(crate) fn start_after(&self, id: EventId) {
        let mut last = lock(&self.last_micros);
        *last = (*last).max((id.0 >> 64) as u64);
    }
}

/// Which deliveries count as the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPolicy {
    /// Each firing is a delivery of its own, as often as the same image may come.
    #[default]
    Event,
    /// An image that one hook delivers again is the same delivery.
    Content,
}

/// One firing of a hook: everything that an action may need.
#[derive(Debug)]
pub struct Event {
    /// Identifies the firing.
    pub id: EventId,
    /// Name of the hook that fired.
    pub hook: Arc<str>,
    /// What the source calls the image.
    pub name: Arc<str>,
    /// When the image was taken or read.
    pub captured_at: Timestamp,
    /// When the hook fired.
    pub fired_at: Timestamp,
    /// Name of the trigger (`OODTrigger`).
    pub trigger: Arc<str>,
    /// The trigger's score; higher is more reason to act.
    pub score: f64,
    /// Why the hook fired ("OOD score 0.930 > 0.500").
    pub reason: Arc<str>,
    /// The image.
    pub picture: Picture,
    /// What the deployment said about the image; it has no saliency maps.
    pub prediction: Arc<Prediction>,
    /// Which deliveries count as the same.
    pub key_policy: KeyPolicy,
    pub(crate) key: OnceLock<String>,
}

impl Event {
    /// Makes deliveries idempotent: a sink that knows the key has the event already.
    ///
    /// 64 hexadecimal digits, the BLAKE3 hash of image content, hook name and, for
    /// [`KeyPolicy::Event`], event id. The same after any number of retries and restarts.
    pub fn key(&self) -> &str {
        self.key.get_or_init(|| {
            let content = self.picture.content_hash();
            idempotency_key(content, &self.hook, self.key_policy, self.id).to_hex()
        })
    }

    /// The score, if it is the one of an OOD model; other triggers count or compare.
    pub fn ood_score(&self) -> Option<f64> {
        (&*self.trigger == "OODTrigger").then_some(self.score)
    }

    /// The same event without its pixels, if it has them and the file that they are in.
    pub(crate) fn without_pixels(&self) -> Option<Self> {
        Some(Self {
            picture: self.picture.without_pixels()?,
            id: self.id,
            hook: Arc::clone(&self.hook),
            name: Arc::clone(&self.name),
            captured_at: self.captured_at,
            fired_at: self.fired_at,
            trigger: Arc::clone(&self.trigger),
            score: self.score,
            reason: Arc::clone(&self.reason),
            prediction: Arc::clone(&self.prediction),
            key_policy: self.key_policy,
            // Made from the pixels, so it has to come along.
            key: OnceLock::from(self.key().to_owned()),
        })
    }

    /// Bytes that the event holds in memory now.
    pub fn memory_bytes(&self) -> u64 {
        let activations = &self.prediction.activations;
        let floats = [
            &activations.features,
            &activations.logits,
            &activations.probabilities,
        ];
        let floats: usize = floats
            .into_iter()
            .flatten()
            .map(|part| part.len() * 4)
            .sum();
        let annotations = self.prediction.annotations.len() * 256;
        self.picture.memory_bytes() + (floats + annotations + 512) as u64
    }
}

/// The key that makes the deliveries of one event idempotent; see [`Event::key`].
fn idempotency_key(
    content: ContentHash,
    hook: &str,
    policy: KeyPolicy,
    id: EventId,
) -> ContentHash {
    let mut bytes = content.0.to_vec();
    bytes.extend_from_slice(hook.as_bytes());
    if policy == KeyPolicy::Event {
        bytes.push(0);
        bytes.extend_from_slice(&id.0.to_be_bytes());
    }
    ContentHash::of(&bytes)
}

/// The image was decoded before, perhaps within wider limits than the usual ones; a file that was
/// damaged since should still not claim all memory.
const DECODED_BEFORE: DecodeLimits = DecodeLimits {
    max_pixels: 1 << 30,
    max_file_bytes: 4 << 30,
};

/// An image as pixels, as the bytes of a file, or as both.
pub struct Picture {
    frame: OnceLock<Frame>,
    encoded: OnceLock<EncodedImage>,
}

/// A picture could not be turned into the form that was asked for.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {action} the image: {cause}")]
pub struct PictureError {
    action: &'static str,
    cause: String,
}

impl Picture {
    /// The picture of a frame, sharing its pixels and bytes.
    pub fn of_frame(frame: &Frame) -> Self {
        let encoded = frame
            .encoded()
            .cloned()
            .map_or_else(OnceLock::new, OnceLock::from);
        Self {
            frame: OnceLock::from(frame.clone()),
            encoded,
        }
    }

    /// The picture in an image file, decoded when its pixels are asked for.
    pub fn of_file(encoded: EncodedImage) -> Self {
        Self {
            frame: OnceLock::new(),
            encoded: OnceLock::from(encoded),
        }
    }

    /// The pixels.
    pub fn image(&self) -> Result<&RgbImage, PictureError> {
        if let Some(frame) = self.frame.get() {
            return Ok(frame.image());
        }
        let decoded = straylight_image::decode_with(&self.encoded()?.bytes, &DECODED_BEFORE);
        let (image, _) = decoded.map_err(|error| PictureError {
            action: "decode",
            cause: error.to_string(),
        })?;
        let frame = Frame::new(image, "", Timestamp::UNIX_EPOCH);
        Ok(self.frame.get_or_init(|| frame).image())
    }

    /// The bytes of an image file: the original one, or else a PNG of the pixels.
    pub fn encoded(&self) -> Result<&EncodedImage, PictureError> {
        if let Some(encoded) = self.encoded.get() {
            return Ok(encoded);
        }
        let error = |cause| PictureError {
            action: "encode",
            cause,
        };
        let frame = self
            .frame
            .get()
            .ok_or_else(|| error("it is empty".to_owned()))?;
        let bytes =
            straylight_image::encode_png(frame.image()).map_err(|e| error(e.to_string()))?;
        let encoded = EncodedImage {
            format: ImageFormat::Png,
            bytes: bytes.into(),
        };
        Ok(self.encoded.get_or_init(|| encoded))
    }

    /// Whether there is a file of the picture yet.
    pub(crate) fn is_encoded(&self) -> bool {
        self.encoded.get().is_some()
    }

    fn without_pixels(&self) -> Option<Self> {
        let encoded = self.encoded.get().filter(|_| self.frame.get().is_some())?;
        Some(Self::of_file(encoded.clone()))
    }

    /// The hash of the pixels, or of the file when there are no pixels yet.
    fn content_hash(&self) -> ContentHash {
        let of_file = || {
            self.encoded
                .get()
                .map_or(ContentHash([0; 32]), |e| ContentHash::of(&e.bytes))
        };
        self.frame.get().map_or_else(of_file, Frame::content_hash)
    }

    /// Bytes of the forms that are in memory now.
    pub fn memory_bytes(&self) -> u64 {
        let pixels = self
            .frame
            .get()
            .map_or(0, |frame| frame.image().data().len());
        let encoded = self.encoded.get().map_or(0, |encoded| encoded.bytes.len());
        (pixels + encoded) as u64
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Picture({:?}, {:?})",
            self.frame.get().map(Frame::image),
            self.encoded.get()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_when_the_clock_stands_or_jumps_back() {
        let ids = EventIds::default();
        let late = Timestamp::from_second(100).unwrap();
        let first = ids.next(late, u64::MAX);
        let second = ids.next(late, 0);
        let third = ids.next(Timestamp::from_second(1).unwrap(), 0);
        assert!(first < second && second < third);
        ids.start_after(EventId(u128::from(u64::MAX - 1) << 64));
        assert_eq!((ids.next(late, 0).0 >> 64) as u64, u64::MAX);
    }

    #[test]
    fn ids_read_what_they_write_and_nothing_else() {
        let id = EventId(0xabc);
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "abc", "+0000000000000000000000000000abc", "é"] {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
    }

    #[test]
    fn keys_tell_apart_what_the_policy_tells_apart() {
        let (image, other) = (ContentHash::of(b"a"), ContentHash::of(b"b"));
        let key = |content, hook, policy, id| idempotency_key(content, hook, policy, EventId(id));
        let event = KeyPolicy::Event;
        assert_eq!(key(image, "h", event, 1), key(image, "h", event, 1));
        assert_ne!(key(image, "h", event, 1), key(image, "h", event, 2));
        let content = KeyPolicy::Content;
        assert_eq!(key(image, "h", content, 1), key(image, "h", content, 2));
        assert_ne!(key(image, "h", content, 1), key(other, "h", content, 1));
        assert_ne!(key(image, "h", content, 1), key(image, "g", content, 1));
    }
}
