//! Helpers of the unit tests.

use straylight_core::{Color, Label};

pub(crate) fn label(id: &str, name: &str) -> Label {
    Label {
        id: id.to_owned(),
        name: name.to_owned(),
        color: Color::BLACK,
        group: String::new(),
        is_empty: false,
        is_anomalous: false,
        hotkey: String::new(),
        parent_id: None,
    }
}
