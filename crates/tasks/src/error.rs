/// Why a model's configuration or its output cannot be turned into a prediction.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// A value of the model's `rt_info/model_info` cannot be used.
    #[error("model_info/{key} = `{value}`: {reason}")]
    Config {
        /// Name of the entry.
        key: &'static str,
        /// What it holds, shortened.
        value: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// The model's outputs do not fit any layout of the task.
    #[error(
        "the outputs of the model ({have}) do not fit {task}: wanted {wanted}; \
         check `model_type` in model_info, or export the model again"
    )]
    Layout {
        /// The task, in words.
        task: &'static str,
        /// The outputs that would fit.
        wanted: &'static str,
        /// Names and shapes of the outputs there are.
        have: String,
    },
    /// An output has a shape or a type that its place does not allow.
    #[error("output `{output}` of shape {shape:?}: {reason}")]
    Output {
        /// Name of the output.
        output: String,
        /// Its shape.
        shape: Vec<usize>,
        /// What is wrong.
        reason: String,
    },
    /// An output that decides the result holds NaN or infinity.
    #[error(
        "output `{output}` holds {value} at position {position}: the model overflows or is \
         damaged; try `INFERENCE_PRECISION_HINT=f32`"
    )]
    NotFinite {
        /// Name of the output.
        output: String,
        /// Index into the flattened tensor.
        position: usize,
        /// NaN, inf or -inf.
        value: f32,
    },
    /// The model gave a class for which its configuration has no label.
    #[error("the model gave class {class}, but its model_info names only {labels} labels")]
    NoSuchLabel {
        /// Index of the class.
        class: i64,
        /// Number of labels in the configuration.
        labels: usize,
    },
    /// The task's labels lack one that the task cannot do without.
    #[error("the project's labels lack {0}: download the deployment again")]
    LabelMissing(&'static str),
    /// The task cannot be run, or not in this way.
    #[error("{0}")]
    Unsupported(String),
}

impl TaskError {
    pub(crate) fn config(key: &'static str, value: &str, reason: impl Into<String>) -> Self {
        const SHOWN: usize = 80;
        let value = match value.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}...", value.get(..end).unwrap_or_default()),
            None => value.to_owned(),
        };
        let reason = reason.into();
        Self::Config { key, value, reason }
    }
}
