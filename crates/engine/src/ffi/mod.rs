//! The only `unsafe` code of the engine: owned handles over OpenVINO's C API.
//!
//! Invariants:
//! - The library is loaded before any other function of this module is called: every handle
//!   is made from a [`Core`], and a [`Core`] only from a loaded library (see `library`).
//! - Each handle is freed exactly once, by its `Drop`; handles that OpenVINO keeps alive
//!   internally (a request keeps its compiled model) are reference counted on its side.
//! - No handle is `Sync` unless its documentation says why.
//! - Only functions that every runtime since 2025.1 exports are called: the bindings panic on
//!   a missing symbol. Functions with C variadic arguments are called with none of them.
#![allow(unsafe_code)]

mod core;
mod library;
mod model;
mod preprocess;
mod request;
mod tensor;

use std::ffi::{CStr, CString};

use openvino_sys as ov;

pub(crate) use self::core::{CompiledHandle, Core};
pub(crate) use library::{load, loaded_version};
pub(crate) use model::Model;
pub(crate) use preprocess::Preprocessor;
pub(crate) use request::Request;
pub(crate) use tensor::Tensor;
pub use tensor::{Element, ElementType};

use crate::EngineError;

/// Turns a status into an error that says what was tried and what OpenVINO answered.
fn check(status: ov::ov_status_e, action: impl FnOnce() -> String) -> Result<(), EngineError> {
    if status == ov::ov_status_e::OK {
        return Ok(());
    }
    Err(EngineError::OpenVino {
        action: action(),
        reason: last_message(status),
    })
}

/// OpenVINO's last message, or the name of the status when it left none.
fn last_message(status: ov::ov_status_e) -> String {
    // SAFETY: the function takes nothing and returns an owned string or null.
    let message = unsafe { owned_string(ov::ov_get_last_err_msg()) };
    let message = message.map(|text| first_lines(&text)).unwrap_or_default();
    if message.is_empty() {
        format!("{status:?}")
    } else {
        message
    }
}

/// Drops the lines that name OpenVINO's own source files; nobody outside can use them.
fn first_lines(text: &str) -> String {
    let useful = text.lines().map(str::trim).filter(|line| {
        !line.is_empty() && !line.starts_with("Exception from src") && !line.starts_with("Check '")
    });
    let joined = useful.collect::<Vec<_>>().join(" ");
    if joined.is_empty() {
        text.trim().to_owned()
    } else {
        joined
    }
}

/// Copies a string that OpenVINO allocated and frees it.
///
/// # Safety
/// `pointer` is null or came from a function that hands over ownership to `ov_free`.
unsafe fn owned_string(pointer: *const std::ffi::c_char) -> Option<String> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: not null, and OpenVINO ends its strings with a zero byte.
    let text = unsafe { CStr::from_ptr(pointer) }
        .to_string_lossy()
        .into_owned();
    // SAFETY: the caller vouches that the string is ours to free.
    unsafe { ov::ov_free(pointer) };
    Some(text)
}

fn c_string(text: &str) -> Result<CString, EngineError> {
    CString::new(text).map_err(|_| EngineError::OpenVino {
        action: format!("take the text {text:?}"),
        reason: "it holds a zero byte".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::first_lines;

    #[test]
    fn source_lines_are_dropped_from_messages() {
        let text =
            "Exception from src/inference/src/cpp/core.cpp:97:\nUnable to read the model: x.xml\n";
        assert_eq!(first_lines(text), "Unable to read the model: x.xml");
        assert_eq!(
            first_lines("Exception from src/a.cpp:1:\n"),
            "Exception from src/a.cpp:1:"
        );
    }
}
