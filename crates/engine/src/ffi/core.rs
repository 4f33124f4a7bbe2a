use std::path::Path;

use openvino_sys as ov;

use super::model::Port;
use super::{Model, Request, c_string, check, owned_string};
use crate::EngineError;

/// OpenVINO's core: reads models, knows devices, compiles.
#[derive(Debug)]
pub(crate) struct Core(*mut ov::ov_core_t);

// SAFETY: `ov::Core` may be used from any thread (its documentation says it is thread-safe);
// the handle is only a pointer to it.
unsafe impl Send for Core {}
// SAFETY: as above; all methods take `&self` and OpenVINO locks inside.
unsafe impl Sync for Core {}

impl Core {
    pub(crate) fn new() -> Result<Self, EngineError> {
        let mut core = std::ptr::null_mut();
        // SAFETY: `core` is a valid place for the new handle.
        let status = unsafe { ov::ov_core_create(&raw mut core) };
        check(status, || "start".to_owned())?;
        Ok(Self(core))
    }

    /// The devices' names, such as `CPU`, `GPU.0`.
    pub(crate) fn devices(&self) -> Result<Vec<String>, EngineError> {
        let mut list = ov::ov_available_devices_t {
            devices: std::ptr::null_mut(),
            size: 0,
        };
        // SAFETY: the handle is alive, and `list` is a valid place for the answer.
        let status = unsafe { ov::ov_core_get_available_devices(self.0, &raw mut list) };
        check(status, || "list its devices".to_owned())?;
        let names = (0..list.size).map(|index| {
            // SAFETY: OpenVINO filled `size` pointers to strings that end with a zero byte.
            unsafe { std::ffi::CStr::from_ptr(*list.devices.add(index)) }
                .to_string_lossy()
                .into_owned()
        });
        let names = names.collect();
        // SAFETY: filled above, freed once.
        unsafe { ov::ov_available_devices_free(&raw mut list) };
        Ok(names)
    }

    pub(crate) fn property(&self, device: &str, key: &str) -> Result<String, EngineError> {
        let (c_device, c_key) = (c_string(device)?, c_string(key)?);
        let mut value = std::ptr::null_mut();
        // SAFETY: handle and strings live through the call; `value` receives an owned string.
        let status = unsafe {
            ov::ov_core_get_property(self.0, c_device.as_ptr(), c_key.as_ptr(), &raw mut value)
        };
        check(status, || format!("tell {key} of {device}"))?;
        // SAFETY: `value` was filled by the call and is ours.
        Ok(unsafe { owned_string(value) }.unwrap_or_default())
    }

    pub(crate) fn set_property(
        &self,
        device: &str,
        key: &str,
        value: &str,
    ) -> Result<(), EngineError> {
        let (c_device, c_key, c_value) = (c_string(device)?, c_string(key)?, c_string(value)?);
        // SAFETY: handle and strings live through the call; OpenVINO copies the strings.
        let status = unsafe {
            ov::ov_core_set_property(self.0, c_device.as_ptr(), c_key.as_ptr(), c_value.as_ptr())
        };
        check(status, || format!("set {key}={value} for {device}"))
    }

    /// Reads a model file; the weights file is null for formats that have none.
    pub(crate) fn read_model(
        &self,
        path: &Path,
        weights: Option<&Path>,
    ) -> Result<Model, EngineError> {
        let c_path = c_string(&path.to_string_lossy())?;
        let c_weights = weights
            .map(|path| c_string(&path.to_string_lossy()))
            .transpose()?;
        let c_weights = c_weights
            .as_ref()
            .map_or(std::ptr::null(), |text| text.as_ptr());
        let mut model = std::ptr::null_mut();
        // SAFETY: handle and strings live through the call; `model` receives the new handle.
        let status =
            unsafe { ov::ov_core_read_model(self.0, c_path.as_ptr(), c_weights, &raw mut model) };
        check(status, || format!("read {}", path.display()))?;
        Ok(Model::from_raw(model))
    }

    pub(crate) fn compile(
        &self,
        model: &Model,
        device: &str,
    ) -> Result<CompiledHandle, EngineError> {
        let c_device = c_string(device)?;
        let mut compiled = std::ptr::null_mut();
        // SAFETY: both handles live through the call; no variadic argument is announced.
        let status = unsafe {
            ov::ov_core_compile_model(
                self.0,
                model.as_raw(),
                c_device.as_ptr(),
                0,
                &raw mut compiled,
            )
        };
        check(status, || format!("compile the model for {device}"))?;
        Ok(CompiledHandle(compiled))
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // SAFETY: made by `ov_core_create`, freed once.
        unsafe { ov::ov_core_free(self.0) };
    }
}

/// A model compiled for a device.
#[derive(Debug)]
pub(crate) struct CompiledHandle(*mut ov::ov_compiled_model_t);

// SAFETY: `ov::CompiledModel` is a shared pointer to an immutable object that any thread may use.
unsafe impl Send for CompiledHandle {}
// SAFETY: creating requests and reading properties are const operations that OpenVINO guards.
unsafe impl Sync for CompiledHandle {}

impl CompiledHandle {
    pub(crate) fn create_request(&self) -> Result<Request, EngineError> {
        let mut request = std::ptr::null_mut();
        // SAFETY: the handle is alive; `request` receives the new handle.
        let status =
            unsafe { ov::ov_compiled_model_create_infer_request(self.0, &raw mut request) };
        check(status, || "create an inference request".to_owned())?;
        Ok(Request::from_raw(request))
    }

    /// The first name of the output that is called `name` among others; `None` for no output.
    pub(crate) fn first_name(&self, name: &str) -> Option<String> {
        let c_name = c_string(name).ok()?;
        let mut port = std::ptr::null_mut();
        // SAFETY: handle and string live through the call; `port` receives the new handle.
        let status =
            unsafe { ov::ov_compiled_model_output_by_name(self.0, c_name.as_ptr(), &raw mut port) };
        if status != ov::ov_status_e::OK {
            return None;
        }
        Port(port).name()
    }

    pub(crate) fn property(&self, key: &str) -> Result<String, EngineError> {
        let c_key = c_string(key)?;
        let mut value = std::ptr::null_mut();
        // SAFETY: handle and string live through the call; `value` receives an owned string.
        let status =
            unsafe { ov::ov_compiled_model_get_property(self.0, c_key.as_ptr(), &raw mut value) };
        check(status, || format!("tell {key} of the compiled model"))?;
        // SAFETY: `value` was filled by the call and is ours.
        Ok(unsafe { owned_string(value) }.unwrap_or_default())
    }
}

impl Drop for CompiledHandle {
    fn drop(&mut self) {
        // SAFETY: made by `ov_core_compile_model`, freed once.
        unsafe { ov::ov_compiled_model_free(self.0) };
    }
}
