//! Image files to pixels and back, and pictures of what a model saw.
//!
//! [`decode`] turns the bytes of a JPEG, PNG, WebP, BMP, TIFF or GIF file into upright 8-bit
//! RGB, [`read_frame`] does so for a file on disk, [`encode_png`] and [`encode_jpeg`] go the
//! other way, [`resize`] scales as OpenCV and OpenVINO do, [`Visualizer`] draws predictions,
//! and a [`ContactSheet`] shows many images at once.

mod decode;
mod draw;
mod encode;
mod error;
mod exif;
mod file;
mod limits;
mod listing;
mod orientation;
pub mod resize;
mod sheet;
mod terminal;
mod thumbnail;
mod unread_format;

pub use decode::{
    DecodeOptions, DeepImage, Fit, ImageInfo, ScaledSize, decode, decode_deep, decode_with,
    pixels_for, probe,
};
pub use draw::Visualizer;
pub use encode::{encode_jpeg, encode_png};
pub use error::{ImageError, ImageErrorKind, ImageFormatName};
pub use file::{decode_frame, read_frame, read_frame_with};
pub use limits::DecodeLimits;
pub use listing::{Listed, NoPictures, is_hidden, is_no_picture_by_name, listed, special_kind};
pub use orientation::Orientation;
pub use sheet::{ContactSheet, Tile};
pub use straylight_core::sniff;
pub use terminal::TerminalGraphics;
pub use thumbnail::thumbnail;
pub use unread_format::unread_format;
