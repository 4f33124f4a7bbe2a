use std::collections::hash_map;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::annotation::{Annotation, objects};
use super::{WANTED, panoptic, subset};
use crate::gather::{Gather, Looked, nothing};
use crate::json::{self, Id, Number, RawList, lenient};
use crate::{AnnotatedSet, Format, FormatError, Geometry, Object, Skeleton, sniff};

/// So many annotations are read at once, on all cores.
const AT_ONCE: usize = 2048;

#[derive(Deserialize)]
pub(super) struct File<'a> {
    #[serde(borrow)]
    images: RawList<'a>,
    #[serde(borrow, default)]
    pub(super) annotations: Option<RawList<'a>>,
    #[serde(borrow, default)]
    categories: RawList<'a>,
}

#[derive(Deserialize)]
struct Image {
    id: Id,
    #[serde(default, deserialize_with = "lenient")]
    file_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    path: Option<String>,
    /// LVIS has no names of files.
    #[serde(default, deserialize_with = "lenient")]
    coco_url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    width: Option<Number>,
    #[serde(default, deserialize_with = "lenient")]
    height: Option<Number>,
}

/// Pixels of the shorter side from which on boxes within one pixel are taken for fractions.
const SMALLEST_TELLING: u32 = 16;

impl Image {
    /// The name of its file: `file_name`, else the end of another path.
    fn name(&self) -> Option<&str> {
        let named = self.file_name.as_deref().or(self.path.as_deref());
        let named = named.filter(|name| !name.trim().is_empty());
        named.or_else(|| {
            let url = self.coco_url.as_deref()?;
            let folder = url.rfind('/').and_then(|last| url[..last].rfind('/'));
            Some(folder.map_or(url, |at| &url[at + 1..]))
        })
    }
}

#[derive(Deserialize)]
struct RawCategory {
    id: Id,
    /// A text, or a number that names it.
    #[serde(default, deserialize_with = "lenient")]
    name: Id,
    #[serde(default, deserialize_with = "lenient")]
    keypoints: Vec<String>,
    /// Pairs of points, counted from 1.
    #[serde(default, deserialize_with = "lenient")]
    skeleton: Vec<[usize; 2]>,
    #[serde(default, deserialize_with = "lenient")]
    supercategory: String,
}

/// What one file says, with the places of its images in the set.
pub(super) struct Reading {
    pub(super) place: String,
    pub(super) path: PathBuf,
    /// Names of labels by the identifiers of categories.
    pub(super) categories: HashMap<String, String>,
    /// Places of images by their identifiers; `None` for those that were kept out.
    pub(super) images: HashMap<String, Option<usize>>,
    /// Images about which another file told before.
    shared: HashSet<usize>,
    /// Whether the file only lists images.
    only_lists: bool,
    /// The farthest right or lower edge of all boxes, in pixels.
    farthest: f64,
}

/// One entry of `annotations`, before it is put where it belongs.
enum Entry<'a> {
    /// An object of the image in this place of the set, and what was left out of it.
    Object(usize, Result<(Object, Vec<String>), String>),
    /// The segments of an image.
    Panoptic(usize, Annotation<'a>),
    /// Of an image that was kept out, and is reported already.
    KeptOut,
    /// No entry at all.
    Bad(String),
}

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let files = gather.with_extension("json")?;
    let mut files = gather.chosen(files);
    // What tells most about an image comes first, so that the rest can be added to it.
    files.sort_by_key(|path| (panoptic::is_named(path), path.clone()));
    files.retain(|path| is_coco(gather, path));
    if files.is_empty() {
        return Err(nothing(gather, Format::Coco, WANTED));
    }
    let alone = files.len() == 1;
    let mut damaged = Vec::new();
    let mut good = 0;
    for path in files {
        let Some(text) = gather.text(&path) else {
            continue;
        };
        match read_file(gather, path, text, alone) {
            Ok(()) => good += 1,
            Err(error) => damaged.push(error),
        }
    }
    if good == 0 && !damaged.is_empty() {
        return Err(damaged.swap_remove(0));
    }
    for error in damaged {
        match error {
            FormatError::Unreadable { file, message } => {
                gather.problem(gather.place(&file), message);
            }
            other => return Err(other),
        }
    }
    gather.none_is_annotated();
    Ok(())
}

/// Whether a file is one of COCO's; says what it is otherwise.
fn is_coco(gather: &mut Gather<'_>, path: &Path) -> bool {
    let place = gather.place(path);
    let kind = match sniff::coco_file(path) {
        Some(kind) => Ok(kind),
        None => match gather.text(path) {
            Some(text) => sniff::json_kind(&text),
            None => return false,
        },
    };
    match kind {
        Ok(sniff::Json::Coco | sniff::Json::CocoPanoptic) => return true,
        Ok(sniff::Json::CocoCaptions) => gather.note(place, "captions are passed over"),
        Ok(_) if gather.only.is_none() => {}
        Ok(_) => gather.problem(place, format!("it is not COCO: {WANTED} was looked for")),
        Err(error) => gather.problem(place, error),
    }
    false
}

/// Reads one file; it is an error if the file is damaged.
fn read_file(
    gather: &mut Gather<'_>,
    path: PathBuf,
    text: String,
    alone: bool,
) -> Result<(), FormatError> {
    let (mut reading, parts) = begin(gather, path, &text, alone)?;
    // The objects take the room of the text, part by part.
    drop(text);
    let mut done = 0;
    for part in parts {
        let entries = part.entries().into_par_iter();
        let entries: Vec<Entry<'_>> = entries
            .map(|text| reading.entry(&gather.set, text))
            .collect();
        for entry in entries {
            reading.annotation(gather, done, entry);
            done += 1;
        }
    }
    reading.fractions(gather);
    Ok(())
}

/// Some of the annotations of a file, one behind the other.
struct Part {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Part {
    fn of(annotations: &[&RawValue]) -> Self {
        let length = annotations.iter().map(|raw| raw.get().len()).sum();
        let (mut text, mut ends) = (String::with_capacity(length), Vec::new());
        for raw in annotations {
            text.push_str(raw.get());
            ends.push(text.len());
        }
        Self { text, ends }
    }

    fn entries(&self) -> Vec<&str> {
        let mut start = 0;
        let entry = |end: &usize| &self.text[std::mem::replace(&mut start, *end)..*end];
        self.ends.iter().map(entry).collect()
    }
}

/// Reads categories and images; the annotations are copied as they are.
fn begin(
    gather: &mut Gather<'_>,
    path: PathBuf,
    text: &str,
    alone: bool,
) -> Result<(Reading, Vec<Part>), FormatError> {
    let place = gather.place(&path);
    let clean;
    let file: File<'_> = if let Ok(file) = serde_json::from_str(text) {
        file
    } else {
        let (without, line) = json::without_nan(text);
        if let Some(line) = line {
            gather.note(
                &place,
                format!(
                    "`NaN` or `Infinity` is no JSON and is taken for nothing, first in line {line}"
                ),
            );
        }
        clean = without;
        serde_json::from_str(&clean).map_err(|error| FormatError::Unreadable {
            file: path.clone(),
            message: format!("it is not valid JSON: {error}"),
        })?
    };
    let subset = subset(&path, gather.root, alone);
    let is_list = path.file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        name.starts_with("image_info")
    });
    let mut reading = Reading {
        place,
        path,
        categories: HashMap::new(),
        images: HashMap::new(),
        shared: HashSet::new(),
        farthest: 0.0,
        only_lists: is_list || file.annotations.is_none(),
    };
    reading.categories(gather, &file.categories);
    reading.images(gather, &file.images, subset.as_deref());
    let annotations = file.annotations.unwrap_or_default();
    Ok((reading, annotations.chunks(AT_ONCE).map(Part::of).collect()))
}

impl Reading {
    fn categories(&mut self, gather: &mut Gather<'_>, categories: &[&RawValue]) {
        for (index, raw) in categories.iter().enumerate() {
            let place = format!("{}: categories[{index}]", self.place);
            match json::entry::<RawCategory>(raw) {
                Ok(category) if category.name.0.trim().is_empty() => {
                    gather.note(place, "a category without a name is passed over");
                }
                Ok(category) => self.category(gather, category),
                Err(error) => gather.problem(place, error),
            }
        }
    }

    fn category(&mut self, gather: &mut Gather<'_>, category: RawCategory) {
        let name = category.name.0;
        let label = gather.set.label_mut(&name);
        label.id = label.id.or(category.id.0.parse().ok());
        let parent = category.supercategory;
        if !parent.is_empty() && parent != "none" && parent != name {
            label.parent = label.parent.take().or(Some(parent));
        }
        if !category.keypoints.is_empty() && label.skeleton.is_none() {
            let count = category.keypoints.len();
            let edges = category.skeleton.iter();
            let edges = edges.filter(|[a, b]| (1..=count).contains(a) && (1..=count).contains(b));
            label.skeleton = Some(Skeleton {
                edges: edges.map(|[a, b]| (a - 1, b - 1)).collect(),
                points: category.keypoints,
                mirror: Vec::new(),
            });
        }
        self.categories.insert(category.id.0, name);
    }

    fn images(&mut self, gather: &mut Gather<'_>, images: &[&RawValue], subset: Option<&str>) {
        let mut seen = HashSet::new();
        let images: Vec<Result<Image, String>> =
            images.par_iter().map(|raw| json::entry(raw)).collect();
        let names: Vec<Option<&str>> = images.iter().map(|one| one.as_ref().ok()?.name()).collect();
        let near = self.path.parent().unwrap_or(gather.root);
        let files = match gather.look_for_all(&names, subset, near) {
            Ok(files) => files,
            Err(error) => return gather.problem(&self.place, error),
        };
        let new = files.iter().flatten().flatten();
        let new = new.filter(|(_, name)| gather.known(subset, name).is_none());
        let new: Vec<PathBuf> = new.map(|(file, _)| file.clone()).collect();
        gather.read_ahead(new.iter().map(PathBuf::as_path));
        for (index, (image, file)) in images.into_iter().zip(files).enumerate() {
            let place = format!("{}: images[{index}]", self.place);
            match image {
                Ok(image) => {
                    let found = self.image(gather, &image, file, subset, &place, &mut seen);
                    self.known_as(gather, image.id.0, found, place);
                }
                Err(error) => gather.problem(place, error),
            }
        }
    }

    /// Of two images with one identifier neither is known to have the annotations of it.
    fn known_as(
        &mut self,
        gather: &mut Gather<'_>,
        id: String,
        found: Option<usize>,
        place: String,
    ) {
        let message = format!("two images have the id {id}: neither gets its annotations");
        match self.images.entry(id) {
            hash_map::Entry::Vacant(entry) => {
                entry.insert(found);
            }
            hash_map::Entry::Occupied(mut entry) => {
                let both = [entry.insert(None), found];
                both.into_iter()
                    .flatten()
                    .for_each(|index| gather.mark_incomplete(index));
                gather.problem(place, message);
            }
        }
    }

    fn image(
        &mut self,
        gather: &mut Gather<'_>,
        image: &Image,
        file: Option<Looked>,
        subset: Option<&str>,
        place: &str,
        seen: &mut HashSet<usize>,
    ) -> Option<usize> {
        let Some(file) = file else {
            gather.problem(place, "it has no `file_name`");
            return None;
        };
        let (file, name) = gather.found(file, place)?;
        let size = image.width.zip(image.height);
        let size = size.map(|(width, height)| (width.0 as u32, height.0 as u32));
        if let Some(index) = gather.known(subset, &name)
            && seen.insert(index)
        {
            self.shared.insert(index);
            gather.set.images[index].unannotated &= self.only_lists;
            return Some(index);
        }
        let index = gather.image(&file, &name, subset, size, place)?;
        gather.set.images[index].id = Some(image.id.0.clone());
        gather.set.images[index].unannotated = self.only_lists;
        seen.insert(index);
        Some(index)
    }

    /// Reads one entry; the images are all known.
    fn entry<'r>(&self, set: &AnnotatedSet, text: &'r str) -> Entry<'r> {
        let annotation = match json::entry_of::<Annotation<'_>>(text) {
            Ok(annotation) => annotation,
            Err(error) => return Entry::Bad(error),
        };
        let id = &annotation.image_id.0;
        match self.images.get(id) {
            None => Entry::Bad(format!("there is no image of id {id}")),
            Some(None) => Entry::KeptOut,
            Some(Some(image)) if annotation.segments_info.is_some() => {
                Entry::Panoptic(*image, annotation)
            }
            Some(Some(image)) => Entry::Object(*image, self.object(set, *image, &annotation)),
        }
    }

    fn annotation(&mut self, gather: &mut Gather<'_>, index: usize, entry: Entry<'_>) {
        let place = format!("{}: annotations[{index}]", self.place);
        match entry {
            Entry::KeptOut => {}
            Entry::Bad(error) => gather.problem(place, error),
            Entry::Panoptic(image, annotation) => {
                panoptic::read(gather, self, image, &annotation, &place);
            }
            Entry::Object(image, read) => {
                let object = read.and_then(|(object, complaints)| {
                    self.measure(gather, image, &object)?;
                    Ok((object, complaints))
                });
                match object {
                    Ok((object, complaints)) => {
                        for complaint in complaints {
                            gather.problem(&place, complaint);
                        }
                        self.put(gather, image, object);
                    }
                    Err(error) => gather.lost(image, place, error),
                }
            }
        }
    }

    fn object(
        &self,
        set: &AnnotatedSet,
        image: usize,
        annotation: &Annotation<'_>,
    ) -> Result<(Object, Vec<String>), String> {
        let id = annotation
            .category_id
            .as_ref()
            .ok_or("it has no `category_id`")?;
        let name = self.categories.get(&id.0);
        let name = name.ok_or_else(|| format!("there is no category of id {}", id.0))?;
        objects(
            annotation,
            name,
            (set.images[image].width, set.images[image].height),
        )
    }

    /// Notes how far an object reaches, and whether it has the key points of its category.
    fn measure(
        &mut self,
        gather: &mut Gather<'_>,
        image: usize,
        object: &Object,
    ) -> Result<(), String> {
        let image = &gather.set.images[image];
        let size = (image.width, image.height);
        // A point has no size, in fractions as in pixels: it tells nothing. Nor does a box of an image
        // so small that a part of it is no larger than one pixel.
        if let Some([x, y, width, height]) = object.bounding_box()
            && size.0.min(size.1) >= SMALLEST_TELLING
            && width * height > 0.0
        {
            let edge = (x + width).max(y + height);
            self.farthest = self.farthest.max(edge);
        }
        let points = object.keypoints.len();
        if points > 0 {
            let skeleton = gather
                .set
                .label_mut(&object.labels[0])
                .skeleton
                .get_or_insert_default();
            if skeleton.points.is_empty() {
                skeleton.points = (1..=points).map(|number| number.to_string()).collect();
            }
            let named = skeleton.points.len();
            if points != named {
                return Err(format!("it has {points} key points, its category {named}"));
            }
        }
        Ok(())
    }

    /// Takes the objects away again if all of them lie within one pixel: COCO has pixels.
    fn fractions(&self, gather: &mut Gather<'_>) {
        if !(f64::MIN_POSITIVE..=1.0).contains(&self.farthest) {
            return;
        }
        for index in self.images.values().flatten() {
            gather.set.images[*index].objects.clear();
            gather.mark_incomplete(*index);
        }
        let text = "all boxes lie between 0 and 1: they are parts of the images' sides, and COCO \
                    has pixels; multiply them by the sizes of the images";
        gather.problem(&self.place, text);
    }

    /// Adds an object; one that another file told about before only gets its key points.
    fn put(&self, gather: &mut Gather<'_>, image: usize, object: Object) {
        let objects = &mut gather.set.images[image].objects;
        if object.geometry == Geometry::Image {
            for label in &object.labels {
                gather.set.images[image].add_image_label(label);
            }
            return;
        }
        let same = |known: &&mut Object| {
            known.id.is_some()
                && known.id == object.id
                && known.labels == object.labels
                && known.bounding_box() == object.bounding_box()
        };
        let known = if self.shared.contains(&image) {
            objects.iter_mut().find(same)
        } else {
            None
        };
        match known {
            Some(known) if known.keypoints.is_empty() => known.keypoints = object.keypoints,
            Some(_) => {}
            None => objects.push(object),
        }
    }

    /// The folder of the file.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}
