use std::path::PathBuf;

use straylight_core::{Color, Shape};

use crate::Filter;

/// Images with their annotations and the labels that may occur in them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AnnotatedSet {
    /// All labels, used or not, in the order of the file that they came from.
    pub labels: Vec<ClassLabel>,
    /// The images, annotated or not.
    pub images: Vec<AnnotatedImage>,
}

/// A label by name, with what some formats know besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassLabel {
    /// Its name, unique in the set.
    pub name: String,
    /// The colour in which it is drawn.
    pub color: Option<Color>,
    /// The name of the label above it.
    pub parent: Option<String>,
}

impl ClassLabel {
    /// A label that is known by its name only.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            color: None,
            parent: None,
        }
    }
}

/// One image file and what is on it.
#[derive(Debug, Clone, PartialEq)]
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
    /// Annotated objects, or one object over the whole image for its own labels.
    pub objects: Vec<Object>,
}

/// A shape on an image with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Where, in pixels of the image.
    pub shape: Shape,
    /// Names of labels, at least one.
    pub labels: Vec<String>,
}

impl AnnotatedImage {
    /// Whether one of its objects has the label.
    pub fn has_label(&self, name: &str) -> bool {
        self.objects
            .iter()
            .flat_map(|object| &object.labels)
            .any(|label| label == name)
    }

    /// Gives a label to a shape; labels of the whole image are gathered in one object.
    pub fn add(&mut self, shape: Shape, label: &str) {
        if shape.is_whole_image(self.width, self.height) {
            self.add_to_same(shape, label);
        } else {
            self.objects.push(Object {
                shape,
                labels: vec![label.to_owned()],
            });
        }
    }

    /// Gives a label to the object of exactly this shape, which is made if there is none.
    pub(crate) fn add_to_same(&mut self, shape: Shape, label: &str) {
        match self.objects.iter_mut().find(|object| object.shape == shape) {
            Some(object) if object.labels.iter().any(|known| known == label) => {}
            Some(object) => object.labels.push(label.to_owned()),
            None => self.objects.push(Object {
                shape,
                labels: vec![label.to_owned()],
            }),
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

    /// How often each label occurs, in the set's order; unused ones with zeros.
    pub fn counts(&self) -> Vec<LabelCount> {
        let count = |name: &str| LabelCount {
            name: name.to_owned(),
            images: self
                .images
                .iter()
                .filter(|image| image.has_label(name))
                .count(),
            objects: self
                .images
                .iter()
                .flat_map(|image| &image.objects)
                .filter(|object| object.labels.iter().any(|label| label == name))
                .count(),
        };
        self.label_names().map(count).collect()
    }

    /// Keeps the images that a filter accepts, with all of their objects.
    pub fn retain(&mut self, filter: &Filter) {
        self.images.retain(|image| filter.accepts(image));
    }

    /// Adds a label unless one of this name is there.
    pub fn add_label(&mut self, name: &str) {
        if !self.labels.iter().any(|label| label.name == name) {
            self.labels.push(ClassLabel::named(name));
        }
    }
}
