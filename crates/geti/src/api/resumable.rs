//! Resumable uploads of large archives (the tus protocol, version 1.0.0, extension "creation").
//!
//! The file goes in chunks. When an answer is lost, the server is asked how far it is and the
//! upload goes on from there; it fails when [`STALLS`] tries in a row bring it no further.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use straylight_core::Progress;
use straylight_files::FileError;

use super::session::Geti;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Body, Failure, Method, Request, Target};
use crate::wire::{MAX_UPLOAD_BYTES, tus};

/// How many tries in a row may bring an upload no further.
const STALLS: u32 = 5;

/// The wait after a try that brought the upload no further.
const PAUSE: Duration = Duration::from_secs(2);

struct Upload<'a> {
    geti: &'a Geti,
    location: Target,
    file: File,
    length: u64,
    path: &'a Path,
}

impl Geti {
    /// Uploads a file below `endpoint` of the workspace; returns the identifier of the file.
    pub(crate) fn upload_resumable(
        &self,
        endpoint: &str,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<String, GetiError> {
        let failed = |source| FileError::new("read", path, source);
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        if length == 0 || length > MAX_UPLOAD_BYTES {
            let message = format!(
                "{} has {length} bytes; servers take 1 byte to 4.7 GiB",
                path.display()
            );
            return Err(GetiError::new(ErrorKind::Argument, message));
        }
        let endpoint = self.workspace_path(endpoint);
        self.check_protocol(&endpoint)?;
        let location = self.begin_upload(&endpoint, length)?;
        let file_id = file_id(&location)?;
        let mut upload = Upload {
            geti: self,
            location,
            file,
            length,
            path,
        };
        progress.begin("Uploading the archive", length);
        let result = upload.run(progress);
        progress.finish();
        result.map(|()| file_id)
    }

    fn check_protocol(&self, endpoint: &str) -> Result<(), GetiError> {
        let request = Request::new(Method::Options, Target::Api(endpoint.to_owned()));
        self.transport().run(&request, |answer| {
            let versions = answer
                .header(tus::SUPPORTED)
                .or(answer.header(tus::RESUMABLE));
            let versions = versions.unwrap_or_default();
            if versions
                .split(',')
                .any(|version| version.trim() == tus::VERSION)
            {
                return Ok(());
            }
            let message = "the server does not take resumable uploads of version 1.0.0";
            Err(Failure::unclear(GetiError::new(ErrorKind::Answer, message)))
        })
    }

    fn begin_upload(&self, endpoint: &str, length: u64) -> Result<Target, GetiError> {
        // An upload that was begun twice is only an empty file too many.
        let request = Request::post(endpoint)
            .repeatable()
            .header(tus::RESUMABLE, tus::VERSION)
            .header(tus::LENGTH, length.to_string());
        let location = self.transport().run(&request, |answer| {
            let location = answer.header("location").map(str::to_owned);
            location.ok_or_else(|| {
                let message = "the server does not say where the upload goes";
                Failure::unclear(GetiError::new(ErrorKind::Answer, message))
            })
        })?;
        self.own_target(&location)
    }
}

impl Upload<'_> {
    fn run(&mut self, progress: &dyn Progress) -> Result<(), GetiError> {
        let (mut offset, mut stalls) = (0, 0);
        while offset < self.length {
            let result = self.send_chunk(offset);
            let error = match result {
                Ok(next) if next > offset => {
                    progress.advance(next - offset);
                    (offset, stalls) = (next, 0);
                    continue;
                }
                Ok(_) => GetiError::new(ErrorKind::Answer, "the server takes no further bytes"),
                Err(error) if can_continue(&error) => error,
                Err(error) => return Err(error),
            };
            stalls += 1;
            if stalls >= STALLS {
                return Err(error);
            }
            self.geti.clock().sleep(PAUSE);
            let next = self.ask_offset()?;
            progress.advance(next.saturating_sub(offset));
            offset = next;
        }
        Ok(())
    }

    /// Sends the chunk at an offset; returns how far the server then is.
    fn send_chunk(&mut self, offset: u64) -> Result<u64, GetiError> {
        let failed = |source| FileError::new("read", self.path, source);
        self.file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut bytes = Vec::new();
        let mut chunk = self.file.by_ref().take(tus::CHUNK as u64);
        chunk.read_to_end(&mut bytes).map_err(failed)?;
        let expected = offset + bytes.len() as u64;
        let request = Request::new(Method::Patch, self.location.clone())
            .header(tus::RESUMABLE, tus::VERSION)
            .header(tus::OFFSET, offset.to_string())
            .body(Body::Bytes {
                content_type: tus::CONTENT_TYPE,
                bytes,
            });
        self.geti.transport().run(&request, |answer| {
            Ok(answer
                .header(tus::OFFSET)
                .and_then(|text| text.parse().ok())
                .unwrap_or(expected))
        })
    }

    /// How far the server is.
    fn ask_offset(&self) -> Result<u64, GetiError> {
        let request =
            Request::new(Method::Head, self.location.clone()).header(tus::RESUMABLE, tus::VERSION);
        let offset = self.geti.transport().run(&request, |answer| {
            let offset = answer
                .header(tus::OFFSET)
                .and_then(|text| text.parse::<u64>().ok());
            offset.ok_or_else(|| {
                let message = "the server does not say how far the upload is";
                Failure::unclear(GetiError::new(ErrorKind::Answer, message))
            })
        })?;
        Ok(offset.min(self.length))
    }
}

/// Whether the upload may go on after asking how far it is.
fn can_continue(error: &GetiError) -> bool {
    error.may_pass() || error.kind() == ErrorKind::Conflict
}

/// The last segment of where the upload goes.
fn file_id(location: &Target) -> Result<String, GetiError> {
    let (Target::Api(path) | Target::Server(path) | Target::Elsewhere(path)) = location;
    let path = path.split('?').next().unwrap_or_default();
    match path.trim_end_matches('/').rsplit('/').next() {
        Some(id) if !id.is_empty() => Ok(id.to_owned()),
        _ => Err(GetiError::new(
            ErrorKind::Answer,
            "the server gives the upload no identifier",
        )),
    }
}
