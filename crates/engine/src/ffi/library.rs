use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use openvino_sys as ov;

use crate::{EngineError, Version};

/// The library that this process uses; OpenVINO cannot be unloaded or exchanged.
static LOADED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Loads `libopenvino_c` from `path`, or keeps the one that is loaded already.
///
/// Returns the path of the library in use.
pub(crate) fn load(path: &Path) -> Result<PathBuf, EngineError> {
    let mut loaded = LOADED
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(path) = loaded.as_ref() {
        return Ok(path.clone());
    }
    ov::library::load_from(path).map_err(|reason| EngineError::Load {
        path: path.to_owned(),
        reason,
    })?;
    *loaded = Some(path.to_owned());
    Ok(path.to_owned())
}

/// The version of the loaded library and its full build string; `None` before [`load`].
pub(crate) fn loaded_version() -> Option<(Option<Version>, String)> {
    if LOADED
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .is_none()
    {
        return None;
    }
    let mut raw = ov::ov_version_t {
        buildNumber: std::ptr::null(),
        description: std::ptr::null(),
    };
    // SAFETY: the library is loaded, and `raw` is a valid place for the answer.
    let status = unsafe { ov::ov_get_openvino_version(&raw mut raw) };
    if status != ov::ov_status_e::OK || raw.buildNumber.is_null() {
        return None;
    }
    // SAFETY: OpenVINO filled the field with a string that ends with a zero byte.
    let build = unsafe { CStr::from_ptr(raw.buildNumber) }
        .to_string_lossy()
        .into_owned();
    // SAFETY: filled by `ov_get_openvino_version`, freed once.
    unsafe { ov::ov_version_free(&raw mut raw) };
    Some((Version::parse(&build), build))
}
