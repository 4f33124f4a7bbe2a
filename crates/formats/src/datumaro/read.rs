use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;
use straylight_core::Color;

use super::WANTED;
use super::annotation::{Annotation, object};
use super::group::merged;
use crate::folder;
use crate::gather::{Gather, nothing};
use crate::json::{self, Id, RawList, lenient};
use crate::{Attributes, Format, FormatError, Skeleton, sniff};

#[derive(Deserialize)]
struct File<'a> {
    categories: Categories,
    #[serde(borrow)]
    items: RawList<'a>,
}

#[derive(Default, Deserialize)]
pub(super) struct Categories {
    #[serde(default)]
    pub(super) label: Labels,
    #[serde(default, deserialize_with = "lenient")]
    mask: Masks,
    #[serde(default, deserialize_with = "lenient")]
    points: Points,
}

impl Categories {
    /// Whether the points of a label have names.
    pub(super) fn has_skeleton(&self, label: usize) -> bool {
        self.points
            .items
            .iter()
            .any(|names| names.label_id == label && !names.labels.is_empty())
    }
}

#[derive(Default, Deserialize)]
pub(super) struct Labels {
    #[serde(default)]
    pub(super) labels: Vec<Label>,
}

#[derive(Deserialize)]
pub(super) struct Label {
    pub(super) name: String,
    #[serde(default, deserialize_with = "lenient")]
    parent: String,
}

#[derive(Default, Deserialize)]
struct Masks {
    #[serde(default)]
    colormap: Vec<LabelColor>,
}

#[derive(Deserialize)]
struct LabelColor {
    label_id: usize,
    r: u8,
    g: u8,
    b: u8,
}

#[derive(Default, Deserialize)]
struct Points {
    #[serde(default)]
    items: Vec<PointNames>,
}

#[derive(Deserialize)]
struct PointNames {
    label_id: usize,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    joints: Vec<[i64; 2]>,
}

#[derive(Deserialize)]
struct Item<'a> {
    id: Id,
    #[serde(borrow, default)]
    annotations: RawList<'a>,
    #[serde(default)]
    attr: Attributes,
    image: Option<Image>,
}

#[derive(Deserialize)]
struct Image {
    #[serde(default)]
    path: String,
    /// Height and width in pixels.
    #[serde(default, deserialize_with = "lenient")]
    size: Option<[u32; 2]>,
}

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let mut found = false;
    let files = gather.with_extension("json")?;
    for path in gather.chosen(files) {
        found |= read_file(gather, &path);
    }
    if found {
        gather.none_is_annotated();
        return Ok(());
    }
    Err(nothing(gather, Format::Datumaro, WANTED))
}

/// Whether the file was Datumaro's at all; what was wrong is reported.
fn read_file(gather: &mut Gather<'_>, path: &Path) -> bool {
    let Some(text) = gather.text(path) else {
        return false;
    };
    let (text, _) = json::without_nan(&text);
    let place = gather.place(path);
    match sniff::json_kind(&text) {
        Ok(sniff::Json::Datumaro) => {}
        Ok(_) => return false,
        Err(error) => {
            gather.problem(place, error);
            return false;
        }
    }
    let file: File<'_> = match serde_json::from_str(&text) {
        Ok(file) => file,
        Err(error) => {
            gather.problem(place, error);
            return false;
        }
    };
    labels(gather, &file.categories);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let reading = Reading {
        categories: &file.categories,
        subset: folder::subset_named(&stem),
        near: path.parent().unwrap_or(gather.root).to_owned(),
    };
    for (index, raw) in file.items.iter().enumerate() {
        reading.item(gather, raw, &format!("{place}: items[{index}]"));
    }
    true
}

fn labels(gather: &mut Gather<'_>, categories: &Categories) {
    for (id, entry) in categories.label.labels.iter().enumerate() {
        let label = gather.set.label_mut(&entry.name);
        let color = categories
            .mask
            .colormap
            .iter()
            .find(|color| color.label_id == id);
        let color = color.map(|c| Color::opaque([c.r, c.g, c.b]));
        label.color = color.or(label.color);
        label.parent = Some(entry.parent.clone()).filter(|name| !name.is_empty());
        let names = categories
            .points
            .items
            .iter()
            .find(|names| names.label_id == id);
        label.skeleton = names.map(skeleton).or(label.skeleton.take());
    }
}

/// Joints are counted from 1.
fn skeleton(names: &PointNames) -> Skeleton {
    let count = names.labels.len() as i64;
    let edges = names
        .joints
        .iter()
        .filter(|joint| joint.iter().all(|end| (1..=count).contains(end)));
    Skeleton {
        points: names.labels.clone(),
        edges: edges
            .map(|[a, b]| ((a - 1) as usize, (b - 1) as usize))
            .collect(),
        mirror: Vec::new(),
    }
}

struct Reading<'a> {
    categories: &'a Categories,
    subset: Option<&'a str>,
    near: PathBuf,
}

impl Reading<'_> {
    fn item(&self, gather: &mut Gather<'_>, raw: &RawValue, place: &str) {
        let item = match json::entry::<Item<'_>>(raw) {
            Ok(item) => item,
            Err(error) => return gather.problem(place, error),
        };
        let Some(entry) = &item.image else {
            return gather.problem(place, format!("item `{}` is no image", item.id.0));
        };
        let name = if entry.path.is_empty() {
            &item.id.0
        } else {
            &entry.path
        };
        // Exporters keep the absolute path of the image's old home: its name must do then.
        let name = match Path::new(name).file_name() {
            Some(last) if Path::new(name).is_absolute() => last.to_string_lossy().into_owned(),
            _ => name.clone(),
        };
        let size = entry.size.map(|[height, width]| (width, height));
        let found = gather.find_image(&name, self.subset, &self.near, place);
        let Some((file, name)) = found else { return };
        let Some(index) = gather.image(&file, &name, self.subset, size, place) else {
            return;
        };
        self.annotations(gather, index, &item, place);
        let image = &mut gather.set.images[index];
        image.attributes = item.attr;
        let number = image.attributes.remove("id");
        image.id = number
            .and_then(|number| serde_json::from_value::<Id>(number).ok())
            .map(|id| id.0);
    }

    fn annotations(&self, gather: &mut Gather<'_>, index: usize, item: &Item<'_>, place: &str) {
        let size = (
            gather.set.images[index].width,
            gather.set.images[index].height,
        );
        let mut objects = Vec::new();
        for (number, raw) in item.annotations.iter().enumerate() {
            let place = format!("{place}.annotations[{number}]");
            let read = json::entry::<Annotation>(raw);
            match read.and_then(|annotation| object(&annotation, self.categories, size)) {
                Ok(Some(object)) => objects.push(object),
                Ok(None) => gather.note(place, "captions are passed over"),
                Err(error) => gather.lost(index, place, error),
            }
        }
        gather.set.images[index].objects = merged(objects);
    }
}
