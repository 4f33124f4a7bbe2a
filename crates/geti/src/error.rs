use std::fmt;
use std::time::Duration;

use straylight_files::{ArchiveError, FileError};

use crate::wire::ErrorCode;

/// What kind of trouble a [`GetiError`] is; decides what can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The server details are incomplete or contradict one another.
    Settings,
    /// An argument cannot be sent (an empty name, a file that is no image).
    Argument,
    /// No connection to the server, or it broke.
    Connection,
    /// The certificate of the server is not trusted, or TLS failed otherwise.
    Tls,
    /// The server took too long.
    Timeout,
    /// The token is wrong, revoked or expired (401, or a login page in the place of an answer).
    Login,
    /// The token is right but may not do this (403).
    Forbidden,
    /// There is no such thing (404).
    NotFound,
    /// It is there already, or is being used (409).
    Conflict,
    /// The server has no such function: ours runs models and does not train them.
    Unsupported,
    /// The server refuses the request (other 4xx).
    Refused,
    /// Too many requests (429).
    TooManyRequests,
    /// The server failed (5xx).
    Server,
    /// The answer cannot be understood.
    Answer,
    /// A list does not end, or does not hold what it announces.
    Pages,
    /// The server sends the client elsewhere, where it must not go.
    Redirect,
    /// A downloaded archive is damaged or dangerous.
    Archive,
    /// A job or a deployment failed on the server.
    Job,
    /// A file of this machine could not be read or written.
    File,
}

/// A request to a Geti server, or what was to be done with its answer, failed.
///
/// `Display` names method, address (without secrets), status, the server's code and message,
/// and a hint; [`GetiError::hint`] and the others give the parts.
#[derive(Debug)]
pub struct GetiError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    kind: ErrorKind,
    message: String,
    request: Option<(&'static str, String)>,
    status: Option<u16>,
    error_code: Option<String>,
    hint: Option<String>,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl GetiError {
    /// An error from its kind and a message that says what is wrong.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            kind,
            message: message.into(),
            request: None,
            status: None,
            error_code: None,
            hint: None,
            retry_after: None,
            source: None,
        }))
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the request that failed; the address must not hold a secret.
    #[must_use]
    pub(crate) fn with_request(mut self, method: &'static str, url: impl Into<String>) -> Self {
        self.0.request = Some((method, url.into()));
        self
    }

    #[must_use]
    pub(crate) fn with_status(mut self, status: u16, error_code: Option<String>) -> Self {
        self.0.status = Some(status);
        self.0.error_code = error_code;
        self
    }

    #[must_use]
    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.0.retry_after = wait;
        self
    }

    #[must_use]
    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(source.into());
        self
    }

    #[must_use]
    pub(crate) fn map_message(mut self, change: impl FnOnce(&str) -> String) -> Self {
        self.0.message = change(&self.0.message);
        self
    }

    /// What kind of trouble it is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// How long the server asked to be left alone (`Retry-After`), if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What is wrong, without request, status and hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Method and address of the request that failed, without secrets.
    pub fn request(&self) -> Option<(&'static str, &str)> {
        self.0
            .request
            .as_ref()
            .map(|(method, url)| (*method, url.as_str()))
    }

    /// HTTP status of the answer.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// The server's error code, such as `project_not_found`.
    pub fn error_code(&self) -> Option<&str> {
        self.0.error_code.as_deref()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Whether the server gave this error code.
    pub fn is(&self, code: ErrorCode) -> bool {
        self.error_code() == Some(code.as_str())
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn may_pass(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Connection
                | ErrorKind::Timeout
                | ErrorKind::TooManyRequests
                | ErrorKind::Server
        )
    }

    /// Whether every further call will fail in the same way (wrong token, server gone, disk full).
    pub fn is_fatal(&self) -> bool {
        matches!(
            self.kind(),
            ErrorKind::Settings
                | ErrorKind::Connection
                | ErrorKind::Tls
                | ErrorKind::Login
                | ErrorKind::File
        )
    }
}

impl fmt::Display for GetiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &self.0;
        if let Some((method, url)) = &parts.request {
            write!(f, "{method} {url}: ")?;
        }
        if let Some(status) = parts.status {
            write!(f, "status {status}")?;
            if let Some(code) = parts.error_code.as_deref().filter(|code| !code.is_empty()) {
                write!(f, ", {code}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&parts.message)?;
        match &parts.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for GetiError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<FileError> for GetiError {
    fn from(error: FileError) -> Self {
        Self::new(ErrorKind::File, error.to_string()).with_source(error)
    }
}

impl From<ArchiveError> for GetiError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::File(error) => error.into(),
            damaged @ ArchiveError::Damaged(_) => {
                Self::new(ErrorKind::Archive, damaged.to_string()).with_hint("download it again")
            }
            other => Self::new(ErrorKind::Archive, other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_all_its_parts_in_one_line() {
        let error = GetiError::new(ErrorKind::NotFound, "The project is gone.")
            .with_request("GET", "https://host/api/v1/x")
            .with_status(404, Some("project_not_found".into()))
            .with_hint("list the projects");
        assert_eq!(
            error.to_string(),
            "GET https://host/api/v1/x: status 404, project_not_found: The project is gone. (list the projects)"
        );
        assert!(error.is(ErrorCode::ProjectNotFound));
        assert!(!error.may_pass());
    }
}
