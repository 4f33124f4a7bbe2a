//! Pascal VOC: an XML file for each image, anywhere beside the images.
//!
//! Read: `Annotations/*.xml` with `JPEGImages/` and `ImageSets/Main/SUBSET.txt`, XML files beside
//! their images, `labelmap.txt`, pictures of classes and instances in `SegmentationClass/` and
//! `SegmentationObject/`, polygons of Roboflow and turned boxes of roLabelImg. Edges are taken
//! and written as they stand, counted from 0, as `labelImg` and CVAT do; the original challenge
//! counted pixels from 1. Decimal edges are read and written. Polygons and masks are written as
//! pictures of classes and instances, whose numbers are those of the objects in the XML file.

mod colors;
mod draw;
mod object;
mod read;
mod segmentation;
mod write;

pub(crate) use read::read;
pub(crate) use write::write;

pub(crate) const WANTED: &str = "XML files of `annotation`, such as Annotations/*.xml";
