use openvino_sys as ov;

use super::{Tensor, check};
use crate::EngineError;

/// One inference at a time: input tensors, output tensors, and the run between them.
#[derive(Debug)]
pub(crate) struct Request(*mut ov::ov_infer_request_t);

// SAFETY: a request may be used from any thread as long as only one uses it at a time, which
// `&mut self` and the missing `Sync` guarantee.
unsafe impl Send for Request {}

impl Request {
    pub(super) fn from_raw(raw: *mut ov::ov_infer_request_t) -> Self {
        Self(raw)
    }

    pub(crate) fn input(&mut self, index: usize) -> Result<Tensor, EngineError> {
        let mut tensor = std::ptr::null_mut();
        // SAFETY: the handle is alive; `tensor` receives a new handle.
        let status = unsafe {
            ov::ov_infer_request_get_input_tensor_by_index(self.0, index, &raw mut tensor)
        };
        check(status, || format!("give input {index}"))?;
        Ok(Tensor::from_raw(tensor))
    }

    pub(crate) fn output(&self, index: usize) -> Result<Tensor, EngineError> {
        let mut tensor = std::ptr::null_mut();
        // SAFETY: the handle is alive; `tensor` receives a new handle.
        let status = unsafe {
            ov::ov_infer_request_get_output_tensor_by_index(self.0, index, &raw mut tensor)
        };
        check(status, || format!("give output {index}"))?;
        Ok(Tensor::from_raw(tensor))
    }

    /// Runs the inference and returns when the outputs are there.
    pub(crate) fn infer(&mut self) -> Result<(), EngineError> {
        // SAFETY: the handle is alive, and `&mut self` keeps other users away.
        let status = unsafe { ov::ov_infer_request_infer(self.0) };
        check(status, || "infer".to_owned())
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        // SAFETY: owned by this value, freed once.
        unsafe { ov::ov_infer_request_free(self.0) };
    }
}
