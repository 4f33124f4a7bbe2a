use std::io;
use std::time::Duration;

use ureq::{Error, Timeout};

use crate::error::{ErrorKind, GetiError};

/// One attempt failed.
pub(crate) struct Failure {
    pub(crate) error: GetiError,
    /// Whether the server surely did not act on the request.
    pub(crate) untouched: bool,
    /// How long the server asks to wait.
    pub(crate) retry_after: Option<Duration>,
}

impl Failure {
    /// A failure after which nobody knows whether the server acted.
    pub(crate) fn unclear(error: GetiError) -> Self {
        Self {
            error,
            untouched: false,
            retry_after: None,
        }
    }

    /// A failure of the connection, before the answer began.
    pub(crate) fn of_transport(error: Error) -> Self {
        let untouched = is_before_sending(&error);
        Self {
            error: describe(error),
            untouched,
            retry_after: None,
        }
    }

    /// A failure while the body of the answer was read.
    pub(crate) fn of_body(error: io::Error) -> Self {
        Self::unclear(describe(Error::from(error)))
    }
}

impl From<GetiError> for Failure {
    fn from(error: GetiError) -> Self {
        Self::unclear(error)
    }
}

/// Whether the failure came before the first byte of the request was on its way.
fn is_before_sending(error: &Error) -> bool {
    match error {
        Error::HostNotFound | Error::ConnectionFailed | Error::ConnectProxyFailed(_) => true,
        Error::Timeout(timeout) => matches!(timeout, Timeout::Resolve | Timeout::Connect),
        Error::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable
        ),
        _ => is_tls(error),
    }
}

fn is_tls(error: &Error) -> bool {
    match error {
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) | Error::TlsRequired => true,
        Error::Io(error) => error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            .is_some(),
        _ => false,
    }
}

/// Turns an error of the HTTP library into ours.
fn describe(error: Error) -> GetiError {
    if is_tls(&error) {
        return GetiError::new(ErrorKind::Tls, format!("no secure connection: {error}"))
            .with_hint("give the file of the server's CA certificate (CA_FILE)")
            .with_source(error);
    }
    match error {
        Error::Timeout(timeout) => GetiError::new(
            ErrorKind::Timeout,
            format!("the server took too long (time limit: {timeout})"),
        ),
        Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => GetiError::new(
            ErrorKind::Timeout,
            format!("the answer is too slow: {error}"),
        ),
        Error::HostNotFound => GetiError::new(ErrorKind::Connection, "the host is not known")
            .with_hint("check HOST and the network"),
        Error::InvalidProxyUrl => {
            GetiError::new(ErrorKind::Settings, "the proxy's address is not valid")
                .with_hint("write it as http://host:port")
        }
        Error::ConnectProxyFailed(_) => {
            GetiError::new(ErrorKind::Connection, "the proxy refuses the connection")
                .with_hint("check HTTPS_PROXY and its user name and password")
        }
        Error::Protocol(_) | Error::LargeResponseHeader(..) | Error::Decompress(..) => {
            GetiError::new(
                ErrorKind::Answer,
                format!("the answer is not HTTP: {error}"),
            )
        }
        Error::Http(_) | Error::BadUri(_) => {
            GetiError::new(ErrorKind::Argument, "the address or a header is not valid")
        }
        Error::Io(error) => GetiError::new(
            ErrorKind::Connection,
            format!("the connection failed: {error}"),
        )
        .with_source(error),
        error => GetiError::new(
            ErrorKind::Connection,
            format!("the connection failed: {error}"),
        ),
    }
}
