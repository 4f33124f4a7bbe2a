use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use straylight_image::DecodeOptions;

/// How a source is read.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceOptions {
    /// What the source is called, beside which its images are told from those of others; a short
    /// name made of the path or address if `None`, see [`Spec::short_name`](crate::Spec::short_name).
    pub name: Option<String>,
    /// Only each n-th image; 1 for all.
    pub stride: u64,
    /// Frames a second taken from a video or stream; all if `None`. Images of folders and
    /// archives have no time and are all taken.
    pub fps: Option<f64>,
    /// Where in a video to begin.
    pub start: Option<Duration>,
    /// Where in a video to end.
    pub end: Option<Duration>,
    /// Whether folders within folders are read.
    pub recursive: bool,
    /// How long to wait between two looks at a watched folder; `None` does not watch.
    pub watch: Option<Duration>,
    /// How often in a row a live stream is tried again after it broke off.
    pub reconnects: u32,
    /// The wait before the first new attempt; it doubles with each, up to 30 s.
    pub backoff: Duration,
    /// Number of threads that decode.
    pub workers: usize,
    /// Number of images that may be read ahead of the consumer.
    pub ahead: usize,
    /// How large an image may be, and how large JPEG files are decoded.
    pub decode: DecodeOptions,
    /// The ffmpeg program.
    pub ffmpeg: PathBuf,
}

impl Default for SourceOptions {
    /// Everything, recursively, without watching; one thread per processor, at most four.
    fn default() -> Self {
        let workers = available_parallelism().map_or(1, NonZeroUsize::get).min(4);
        Self {
            name: None,
            stride: 1,
            fps: None,
            start: None,
            end: None,
            recursive: true,
            watch: None,
            reconnects: 10,
            backoff: Duration::from_millis(500),
            workers,
            ahead: workers * 2,
            decode: DecodeOptions::default(),
            ffmpeg: PathBuf::from("ffmpeg"),
        }
    }
}
