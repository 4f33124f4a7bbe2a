use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use straylight_core::ImageFormat;

/// An image could not be read or written.
///
/// Its text names the file (when there is one), what is wrong with it and what to do.
#[derive(Debug)]
pub struct ImageError {
    file: Option<PathBuf>,
    kind: ImageErrorKind,
}

/// What is wrong with an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageErrorKind {
    /// There are no bytes at all.
    #[error("the file is empty")]
    Empty,
    /// The first bytes are those of no format that Straylight reads.
    #[error("this is no image that Straylight can read (it begins with {0})")]
    UnknownFormat(String),
    /// A picture of a format that Straylight does not read.
    #[error("this is a picture in the format {0}, which Straylight does not read")]
    UnreadFormat(&'static str),
    /// A folder, pipe, socket or device has the place of a file.
    #[error("it is {0}, not a file")]
    NotAFile(&'static str),
    /// The file breaks the rules of its format or ends too early.
    #[error("the {format} file is damaged or incomplete: {reason}")]
    Corrupt {
        /// The format found from the first bytes.
        format: ImageFormatName,
        /// What the decoder says.
        reason: String,
    },
    /// The file is sound but uses a part of its format that is not supported.
    #[error("the {format} file uses a feature that is not supported: {reason}")]
    Unsupported {
        /// The format found from the first bytes.
        format: ImageFormatName,
        /// Which feature.
        reason: String,
    },
    /// The image has more pixels than the limits allow.
    #[error("the image has {width} x {height} pixels, more than the limit of {limit} pixels")]
    TooManyPixels {
        /// Width that the file claims.
        width: u32,
        /// Height that the file claims.
        height: u32,
        /// The limit in pixels.
        limit: u64,
    },
    /// The file has more bytes than the limits allow.
    #[error("the file has more than the limit of {limit} bytes")]
    TooManyBytes {
        /// The limit in bytes.
        limit: u64,
    },
    /// The operating system refused to read the file.
    #[error("cannot read it: {0}")]
    Read(#[source] io::Error),
    /// The image cannot be written in the format that was asked for.
    #[error("cannot encode {width} x {height} pixels as {format}: {reason}")]
    Encode {
        /// The format that was asked for.
        format: ImageFormatName,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// What the encoder says.
        reason: String,
    },
}

/// The name of an image format as people write it ("JPEG", "WebP").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageFormatName(pub ImageFormat);

impl fmt::Display for ImageFormatName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            ImageFormat::Jpeg => "JPEG",
            ImageFormat::Png => "PNG",
            ImageFormat::WebP => "WebP",
            ImageFormat::Bmp => "BMP",
            ImageFormat::Tiff => "TIFF",
            ImageFormat::Gif => "GIF",
            other => other.extension(),
        })
    }
}

impl ImageErrorKind {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::Corrupt { .. } => "copy or download it again, or leave it out",
            Self::UnreadFormat("HEIC") => {
                "convert it to JPEG, for example with heif-convert; an iPhone takes JPEGs when its \
                 camera settings say Most Compatible"
            }
            Self::UnknownFormat(_) | Self::UnreadFormat(_) => {
                "convert it to JPEG, PNG, WebP, BMP, TIFF or GIF"
            }
            Self::NotAFile(_) => "name image files",
            Self::Unsupported { .. } => "save it again as an 8-bit RGB JPEG or PNG",
            Self::TooManyPixels { .. } => {
                "scale it down, or raise the limit (option --max-pixels, setting max-pixels)"
            }
            Self::TooManyBytes { .. } => "compress it or raise the limit on bytes",
            Self::Read(_) => "check that the file exists and may be read",
            Self::Encode { .. } => "choose another format or a smaller size",
        }
    }

    pub(crate) fn corrupt(format: ImageFormat, reason: impl fmt::Display) -> Self {
        Self::Corrupt {
            format: ImageFormatName(format),
            reason: one_line(&reason),
        }
    }

    pub(crate) fn unsupported(format: ImageFormat, reason: impl fmt::Display) -> Self {
        Self::Unsupported {
            format: ImageFormatName(format),
            reason: one_line(&reason),
        }
    }
}

/// Decoders end their messages with full stops and line breaks; ours are part of a sentence.
fn one_line(reason: &dyn fmt::Display) -> String {
    let text = reason.to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").trim_matches(['"', '.']).to_owned()
}

impl ImageError {
    /// What is wrong.
    pub fn kind(&self) -> &ImageErrorKind {
        &self.kind
    }

    /// The file, if the image came from one.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        self.kind.hint()
    }

    /// Names the file that the image came from.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }
}

impl ImageError {
    /// Leaves the file's name out, for callers that tell the place themselves.
    #[must_use]
    pub fn without_file(mut self) -> Self {
        self.file = None;
        self
    }
}

impl From<ImageErrorKind> for ImageError {
    fn from(kind: ImageErrorKind) -> Self {
        Self { file: None, kind }
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{}: ", file.display())?;
        }
        write!(f, "{}; {}", self.kind, self.kind.hint())
    }
}

impl std::error::Error for ImageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.kind)
    }
}
