//! Browser sessions: made from a token or from the code that the server prints at its start.
//!
//! A session lives in the server's memory alone, so that it ends with the server. Its
//! identifier is kept as a hash.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::error::ServerError;

/// The name of the cookie. Browsers send it to this server alone, never to scripts.
pub(crate) const COOKIE: &str = "straylight_session";
/// A session that is not used for so many seconds ends.
const IDLE_SECONDS: i64 = 12 * 60 * 60;
/// Sessions that are open at the same time; beyond, the one unused for longest ends.
const MAX_SESSIONS: usize = 1000;

/// The open sessions and the code with which the first one can be opened.
pub(crate) struct Sessions {
    open: Mutex<HashMap<[u8; 32], Session>>,
    code: Mutex<Option<String>>,
}

struct Session {
    /// The token with which it was opened; it ends when the token is revoked.
    token: Option<String>,
    last_used: i64,
}

/// What a cookie stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// No open session.
    Nothing,
    /// A session that was opened with the code.
    OfCode,
    /// A session that was opened with the token of this identifier.
    OfToken(String),
}

impl Sessions {
    pub(crate) fn new() -> Result<Self, ServerError> {
        Ok(Self {
            open: Mutex::default(),
            code: Mutex::new(Some(secret()?)),
        })
    }

    /// The code that opens one session, as long as it was not used.
    pub(crate) fn code(&self) -> Option<String> {
        self.code
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes the code, which opens nothing any more afterwards.
    pub(crate) fn redeem(&self, code: &str) -> bool {
        let mut current = self.code.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = current.as_ref().is_some_and(|c| hash(c) == hash(code));
        if is_same {
            *current = None;
        }
        is_same
    }

    /// Opens a session and returns its identifier for the cookie.
    pub(crate) fn open(
        &self,
        token: Option<String>,
        now: Timestamp,
    ) -> Result<String, ServerError> {
        let id = secret()?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= MAX_SESSIONS {
            let oldest = open
                .iter()
                .min_by_key(|(_, s)| s.last_used)
                .map(|(id, _)| *id);
            oldest.map(|id| open.remove(&id));
        }
        let last_used = now.as_second();
        open.insert(*hash(&id).as_bytes(), Session { token, last_used });
        Ok(id)
    }

    /// Whether the cookie has a session, and from which token it came.
    pub(crate) fn find(&self, id: &str, now: Timestamp) -> Found {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let now = now.as_second();
        open.retain(|_, s| now - s.last_used < IDLE_SECONDS);
        let Some(session) = open.get_mut(hash(id).as_bytes()) else {
            return Found::Nothing;
        };
        session.last_used = now;
        match &session.token {
            Some(token) => Found::OfToken(token.clone()),
            None => Found::OfCode,
        }
    }

    /// Ends a session.
    pub(crate) fn close(&self, id: &str) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(hash(id).as_bytes());
    }
}

/// Hashes compare in constant time.
pub(super) fn hash(text: &str) -> blake3::Hash {
    blake3::hash(text.as_bytes())
}

pub(super) fn secret() -> Result<String, ServerError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| ServerError::System(e.to_string()))?;
    Ok(blake3::Hash::from_bytes(bytes).to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_session_ends_when_it_is_closed_or_not_used() {
        let sessions = Sessions::new().unwrap();
        let a = sessions.open(Some("t".into()), at(0)).unwrap();
        let b = sessions.open(None, at(0)).unwrap();
        assert_eq!(sessions.find(&a, at(10)), Found::OfToken("t".into()));
        sessions.close(&a);
        assert_eq!(sessions.find(&a, at(11)), Found::Nothing);
        assert_eq!(sessions.find(&b, at(1)), Found::OfCode);
        assert_eq!(sessions.find(&b, at(IDLE_SECONDS + 1)), Found::Nothing);
        assert_eq!(sessions.find("", at(0)), Found::Nothing);
    }

    #[test]
    fn the_code_opens_once() {
        let sessions = Sessions::new().unwrap();
        let code = sessions.code().unwrap();
        assert!(!sessions.redeem("x"));
        assert!(sessions.redeem(&code));
        assert!(!sessions.redeem(&code));
        assert_eq!(sessions.code(), None);
    }
}
