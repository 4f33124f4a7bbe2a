use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use straylight_core::{Frame, RgbImage, Timestamp};
use straylight_image::{DecodeOptions, decode_frame, read_frame_with};

use crate::{SourceError, SourceErrorKind};

/// An image on its way into a source, decoded or not.
#[derive(Debug)]
pub struct Item {
    /// Where it comes from, for people: a path, `archive.zip: entry`, `video.mp4 at 1.200 s`.
    pub place: String,
    /// What is known of its pixels.
    pub content: Content,
}

/// The content of an [`Item`].
#[derive(Debug)]
pub enum Content {
    /// An image file, read when its turn comes.
    File(PathBuf),
    /// The bytes of an image file.
    Bytes {
        /// The whole file.
        bytes: Vec<u8>,
        /// The frame's name.
        name: String,
        /// When it was taken or read.
        captured_at: Timestamp,
    },
    /// Pixels.
    Pixels {
        /// The pixels.
        image: RgbImage,
        /// The frame's name.
        name: String,
        /// When it was taken.
        captured_at: Timestamp,
    },
}

/// Where a feed puts its images; `Break` tells it to end.
pub type Sink<'a> = &'a mut dyn FnMut(Result<Item, SourceError>) -> ControlFlow<()>;

/// Something that gives images one after the other.
///
/// Runs in a thread of its own. It calls the sink in the order in which the frames shall come
/// out, blocks there while the consumer is behind, and returns when it has no more or the sink
/// says `Break`. A bad image is an error given to the sink; the next one follows.
pub trait Feed: Send {
    /// Gives all images to the sink.
    fn feed(self: Box<Self>, sink: Sink<'_>);
}

/// A frame of a source.
#[derive(Debug, Clone)]
pub struct Sourced {
    /// The decoded image.
    pub frame: Frame,
    /// Where it comes from, for people.
    pub place: String,
}

impl Item {
    /// Decodes the image; a decoder that panics spoils only its own image.
    pub(crate) fn decode(self, options: &DecodeOptions) -> Result<Sourced, SourceError> {
        let Self { place, content } = self;
        let decoded = catch_unwind(AssertUnwindSafe(|| match content {
            Content::File(path) => read_frame_with(&path, options),
            Content::Bytes {
                bytes,
                name,
                captured_at,
            } => decode_frame(bytes, &name, captured_at, options),
            Content::Pixels {
                image,
                name,
                captured_at,
            } => Ok(Frame::new(image, name, captured_at)),
        }));
        match decoded {
            Ok(Ok(frame)) => Ok(Sourced { frame, place }),
            // The place names the file already.
            Ok(Err(error)) => Err(SourceError::new(
                place,
                SourceErrorKind::Image(error.without_file()),
            )),
            Err(_) => Err(SourceError::new(place, SourceErrorKind::Decoder)),
        }
    }
}
