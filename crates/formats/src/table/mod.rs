//! Tables in CSV: Open Images, boxes of Roboflow, `VoTT` and `RetinaNet`, and labels of images.
//!
//! Which columns mean what is found from their names. A table without a header is read if its
//! rows are `path,left,top,right,bottom,class`. Parts of the sides are told from pixels by the
//! names of Open Images.

mod columns;
mod open_images;
mod read;

use std::path::Path;

pub(crate) use read::read;

use crate::text;

pub(crate) const WANTED: &str =
    "a CSV file with columns such as filename, class, xmin, ymin, xmax, ymax";

/// Whether the first row of a CSV file is one that is known.
pub(crate) fn fits_file(file: &Path) -> bool {
    let text = text::read(file).unwrap_or_default();
    let mut rows = columns::rows(&text);
    let Some((_, Ok(first))) = rows.next() else {
        return false;
    };
    open_images::kind(&first).is_some() || columns::Columns::of(&first).is_some()
}
