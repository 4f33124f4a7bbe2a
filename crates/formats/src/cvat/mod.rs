//! CVAT's XML 1.1, for images and for tracks of videos.
//!
//! Read: boxes (also turned ones), polygons, lines, points, ellipses, masks, skeletons and tags,
//! with their attributes, groups and orders of depth; labels with colours and skeletons from
//! `meta`. A frame of a track belongs to the image `frame_000012` of its number; shapes that are
//! `outside` are not there. Cuboids are not read.

mod read;
mod shape;

pub(crate) use read::read;

pub(crate) const WANTED: &str = "an XML file of `annotations` with `image` or `track`";
