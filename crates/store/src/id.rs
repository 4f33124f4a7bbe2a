use straylight_core::Timestamp;

use crate::error::StoreError;

/// Whether a text has the form of an identifier: 24 hexadecimal digits.
pub fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a text is a UUID written with hyphens, in either case.
pub fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut parts = text.split('-');
    let fits = lengths.iter().all(|&length| {
        parts
            .next()
            .is_some_and(|p| p.len() == length && p.bytes().all(|b| b.is_ascii_hexdigit()))
    });
    fits && parts.next().is_none()
}

/// A new identifier of 24 hexadecimal digits: 4 bytes of seconds, then 8 random bytes.
///
/// The time in front keeps identifiers in the order of creation, to the second.
pub(crate) fn object_id(now: Timestamp) -> Result<String, StoreError> {
    let mut bytes = [0; 12];
    random(&mut bytes)?;
    let seconds = now.as_second() as u32;
    bytes[..4].copy_from_slice(&seconds.to_be_bytes());
    Ok(hex(&bytes))
}

/// A new random UUID, version 4.
pub(crate) fn uuid() -> Result<String, StoreError> {
    let mut bytes = [0; 16];
    random(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes);
    let parts = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    Ok(parts.join("-"))
}

/// Sixteen random hexadecimal digits, for names of temporary files.
pub(crate) fn suffix() -> Result<String, StoreError> {
    let mut bytes = [0; 8];
    random(&mut bytes)?;
    Ok(hex(&bytes))
}

fn random(bytes: &mut [u8]) -> Result<(), StoreError> {
    getrandom::fill(bytes).map_err(|e| StoreError::Random(e.to_string()))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes
        .iter()
        .flat_map(|b| [digit(b >> 4), digit(*b)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_their_forms() {
        let id = object_id(Timestamp::from_second(0x6655_4433).unwrap()).unwrap();
        assert!(id.starts_with("66554433") && is_object_id(&id), "{id}");
        let uuid = uuid().unwrap();
        assert!(is_uuid(&uuid) && uuid.as_bytes()[14] == b'4', "{uuid}");
        assert_ne!(suffix().unwrap(), suffix().unwrap());
    }

    #[test]
    fn other_texts_are_no_identifiers() {
        struct Case(&'static str, bool, bool);
        for Case(text, object, uuid) in [
            Case("66c31f404d51394108c0d039", true, false),
            Case("66c31f404d51394108c0d03g", false, false),
            Case("66c31f404d51394108c0d03", false, false),
            Case("4d4f4c2e-0000-4000-8000-00000000000a", false, true),
            Case("4d4f4c2e-0000-4000-8000-00000000000a-", false, false),
            Case("../../../../etc/passwd..", false, false),
            Case("", false, false),
        ] {
            assert_eq!(
                (is_object_id(text), is_uuid(text)),
                (object, uuid),
                "{text}"
            );
        }
    }
}
