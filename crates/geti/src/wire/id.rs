/// An identifier as the server gave it; opaque to the client.
pub type Id = String;

/// Whether a text is an identifier of 24 hexadecimal digits (projects, datasets, media, models).
pub fn is_object_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a text is a UUID in the form 8-4-4-4-12 (organizations, workspaces, annotations).
pub fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_told_apart() {
        struct Case(&'static str, bool, bool);
        for Case(text, object_id, uuid) in [
            Case("636b963c308ea65372b802bb", true, false),
            Case("636b963c308ea65372b802b", false, false),
            Case("../../../../etc/passwd00", false, false),
            Case("0b9c1c5e-6a3c-4a5e-8f7e-1d2c3b4a5968", false, true),
            Case("0b9c1c5e6a3c-4a5e-8f7e-1d2c-3b4a5968", false, false),
            Case("", false, false),
        ] {
            assert_eq!(is_object_id(text), object_id, "{text}");
            assert_eq!(is_uuid(text), uuid, "{text}");
        }
    }
}
