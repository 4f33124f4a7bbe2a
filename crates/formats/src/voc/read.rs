use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use straylight_core::Color;

use super::{WANTED, colors, object, segmentation};
use crate::folder;
use crate::gather::{Gather, nothing};
use crate::xml::{self, child, children, number, text};
use crate::{Format, FormatError};

/// The folder of the images of the challenge.
const JPEG_IMAGES: &str = "JPEGImages";

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let files = gather.with_extension("xml")?;
    let files = gather.chosen(files);
    let bases = bases(gather)?;
    for base in &bases {
        label_map(gather, base);
    }
    let mut subsets = subsets(gather, &bases)?;
    let (mut found, mut seen) = (false, HashSet::new());
    for path in files {
        let Some(text) = gather.text(&path) else {
            continue;
        };
        if xml::root_name(&text).is_some_and(|name| name != "annotation") && gather.only.is_none() {
            continue;
        }
        found = true;
        seen.insert(stem_of(&path));
        let place = gather.place(&path);
        if let Err(message) = read_file(gather, &path, &text, &place, &subsets) {
            gather.problem(place, message);
        }
    }
    let pictures = if found { Vec::new() } else { pictures(gather)? };
    if !found && subsets.is_empty() && pictures.is_empty() {
        return Err(nothing(gather, Format::PascalVoc, WANTED));
    }
    let default = || folder::DEFAULT_SUBSET.to_owned();
    for stem in pictures {
        subsets.entry(stem).or_insert_with(default);
    }
    if gather.only.is_none() {
        unannotated(gather, &bases, &subsets, &seen);
    }
    // Without lists of images every image is part of the set.
    if gather.only.is_none() && subsets.is_empty() {
        let in_folder = |file: &Path| file.iter().any(|part| part == JPEG_IMAGES);
        let has_folder = gather.set.images.iter().any(|image| in_folder(&image.file));
        // Beside that folder lie pictures of something else.
        gather.add_unannotated_in(|file| !has_folder || in_folder(file))?;
    }
    Ok(())
}

fn stem_of(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Images that a subset lists and that have no annotation file.
fn unannotated(
    gather: &mut Gather<'_>,
    bases: &[PathBuf],
    subsets: &HashMap<String, String>,
    seen: &HashSet<String>,
) {
    let present = presence(gather, bases);
    let mut listed: Vec<(&String, &String)> = subsets.iter().collect();
    listed.sort();
    for (name, subset) in listed {
        let last = name.rsplit('/').next().unwrap_or(name);
        if seen.contains(last) {
            continue;
        }
        let root = gather.root.to_owned();
        let mut lists = ["Main", "Segmentation"]
            .map(|kind| format!("ImageSets/{kind}/{subset}.txt"))
            .into_iter();
        let list = lists.find(|list| bases.iter().any(|base| base.join(list).is_file()));
        let place = list.unwrap_or_else(|| format!("SegmentationClass/{name}.png"));
        let subset = folder::subset_named(subset);
        let usual = gather.look_for(&format!("{JPEG_IMAGES}/{name}"), subset, &root);
        let found = match usual {
            Ok(Ok(found)) => Some(found),
            _ => gather.find_image(name, subset, &root, &place),
        };
        let index = found.and_then(|(file, name)| gather.image(&file, &name, subset, None, &place));
        if let Some(index) = index {
            let labels = present.get(name.as_str());
            gather.set.images[index].unannotated = labels.is_none();
            for label in labels.into_iter().flatten() {
                gather.set.add_label(label);
                gather.set.images[index].add_image_label(label);
            }
            segmentation::add(gather, index);
        }
    }
}

/// Labels of whole images by stem, from the files `LABEL_SUBSET.txt` of the challenge.
fn presence(gather: &mut Gather<'_>, bases: &[PathBuf]) -> HashMap<String, Vec<String>> {
    let mut labels: HashMap<String, Vec<String>> = HashMap::new();
    let lists = bases.iter().flat_map(|base| {
        let folder = base.join("ImageSets").join("Main");
        folder::with_extension(&folder, "txt").unwrap_or_default()
    });
    for path in lists {
        let name = stem_of(&path);
        let Some((label, _)) = name.rsplit_once('_') else {
            continue;
        };
        let Some(text) = gather.text(&path) else {
            continue;
        };
        if !text.lines().all(is_presence) {
            continue;
        }
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if let (Some(stem), Some("1")) = (words.next(), words.next()) {
                labels
                    .entry(stem.to_owned())
                    .or_default()
                    .push(label.to_owned());
            }
        }
    }
    labels
}

/// The folders that have lists of images or pictures of classes: `VOCdevkit` has one for each year.
fn bases(gather: &mut Gather<'_>) -> Result<Vec<PathBuf>, FormatError> {
    let is_part = |name: &OsStr| name == "ImageSets" || name == "SegmentationClass";
    let mut bases = BTreeSet::from([gather.root.to_owned()]);
    for file in gather.files()? {
        let part = file
            .ancestors()
            .find(|path| path.file_name().is_some_and(is_part));
        bases.extend(part.and_then(Path::parent).map(Path::to_owned));
    }
    bases.retain(|base| base.starts_with(gather.root));
    Ok(bases.into_iter().collect())
}

/// The stems of all pictures of classes.
fn pictures(gather: &mut Gather<'_>) -> Result<Vec<String>, FormatError> {
    let files = gather.with_extension("png")?;
    let of_classes = |file: &&PathBuf| {
        let folder = file.parent().and_then(Path::file_name);
        folder.is_some_and(|folder| folder == "SegmentationClass")
    };
    Ok(files
        .iter()
        .filter(of_classes)
        .map(|file| stem_of(file))
        .collect())
}

/// `class_names.txt` of labelme: a name a line, coloured by its number.
fn class_names(gather: &mut Gather<'_>, path: &Path) {
    let Some(text) = gather.text(path) else {
        return;
    };
    for (name, number) in text.lines().map(str::trim).zip(0..) {
        if number > 0 && !name.is_empty() {
            gather.set.label_mut(name).color = Some(Color::opaque(colors::color(number)));
        }
    }
}

/// `labelmap.txt` of CVAT and Datumaro: `name:r,g,b:parts:actions` a line.
fn label_map(gather: &mut Gather<'_>, base: &Path) {
    let path = base.join("labelmap.txt");
    if !path.is_file() {
        let names = base.join("class_names.txt");
        if names.is_file() {
            class_names(gather, &names);
        }
        return;
    }
    let Some(text) = gather.text(&path) else {
        return;
    };
    for (name, rgb) in text.lines().filter_map(label_of_map) {
        // The colour of pixels on which nothing is.
        if name == "background" && rgb.is_none_or(|rgb| rgb == [0; 3]) {
            continue;
        }
        let label = gather.set.label_mut(name);
        if let Some(rgb) = rgb {
            label.color = Some(Color::opaque(rgb));
        }
    }
}

/// Name and colour in a line of `labelmap.txt`; `None` for comments and empty lines.
///
/// A name may hold a colon or begin with `#`: it ends before the last field that is a colour.
fn label_of_map(line: &str) -> Option<(&str, Option<[u8; 3]>)> {
    let mut end = line.len();
    while let Some(colon) = line[..end].rfind(':') {
        if let Some(rgb) = rgb(&line[colon + 1..end]) {
            return Some((&line[..colon], Some(rgb)));
        }
        end = colon;
    }
    let name = line.split(':').next().unwrap_or_default();
    (!line.starts_with('#') && !line.trim().is_empty()).then_some((name, None))
}

fn rgb(text: &str) -> Option<[u8; 3]> {
    let levels: Option<Vec<u8>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
    levels?.try_into().ok()
}

/// From image stems to subsets, of the files that list images and not a label's presence.
fn subsets(
    gather: &mut Gather<'_>,
    bases: &[PathBuf],
) -> Result<HashMap<String, String>, FormatError> {
    let mut subsets = HashMap::new();
    for base in bases {
        subsets.extend(subsets_of(gather, &base.join("ImageSets"))?);
    }
    Ok(subsets)
}

fn subsets_of(
    gather: &mut Gather<'_>,
    sets: &Path,
) -> Result<HashMap<String, String>, FormatError> {
    let mut subsets = HashMap::new();
    for kind in ["Segmentation", "Main"] {
        for path in folder::with_extension(&sets.join(kind), "txt")? {
            let name = stem_of(&path);
            let Some(text) = gather.text(&path) else {
                continue;
            };
            if name.contains('_') && text.lines().all(is_presence) {
                continue;
            }
            // The union of the others says nothing new.
            if name == "trainval" && sets.join(kind).join("train.txt").is_file() {
                continue;
            }
            let lines = text.lines().map(str::trim);
            let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            subsets.extend(lines.map(|stem| (stem.to_owned(), name.clone())));
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
    content: &str,
    place: &str,
    subsets: &HashMap<String, String>,
) -> Result<(), String> {
    let document = xml::parse(content)?;
    let root = document.root_element();
    if !root.has_tag_name("annotation") {
        return Err(format!(
            "its root is `{}`, not `annotation`",
            root.tag_name().name()
        ));
    }
    let name = file_name(gather, text(root, "filename"), path);
    let listed = subsets
        .get(folder::stem(&name))
        .or_else(|| subsets.get(&stem_of(path)));
    let parent = path
        .parent()
        .and_then(Path::file_name)
        .unwrap_or_default()
        .to_string_lossy();
    let subset = match listed {
        Some(name) => folder::subset_named(name).map(str::to_owned),
        None => Some(parent.into_owned()).filter(|name| folder::is_split(name)),
    };
    let size = child(root, "size").and_then(|size| {
        Some((
            number(size, "width").ok()? as u32,
            number(size, "height").ok()? as u32,
        ))
    });
    let Some(index) = image(gather, path, &name, subset.as_deref(), size, place) else {
        return Ok(());
    };
    let mut parts = 0;
    for (number, node) in children(root, "object").enumerate() {
        match object::read(node) {
            Ok((object, more)) => {
                parts += more;
                gather.set.add_label(&object.labels[0]);
                gather.set.images[index].objects.push(object);
            }
            Err(message) => {
                let line = document.text_pos_at(node.range().start).row;
                let place = format!("{place}: object[{number}] in line {line}");
                gather.lost(index, place, message);
            }
        }
    }
    if parts > 0 {
        gather.note(
            place,
            format!("{parts} boxes of parts of objects are passed over"),
        );
    }
    segmentation::add(gather, index);
    Ok(())
}

/// The image that has the file's own name, else the one that the file names.
fn image(
    gather: &mut Gather<'_>,
    path: &Path,
    name: &str,
    subset: Option<&str>,
    size: Option<(u32, u32)>,
    place: &str,
) -> Option<usize> {
    let near = path.parent().unwrap_or(gather.root).to_owned();
    let own = file_name(gather, None, path);
    let mut look_for = |name: &str| gather.look_for(name, subset, &near).ok()?.ok();
    let found = if folder::stem(name) == own {
        None
    } else {
        look_for(&own)
    };
    // Pictures of other folders may have the same name.
    let found = found
        .or_else(|| look_for(name))
        .or_else(|| look_for(&format!("{JPEG_IMAGES}/{name}")));
    let (file, name) = match found {
        Some(found) => found,
        None => gather.find_image(name, subset, &near, place)?,
    };
    gather.image(&file, &name, subset, size, place)
}

/// `filename`, in the folder that the annotation file has below `Annotations`; else the file's stem.
fn file_name(gather: &Gather<'_>, named: Option<&str>, path: &Path) -> String {
    let stem = stem_of(path);
    let named = named.map_or(stem, |name| name.replace('\\', "/"));
    let below = path.parent().and_then(|folder| {
        let folder = folder.strip_prefix(gather.root).ok()?;
        let inner = folder
            .strip_prefix("Annotations")
            .or_else(|_| folder.strip_prefix("annotations"));
        inner.ok().map(folder::slashed)
    });
    match below {
        Some(folder) if !folder.is_empty() && !named.contains('/') => format!("{folder}/{named}"),
        _ => named,
    }
}
