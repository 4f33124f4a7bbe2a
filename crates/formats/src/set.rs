use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use straylight_core::Color;

use crate::{Attributes, Filter, Geometry, Object};

/// Images with their annotations and the labels that may occur in them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnnotatedSet {
    /// All labels, used or not, in the order of the file that they came from.
    pub labels: Vec<ClassLabel>,
    /// The images, annotated or not.
    pub images: Vec<AnnotatedImage>,
}

/// A label by name, with what some formats know besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassLabel {
    /// Its name, unique in the set.
    pub name: String,
    /// The colour in which it is drawn.
    pub color: Option<Color>,
    /// The name of the label above it.
    pub parent: Option<String>,
    /// Its number in the source, if that is more than a place in a list (COCO).
    pub id: Option<i64>,
    /// The key points of its objects.
    pub skeleton: Option<Skeleton>,
}

/// The key points of the objects of one label.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skeleton {
    /// Names of the points.
    pub points: Vec<String>,
    /// Lines between points, by their indices from 0.
    pub edges: Vec<(usize, usize)>,
    /// For each point the index of the one that it becomes in a mirrored image; empty if unknown.
    pub mirror: Vec<usize>,
}

impl ClassLabel {
    /// A label that is known by its name only.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }
}

/// One image file and what is on it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnnotatedImage {
    /// Path within the subset's folder with `/` between its parts, the extension included.
    pub name: String,
    /// Where the file is.
    pub file: PathBuf,
    /// Width in pixels of the upright image.
    pub width: u32,
    /// Height in pixels of the upright image.
    pub height: u32,
    /// The part of the set that it belongs to ("train", "val"), if the set has parts.
    pub subset: Option<String>,
    /// Annotated objects, and objects without a place for labels of the image itself.
    pub objects: Vec<Object>,
    /// Whether nobody has annotated it yet; without objects it is then no image of nothing.
    pub unannotated: bool,
    /// Its identifier in the source.
    pub id: Option<String>,
    /// What else the source says about it.
    pub attributes: Attributes,
}

impl AnnotatedImage {
    /// Whether one of its objects has the label.
    pub fn has_label(&self, name: &str) -> bool {
        let mut labels = self.objects.iter().flat_map(|object| &object.labels);
        labels.any(|label| label == name)
    }

    /// Adds an object with one label.
    pub fn add(&mut self, geometry: impl Into<Geometry>, label: &str) {
        match geometry.into() {
            Geometry::Image => self.add_image_label(label),
            geometry => self.objects.push(Object::new(geometry, label)),
        }
    }

    /// Labels the image itself; all such labels are gathered in one object.
    pub fn add_image_label(&mut self, label: &str) {
        let of_image = |object: &&mut Object| object.geometry == Geometry::Image;
        match self.objects.iter_mut().find(of_image) {
            Some(object) if object.labels.iter().any(|known| known == label) => {}
            Some(object) => object.labels.push(label.to_owned()),
            None => self.objects.push(Object::new(Geometry::Image, label)),
        }
    }
}

/// How often a label occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelCount {
    /// The label's name.
    pub name: String,
    /// Number of images on which it occurs.
    pub images: usize,
    /// Number of objects that have it.
    pub objects: usize,
}

impl AnnotatedSet {
    /// Names of all labels in the set's order.
    pub fn label_names(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(|label| label.name.as_str())
    }

    /// The label of a name.
    pub fn label(&self, name: &str) -> Option<&ClassLabel> {
        self.labels.iter().find(|label| label.name == name)
    }

    /// How often each label occurs, in the set's order; unused ones with zeros.
    pub fn counts(&self) -> Vec<LabelCount> {
        let mut counts: HashMap<&str, (usize, usize)> = HashMap::new();
        for image in &self.images {
            let mut on_image = HashSet::new();
            for object in &image.objects {
                let labels: HashSet<&str> = object.labels.iter().map(String::as_str).collect();
                for label in labels {
                    let (images, objects) = counts.entry(label).or_default();
                    *images += usize::from(on_image.insert(label));
                    *objects += 1;
                }
            }
        }
        let count = |name: &str| {
            let (images, objects) = counts.get(name).copied().unwrap_or_default();
            LabelCount {
                name: name.to_owned(),
                images,
                objects,
            }
        };
        self.label_names().map(count).collect()
    }

    /// Keeps the images that a filter accepts, with all of their objects.
    pub fn retain(&mut self, filter: &Filter) {
        self.images.retain(|image| filter.accepts(image));
    }

    /// Adds a label unless one of this name is there.
    pub fn add_label(&mut self, name: &str) {
        self.label_mut(name);
    }

    /// The label of a name, which is added if it is missing.
    pub(crate) fn label_mut(&mut self, name: &str) -> &mut ClassLabel {
        let known = self.labels.iter().position(|label| label.name == name);
        let index = known.unwrap_or_else(|| {
            self.labels.push(ClassLabel::named(name));
            self.labels.len() - 1
        });
        &mut self.labels[index]
    }
}
