//! Who may do what: access tokens and their roles, browser sessions, limits on failed logins.

mod code;
mod gate;
mod limiter;
mod routes;
mod session;
mod token;

pub use code::create_login_code;
pub(crate) use code::{note_address, redeem};
pub(crate) use gate::{Caller, client, cookie, gate, is_health, refuse, wrong_method};
pub(crate) use limiter::LoginLimiter;
pub use routes::{Route, routes};
pub(crate) use session::{COOKIE, Sessions};
pub(crate) use token::find;
pub use token::{NewToken, create_token, create_token_for};
