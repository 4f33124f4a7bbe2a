//! Label Studio: a JSON list of tasks, or its short form (JSON-MIN).
//!
//! Read: boxes (also turned ones), polygons, ellipses, brush masks, key points and choices. Places
//! are parts of a hundred of the image's sides. Of several annotations of a task the latest that
//! was not skipped counts. Predictions are passed over.

mod brush;
mod read;
mod region;

pub(crate) use read::read;

pub(crate) const WANTED: &str = "a JSON list of tasks with `data` and `annotations`";
