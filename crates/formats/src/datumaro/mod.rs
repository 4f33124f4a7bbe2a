//! Datumaro's own format: `annotations/SUBSET.json` and `images/SUBSET/`.
//!
//! A turned box is a `bbox` of the box before the turn with the attribute `rotation` in degrees
//! clockwise, as CVAT writes it, or a `rotated_bbox` of centre, size and degrees. Entries of one
//! group and label are the parts, the box and the key points of one object; entries of one group
//! and one shape are its labels. Names of key points stand in `categories.points`, colours in
//! `categories.mask.colormap`.

mod annotation;
mod group;
mod read;
mod write;

pub(crate) use read::read;
pub(crate) use write::write;

pub(crate) const WANTED: &str = "annotations/*.json with `items` and `categories`";
