//! Open Images: tables of boxes, of labels of images and of masks, by identifiers of images.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use straylight_core::Shape;

use super::columns::rows;
use crate::gather::Gather;
use crate::{Mask, Object, folder, geometry};

/// What a table of Open Images is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boxes,
    Labels,
    Masks,
    /// All images.
    Images,
}

/// The kind of a table by its first row.
pub(super) fn kind(first: &StringRecord) -> Option<Kind> {
    let has = |name: &str| first.iter().any(|column| column == name);
    match (has("ImageID"), has("LabelName")) {
        (true, true) if has("XMin") => Some(Kind::Boxes),
        (true, true) if has("MaskPath") => Some(Kind::Masks),
        (true, true) => Some(Kind::Labels),
        (true, false) if has("Subset") || has("OriginalURL") => Some(Kind::Images),
        _ => None,
    }
}

/// Reads all tables of Open Images; whether there were any.
pub(super) fn read(gather: &mut Gather<'_>, files: &[PathBuf]) -> bool {
    let names = class_names(gather, files);
    let mut reading = Reading {
        names,
        images: HashMap::new(),
    };
    let mut found = false;
    for path in files {
        let Some(text) = gather.text(path) else {
            continue;
        };
        let first = rows(&text).next().and_then(|(_, row)| row.ok());
        let kind = first.as_ref().and_then(kind);
        if let (Some(first), Some(kind)) = (first, kind) {
            found = true;
            reading.table(gather, path, &text, &first, kind);
        }
    }
    found
}

/// `class-descriptions.csv`: identifiers of classes and their names, in the order of the labels.
fn class_names(gather: &mut Gather<'_>, files: &[PathBuf]) -> HashMap<String, String> {
    let beside = files
        .iter()
        .find_map(|file| file.parent())
        .unwrap_or(gather.root)
        .to_owned();
    let all = folder::with_extension(&beside, "csv").unwrap_or_default();
    let is_named = |file: &&PathBuf| {
        file.file_name()
            .is_some_and(|name| name.to_string_lossy().contains("class-descriptions"))
    };
    let mut names = HashMap::new();
    for file in all.iter().filter(is_named) {
        let Some(text) = gather.text(file) else {
            continue;
        };
        for (_, row) in rows(&text) {
            if let Some((id, name)) = row
                .ok()
                .and_then(|row| Some((row.get(0)?.to_owned(), row.get(1)?.to_owned())))
                && (id.as_str(), name.as_str()) != ("LabelName", "DisplayName")
            {
                gather.set.add_label(&name);
                names.insert(id, name);
            }
        }
    }
    names
}

struct Reading {
    names: HashMap<String, String>,
    /// Images by subset and identifier.
    images: HashMap<(Option<String>, String), Option<usize>>,
}

/// A row with the names of its columns.
struct Row<'a> {
    first: &'a StringRecord,
    row: &'a StringRecord,
}

impl Row<'_> {
    fn text(&self, name: &str) -> &str {
        let column = self.first.iter().position(|column| column == name);
        column
            .and_then(|column| self.row.get(column))
            .unwrap_or_default()
    }

    fn number(&self, name: &str) -> Result<f64, String> {
        let text = self.text(name);
        text.parse()
            .map_err(|_| format!("`{name}` is `{text}`, not a number"))
    }

    fn is_set(&self, name: &str) -> bool {
        self.text(name) == "1"
    }
}

impl Reading {
    fn table(
        &mut self,
        gather: &mut Gather<'_>,
        path: &Path,
        text: &str,
        first: &StringRecord,
        kind: Kind,
    ) {
        let place = gather.place(path);
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        // `train-annotations-bbox`, `oidv6-train-annotations-bbox`.
        let mut words = stem.split('-');
        let subset = words.find(|name| folder::is_split(name)).map(str::to_owned);
        for (line, row) in rows(text).skip(1) {
            let place = format!("{place}: line {line}");
            let read = row.and_then(|row| {
                let row = Row { first, row: &row };
                // A list of all images names the part of each.
                let own = Some(row.text("Subset")).filter(|name| folder::is_split(name));
                let subset = own.or(subset.as_deref());
                let Some(index) = self.image(gather, path, subset, row.text("ImageID"), &place)
                else {
                    return Ok(());
                };
                let read = self.row(gather, path, subset, index, &row, kind);
                if read.is_err() {
                    gather.mark_incomplete(index);
                }
                read
            });
            if let Err(error) = read {
                gather.problem(place, error);
            }
        }
    }

    fn image(
        &mut self,
        gather: &mut Gather<'_>,
        path: &Path,
        subset: Option<&str>,
        id: &str,
        place: &str,
    ) -> Option<usize> {
        let key = (subset.map(str::to_owned), id.to_owned());
        if let Some(known) = self.images.get(&key) {
            return *known;
        }
        let near = path.parent().unwrap_or(gather.root).to_owned();
        let found = gather.find_image(id, subset, &near, place);
        let index = found.and_then(|(file, name)| gather.image(&file, &name, subset, None, place));
        if let Some(index) = index {
            gather.set.images[index].unannotated = true;
        }
        self.images.insert(key, index);
        index
    }

    fn row(
        &self,
        gather: &mut Gather<'_>,
        path: &Path,
        subset: Option<&str>,
        index: usize,
        row: &Row<'_>,
        kind: Kind,
    ) -> Result<(), String> {
        if kind == Kind::Images {
            return Ok(());
        }
        gather.set.images[index].unannotated = false;
        let id = row.text("LabelName");
        let named = self.names.get(id).map(String::as_str);
        let label = named.filter(|name| !name.is_empty()).unwrap_or(id);
        if label.is_empty() {
            return Err("`LabelName` is empty".to_owned());
        }
        gather.set.add_label(label);
        let size = (
            gather.set.images[index].width,
            gather.set.images[index].height,
        );
        match kind {
            // A confidence of 0 says that somebody looked and it is not there.
            Kind::Labels if row.number("Confidence").unwrap_or(1.0) > 0.0 => {
                gather.set.images[index].add_image_label(label);
            }
            Kind::Labels | Kind::Images => {}
            Kind::Boxes => {
                let mut object = Object::new(bounds(row, size)?, label);
                object.flags.occluded = row.is_set("IsOccluded");
                object.flags.truncated = row.is_set("IsTruncated");
                object.flags.crowd = row.is_set("IsGroupOf");
                for name in ["IsDepiction", "IsInside"] {
                    if row.is_set(name) {
                        object.attributes.insert(name.to_owned(), true.into());
                    }
                }
                gather.set.images[index].objects.push(object);
            }
            Kind::Masks => {
                let file = mask_file(gather, path, subset, row.text("MaskPath"))?;
                let mut object = Object::new(mask(&file, size)?, label);
                object.id = Some(row.text("BoxID").to_owned()).filter(|id| !id.is_empty());
                gather.set.images[index].objects.push(object);
            }
        }
        Ok(())
    }
}

/// Edges as parts of the image's sides.
fn bounds(row: &Row<'_>, (width, height): (u32, u32)) -> Result<Shape, String> {
    let (width, height) = (f64::from(width), f64::from(height));
    let [left, top] = [row.number("XMin")? * width, row.number("YMin")? * height];
    let [right, bottom] = [row.number("XMax")? * width, row.number("YMax")? * height];
    let cleaned = |pixels: f64| (pixels * 1e6).round() / 1e6;
    geometry::rectangle(&[left, top, right - left, bottom - top].map(cleaned))
}

fn mask_file(
    gather: &Gather<'_>,
    path: &Path,
    subset: Option<&str>,
    name: &str,
) -> Result<PathBuf, String> {
    if !folder::is_inside(Path::new(name)) {
        return Err(format!("`{name}` does not lie in the set's folder"));
    }
    let masks = gather.root.join("masks");
    let near = path.parent().unwrap_or(gather.root);
    let folders = [
        masks.join(subset.unwrap_or_default()),
        masks,
        near.join("masks"),
        near.to_owned(),
        gather.root.to_owned(),
    ];
    let found = folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    found.ok_or_else(|| format!("the mask `{name}` is missing"))
}

/// The mask of a picture, which may be smaller than the image.
fn mask(file: &Path, (width, height): (u32, u32)) -> Result<Mask, String> {
    let bytes = straylight_files::read(file).map_err(|error| error.to_string())?;
    let (pixels, _) = straylight_image::decode(&bytes).map_err(|error| error.to_string())?;
    let (w, h) = (u64::from(pixels.width()), u64::from(pixels.height()));
    let scaled = |place: u32, from: u64, to: u32| u64::from(place) * from / u64::from(to);
    Ok(Mask::from_pixels(width, height, |x, y| {
        let index = scaled(y, h, height) * w + scaled(x, w, width);
        pixels.data()[(index * 3) as usize] > 0
    }))
}
