//! Videos: files by content like images, and the annotations of their frames.

mod add;
mod frames;
mod record;

pub use add::{NewVideo, PendingFile};
pub use record::{VideoFormat, VideoPage, VideoRecord};
