//! Any text is a filter or refused; a filter that is written reads back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use straylight_formats::Filter;

fuzz_target!(|text: &str| {
    if let Ok(filter) = text.parse::<Filter>() {
        assert_eq!(filter.to_string().parse::<Filter>().as_ref(), Ok(&filter));
    }
});
