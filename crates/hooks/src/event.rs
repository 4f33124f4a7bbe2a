//! What a hook hands to its action: an image, its prediction, the score, and who asked.
//!
//! An event owns or shares all of its data. Its picture is held as pixels, as the bytes of a
//! file, or as both; the missing form is made when something asks for it, once. What waits should
//! be small: unless few bytes wait, its pixels go and the file stays, and a frame without a file is
//! encoded ([`Event::to_wait`]). An overlay decodes again.

use std::borrow::Cow;
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
    /// Each firing is a delivery of its own, as often as the same image may come. (A local dataset
    /// still takes the same file once.)
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
    /// The name of the source (camera, folder, file) that gave the image, if there is one.
    pub source: Option<Arc<str>>,
    /// When the image was taken or read.
    pub captured_at: Timestamp,
    /// When the hook fired.
    pub fired_at: Timestamp,
    /// Name of the trigger (`OODTrigger`).
    pub trigger: Arc<str>,
    /// The trigger's score; higher is more reason to act.
    pub score: f64,
    /// The score of the deployment's OOD model, or of the trigger's; higher is more out of
    /// distribution, `None` without a model.
    pub ood_score: Option<f64>,
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
            let content = self.picture.content_hash(self.key_policy);
            idempotency_key(content, &self.hook, self.key_policy, self.id).to_hex()
        })
    }

    /// The same event without its pixels, if it has them and the file that they are in.
    pub(crate) fn without_pixels(&self) -> Option<Self> {
        Some(Self {
            picture: self.picture.without_pixels()?,
            id: self.id,
            hook: Arc::clone(&self.hook),
            name: Arc::clone(&self.name),
            source: self.source.clone(),
            captured_at: self.captured_at,
            fired_at: self.fired_at,
            trigger: Arc::clone(&self.trigger),
            score: self.score,
            ood_score: self.ood_score,
            reason: Arc::clone(&self.reason),
            prediction: Arc::clone(&self.prediction),
            key_policy: self.key_policy,
            // It may be made from the pixels, so it has to come along.
            key: OnceLock::from(self.key().to_owned()),
        })
    }

    /// The event as it should wait: without pixels where there is a file. A frame without a file
    /// is encoded if `encodes` says so; one that cannot be encoded stays as it is.
    pub(crate) fn to_wait(self: Arc<Self>, encodes: bool) -> Arc<Self> {
        if encodes {
            let _ = self.picture.encoded();
        }
        self.without_pixels().map_or(self, Arc::new)
    }

    /// Whether its delivery takes long: a large picture, or many objects to draw on it.
    pub(crate) fn is_large(&self) -> bool {
        self.picture.is_large() || self.prediction.annotations.len() > MANY_OBJECTS
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
    /// Width and height in pixels, once they are known.
    size: OnceLock<(u32, u32)>,
}

/// Pixels from which on a delivery takes long: where they are in a file, and where not.
const LARGE: (u64, u64) = (4 << 20, 1 << 20);

/// Objects from which on drawing takes long, whatever the size of the picture.
const MANY_OBJECTS: usize = 50;

/// A picture could not be turned into the form that was asked for.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot {action} the image: {cause}")]
pub struct PictureError {
    action: &'static str,
    cause: String,
}

fn decoded(bytes: &[u8]) -> Result<RgbImage, PictureError> {
    let decoded = straylight_image::decode_with(bytes, &DECODED_BEFORE);
    let (image, _) = decoded.map_err(|error| PictureError {
        action: "decode",
        cause: error.to_string(),
    })?;
    Ok(image)
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
            size: OnceLock::from(frame.size()),
        }
    }

    /// The picture in an image file, decoded when its pixels are asked for.
    pub fn of_file(encoded: EncodedImage) -> Self {
        Self {
            frame: OnceLock::new(),
            encoded: OnceLock::from(encoded),
            size: OnceLock::new(),
        }
    }

    /// The same picture, whose width and height are known.
    pub(crate) fn with_size(self, size: Option<(u32, u32)>) -> Self {
        Self {
            size: size.map_or(self.size, OnceLock::from),
            ..self
        }
    }

    /// Width and height in pixels; decodes the picture only if nobody knew them before.
    pub fn size(&self) -> Result<(u32, u32), PictureError> {
        if let Some(size) = self.size.get() {
            return Ok(*size);
        }
        let image = self.image()?;
        Ok(*self.size.get_or_init(|| (image.width(), image.height())))
    }

    pub(crate) fn known_size(&self) -> Option<(u32, u32)> {
        self.size.get().copied()
    }

    /// Whether it takes long to encode or to draw on it.
    fn is_large(&self) -> bool {
        let most = if self.is_encoded() { LARGE.0 } else { LARGE.1 };
        let pixels = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
        self.known_size()
            .map(pixels)
            .is_some_and(|pixels| pixels > most)
    }

    /// The pixels.
    pub fn image(&self) -> Result<&RgbImage, PictureError> {
        if let Some(frame) = self.frame.get() {
            return Ok(frame.image());
        }
        let image = decoded(&self.encoded()?.bytes)?;
        let frame = Frame::new(image, "", Timestamp::UNIX_EPOCH);
        Ok(self.frame.get_or_init(|| frame).image())
    }

    /// The pixels; where there are none yet they are decoded and not kept.
    pub fn to_image(&self) -> Result<Cow<'_, RgbImage>, PictureError> {
        match self.frame.get() {
            Some(frame) => Ok(Cow::Borrowed(frame.image())),
            None => Ok(Cow::Owned(decoded(&self.encoded()?.bytes)?)),
        }
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
        Some(Self::of_file(encoded.clone()).with_size(self.known_size()))
    }

    /// The hash of the pixels where it tells images apart, else of the smaller file if there is
    /// one.
    fn content_hash(&self, policy: KeyPolicy) -> ContentHash {
        let of_file = || self.encoded.get().map(|e| ContentHash::of(&e.bytes));
        let of_pixels = || self.frame.get().map(Frame::content_hash);
        let hash = match policy {
            KeyPolicy::Content => of_pixels().or_else(of_file),
            KeyPolicy::Event => of_file().or_else(of_pixels),
        };
        hash.unwrap_or(ContentHash([0; 32]))
    }

    /// Bytes of the forms that are in memory now.
    pub fn memory_bytes(&self) -> u64 {
        let pixels = self.frame.get().map_or(0, Frame::pixel_bytes);
        let encoded = self.encoded.get().map_or(0, |encoded| encoded.bytes.len());
        pixels + encoded as u64
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Picture({:?}, {:?})",
            self.frame.get().map(Frame::decoded),
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
