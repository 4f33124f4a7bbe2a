use std::collections::HashMap;
use std::path::Path;

use roxmltree::{Document, Node};
use straylight_core::{Color, Shape};

use super::{WANTED, xml_files};
use crate::folder::{self, Gather, slashed};
use crate::{Format, FormatError, geometry};

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let files = xml_files(gather.root)?;
    if files.is_empty() {
        let folder = gather.root.to_owned();
        return Err(FormatError::NothingFound {
            format: Format::PascalVoc,
            folder,
            wanted: WANTED,
        });
    }
    label_map(gather);
    let subsets = subsets(gather)?;
    for path in files {
        let place = gather.place(&path);
        if let Err(message) = read_file(gather, &path, &place, &subsets) {
            gather.problem(place, message);
        }
    }
    Ok(())
}

/// `labelmap.txt` of CVAT and Datumaro: `name:r,g,b:parts:actions` a line.
fn label_map(gather: &mut Gather<'_>) {
    let Ok(text) = straylight_files::read_to_string(&gather.root.join("labelmap.txt")) else {
        return;
    };
    for line in text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
    {
        let mut parts = line.split(':');
        let name = parts.next().unwrap_or_default();
        let levels: Vec<u8> = parts
            .next()
            .unwrap_or_default()
            .split(',')
            .flat_map(|n| n.trim().parse())
            .collect();
        gather.set.add_label(name);
        let known = gather
            .set
            .labels
            .iter_mut()
            .find(|label| label.name == name);
        if let (Some(known), Ok(rgb)) = (known, <[u8; 3]>::try_from(levels)) {
            known.color = Some(Color::opaque(rgb));
        }
    }
}

/// From image stems to subsets, of the files that list images and not a label's presence.
fn subsets(gather: &mut Gather<'_>) -> Result<HashMap<String, String>, FormatError> {
    let mut subsets = HashMap::new();
    for path in folder::with_extension(&gather.root.join("ImageSets").join("Main"), "txt")? {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        match straylight_files::read_to_string(&path) {
            Ok(text) if !(name.contains('_') && text.lines().all(is_presence)) => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                subsets.extend(lines.map(|stem| (stem.to_owned(), name.clone())));
            }
            Ok(_) => {}
            Err(error) => gather.problem(gather.place(&path), error),
        }
    }
    Ok(subsets)
}

/// `000012 -1`: in `LABEL_SUBSET.txt` the original challenge tells whether a label is present.
fn is_presence(line: &str) -> bool {
    let last = line.rsplit_once(char::is_whitespace);
    line.trim().is_empty()
        || last
            .is_some_and(|(name, mark)| !name.trim().is_empty() && matches!(mark, "-1" | "0" | "1"))
}

fn read_file(
    gather: &mut Gather<'_>,
    path: &Path,
    place: &str,
    subsets: &HashMap<String, String>,
) -> Result<(), String> {
    let text = straylight_files::read_to_string(path).map_err(|error| error.to_string())?;
    let document = Document::parse(&text).map_err(|error| error.to_string())?;
    let root = document.root_element();
    let name = file_name(gather, root, path);
    let subset = subsets
        .get(folder::stem(&name))
        .and_then(|name| folder::subset_named(name));
    let size = child(root, "size").and_then(|size| {
        Some((
            number(size, "width").ok()? as u32,
            number(size, "height").ok()? as u32,
        ))
    });
    let image = gather
        .find_image(&name, subset, place)
        .and_then(|file| gather.image(&file, &name, subset, size, place));
    let Some(mut image) = image else {
        return Ok(());
    };
    for (index, object) in root
        .children()
        .filter(|n| n.has_tag_name("object"))
        .enumerate()
    {
        match read_object(object) {
            Ok((shape, label)) => {
                gather.set.add_label(&label);
                image.add(shape, &label);
            }
            Err(message) => {
                let line = document.text_pos_at(object.range().start).row;
                gather.problem(format!("{place}: object[{index}] in line {line}"), message);
            }
        }
    }
    gather.set.images.push(image);
    Ok(())
}

/// `filename`, in the folder that the annotation file has below `Annotations`.
fn file_name(gather: &Gather<'_>, root: Node<'_, '_>, path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let named = child(root, "filename")
        .and_then(|node| node.text())
        .map(str::trim);
    let named = named.filter(|name| !name.is_empty()).unwrap_or(&stem);
    let below = path.parent().and_then(|folder| {
        let folder = folder.strip_prefix(gather.root).ok()?;
        let inner = folder
            .strip_prefix("Annotations")
            .or_else(|_| folder.strip_prefix("annotations"));
        inner.ok().map(slashed)
    });
    match below {
        Some(folder) if !folder.is_empty() && !named.contains('/') => format!("{folder}/{named}"),
        _ => named.to_owned(),
    }
}

fn read_object(object: Node<'_, '_>) -> Result<(Shape, String), String> {
    let name = child(object, "name")
        .and_then(|node| node.text())
        .ok_or("it has no `name`")?;
    let bounds = child(object, "bndbox").ok_or("it has no `bndbox`")?;
    let [left, top] = [number(bounds, "xmin")?, number(bounds, "ymin")?];
    let [right, bottom] = [number(bounds, "xmax")?, number(bounds, "ymax")?];
    let shape = geometry::rectangle(&[left, top, right - left, bottom - top])?;
    Ok((shape, name.trim().to_owned()))
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn number(node: Node<'_, '_>, name: &str) -> Result<f64, String> {
    let text = child(node, name)
        .and_then(|node| node.text())
        .unwrap_or_default();
    text.trim()
        .parse()
        .map_err(|_| format!("`{name}` is `{text}`, not a number"))
}
