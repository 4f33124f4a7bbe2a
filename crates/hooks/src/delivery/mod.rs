//! What stands between a queue and an action: retries, and a breaker for each sink.

mod breaker;
mod retry;

pub use breaker::BreakerOptions;
pub(crate) use breaker::{Breaker, Breakers, Change, Passage};
pub use retry::RetryOptions;
