use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use straylight_image::sniff;

use crate::SourceError;

/// What a user names as a source.
#[derive(Debug, Clone, PartialEq, Eq)]
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
            Ok(_) => Self::of_file(path),
            Err(_) if is_sequence(text) => Ok(Self::Sequence(text.to_owned())),
            Err(_) if text.contains(['*', '?', '[']) => Ok(Self::Glob(text.to_owned())),
            Err(error) => Err(SourceError::io(text, error)),
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
            bytes if sniff(bytes).is_some() => Self::File(path),
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip(path),
            [0x1f, 0x8b, ..] => Self::Tar(path),
            bytes if bytes.get(257..262) == Some(b"ustar") => Self::Tar(path),
            bytes if is_video(bytes, &path) => Self::Video(path),
            // The decoder says best what is wrong with it.
            _ => Self::File(path),
        })
    }
}

fn is_sequence(text: &str) -> bool {
    crate::sequence::Pattern::parse(text).is_some()
}

fn is_video(start: &[u8], path: &Path) -> bool {
    const EXTENSIONS: [&str; 16] = [
        "mp4", "m4v", "mov", "mkv", "webm", "avi", "mpg", "mpeg", "ts", "mts", "m2ts", "wmv",
        "flv", "ogv", "3gp", "mjpeg",
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
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_ascii_lowercase();
    known || EXTENSIONS.contains(&extension.as_str())
}

/// An address without its user name and password.
pub(crate) fn redacted(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let shown = match rest[..host_end].rfind('@') {
        Some(at) => format!("***@{}", &rest[at + 1..]),
        None => rest.to_owned(),
    };
    // Tokens are often passed as parameters.
    match shown.split_once('?') {
        Some((path, _)) => format!("{scheme}://{path}?***"),
        None => format!("{scheme}://{shown}"),
    }
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
    fn passwords_are_hidden() {
        struct Case(&'static str, &'static str);
        for Case(address, wanted) in [
            Case("rtsp://user:p@ss@cam/1", "rtsp://***@cam/1"),
            Case("http://cam/video?token=abc", "http://cam/video?***"),
            Case("http://cam/a@b", "http://cam/a@b"),
            Case("video.mp4", "video.mp4"),
        ] {
            assert_eq!(redacted(address), wanted);
        }
    }
}
