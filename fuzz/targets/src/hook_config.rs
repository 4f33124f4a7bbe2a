//! `hook_config.json`: no text makes the reader panic, and what it read is written and read
//! back the same.

use std::path::Path;

use straylight_hooks::config::{BuildContext, parse_hooks, render_hooks};

pub(crate) fn fuzz(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let path = Path::new("hook_config.json");
    let Ok(hooks) = parse_hooks(text, path) else {
        return;
    };
    for hook in &hooks {
        // Settings that cannot work are an error, never a panic.
        let _ = hook.build(&BuildContext::default());
    }
    if let Ok(written) = render_hooks(&hooks) {
        let again = parse_hooks(&written, path).expect("what was written is readable");
        assert_eq!(render_hooks(&again).expect("as before"), written);
    }
}
