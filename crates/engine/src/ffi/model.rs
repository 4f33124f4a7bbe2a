use openvino_sys as ov;

use super::{ElementType, check, owned_string};
use crate::{Dimension, EngineError, TensorInfo};

/// A model that was read and not yet compiled.
#[derive(Debug)]
pub(crate) struct Model(*mut ov::ov_model_t);

impl Model {
    pub(super) fn from_raw(raw: *mut ov::ov_model_t) -> Self {
        Self(raw)
    }

    pub(super) fn as_raw(&self) -> *const ov::ov_model_t {
        self.0
    }

    pub(crate) fn inputs(&self) -> Result<Vec<TensorInfo>, EngineError> {
        let mut size = 0;
        // SAFETY: the handle is alive, and `size` is a valid place for the answer.
        let status = unsafe { ov::ov_model_inputs_size(self.0, &raw mut size) };
        check(status, || "count the model's inputs".to_owned())?;
        (0..size)
            .map(|index| self.port(index, ov::ov_model_const_input_by_index))
            .collect()
    }

    pub(crate) fn outputs(&self) -> Result<Vec<TensorInfo>, EngineError> {
        let mut size = 0;
        // SAFETY: the handle is alive, and `size` is a valid place for the answer.
        let status = unsafe { ov::ov_model_outputs_size(self.0, &raw mut size) };
        check(status, || "count the model's outputs".to_owned())?;
        (0..size)
            .map(|index| self.port(index, ov::ov_model_const_output_by_index))
            .collect()
    }

    /// Gives the only input a shape; axes without a size stay open.
    pub(crate) fn reshape(&self, shape: &[Dimension]) -> Result<(), EngineError> {
        let open = ov::ov_dimension_t { min: -1, max: -1 };
        let fixed = |size: usize| ov::ov_dimension_t {
            min: size as i64,
            max: size as i64,
        };
        let axes: Vec<_> = shape.iter().map(|size| size.map_or(open, fixed)).collect();
        let mut partial = ov::ov_partial_shape_t {
            rank: ov::ov_dimension_t { min: 0, max: 0 },
            dims: std::ptr::null_mut(),
        };
        // SAFETY: `axes` has as many dimensions as is said, and `partial` is a valid place.
        let status = unsafe {
            ov::ov_partial_shape_create(axes.len() as i64, axes.as_ptr(), &raw mut partial)
        };
        check(status, || "make a shape".to_owned())?;
        // SAFETY: the handle is alive; OpenVINO copies the shape.
        let status = unsafe { ov::ov_model_reshape_single_input(self.0, partial) };
        // SAFETY: filled above, freed once.
        unsafe { ov::ov_partial_shape_free(&raw mut partial) };
        check(status, || "give the input three channels".to_owned())
    }

    fn port(&self, index: usize, get: GetPort) -> Result<TensorInfo, EngineError> {
        let mut port = std::ptr::null_mut();
        // SAFETY: the handle is alive and `index` below the size; `port` receives a new handle.
        let status = unsafe { get(self.0, index, &raw mut port) };
        check(status, || format!("describe port {index} of the model"))?;
        Port(port).describe(index)
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: owned by this value, freed once.
        unsafe { ov::ov_model_free(self.0) };
    }
}

type GetPort = unsafe fn(
    *const ov::ov_model_t,
    usize,
    *mut *mut ov::ov_output_const_port_t,
) -> ov::ov_status_e;

/// An input or output of a model.
pub(super) struct Port(pub(super) *mut ov::ov_output_const_port_t);

impl Port {
    fn describe(&self, index: usize) -> Result<TensorInfo, EngineError> {
        let name = self.name().unwrap_or_else(|| format!("#{index}"));
        let mut element = ov::ov_element_type_e::DYNAMIC;
        // SAFETY: the handle is alive, and `element` is a valid place for the answer.
        let status = unsafe { ov::ov_port_get_element_type(self.0, &raw mut element) };
        check(status, || format!("tell the element type of `{name}`"))?;
        Ok(TensorInfo {
            shape: self.shape(&name)?,
            name,
            element: ElementType::from_raw(element),
        })
    }

    /// A tensor may have no name at all; OpenVINO then answers with an error.
    pub(super) fn name(&self) -> Option<String> {
        let mut name = std::ptr::null_mut();
        // SAFETY: the handle is alive; `name` receives an owned string.
        let status = unsafe { ov::ov_port_get_any_name(self.0, &raw mut name) };
        if status != ov::ov_status_e::OK {
            return None;
        }
        // SAFETY: filled by the call and ours.
        unsafe { owned_string(name) }
    }

    fn shape(&self, name: &str) -> Result<Vec<Dimension>, EngineError> {
        let mut shape = ov::ov_partial_shape_t {
            rank: ov::ov_dimension_t { min: 0, max: 0 },
            dims: std::ptr::null_mut(),
        };
        // SAFETY: the handle is alive, and `shape` is a valid place for the answer.
        let status = unsafe { ov::ov_port_get_partial_shape(self.0, &raw mut shape) };
        check(status, || format!("tell the shape of `{name}`"))?;
        let rank = if shape.rank.min == shape.rank.max {
            shape.rank.max.max(0) as usize
        } else {
            0
        };
        let dimensions = (0..rank).map(|axis| {
            // SAFETY: OpenVINO filled `rank` dimensions.
            let dimension = unsafe { *shape.dims.add(axis) };
            (dimension.min == dimension.max).then_some(dimension.max.max(0) as usize)
        });
        let dimensions = dimensions.collect();
        // SAFETY: filled above, freed once.
        unsafe { ov::ov_partial_shape_free(&raw mut shape) };
        Ok(dimensions)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // SAFETY: owned by this value, freed once.
        unsafe { ov::ov_output_const_port_free(self.0) };
    }
}
