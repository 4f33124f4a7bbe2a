//! Addresses without their secrets.

/// What is shown in the place of a secret.
const HIDDEN: &str = "***";

/// An address as it may be shown: without user name, password, query and fragment.
///
/// Everything between `://` and the last `@` is hidden. So a password is hidden whole even if it
/// has characters (`#`, `/`, `?`, `@`, `%`) that should have been percent-encoded. The price: of
/// `http://host/a@b` only `http://***@b` is shown. A text without `://` is no address and stays.
pub fn hide_secrets(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let (user, rest) = match rest.rfind('@') {
        Some(at) => (format!("{HIDDEN}@"), &rest[at + 1..]),
        None => (String::new(), rest),
    };
    // Tokens are often passed as parameters.
    match rest.find(['?', '#']) {
        Some(at) => format!("{scheme}://{user}{}{HIDDEN}", &rest[..=at]),
        None => format!("{scheme}://{user}{rest}"),
    }
}

/// Takes the secrets of an address out of what another program said about it.
///
/// `None` when that cannot be done with certainty: the password is not percent-encoded, so that
/// parts of it may stand anywhere, or it is too short to be told from other words.
pub fn hide_secrets_in(message: &str, address: &str) -> Option<String> {
    let message = message.replace(address, &hide_secrets(address));
    let Some((_, rest)) = address.split_once("://") else {
        return Some(message);
    };
    let query = rest.find(['?', '#']).map_or("", |at| &rest[at + 1..]);
    let Some(at) = rest.rfind('@') else {
        return Some(without(&message, query));
    };
    if needs_percent_encoding(address) {
        return None;
    }
    let user = &rest[..at];
    let password = user.split_once(':').map_or(user, |(_, password)| password);
    let mut message = without(&without(&message, query), user);
    for secret in [password, &percent_decoded(password)] {
        if secret.len() < 4 && !secret.is_empty() && message.contains(secret) {
            return None;
        }
        message = without(&message, secret);
    }
    Some(message)
}

fn without(message: &str, secret: &str) -> String {
    if secret.is_empty() {
        return message.to_owned();
    }
    message.replace(secret, HIDDEN)
}

/// Whether the user name or password of an address has characters that must be percent-encoded.
pub fn needs_percent_encoding(address: &str) -> bool {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let Some(at) = rest.rfind('@') else {
        return false;
    };
    let user = &rest[..at];
    let is_encoded = |after: &str| {
        let digits = after.as_bytes();
        digits.len() >= 2 && digits[..2].iter().all(u8::is_ascii_hexdigit)
    };
    user.contains(['/', '?', '#', '@']) || user.split('%').skip(1).any(|after| !is_encoded(after))
}

/// Whether an address holds a user name or password, also one that is not percent-encoded.
///
/// An `@` in a query is none (`http://host/?mail=a@b`), unless what stands before is no host.
pub fn holds_user(address: &str) -> bool {
    let rest = address.split_once("://").map_or("", |(_, rest)| rest);
    let head = rest.split(['?', '#']).next().unwrap_or_default();
    let host = head.split('/').next().unwrap_or_default();
    let port = host.rsplit_once(':').map_or("", |(_, port)| port);
    // The last part of an IPv6 address ends with a bracket.
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) || port.ends_with(']');
    head.contains('@') || (!is_port && rest.contains('@'))
}

/// How a user name or password with such characters is written.
pub const PERCENT_ENCODING_HINT: &str = "in a user name or password write # as %23, / as %2F, \
     ? as %3F, @ as %40, : as %3A and % as %25";

fn percent_decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(byte)) => {
                bytes.push(byte);
                bytes.extend_from_slice(&part.as_bytes()[2..]);
            }
            _ => bytes.extend_from_slice(format!("%{part}").as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn user_password_query_and_fragment_are_hidden() {
        struct Case(&'static str, &'static str);
        for Case(address, wanted) in [
            Case("rtsp://user:p@ss@cam/1", "rtsp://***@cam/1"),
            Case(
                "rtsp://admin:pa#ss@127.0.0.1:9/s",
                "rtsp://***@127.0.0.1:9/s",
            ),
            Case("rtsp://admin:p/a?ss@cam:554/s", "rtsp://***@cam:554/s"),
            Case("rtsp://admin:p%2Fa@cam/s?token=1#f", "rtsp://***@cam/s?***"),
            Case("http://cam/video?token=abc", "http://cam/video?***"),
            Case("http://cam/video#token", "http://cam/video#***"),
            Case("http://cam/video?mail=me@home", "http://***@home"),
            Case("video@2x.mp4", "video@2x.mp4"),
        ] {
            assert_eq!(hide_secrets(address), wanted);
        }
    }

    #[test]
    fn messages_of_other_programs_are_cleaned_or_left_out() {
        struct Case(&'static str, &'static str, Option<&'static str>);
        for Case(address, message, wanted) in [
            Case(
                "rtsp://me:secret@cam/1",
                "rtsp://me:secret@cam/1: refused (me:secret)",
                Some("rtsp://***@cam/1: refused (***)"),
            ),
            Case(
                "rtsp://me:se%23ret@cam/1",
                "401 for se#ret",
                Some("401 for ***"),
            ),
            Case("rtsp://me:pa#ss@cam/1", "cannot resolve pa", None),
            Case("rtsp://me:a@cam/1", "a bad thing", None),
            Case("rtsp://cam/1?key=wort", "no key=wort", Some("no ***")),
            Case("rtsp://cam/1", "it is away", Some("it is away")),
        ] {
            assert_eq!(
                hide_secrets_in(message, address).as_deref(),
                wanted,
                "{address}"
            );
        }
    }

    #[test]
    fn what_needs_encoding_is_known() {
        struct Case(&'static str, bool);
        for Case(address, wanted) in [
            Case("rtsp://me:pa#ss@cam/1", true),
            Case("rtsp://me:p/a?ss@cam/1", true),
            Case("rtsp://me:p@ss@cam/1", true),
            Case("rtsp://me:100%@cam/1", true),
            Case("rtsp://me:pa%23ss@cam/1", false),
            Case("rtsp://cam/1", false),
            Case("cam", false),
        ] {
            assert_eq!(needs_percent_encoding(address), wanted, "{address}");
        }
    }

    #[test]
    fn users_are_found_however_they_are_written() {
        struct Case(&'static str, bool);
        for Case(address, wanted) in [
            Case("https://me:secret@host/", true),
            Case("https://me:se/cret@host/", true),
            Case("https://me:se?cret@host/", true),
            Case("https://me:se#cret@host/", true),
            Case("https://host:8443/?mail=a@b", false),
            Case("https://[::1]/?mail=a@b", false),
            Case("https://host/", false),
        ] {
            assert_eq!(holds_user(address), wanted, "{address}");
        }
    }

    proptest! {
        /// Whatever characters a password has, neither the address nor a message shows it.
        #[test]
        fn no_password_is_shown(password in "[ -~]{6,20}", tail in "[a-z0-9/]{0,10}") {
            prop_assume!(!password.contains("***"));
            let address = format!("rtsp://admin:{password}@10.0.0.1:554/{tail}");
            prop_assert!(!hide_secrets(&address).contains(&password));
            let message = format!("{address}: {password}: unauthorized");
            if let Some(message) = hide_secrets_in(&message, &address) {
                prop_assert!(!message.contains(&password), "{}", message);
            }
        }
    }
}
