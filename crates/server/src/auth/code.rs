//! Codes that log a browser in, asked for at the machine of the store while the server runs.
//!
//! The store keeps the hash of the newest one and when it ends. Whoever asks can read the store,
//! and so could make a token as well.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use straylight_store::{Store, StoreError};

use super::session::{hash, secret};
use crate::error::ServerError;

/// How long a code can be used.
const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
const KEY: &str = "login_code";
const ADDRESS: &str = "server_address";

/// Makes a code that logs one browser in, once, within ten minutes; an earlier one ends.
///
/// Gives the address of the page with the code, of the server that was started last on this store.
///
/// # Errors
///
/// The store fails, or the system has no random numbers.
pub fn create_login_code(store: &Store) -> Result<String, ServerError> {
    let code = secret()?;
    let ends = store.clock().now() + LIFETIME;
    let value = json!({"hash": hash(&code).to_hex().as_str(), "ends": ends});
    store.set_setting("", KEY, &value)?;
    let address = store.setting("", ADDRESS)?;
    let address = address.as_ref().and_then(Value::as_str);
    Ok(format!(
        "{}/login#{code}",
        address.unwrap_or("https://localhost:8443")
    ))
}

/// Notes where the server is reached.
pub(crate) fn note_address(store: &Store, address: &str) -> Result<(), StoreError> {
    store.set_setting("", ADDRESS, &json!(address))
}

/// Takes the code, which opens nothing any more afterwards; whether it was right.
pub(crate) fn redeem(store: &Store, code: &str, now: Timestamp) -> Result<bool, StoreError> {
    let Some(value) = store.setting("", KEY)? else {
        return Ok(false);
    };
    let kept = value["hash"].as_str().unwrap_or_default();
    let kept = blake3::Hash::from_hex(kept).ok();
    let ends: Option<Timestamp> = value["ends"].as_str().and_then(|text| text.parse().ok());
    // Hashes compare in constant time.
    if kept != Some(hash(code)) || ends.is_none_or(|end| end <= now) {
        return Ok(false);
    }
    store.remove_setting("", KEY, &value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_opens_once_and_within_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        note_address(&store, "https://collect.example:1").unwrap();
        let ask = || {
            let link = create_login_code(&store).unwrap();
            let (address, code) = link.split_once("/login#").unwrap();
            assert_eq!(address, "https://collect.example:1");
            code.to_owned()
        };
        let now = store.clock().now();
        let (first, second) = (ask(), ask());
        let redeemed = |code: &str, now| redeem(&store, code, now).unwrap();
        assert!(!redeemed(&first, now), "an earlier one ends");
        assert!(!redeemed("", now) && !redeemed("x", now));
        assert!(redeemed(&second, now) && !redeemed(&second, now));
        let third = ask();
        assert!(!redeemed(&third, now + LIFETIME * 2));
    }
}
