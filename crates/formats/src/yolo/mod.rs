//! YOLO: a text file for each image in `labels/`, names in `data.yaml`.
//!
//! A line is a class number and a box (centre, width and height), the corners of a polygon, or,
//! if the YAML file has `kpt_shape`, a box and key points; all as parts of the image's width and
//! height. If every line of a set has four corners at right angles, they are turned boxes. Names
//! are read from any YAML file with `names` (a list, or a map from numbers), or from `obj.names`,
//! `classes.txt` and other lists with one name a line. The label file of an image is that of its
//! path with the last `images` replaced by `labels`, or lies beside it; else the only one of its
//! stem. Lines of DOTA (four corners in pixels and a name) are read as well.

mod labels;
mod layout;
mod line;
pub(crate) mod names;
mod read;
mod write;

use std::path::Path;

pub(crate) use read::read;
pub(crate) use write::write;
pub use write::{UnknownYoloTask, YoloTask};

use crate::text;

pub(crate) const WANTED: &str = "a YAML file with `names`, obj.names or classes.txt";

/// Whether a text file has lines of a class number and four numbers at least, or of DOTA.
pub(crate) fn is_label_file(file: &Path) -> bool {
    let is_text = file
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("txt"));
    let is_line = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_number = |word: &&str| word.parse::<f64>().is_ok();
        let is_dota = words.len() > 8 && words[..8].iter().all(&is_number);
        is_dota || (words.len() >= 5 && words.iter().all(is_number))
    };
    is_text
        && text::read(file).is_ok_and(|text| {
            let first = text
                .lines()
                .find(|line| !line.trim().is_empty() && !line::is_head(line));
            first.is_some_and(is_line)
        })
}
