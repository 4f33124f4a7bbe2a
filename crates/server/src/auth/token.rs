//! Access tokens in the form of the platform's: `geti_pat_<43 base62>_<6 base62 CRC-32>`.
//!
//! 43 digits carry 256 random bits. The checksum tells a mistyped token from a wrong one
//! without a look at the store. Only the BLAKE3 hash of a token is kept: a slow hash would
//! add nothing to 256 random bits.

use std::fmt;

use jiff::Timestamp;
use straylight_store::{Role, Store, StoreError, TokenRecord};

use crate::error::ServerError;

const PREFIX: &str = "geti_pat_";
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_DIGITS: usize = 43;
const CHECK_DIGITS: usize = 6;

/// A token that was just made; the only moment at which its text is there.
pub struct NewToken {
    text: String,
    /// What the store keeps of it.
    pub record: TokenRecord,
}

impl NewToken {
    /// The token itself, to be shown to its owner once.
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewToken({})", self.record.name)
    }
}

/// Makes an access token that allows everything; see [`create_token_for`].
pub fn create_token(
    store: &Store,
    name: &str,
    expires_at: Option<Timestamp>,
) -> Result<NewToken, ServerError> {
    create_token_for(store, name, Role::Administer, expires_at)
}

/// Makes an access token for a role; `expires_at` is when it ends, never when `None`.
///
/// # Errors
///
/// The name is empty, the store fails, or the system has no random numbers.
pub fn create_token_for(
    store: &Store,
    name: &str,
    role: Role,
    expires_at: Option<Timestamp>,
) -> Result<NewToken, ServerError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|e| ServerError::System(e.to_string()))?;
    let text = render(&secret);
    let record = store.add_token(name, role, hash(&text), expires_at)?;
    Ok(NewToken { text, record })
}

/// The record of a token that is valid at `now`.
///
/// Every stored hash is compared, each in constant time, so that the time taken says nothing
/// about how close a guess came.
pub(crate) fn find(
    store: &Store,
    text: &str,
    now: Timestamp,
) -> Result<Option<TokenRecord>, StoreError> {
    if !is_well_formed(text) {
        return Ok(None);
    }
    let wanted = blake3::Hash::from_bytes(hash(text));
    let mut found = None;
    for record in store.tokens()? {
        let is_same = blake3::Hash::from_bytes(record.hash) == wanted;
        if is_same && record.expires_at.is_none_or(|end| now < end) {
            found = Some(record);
        }
    }
    Ok(found)
}

fn hash(text: &str) -> [u8; 32] {
    *blake3::hash(text.as_bytes()).as_bytes()
}

fn render(secret: &[u8; 32]) -> String {
    let body = format!("{PREFIX}{}", base62(secret, SECRET_DIGITS));
    let check = crc32fast::hash(body.as_bytes());
    format!("{body}_{}", base62(&check.to_be_bytes(), CHECK_DIGITS))
}

/// Whether prefix, length and checksum fit.
fn is_well_formed(text: &str) -> bool {
    let Some((body, check)) = text.rsplit_once('_') else {
        return false;
    };
    let fits = body.len() == PREFIX.len() + SECRET_DIGITS && body.starts_with(PREFIX);
    fits && check
        == base62(
            &crc32fast::hash(body.as_bytes()).to_be_bytes(),
            CHECK_DIGITS,
        )
}

/// A big-endian number in base 62 with leading zeros.
fn base62(bytes: &[u8], digits: usize) -> String {
    let mut number = bytes.to_vec();
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            *byte = (value / 62) as u8;
            rest = value % 62;
        }
        *digit = DIGITS.get(rest as usize).copied().unwrap_or(b'0');
    }
    text.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_base_62() {
        struct Case(&'static [u8], usize, &'static str);
        for Case(bytes, digits, text) in [
            Case(&[0], 2, "00"),
            Case(&[61], 2, "0z"),
            Case(&[62], 2, "10"),
            Case(&[0xff, 0xff, 0xff, 0xff], 6, "4gfFC3"),
        ] {
            assert_eq!(base62(bytes, digits), text);
        }
        // 62^43 is the first power that exceeds 2^256.
        assert_ne!(
            base62(&[0xff; 32], SECRET_DIGITS),
            base62(&[0xfe; 32], SECRET_DIGITS)
        );
    }

    #[test]
    fn a_token_opens_until_it_ends_and_no_other_does() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let end = Timestamp::from_second(1000).unwrap();
        let token = create_token(&store, "t", Some(end)).unwrap();
        let text = token.reveal();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(
            find(&store, text, at(999)).unwrap().unwrap().id,
            token.record.id
        );
        assert_eq!(find(&store, text, at(1000)).unwrap(), None);
        let last = text.chars().last().unwrap();
        let other = if last == '0' { '1' } else { '0' };
        let mistyped = format!("{}{other}", &text[..text.len() - 1]);
        for wrong in [mistyped.as_str(), "", "geti_pat_", "é_é", &render(&[9; 32])] {
            assert_eq!(find(&store, wrong, at(0)).unwrap(), None, "{wrong}");
        }
        assert!(!format!("{token:?}").contains(text));
    }
}
