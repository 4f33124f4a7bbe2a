//! Everything below the calls of the API: connections, retries, redirects, answers.
//!
//! - One [`Transport`] serves any number of threads over a pool of connections.
//! - The token goes to the server's own origin only. Redirects are followed here, not in the
//!   HTTP library: to another origin without the token and only for downloads, and never from
//!   TLS to plain HTTP.
//! - Only what is safe to repeat is repeated ([`Repeat`]): a request that changes something is
//!   sent again only if the server surely did not act on it (no connection, 429, 503).
//! - Every wait ends: connecting, sending, waiting for the answer, each read, and a body as a
//!   whole that comes in slower than [`guard::SLOWEST`].

mod agent;
mod answer;
mod failure;
mod guard;
mod multipart;
mod request;
mod retry;
mod transport;
mod url;

pub(crate) use answer::Answer;
pub(crate) use failure::Failure;
pub(crate) use multipart::{Multipart, Source, escape};
pub(crate) use request::{Body, Method, Repeat, Request};
pub use retry::RetryPolicy;
pub(crate) use transport::Transport;
pub(crate) use url::{BaseUrl, Target, encode};
