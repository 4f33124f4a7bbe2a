use openvino_sys as ov;

use super::{Model, c_string, check};
use crate::{ElementType, EngineError, ImageInput};

/// Builds OpenVINO's own pre- and post-processing into a model.
pub(crate) struct Preprocessor(*mut ov::ov_preprocess_prepostprocessor_t);

/// A handle with the function that frees it; most of this API hands out such handles.
struct Owned<T>(*mut T, unsafe fn(*mut T));

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: made by the matching getter, freed once.
        unsafe { (self.1)(self.0) };
    }
}

/// Asks `get` for a handle and pairs it with its `free`.
macro_rules! handle {
    ($get:path, $free:path, $from:expr $(, $argument:expr)*) => {{
        let mut raw = std::ptr::null_mut();
        // SAFETY: the source handle is alive; `raw` receives a new handle.
        let status = unsafe { $get($from $(, $argument)*, &raw mut raw) };
        check(status, || "prepare its pre-processing".to_owned())?;
        Owned(raw, $free)
    }};
}

impl Preprocessor {
    pub(crate) fn new(model: &Model) -> Result<Self, EngineError> {
        let mut raw = std::ptr::null_mut();
        // SAFETY: the model's handle is alive; `raw` receives a new handle.
        let status =
            unsafe { ov::ov_preprocess_prepostprocessor_create(model.as_raw(), &raw mut raw) };
        check(status, || "prepare its pre-processing".to_owned())?;
        Ok(Self(raw))
    }

    /// Makes input `index` take pixels, N x H x W x C, and turns them into what the model wants.
    pub(crate) fn image_input(&self, index: usize, image: &ImageInput) -> Result<(), EngineError> {
        let info = handle!(
            ov::ov_preprocess_prepostprocessor_get_input_info_by_index,
            ov::ov_preprocess_input_info_free,
            self.0,
            index
        );
        set_tensor(&info, image.element)?;
        set_steps(&info, image)?;
        let model = handle!(
            ov::ov_preprocess_input_info_get_model_info,
            ov::ov_preprocess_input_model_info_free,
            info.0
        );
        let layout = layout(image.layout.as_str())?;
        // SAFETY: both handles are alive; OpenVINO copies the layout.
        let status = unsafe { ov::ov_preprocess_input_model_info_set_layout(model.0, layout.0) };
        check(status, || {
            format!("set the model's layout {}", image.layout.as_str())
        })
    }

    /// Makes output `index` give 32-bit floating point values.
    pub(crate) fn output_as_f32(&self, index: usize) -> Result<(), EngineError> {
        let info = handle!(
            ov::ov_preprocess_prepostprocessor_get_output_info_by_index,
            ov::ov_preprocess_output_info_free,
            self.0,
            index
        );
        let tensor = handle!(
            ov::ov_preprocess_output_info_get_tensor_info,
            ov::ov_preprocess_output_tensor_info_free,
            info.0
        );
        // SAFETY: the handle is alive.
        let status = unsafe {
            ov::ov_preprocess_output_set_element_type(tensor.0, ov::ov_element_type_e::F32)
        };
        check(status, || format!("give output {index} as f32"))
    }

    /// Builds the steps into a new model.
    pub(crate) fn build(self) -> Result<Model, EngineError> {
        let mut model = std::ptr::null_mut();
        // SAFETY: the handle is alive; `model` receives a new handle.
        let status = unsafe { ov::ov_preprocess_prepostprocessor_build(self.0, &raw mut model) };
        check(status, || {
            "build the pre-processing into the model".to_owned()
        })?;
        Ok(Model::from_raw(model))
    }
}

impl Drop for Preprocessor {
    fn drop(&mut self) {
        // SAFETY: owned by this value, freed once.
        unsafe { ov::ov_preprocess_prepostprocessor_free(self.0) };
    }
}

fn set_tensor(
    info: &Owned<ov::ov_preprocess_input_info_t>,
    element: ElementType,
) -> Result<(), EngineError> {
    let element = match element {
        ElementType::F32 => ov::ov_element_type_e::F32,
        _ => ov::ov_element_type_e::U8,
    };
    let tensor = handle!(
        ov::ov_preprocess_input_info_get_tensor_info,
        ov::ov_preprocess_input_tensor_info_free,
        info.0
    );
    // SAFETY: the handle is alive.
    let status = unsafe { ov::ov_preprocess_input_tensor_info_set_element_type(tensor.0, element) };
    check(status, || "take pixels".to_owned())?;
    let layout = layout("NHWC")?;
    // SAFETY: both handles are alive; OpenVINO copies the layout.
    let status = unsafe { ov::ov_preprocess_input_tensor_info_set_layout(tensor.0, layout.0) };
    check(status, || "take pixels as NHWC".to_owned())
}

fn set_steps(
    info: &Owned<ov::ov_preprocess_input_info_t>,
    image: &ImageInput,
) -> Result<(), EngineError> {
    let steps = handle!(
        ov::ov_preprocess_input_info_get_preprocess_steps,
        ov::ov_preprocess_preprocess_steps_free,
        info.0
    );
    if image.reverse_channels {
        // SAFETY: the handle is alive.
        let status = unsafe { ov::ov_preprocess_preprocess_steps_reverse_channels(steps.0) };
        check(status, || "reverse the channels".to_owned())?;
    }
    // SAFETY: the handle is alive.
    let status = unsafe {
        ov::ov_preprocess_preprocess_steps_convert_element_type(steps.0, ov::ov_element_type_e::F32)
    };
    check(status, || "convert pixels to f32".to_owned())?;
    each_channel(
        &steps,
        &image.mean,
        0.0,
        ov::ov_preprocess_preprocess_steps_mean_multi_channels,
    )?;
    each_channel(
        &steps,
        &image.scale,
        1.0,
        ov::ov_preprocess_preprocess_steps_scale_multi_channels,
    )
}

type EachChannel =
    unsafe fn(*mut ov::ov_preprocess_preprocess_steps_t, *const f32, i32) -> ov::ov_status_e;

fn each_channel(
    steps: &Owned<ov::ov_preprocess_preprocess_steps_t>,
    values: &[f32],
    neutral: f32,
    apply: EachChannel,
) -> Result<(), EngineError> {
    #[allow(
        clippy::float_cmp,
        reason = "only the exact neutral value may be left out"
    )]
    if values.iter().all(|&value| value == neutral) {
        return Ok(());
    }
    // SAFETY: the handle is alive, and `values` has as many values as its length says.
    let status = unsafe { apply(steps.0, values.as_ptr(), values.len() as i32) };
    check(status, || format!("normalise the channels by {values:?}"))
}

fn layout(text: &str) -> Result<Owned<ov::ov_layout_t>, EngineError> {
    let c_text = c_string(text)?;
    let mut raw = std::ptr::null_mut();
    // SAFETY: the string lives through the call; `raw` receives a new handle.
    let status = unsafe { ov::ov_layout_create(c_text.as_ptr(), &raw mut raw) };
    check(status, || format!("make the layout {text}"))?;
    Ok(Owned(raw, ov::ov_layout_free))
}
