use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

/// One request that was answered, without queries, headers, bodies and other places of secrets.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Access {
    /// When the answer was ready.
    pub time: Timestamp,
    /// Who asked; the one before a trusted proxy.
    pub client: IpAddr,
    /// Name of the caller's token, `browser` for a session of a login code; `None` without login.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// `GET` and so on.
    pub method: String,
    /// What was asked for, without its query, at most 300 characters.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// Length of the answer's body in bytes, where it is known at its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// From the head of the request to the head of the answer.
    pub milliseconds: f64,
}

/// Who is told of requests; called from the threads that answer, so it must not wait.
#[derive(Clone)]
pub struct AccessLog(Arc<dyn Fn(&Access) + Send + Sync>);

impl AccessLog {
    /// Tells this function.
    pub fn new(tell: impl Fn(&Access) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    pub(crate) fn tell(&self, access: &Access) {
        (self.0)(access);
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessLog")
    }
}
