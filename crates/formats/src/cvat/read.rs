use std::collections::BTreeMap;
use std::path::Path;

use roxmltree::{Document, Node};
use straylight_core::Color;

use super::{WANTED, shape};
use crate::folder;
use crate::gather::{Gather, nothing};
use crate::xml::{self, child, children, text};
use crate::{AnnotatedSet, Format, FormatError, Geometry, Object, Skeleton};

/// Elements of an image or a track that are no shapes.
const NO_SHAPES: [&str; 1] = ["attribute"];

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let mut found = false;
    let files = gather.with_extension("xml")?;
    for path in gather.chosen(files) {
        let Some(content) = gather.text(&path) else {
            continue;
        };
        if xml::root_name(&content) != Some("annotations") && gather.only.is_none() {
            continue;
        }
        found = true;
        let place = gather.place(&path);
        match xml::parse(&content) {
            Ok(document) => read_document(gather, &path, &document, &place),
            Err(error) => gather.problem(place, error),
        }
    }
    gather.none_is_annotated();
    if found {
        Ok(())
    } else {
        Err(nothing(gather, Format::Cvat, WANTED))
    }
}

fn read_document(gather: &mut Gather<'_>, path: &Path, document: &Document<'_>, place: &str) {
    let root = document.root_element();
    if let Some(meta) = child(root, "meta") {
        labels(&mut gather.set, meta);
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let file = File {
        document,
        near: path.parent().unwrap_or(gather.root),
        place,
        subset: folder::is_split(&stem).then(|| stem.into_owned()),
    };
    for image in children(root, "image") {
        file.image(gather, image);
    }
    file.tracks(gather, root);
}

/// The labels of a task, job or project; those with a `parent` are points of its skeleton.
fn labels(set: &mut AnnotatedSet, meta: Node<'_, '_>) {
    for label in meta.descendants().filter(|node| node.has_tag_name("label")) {
        let Some(name) = text(label, "name") else {
            continue;
        };
        if let Some(parent) = text(label, "parent") {
            let skeleton = set.label_mut(parent).skeleton.get_or_insert_default();
            skeleton.points.push(name.to_owned());
            continue;
        }
        let color = text(label, "color").and_then(color);
        let known = set.label_mut(name);
        known.color = color.or(known.color);
        if text(label, "type") == Some("skeleton") {
            let edges = text(label, "svg").map(edges).unwrap_or_default();
            known.skeleton.get_or_insert_default().edges = edges;
        }
    }
}

/// `#rrggbb`.
fn color(text: &str) -> Option<Color> {
    let number = u32::from_str_radix(text.strip_prefix('#')?, 16).ok()?;
    let [_, r, g, b] = number.to_be_bytes();
    (text.len() == 7).then(|| Color::opaque([r, g, b]))
}

/// Lines of the drawing of a skeleton; its points are numbered from 1.
fn edges(svg: &str) -> Vec<(usize, usize)> {
    let number = |line: &str, name: &str| -> Option<usize> {
        let rest = line.split_once(&format!("{name}=\""))?.1;
        rest.split('"')
            .next()?
            .parse::<usize>()
            .ok()?
            .checked_sub(1)
    };
    let edge = |line: &str| {
        Some((
            number(line, "data-node-from")?,
            number(line, "data-node-to")?,
        ))
    };
    svg.split("<line").skip(1).filter_map(edge).collect()
}

struct File<'a, 'i> {
    document: &'a Document<'i>,
    near: &'a Path,
    place: &'a str,
    subset: Option<String>,
}

impl File<'_, '_> {
    fn place(&self, node: Node<'_, '_>) -> String {
        let line = self.document.text_pos_at(node.range().start).row;
        format!("{}: {} in line {line}", self.place, node.tag_name().name())
    }

    fn image(&self, gather: &mut Gather<'_>, node: Node<'_, '_>) {
        let place = self.place(node);
        let Some(name) = node.attribute("name") else {
            return gather.problem(place, "it has no `name`");
        };
        let subset = node.attribute("subset").and_then(folder::subset_named);
        let subset = subset.map(str::to_owned).or_else(|| self.subset.clone());
        let size = |name| xml::attribute(node, name).ok().map(|pixels| pixels as u32);
        let found = gather.find_image(name, subset.as_deref(), self.near, &place);
        let Some((file, name)) = found else { return };
        let size = size("width").zip(size("height"));
        let Some(index) = gather.image(&file, &name, subset.as_deref(), size, &place) else {
            return;
        };
        gather.set.images[index].id = node.attribute("id").map(str::to_owned);
        for child in node.children().filter(Node::is_element) {
            self.object(gather, index, child, None);
        }
    }

    fn object(
        &self,
        gather: &mut Gather<'_>,
        index: usize,
        node: Node<'_, '_>,
        label: Option<&str>,
    ) {
        if NO_SHAPES.contains(&node.tag_name().name()) {
            return;
        }
        let size = (
            gather.set.images[index].width,
            gather.set.images[index].height,
        );
        match shape::read(node, label, size, &mut gather.set) {
            Ok(Some(object)) if object.geometry == Geometry::Image => {
                for label in &object.labels {
                    gather.set.images[index].add_image_label(label);
                }
            }
            Ok(Some(object)) => gather.set.images[index].objects.push(object),
            Ok(None) => {}
            Err(error) => gather.lost(index, self.place(node), error),
        }
    }

    /// Frames of all tracks with the shapes on them.
    fn tracks(&self, gather: &mut Gather<'_>, root: Node<'_, '_>) {
        let mut frames: BTreeMap<u64, Vec<(Node<'_, '_>, &str, &str)>> = BTreeMap::new();
        for track in children(root, "track") {
            let label = track.attribute("label").unwrap_or_default();
            let id = track.attribute("id").unwrap_or_default();
            for shape in track.children().filter(Node::is_element) {
                match shape
                    .attribute("frame")
                    .and_then(|frame| frame.parse().ok())
                {
                    Some(frame) => frames.entry(frame).or_default().push((shape, label, id)),
                    None => gather.problem(self.place(shape), "it has no `frame`"),
                }
            }
        }
        for (frame, shapes) in frames {
            self.frame(gather, frame, &shapes);
        }
    }

    fn frame(&self, gather: &mut Gather<'_>, frame: u64, shapes: &[(Node<'_, '_>, &str, &str)]) {
        let name = format!("frame_{frame:06}");
        let Some((node, _, _)) = shapes.first() else {
            return;
        };
        let place = self.place(*node);
        let subset = self.subset.as_deref();
        let Some((file, name)) = gather.find_image(&name, subset, self.near, &place) else {
            return;
        };
        let Some(index) = gather.image(&file, &name, subset, None, &place) else {
            return;
        };
        for (shape, label, id) in shapes {
            let before = gather.set.images[index].objects.len();
            self.object(gather, index, *shape, Some(label));
            for object in &mut gather.set.images[index].objects[before..] {
                tracked(object, id);
            }
        }
    }
}

fn tracked(object: &mut Object, id: &str) {
    let number = id.parse::<i64>().map_or_else(|_| id.into(), Into::into);
    object.attributes.insert("track_id".to_owned(), number);
}

/// The place of a point of a skeleton, which is added if it is new.
pub(super) fn point_index(skeleton: &mut Skeleton, name: &str) -> usize {
    let known = skeleton.points.iter().position(|known| known == name);
    known.unwrap_or_else(|| {
        skeleton.points.push(name.to_owned());
        skeleton.points.len() - 1
    })
}
