use std::io::ErrorKind;
use std::time::Duration;

use straylight_core::Timestamp;
use ureq::http::Response;
use ureq::{Error, Timeout};

use crate::action::{ActionError, trust};

/// What a request that got no answer means for a retry.
///
/// Before the connection stood, nothing can have arrived; afterwards nobody knows.
pub(super) fn of_error(address: &str, error: &Error) -> ActionError {
    if let Error::Io(error) = error
        && let Some(complaint) = trust::complaint(error)
    {
        return ActionError::transient(format!("{address}: {complaint}"));
    }
    let message = format!("{address}: {}", words(error));
    match error {
        Error::BadUri(_) | Error::Http(_) | Error::InvalidProxyUrl => {
            ActionError::permanent(message)
        }
        Error::Timeout(Timeout::Connect | Timeout::Resolve)
        | Error::HostNotFound
        | Error::ConnectionFailed
        | Error::Tls(_)
        | Error::Rustls(_) => ActionError::transient(message),
        Error::Io(error) if error.kind() == ErrorKind::ConnectionRefused => {
            ActionError::transient(message)
        }
        _ => ActionError::ambiguous(message),
    }
}

/// The error without anything that the URL or the headers may hold.
fn words(error: &Error) -> String {
    match error {
        Error::BadUri(_) | Error::Http(_) => "the request is not valid".to_owned(),
        other => other.to_string(),
    }
}

/// What the answer's status means for a retry; any 2xx is success.
pub(super) fn of_status<T>(address: &str, response: &Response<T>) -> Result<(), ActionError> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let message = format!("{address}: status {status}");
    Err(match status.as_u16() {
        // A token that expired or a right that is missing is the sink's affair: the event waits.
        401 | 403 | 407 | 408 | 425 | 429 | 500..=599 => {
            let asked = response
                .headers()
                .get("retry-after")
                .and_then(|value| value.to_str().ok());
            ActionError::transient(message).with_retry_after(asked.and_then(retry_after))
        }
        300..=399 => ActionError::permanent(format!("{message}: give the URL that it leads to")),
        _ => ActionError::permanent(message),
    })
}

/// Reads `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after(value: &str) -> Option<Duration> {
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => until(value),
    }
}

fn until(date: &str) -> Option<Duration> {
    let time = jiff::fmt::rfc2822::parse(date.trim()).ok()?.timestamp();
    Duration::try_from(time.duration_since(Timestamp::now())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ActionErrorKind::{Ambiguous, Permanent, Transient};

    #[test]
    fn statuses_say_whether_a_retry_can_help() {
        for (status, kind) in [
            (200, None),
            (204, None),
            (302, Some(Permanent)),
            (400, Some(Permanent)),
            (401, Some(Transient)),
            (429, Some(Transient)),
            (503, Some(Transient)),
        ] {
            let response = Response::builder().status(status).body(()).unwrap();
            let result = of_status("http://h", &response);
            assert_eq!(result.err().map(|error| error.kind()), kind, "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("7"), Some(Duration::from_secs(7)));
        let later = retry_after("Wed, 21 Oct 2099 07:28:00 GMT");
        assert!(later > Some(Duration::from_secs(86_400)));
        assert_eq!(retry_after("soon"), None);
    }

    #[test]
    fn only_a_connection_that_stood_leaves_doubt() {
        let refused = std::io::Error::from(ErrorKind::ConnectionRefused);
        let reset = std::io::Error::from(ErrorKind::ConnectionReset);
        for (error, kind) in [
            (Error::Io(refused), Transient),
            (Error::Io(reset), Ambiguous),
            (Error::Timeout(Timeout::Connect), Transient),
            (Error::Timeout(Timeout::Global), Ambiguous),
            (Error::BadUri("http://u:secret@h".into()), Permanent),
        ] {
            let error = of_error("http://h", &error);
            assert_eq!(error.kind(), kind, "{error}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
