//! Any model as a deployment: a model file with a small description beside it.
//!
//! A folder with `straylight.json`, `straylight.yaml` or `straylight.yml` is a deployment of
//! one task. The description says what the graph cannot: labels, normalisation, what each
//! output means.
//!
//! ```yaml
//! version: 1
//! model: model.onnx            # IR (.xml), ONNX or TFLite, beside this file
//! task: classification         # or detection, segmentation, ...
//! labels: [cat, dog]
//! input: {channels: rgb, mean: [127, 127, 127], scale: [128, 128, 128], resize: standard}
//! outputs: {scores: logits, features: features}
//! options: {confidence_threshold: 0.5}
//! ```
//!
//! For a detector `outputs` names `boxes` (N x 5 with the score, or N x 4), `scores` and
//! `classes`, or `detections`, one tensor of rows whose `columns` are listed. `options` are
//! keys of a Geti model's `model_info`. The guide (`docs/src/models.md`) lists all keys, and
//! `docs/src/straylight.schema.json` is their JSON schema.

mod check;
mod description;
mod features;

mod input;
mod load;
mod outputs;
mod propose;

pub use check::{CheckReport, check};
pub use description::ModelDescription;
pub(crate) use description::find;
pub use features::write_with_features;
pub use input::{Channels, InputDescription, Interpolation};
pub(crate) use load::{label, load};
pub use outputs::{
    Activation, Axis, BoxFormat, Column, Coordinates, GridDescription, MaskArea, OutputDescription,
};
pub use propose::{Assignment, Origin, Proposal, Said, propose};
