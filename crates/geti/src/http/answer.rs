use std::io::Read;
use std::sync::Arc;

use ureq::http::Response;

use super::failure::Failure;
use super::guard::Guard;
use super::retry::retry_after;
use crate::clock::Clock;
use crate::error::{ErrorKind, GetiError};
use crate::wire::ErrorBody;

/// The most bytes of an error's body that are read.
const LONGEST_ERROR: u64 = 64 * 1024;

/// The most characters of a plain error text that are repeated.
const LONGEST_TEXT: usize = 300;

/// An answer whose status is a success; its body is still to be read.
pub(crate) struct Answer {
    response: Response<ureq::Body>,
    clock: Arc<dyn Clock>,
}

impl Answer {
    /// Sorts an answer: success, or a failure with what the server says about it.
    pub(crate) fn check(
        response: Response<ureq::Body>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let answer = Self {
            response,
            clock: Arc::clone(clock),
        };
        if (200..300).contains(&answer.status()) {
            Ok(answer)
        } else {
            Err(answer.into_failure())
        }
    }

    pub(crate) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The content type without its parameters, in lower case.
    pub(crate) fn content_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }

    /// A login page in the place of an answer: what a gateway sends when the token is not valid.
    pub(crate) fn refuse_html(self) -> Result<Self, Failure> {
        if self.content_type() != "text/html" {
            return Ok(self);
        }
        let error = GetiError::new(
            ErrorKind::Login,
            "the server sent a web page, not an answer",
        )
        .with_hint("the token has expired, or HOST is not a Geti server");
        Err(Failure::unclear(error.with_status(self.status(), None)))
    }

    /// A reader of the body which gives up when it trickles.
    pub(crate) fn into_reader(self) -> impl Read {
        Guard::new(self.response.into_body().into_reader(), self.clock)
    }

    /// The whole body, at most `limit` bytes.
    pub(crate) fn into_bytes(self, limit: u64) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let mut reader = self.into_reader().take(limit + 1);
        reader.read_to_end(&mut bytes).map_err(Failure::of_body)?;
        if bytes.len() as u64 > limit {
            let message = format!("the answer is longer than {limit} bytes");
            return Err(Failure::unclear(GetiError::new(ErrorKind::Answer, message)));
        }
        Ok(bytes)
    }

    fn into_failure(self) -> Failure {
        let status = self.status();
        let asked = self.header("retry-after");
        let retry_after = asked.and_then(|value| retry_after(value, self.header("date")));
        let mut bytes = Vec::new();
        // What of the body can be read is used; the status alone is an error as well.
        let _ = self
            .into_reader()
            .take(LONGEST_ERROR)
            .read_to_end(&mut bytes);
        Failure {
            error: describe(status, &bytes).with_retry_after(retry_after),
            // The server says that it did not take the request up.
            untouched: matches!(status, 429 | 503),
            retry_after,
        }
    }
}

/// The error for a status and the body that came with it.
fn describe(status: u16, body: &[u8]) -> GetiError {
    let read = ErrorBody::read(body, status);
    let (code, message) = match read {
        Some(body) => (Some(body.error_code), body.message),
        None => (None, plain_text(body)),
    };
    let message = if message.is_empty() {
        "the server says no more".to_owned()
    } else {
        message
    };
    let error = GetiError::new(kind(status), message).with_status(status, code);
    match hint(status) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// A plain text of the gateway; a web page is not repeated.
fn plain_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.starts_with('<') {
        return String::new();
    }
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_TEXT)
        .collect()
}

fn kind(status: u16) -> ErrorKind {
    match status {
        300..=399 => ErrorKind::Redirect,
        401 => ErrorKind::Login,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        408 => ErrorKind::Timeout,
        409 | 423 => ErrorKind::Conflict,
        429 => ErrorKind::TooManyRequests,
        500..=599 => ErrorKind::Server,
        _ => ErrorKind::Refused,
    }
}

fn hint(status: u16) -> Option<&'static str> {
    Some(match status {
        401 => "make a new personal access token on the server and put it into TOKEN",
        403 => "the owner of the token needs more rights on the server",
        407 => "put the proxy's user name and password into HTTPS_PROXY",
        429 => "too many requests: try again later",
        503 => "the server is busy or starting: try again later",
        507 => "the server's disk is full",
        _ => return None,
    })
}
