use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use straylight_store::StoreError;

/// Why the server could not start or had to end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address is in use or not ours.
    #[error("cannot listen on {address}: {source}; choose another address or port")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Plain HTTP was asked for on an address that others can reach.
    #[error(
        "plain HTTP is served on a loopback address only, and {address} is none: use TLS, or listen on 127.0.0.1"
    )]
    PlainHttp {
        /// The address.
        address: SocketAddr,
    },
    /// A file of the certificate could not be read or written.
    #[error("cannot {action} `{path}`: {source}")]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Certificate and key are not as they should be.
    #[error(
        "the certificate `{path}` cannot be used: {detail}; give a matching pair of PEM files, or remove it to have a new one made"
    )]
    Certificate {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gave no threads or no random numbers.
    #[error("the system refuses what the server needs: {0}")]
    System(String),
}
