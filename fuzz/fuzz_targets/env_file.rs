//! Any text is read as a file of pairs or refused with a line that it has.
#![no_main]

use libfuzzer_sys::fuzz_target;
use straylight_geti::parse_env_file;

fuzz_target!(|text: &str| {
    match parse_env_file(text) {
        Ok(pairs) => assert!(pairs.len() <= text.lines().count()),
        Err(error) => assert!((1..=text.lines().count()).contains(&error.line)),
    }
});
