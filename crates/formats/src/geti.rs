//! A download of a Geti project: `images/`, `annotations/` and, if it is there, `project.json`.
//!
//! Annotation files hold a scene as the REST API gives it, without ids; they are called
//! `NAME.json` or `NAME_ID.json` after the image's name without extension, in the same folders
//! below `annotations/` as images have below `images/`, or directly there. The first folder below
//! `images/` is the dataset, which is read as a subset.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use straylight_core::{Color, Project, Shape};

use crate::folder::{self, by_subset, copy_image, slashed, stem};
use crate::gather::{Gather, nothing};
use crate::json::{self, RawList};
use crate::platform::LabelledShape;
use crate::{
    AnnotatedImage, AnnotatedSet, ClassLabel, Format, FormatError, Geometry, Object, WriteOptions,
    WriteReport,
};

const WANTED: &str = "images/ and annotations/ with a JSON file per image";

#[derive(Deserialize)]
struct Scene<'a> {
    #[serde(borrow)]
    annotations: RawList<'a>,
}

#[derive(Deserialize)]
struct Annotation {
    shape: Shape,
    labels: Vec<SceneLabel>,
}

#[derive(Deserialize)]
struct SceneLabel {
    name: String,
    color: Option<Color>,
}

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let images = gather.root.join("images");
    let annotations = gather.root.join("annotations");
    if !images.is_dir() || !annotations.is_dir() {
        return Err(nothing(gather, Format::Geti, WANTED));
    }
    project_labels(gather);
    let mut scenes = Scenes::of(&annotations)?;
    for file in folder::files_below(&images)? {
        let below = slashed(file.strip_prefix(&images).unwrap_or(&file));
        let (subset, name) = below.split_once('/').unwrap_or(("", &below));
        let place = gather.place(&file);
        let image = gather.image(&file, name, folder::subset_named(subset), None, &place);
        let Some(index) = image else { continue };
        match scenes.take(&below) {
            Some(scene) => read_scene(gather, index, &scene),
            None => gather.set.images[index].unannotated = true,
        }
    }
    for unused in scenes.rest() {
        let place = gather.place(&unused);
        gather.problem(place, "no image has its name");
    }
    Ok(())
}

/// The order and the colours of labels are the project's.
fn project_labels(gather: &mut Gather<'_>) {
    let path = gather.root.join("project.json");
    if !path.is_file() {
        return;
    }
    let text = straylight_files::read_to_string(&path).map_err(|error| error.to_string());
    let project = text
        .and_then(|text| serde_json::from_str::<Project>(&text).map_err(|error| error.to_string()));
    let project = match project {
        Ok(project) => project,
        Err(error) => return gather.problem("project.json", error),
    };
    for label in project.trainable_tasks().flat_map(|task| &task.labels) {
        add_label(gather, &label.name, Some(label.color));
    }
}

fn add_label(gather: &mut Gather<'_>, name: &str, color: Option<Color>) {
    let label = gather.set.label_mut(name);
    label.color = label.color.or(color);
}

/// Annotation files by their paths below `annotations/` without extension.
struct Scenes {
    files: HashMap<String, PathBuf>,
    /// From keys without their ids to keys.
    with_ids: HashMap<String, Vec<String>>,
}

impl Scenes {
    fn of(folder: &Path) -> Result<Self, FormatError> {
        let mut scenes = Self {
            files: HashMap::new(),
            with_ids: HashMap::new(),
        };
        for file in folder::with_extension(folder, "json")? {
            let below = slashed(file.strip_prefix(folder).unwrap_or(&file));
            let key = stem(&below).to_owned();
            if let Some((name, id)) = key.rsplit_once('_')
                && is_id(id)
            {
                scenes
                    .with_ids
                    .entry(name.to_owned())
                    .or_default()
                    .push(key.clone());
            }
            scenes.files.insert(key, file);
        }
        Ok(scenes)
    }

    /// Finds and takes the file of an image: in its own folder or above, with an id or without.
    fn take(&mut self, image: &str) -> Option<PathBuf> {
        let mut stem = stem(image);
        loop {
            if let Some(file) = self.files.remove(stem) {
                return Some(file);
            }
            // Of several ids for one name none can be told to be the right one.
            if let Some([only]) = self.with_ids.get(stem).map(Vec::as_slice) {
                return self.files.remove(only);
            }
            stem = stem.split_once('/')?.1;
        }
    }

    fn rest(self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.files.into_values().collect();
        files.sort();
        files
    }
}

/// Ids on a Geti server are 24 hexadecimal digits.
fn is_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn read_scene(gather: &mut Gather<'_>, index: usize, file: &Path) {
    let place = gather.place(file);
    let Some(text) = gather.text(file) else {
        return gather.mark_incomplete(index);
    };
    let scene: Scene<'_> = match serde_json::from_str(&text) {
        Ok(scene) => scene,
        Err(error) => return gather.lost(index, place, error),
    };
    for (number, raw) in scene.annotations.iter().enumerate() {
        match json::entry::<Annotation>(raw) {
            Ok(Annotation { shape, labels }) if !labels.is_empty() => {
                for label in &labels {
                    add_label(gather, &label.name, label.color);
                }
                let labels = labels.into_iter().map(|label| label.name).collect();
                let image = &mut gather.set.images[index];
                let geometry = geometry(shape, image);
                image.objects.push(Object::with_labels(geometry, labels));
            }
            Ok(_) => gather.lost(
                index,
                format!("{place}: annotations[{number}]"),
                "it has no label",
            ),
            Err(error) => gather.lost(index, format!("{place}: annotations[{number}]"), error),
        }
    }
}

/// A box over the whole image is a label of the image.
fn geometry(shape: Shape, image: &AnnotatedImage) -> Geometry {
    if shape.is_whole_image(image.width, image.height) {
        return Geometry::Image;
    }
    shape.into()
}

pub(crate) fn write(
    set: &AnnotatedSet,
    folder: &Path,
    options: WriteOptions,
    report: &mut WriteReport,
) -> Result<(), FormatError> {
    for (subset, images) in by_subset(set) {
        for image in images {
            let below = Path::new(subset).join(&image.name);
            // A download has no file for an image without annotations.
            if !image.objects.is_empty() {
                let name = format!("{}.json", stem(&slashed(&below)));
                let path = folder.join("annotations").join(name);
                let (shapes, losses) = image.shapes(&set.labels, false);
                report.losses.extend(losses);
                let scene = scene(set, &shapes).to_string();
                straylight_files::write_unsynced(&path, scene.as_bytes())?;
            }
            if options.copy_images {
                copy_image(image, &folder.join("images").join(&below))?;
            }
        }
    }
    Ok(())
}

fn scene(set: &AnnotatedSet, shapes: &[LabelledShape]) -> Value {
    let label = |name: &String| {
        let known: Option<&ClassLabel> = set.labels.iter().find(|label| label.name == *name);
        match known.and_then(|label| label.color) {
            Some(color) => json!({"name": name, "probability": 1.0, "color": color}),
            None => json!({"name": name, "probability": 1.0}),
        }
    };
    let annotation = |(shape, labels): &LabelledShape| {
        let labels: Vec<Value> = labels.iter().map(label).collect();
        json!({"labels": labels, "shape": shape})
    };
    let annotations: Vec<Value> = shapes.iter().map(annotation).collect();
    json!({"annotations": annotations, "kind": "annotation"})
}
