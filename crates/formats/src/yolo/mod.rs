//! YOLO: a text file for each image in `labels/`, names in `data.yaml`.
//!
//! A line is a class number and a box (centre, width and height), the corners of a polygon, or,
//! if the YAML file has `kpt_shape`, a box and key points; all as parts of the image's width and
//! height. If every line of a set has four corners at right angles, they are turned boxes. Names
//! are read from any YAML file with `names` (a list, or a map from numbers), or from `obj.names`,
//! `classes.txt` and other lists with one name a line. The label file of an image is that of its
//! path with the last `images` replaced by `labels`, or lies beside it.

mod layout;
mod line;
pub(crate) mod names;
mod read;
mod write;

pub(crate) use read::read;
pub(crate) use write::write;

pub(crate) const WANTED: &str = "a YAML file with `names`, obj.names or classes.txt";
