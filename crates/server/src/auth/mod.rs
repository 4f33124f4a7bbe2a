//! Who may do what: access tokens, browser sessions, limits on failed logins.

mod gate;
mod limiter;
mod session;
mod token;

pub(crate) use gate::{Caller, cookie, gate, peer, refuse};
pub(crate) use limiter::LoginLimiter;
pub(crate) use session::{COOKIE, Sessions};
pub(crate) use token::find;
pub use token::{NewToken, create_token};
