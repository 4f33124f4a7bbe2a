use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use straylight_image::{ImageError, NoPictures};

/// A source, or one image of it, could not be read.
///
/// Its text names the place (file, entry of an archive, stream), what is wrong and the way out.
/// Passwords in addresses are hidden.
#[derive(Debug)]
pub struct SourceError {
    place: String,
    kind: SourceErrorKind,
}

/// What is wrong with a source or an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceErrorKind {
    /// One image is no image, damaged or too large; the next one may be good.
    #[error("{0}")]
    Image(#[source] ImageError),
    /// There is no such file or folder.
    #[error("it does not exist; check the path")]
    NotFound,
    /// There is no such camera.
    #[error("there is no such camera on this machine; check that it is plugged in and its number")]
    NoCamera,
    /// A pipe, socket, device or folder has the place of an image file.
    #[error("it is {0}, not a file; it is left out")]
    NotAFile(&'static str),
    /// A stream whose address can never be read.
    #[error("it cannot be opened: {0}")]
    Address(String),
    /// An address of a kind that is not known.
    #[error("addresses begin with {known}")]
    Scheme {
        /// The kinds that are known.
        known: String,
    },
    /// A folder, archive, list or part of a video holds no image.
    #[error("it holds no image; check the path and the options")]
    NoImage,
    /// Only says what was passed over.
    #[error("passed over {0}")]
    PassedOver(NoPictures),
    /// The operating system refused to read it.
    #[error("cannot read it: {0}; check that it may be read")]
    Read(#[source] io::Error),
    /// An archive is damaged or uses what is not supported.
    #[error("the archive cannot be read: {0}; pack it again as a plain zip or tar")]
    Archive(String),
    /// A pattern cannot be understood.
    #[error("`{0}` is no pattern of file names; write for example photos/*.jpg")]
    Pattern(String),
    /// No file fits the pattern.
    #[error("no file fits; check the pattern")]
    NothingFits,
    /// Videos, streams and cameras need the program, which is not installed.
    #[error(
        "videos, streams and cameras need the program `{}`, which was not found; install it \
         (apt install ffmpeg, brew install ffmpeg, winget install ffmpeg) or name its path",
        .0.display()
    )]
    NoFfmpeg(PathBuf),
    /// The program that decodes videos failed.
    #[error("it cannot be decoded: {0}; check that the file or stream plays in ffplay")]
    Video(String),
    /// A file with the name of a video holds what may open other files.
    #[error("it is not opened: {0}")]
    NotAVideo(String),
    /// A video is cut off or damaged; the frames that could be decoded were used.
    #[error(
        "it is cut off or damaged: {frames} frames could be read and are used ({reason}); copy or \
         record it again"
    )]
    Incomplete {
        /// How many frames were given.
        frames: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// An image of a server could not be downloaded.
    #[error("{0}")]
    Download(String),
    /// The program that encodes videos failed.
    #[error("it cannot be written: {0}; check the extension and the space on the disk")]
    Encode(String),
    /// A live stream broke off; it is tried again.
    #[error("it broke off ({reason}); trying again in {:.1} s", retry_in.as_secs_f64())]
    Interrupted {
        /// What the program said last.
        reason: String,
        /// How long it is left alone.
        retry_in: Duration,
    },
    /// A live stream broke off too often in a row.
    #[error(
        "it broke off ({reason}) and {attempts} more attempts failed; check address and network"
    )]
    GaveUp {
        /// What the program said last.
        reason: String,
        /// How often it was tried again.
        attempts: u32,
    },
    /// An image decoder failed in a way that it should not.
    #[error("the decoder broke down on it; please report the file")]
    Decoder,
}

impl SourceError {
    pub(crate) fn new(place: impl Into<String>, kind: SourceErrorKind) -> Self {
        Self {
            place: place.into(),
            kind,
        }
    }

    /// What is wrong at a place, for a [`Feed`](crate::Feed) of your own.
    pub fn at(place: impl Into<String>, kind: SourceErrorKind) -> Self {
        Self::new(place, kind)
    }

    pub(crate) fn io(place: impl Into<String>, error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => SourceErrorKind::NotFound,
            _ => SourceErrorKind::Read(error),
        };
        Self::new(place, kind)
    }

    /// The file, entry of an archive, or stream.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong.
    pub fn kind(&self) -> &SourceErrorKind {
        &self.kind
    }
}

impl SourceErrorKind {
    /// Whether it is only a remark: the source is tried again, or files were passed over.
    pub fn is_notice(&self) -> bool {
        matches!(self, Self::Interrupted { .. } | Self::PassedOver(_))
    }

    /// Whether a program is missing on this machine.
    pub fn is_about_the_machine(&self) -> bool {
        matches!(self, Self::NoFfmpeg(_))
    }

    /// Whether it says that one image is bad and not the source as a whole.
    pub fn is_about_one_image(&self) -> bool {
        matches!(
            self,
            Self::Image(_)
                | Self::Decoder
                | Self::Read(_)
                | Self::NotFound
                | Self::NotAFile(_)
                | Self::Download(_)
        )
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.kind)
    }
}

impl std::error::Error for SourceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.kind)
    }
}
