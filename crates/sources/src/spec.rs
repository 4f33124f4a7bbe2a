use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use straylight_core::hide_secrets;
use straylight_image::{sniff, special_kind, unread_format};

use crate::{SourceError, SourceErrorKind};

/// What a user names as a source.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spec {
    /// One image file.
    File(PathBuf),
    /// A folder of image files.
    Folder(PathBuf),
    /// A pattern of file names with `*`, `?` or `[...]`.
    Glob(String),
    /// Numbered files: a pattern with `%d` or `%04d`.
    Sequence(String),
    /// Paths on standard input, one a line.
    List,
    /// A zip archive.
    Zip(PathBuf),
    /// A tar archive, plain or compressed with gzip.
    Tar(PathBuf),
    /// A video file.
    Video(PathBuf),
    /// A live stream or remote video.
    Stream(String),
    /// A camera: a device path or a number.
    Camera(String),
}

impl fmt::Debug for Spec {
    /// Addresses without their passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value): (_, &dyn fmt::Debug) = match self {
            Self::List => return f.write_str("List"),
            Self::Stream(address) => {
                return write!(f, "Stream({:?})", hide_secrets(address));
            }
            Self::File(path) => ("File", path),
            Self::Folder(path) => ("Folder", path),
            Self::Glob(pattern) => ("Glob", pattern),
            Self::Sequence(pattern) => ("Sequence", pattern),
            Self::Zip(path) => ("Zip", path),
            Self::Tar(path) => ("Tar", path),
            Self::Video(path) => ("Video", path),
            Self::Camera(device) => ("Camera", device),
        };
        write!(f, "{name}({value:?})")
    }
}

const SCHEMES: [&str; 8] = [
    "rtsp://", "rtsps://", "rtmp://", "http://", "https://", "udp://", "tcp://", "srt://",
];

impl Spec {
    /// Understands what a user wrote.
    ///
    /// `-` is the list on standard input, `camera:0` or `/dev/video0` a camera, an address with
    /// `://` a stream. A path that exists is taken for what its first bytes say; one that does
    /// not may be a pattern.
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        if text == "-" {
            return Ok(Self::List);
        }
        let camera = text
            .strip_prefix("camera:")
            .or(Some(text).filter(|t| t.starts_with("/dev/video")));
        if let Some(camera) = camera {
            return Ok(Self::Camera(camera.to_owned()));
        }
        let lower = text.to_ascii_lowercase();
        if SCHEMES.iter().any(|scheme| lower.starts_with(scheme)) {
            return Ok(Self::Stream(text.to_owned()));
        }
        let path = Path::new(text);
        match path.metadata() {
            Ok(metadata) if metadata.is_dir() => Ok(Self::Folder(path.to_owned())),
            Ok(metadata) => match special_kind(metadata.file_type()) {
                // Opening a pipe waits for somebody who writes.
                Some(what) => Err(SourceError::new(text, SourceErrorKind::NotAFile(what))),
                None => Self::of_file(path),
            },
            Err(_) if is_address(text) => Err(unknown_scheme(text)),
            Err(_) if is_sequence(text) => Ok(Self::Sequence(text.to_owned())),
            Err(_) if text.contains(['*', '?', '[']) => Ok(Self::Glob(text.to_owned())),
            Err(error) => Err(SourceError::io(text, error)),
        }
    }

    /// A short name for people, without secrets: that of the file or folder, the host and path of
    /// an address, the camera's device.
    pub fn short_name(&self) -> String {
        match self {
            Self::List => "list".to_owned(),
            Self::Stream(address) => address_name(address),
            Self::Camera(device) if device.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("camera{device}")
            }
            Self::Camera(device) => file_name(Path::new(device)),
            Self::Glob(pattern) | Self::Sequence(pattern) => file_name(Path::new(pattern)),
            Self::File(path)
            | Self::Folder(path)
            | Self::Zip(path)
            | Self::Tar(path)
            | Self::Video(path) => file_name(path),
        }
    }

    /// Whether its images have times of their own, whatever the speed at which they are read.
    pub fn is_recording(&self) -> bool {
        matches!(self, Self::Video(_))
    }

    /// Whether it goes on whether or not somebody reads: a camera or a stream.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Stream(_) | Self::Camera(_))
    }

    /// Images and archives are told by their first bytes; anything that ffmpeg may know is left
    /// to it, unless it is plain text.
    fn of_file(path: &Path) -> Result<Self, SourceError> {
        let place = || path.display().to_string();
        let mut start = Vec::with_capacity(512);
        let file = File::open(path).map_err(|error| SourceError::io(place(), error))?;
        file.take(512)
            .read_to_end(&mut start)
            .map_err(|error| SourceError::io(place(), error))?;
        let path = path.to_owned();
        Ok(match start.as_slice() {
            // A stream of JPEG files begins as its first one.
            _ if is_motion_jpeg(&path) => Self::Video(path),
            bytes if sniff(bytes).is_some() || unread_format(bytes).is_some() => Self::File(path),
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip(path),
            [0x1f, 0x8b, ..] => Self::Tar(path),
            bytes if bytes.get(257..262) == Some(b"ustar") => Self::Tar(path),
            bytes if is_video(bytes, &path) => Self::Video(path),
            // The decoder says best what is wrong with it.
            _ => Self::File(path),
        })
    }
}

fn file_name(path: &Path) -> String {
    let name = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    // `.` and `..` have no name of their own.
    let named = || name(&path.canonicalize().ok()?);
    name(path)
        .or_else(named)
        .unwrap_or_else(|| path.display().to_string())
}

/// Host, port and path.
fn address_name(address: &str) -> String {
    let shown = hide_secrets(address);
    let (_, rest) = shown.split_once("://").unwrap_or_default();
    let rest = rest.rsplit('@').next().unwrap_or_default();
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    match rest.trim_matches('/') {
        "" => "stream".to_owned(),
        name => name.to_owned(),
    }
}

/// A scheme and `://`, as in an address of a kind that is not known.
fn is_address(text: &str) -> bool {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    let is_part = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_part)
}

fn unknown_scheme(text: &str) -> SourceError {
    let known = SCHEMES.join(", ");
    SourceError::new(hide_secrets(text), SourceErrorKind::Scheme { known })
}

fn is_sequence(text: &str) -> bool {
    crate::sequence::Pattern::parse(text).is_some()
}

fn is_video(start: &[u8], path: &Path) -> bool {
    const EXTENSIONS: [&str; 20] = [
        "mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "mts", "m2ts", "wmv",
        "flv", "ogv", "3gp", "3g2", "asf", "m2v", "mxf", "vob",
    ];
    let known = matches!(
        start,
        [_, _, _, _, b'f', b't', b'y', b'p', ..]
            | [0x1a, 0x45, 0xdf, 0xa3, ..]
            | [0, 0, 1, 0xba | 0xb3, ..]
            | [b'F', b'L', b'V', ..]
            | [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'A',
                b'V',
                b'I',
                b' ',
                ..
            ]
    );
    known || EXTENSIONS.contains(&extension(path).as_str())
}

fn is_motion_jpeg(path: &Path) -> bool {
    ["mjpeg", "mjpg"].contains(&extension(path).as_str())
}

fn extension(path: &Path) -> String {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    extension.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_devices_are_told_apart() {
        struct Case(&'static str, Option<Spec>);
        for Case(text, wanted) in [
            Case("-", Some(Spec::List)),
            Case("camera:0", Some(Spec::Camera("0".into()))),
            Case("/dev/video9", Some(Spec::Camera("/dev/video9".into()))),
            Case("RTSP://host/1", Some(Spec::Stream("RTSP://host/1".into()))),
            Case("no/such/*.jpg", Some(Spec::Glob("no/such/*.jpg".into()))),
            Case(
                "no/such/%04d.png",
                Some(Spec::Sequence("no/such/%04d.png".into())),
            ),
            Case("no/such/file.jpg", None),
        ] {
            assert_eq!(Spec::parse(text).ok(), wanted, "{text}");
        }
    }

    #[test]
    fn an_address_of_an_unknown_kind_is_told_without_its_password() {
        for text in ["rtps://me:secret@cam/1", "rtps://me:sec?ret@cam/*"] {
            let error = Spec::parse(text).unwrap_err().to_string();
            assert!(
                error.contains("rtps://***@cam/") && error.contains("rtsp://"),
                "{error}"
            );
        }
        let spec = format!("{:?}", Spec::Stream("rtsp://me:secret@cam/1".to_owned()));
        assert_eq!(spec, "Stream(\"rtsp://***@cam/1\")");
    }

    #[test]
    fn short_names_tell_sources_apart_and_hold_no_secret() {
        for (text, wanted) in [
            ("-", "list"),
            ("camera:0", "camera0"),
            ("/dev/video9", "video9"),
            (
                "rtsp://me:se@cret@10.0.0.5:554/live/1?token=x",
                "10.0.0.5:554/live/1",
            ),
            ("rtsp://me:p?w@cam/1", "cam/1"),
            ("https://host/", "host"),
            ("no/such/*.jpg", "*.jpg"),
        ] {
            assert_eq!(Spec::parse(text).unwrap().short_name(), wanted, "{text}");
        }
        assert_eq!(Spec::Folder("photos/new/".into()).short_name(), "new");
        let here = Spec::Folder(".".into()).short_name();
        assert_eq!(here, "sources");
    }
}
