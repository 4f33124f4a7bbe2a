//! Any text is a filter or refused; a filter that is written reads back as the same.

use straylight_formats::Filter;

pub(crate) fn fuzz(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(filter) = text.parse::<Filter>() {
        assert_eq!(filter.to_string().parse::<Filter>().as_ref(), Ok(&filter));
    }
}
