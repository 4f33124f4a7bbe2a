use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// The content of an uploaded file; it can be read as often as the request is repeated.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Bytes(Arc<[u8]>),
    File(PathBuf),
}

impl Source {
    /// A reader from the beginning, and the length in bytes.
    fn open(&self) -> io::Result<(Box<dyn Read>, u64)> {
        match self {
            Self::Bytes(bytes) => {
                let length = bytes.len() as u64;
                Ok((Box::new(io::Cursor::new(Arc::clone(bytes))), length))
            }
            Self::File(path) => {
                let file = File::open(path)?;
                let length = file.metadata()?.len();
                // A file that grows meanwhile must not exceed the length that was announced.
                Ok((Box::new(file.take(length)), length))
            }
        }
    }
}

/// A `multipart/form-data` body of the single part `file`, as the platform wants it:
/// with a file name in raw UTF-8 and without a content type of the part.
#[derive(Debug, Clone)]
pub(crate) struct Multipart {
    pub(crate) file_name: String,
    pub(crate) source: Source,
}

/// The boundary between parts. Its randomness is not needed: a part ends where the announced
/// length says, and 32 fixed characters do not occur in image files by chance.
const BOUNDARY: &str = "straylight-5f1c0de8b7a94d3e6a2b9c";

impl Multipart {
    /// The request's content type.
    pub(crate) fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The whole body from its beginning, and its length in bytes.
    pub(crate) fn open(&self) -> io::Result<(Box<dyn Read>, u64)> {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\r\n",
            escape(&self.file_name)
        );
        let tail = format!("\r\n--{BOUNDARY}--\r\n");
        let (content, length) = self.source.open()?;
        let total = head.len() as u64 + length + tail.len() as u64;
        let body = io::Cursor::new(head)
            .chain(content)
            .chain(io::Cursor::new(tail));
        Ok((Box::new(body), total))
    }
}

/// Keeps a name from ending its header, the way browsers do (WHATWG HTML, multipart form data).
pub(crate) fn escape(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_one_part_and_the_length_it_says() {
        let multipart = Multipart {
            file_name: "ö\"\r\n.png".to_owned(),
            source: Source::Bytes(Arc::from(*b"abc")),
        };
        let (mut reader, length) = multipart.open().unwrap();
        let mut body = Vec::new();
        reader.read_to_end(&mut body).unwrap();
        assert_eq!(body.len() as u64, length);
        let text = String::from_utf8(body).unwrap();
        assert_eq!(
            text.replace(BOUNDARY, "B"),
            "--B\r\nContent-Disposition: form-data; name=\"file\"; \
             filename=\"ö%22%0D%0A.png\"\r\n\r\nabc\r\n--B--\r\n"
        );
    }
}
