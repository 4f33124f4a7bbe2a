//! Any text is read as a file of pairs or refused with a line that it has.

use straylight_geti::parse_env_file;

pub(crate) fn fuzz(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match parse_env_file(text) {
        Ok(pairs) => assert!(pairs.len() <= text.lines().count()),
        Err(error) => assert!((1..=text.lines().count()).contains(&error.line)),
    }
}
