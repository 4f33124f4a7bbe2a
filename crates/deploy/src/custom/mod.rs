//! Any model as a deployment: a model file with a small description beside it.
//!
//! A folder with `straylight.json`, `straylight.yaml` or `straylight.yml` is a deployment of
//! one task. The description says what the graph cannot: labels, normalisation, what each
//! output means.
//!
//! ```yaml
//! version: 1
//! model: model.onnx            # IR (.xml), ONNX or TFLite, beside this file
//! task: classification         # or detection
//! labels: [cat, dog]
//! input: {channels: rgb, mean: [127, 127, 127], scale: [128, 128, 128], resize: standard}
//! outputs: {scores: logits, features: features}
//! options: {confidence_threshold: 0.5}
//! ```
//!
//! For a detector `outputs` names `boxes` (N x 5 with the score, or N x 4), `scores` and
//! `classes`, or `detections`, one tensor of rows whose `columns` are listed. `options` are
//! keys of a Geti model's `model_info`.

mod check;
mod columns;
mod description;
mod load;
mod propose;

pub use check::{CheckReport, check};
pub use columns::Column;
pub(crate) use columns::Rows;
pub(crate) use description::find;
pub use description::{
    Channels, Coordinates, InputDescription, ModelDescription, OutputDescription,
};
pub(crate) use load::load;
pub use propose::{Proposal, propose};
