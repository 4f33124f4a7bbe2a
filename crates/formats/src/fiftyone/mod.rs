//! `FiftyOne`: `labels.json` with `data/`, or a whole dataset as `samples.json` with `data/`.
//!
//! Read: detections and classifications of the first, and of the second also polylines and key
//! points. Places are parts of the image's sides. Of several fields of labels, `ground_truth` is
//! taken, or the only one. Masks of detections are read; pictures of classes are not.

mod labels;
mod mask;
mod read;
mod samples;

pub(crate) use read::read;

pub(crate) const WANTED: &str = "labels.json with `classes` and `labels`, or samples.json";
