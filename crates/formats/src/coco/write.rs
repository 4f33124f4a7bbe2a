use std::collections::HashSet;

use serde::Serialize;
use std::path::Path;
use straylight_core::{Point, Shape};

use super::KEYPOINT_CATEGORY;
use crate::folder::{by_subset, copy_image};
use crate::geometry::{area, corners, flat};
use crate::loss::Losses;
use crate::{
    AnnotatedImage, AnnotatedSet, Attributes, Became, Feature, FormatError, Geometry, Keypoint,
    Object, Skeleton, Visibility, WriteOptions, WriteReport,
};

#[derive(Serialize)]
struct File<'a> {
    info: Attributes,
    licenses: [(); 0],
    images: &'a [Image<'a>],
    annotations: Vec<&'a Annotation>,
    categories: Vec<&'a Category<'a>>,
}

#[derive(Serialize)]
struct Image<'a> {
    id: i64,
    file_name: &'a str,
    width: u32,
    height: u32,
}

#[derive(Serialize)]
struct Category<'a> {
    id: i64,
    name: &'a str,
    supercategory: &'a str,
    #[serde(flatten)]
    skeleton: Option<CategorySkeleton>,
}

#[derive(Serialize)]
struct CategorySkeleton {
    keypoints: Vec<String>,
    skeleton: Vec<[usize; 2]>,
}

#[derive(Serialize)]
struct Annotation {
    id: i64,
    image_id: i64,
    category_id: i64,
    bbox: [f64; 4],
    area: f64,
    iscrowd: u8,
    segmentation: Segmentation,
    #[serde(flatten)]
    keypoints: Option<Keypoints>,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes,
}

#[derive(Serialize)]
struct Keypoints {
    keypoints: Vec<f64>,
    num_keypoints: usize,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Segmentation {
    Rings(Vec<Vec<f64>>),
    Mask { size: [u32; 2], counts: Vec<u32> },
}

pub(crate) fn write(
    set: &AnnotatedSet,
    folder: &Path,
    options: WriteOptions,
    report: &mut WriteReport,
) -> Result<(), FormatError> {
    let labels = Labels::of(set);
    let categories = labels.categories(set);
    let renumbered = set.labels.iter().filter(|label| {
        let known = label.id.filter(|id| *id != labels.id(&label.name));
        known.is_some() && labels.areas.contains(&label.name.as_str())
    });
    Losses::of_set(report).add_some(Feature::LabelId, Became::Renamed, renumbered.count());
    let colors = set
        .labels
        .iter()
        .filter(|label| label.color.is_some())
        .count();
    Losses::of_set(report).add_some(Feature::Color, Became::LeftOut, colors);
    for (subset, images) in by_subset(set) {
        let ids = ids(images.iter().map(|image| image.id.as_deref()));
        let mut writer = Writer {
            labels: &labels,
            annotations: Vec::new(),
        };
        let mut entries = Vec::new();
        for (image, id) in images.iter().zip(ids) {
            let (width, height) = (image.width, image.height);
            entries.push(Image {
                id,
                file_name: &image.name,
                width,
                height,
            });
            writer.add(id, image, &mut Losses::of(image, report));
            if options.copy_images {
                copy_image(image, &folder.join("images").join(subset).join(&image.name))?;
            }
        }
        let parts = Parts {
            images: &entries,
            annotations: &writer.numbered(),
            categories: &categories,
        };
        parts.write(folder, subset)?;
    }
    Ok(())
}

/// What the files of one subset hold.
struct Parts<'a> {
    images: &'a [Image<'a>],
    annotations: &'a [Annotation],
    categories: &'a [Category<'a>],
}

impl Parts<'_> {
    /// Writes all of it, and what has key points once more: tools look for them in the file of
    /// that name alone.
    fn write(&self, folder: &Path, subset: &str) -> Result<(), FormatError> {
        let folder = folder.join("annotations");
        self.file(
            &folder.join(format!("instances_{subset}.json")),
            |_| true,
            |_| true,
        )?;
        if self.annotations.iter().all(|one| one.keypoints.is_none()) {
            return Ok(());
        }
        let with_points = |one: &&Annotation| one.keypoints.is_some();
        let used = self.annotations.iter().filter(with_points);
        let used: HashSet<i64> = used.map(|one| one.category_id).collect();
        self.file(
            &folder.join(format!("person_keypoints_{subset}.json")),
            with_points,
            // A label without a skeleton may have points all the same.
            |category| category.skeleton.is_some() || used.contains(&category.id),
        )
    }

    fn file(
        &self,
        path: &Path,
        annotation: impl Fn(&&Annotation) -> bool,
        category: impl Fn(&&Category<'_>) -> bool,
    ) -> Result<(), FormatError> {
        let file = File {
            info: Attributes::new(),
            licenses: [],
            images: self.images,
            annotations: self.annotations.iter().filter(annotation).collect(),
            categories: self.categories.iter().filter(category).collect(),
        };
        let bytes = serde_json::to_vec(&file).map_err(|error| FormatError::json(path, &error))?;
        Ok(straylight_files::write_atomically(path, &bytes)?)
    }
}

/// The numbers of the source, if all have one of their own and none is 0; else from 1.
///
/// pycocotools takes an annotation with the number 0 for one that is not there: a detection of it
/// never counts.
fn ids<'a>(known: impl Iterator<Item = Option<&'a str>> + Clone) -> Vec<i64> {
    let count = known.clone().count();
    let numbers: Vec<i64> = known.filter_map(|id| id?.parse().ok()).collect();
    let unique: HashSet<i64> = numbers.iter().copied().collect();
    if unique.len() == count && !unique.contains(&0) {
        numbers
    } else {
        (1..=count as i64).collect()
    }
}

/// Labels of objects have a category each; labels of single points share one.
struct Labels<'a> {
    areas: Vec<&'a str>,
    ids: Vec<i64>,
    points: Vec<&'a str>,
}

impl<'a> Labels<'a> {
    fn of(set: &'a AnnotatedSet) -> Self {
        let objects = || set.images.iter().flat_map(|image| &image.objects);
        let is_point =
            |object: &Object| matches!(object.geometry, Geometry::Shape(Shape::Keypoint { .. }));
        let used = |as_point: bool| -> HashSet<&str> {
            let objects = objects().filter(|object| is_point(object) == as_point);
            objects
                .flat_map(|object| &object.labels)
                .map(String::as_str)
                .collect()
        };
        let (as_points, as_areas) = (used(true), used(false));
        let is_area = |name: &&str| !as_points.contains(name) || as_areas.contains(name);
        let areas: Vec<&str> = set.label_names().filter(is_area).collect();
        let known = areas
            .iter()
            .map(|name| set.label(name).and_then(|label| label.id));
        let numbers: Vec<i64> = known.flatten().collect();
        let unique: HashSet<i64> = numbers.iter().copied().collect();
        // Many readers take the category of number 0 for the background.
        let ids = if unique.len() == areas.len() && numbers.iter().all(|number| *number > 0) {
            numbers
        } else {
            (1..=areas.len() as i64).collect()
        };
        let points = set
            .label_names()
            .filter(|name| as_points.contains(name))
            .collect();
        Self { areas, ids, points }
    }

    fn id(&self, name: &str) -> i64 {
        let known = self.areas.iter().position(|area| *area == name);
        known
            .and_then(|index| self.ids.get(index))
            .copied()
            .unwrap_or(0)
    }

    fn points_id(&self) -> i64 {
        self.ids.iter().max().copied().unwrap_or(0) + 1
    }

    fn categories(&self, set: &'a AnnotatedSet) -> Vec<Category<'a>> {
        let area = |(name, id): (&&'a str, &i64)| {
            let label = set.label(name);
            let parent = label.and_then(|label| label.parent.as_deref());
            let skeleton = label
                .and_then(|label| label.skeleton.as_ref())
                .map(skeleton);
            Category {
                id: *id,
                name,
                supercategory: parent.unwrap_or_default(),
                skeleton,
            }
        };
        let mut categories: Vec<Category<'a>> =
            self.areas.iter().zip(&self.ids).map(area).collect();
        if !self.points.is_empty() {
            let keypoints = self.points.iter().map(|name| (*name).to_owned()).collect();
            categories.push(Category {
                id: self.points_id(),
                name: KEYPOINT_CATEGORY,
                supercategory: "",
                skeleton: Some(CategorySkeleton {
                    keypoints,
                    skeleton: Vec::new(),
                }),
            });
        }
        categories
    }
}

fn skeleton(skeleton: &Skeleton) -> CategorySkeleton {
    let edges = skeleton.edges.iter().map(|(a, b)| [a + 1, b + 1]);
    CategorySkeleton {
        keypoints: skeleton.points.clone(),
        skeleton: edges.collect(),
    }
}

struct Writer<'a> {
    labels: &'a Labels<'a>,
    annotations: Vec<(Option<String>, Annotation)>,
}

impl Writer<'_> {
    fn add(&mut self, image_id: i64, image: &AnnotatedImage, losses: &mut Losses<'_>) {
        losses.add_some(
            Feature::ImageAttribute,
            Became::LeftOut,
            image.attributes.len(),
        );
        losses.add_some(
            Feature::Unannotated,
            Became::Empty,
            usize::from(image.unannotated),
        );
        for object in &image.objects {
            told(object, losses);
            match object.geometry {
                Geometry::Shape(Shape::Keypoint { .. }) | Geometry::Polyline(_) => {}
                _ => self.object(image_id, image, object),
            }
        }
        self.single_points(image_id, image);
    }

    fn object(&mut self, image_id: i64, image: &AnnotatedImage, object: &Object) {
        let whole = [0.0, 0.0, f64::from(image.width), f64::from(image.height)];
        let bbox = object
            .bounding_box()
            .unwrap_or(if object.geometry == Geometry::Image {
                whole
            } else {
                [0.0; 4]
            });
        let keypoints = (!object.keypoints.is_empty()).then(|| keypoints(&object.keypoints));
        for label in &object.labels {
            let annotation = Annotation {
                id: 0,
                image_id,
                category_id: self.labels.id(label),
                bbox,
                area: covered(object, bbox),
                iscrowd: u8::from(object.flags.crowd),
                segmentation: segmentation(object),
                keypoints: keypoints.as_ref().map(|points| Keypoints {
                    keypoints: points.keypoints.clone(),
                    ..*points
                }),
                attributes: attributes(object),
            };
            self.annotations.push((object.id.clone(), annotation));
        }
    }

    /// The first point of each label goes into the first skeleton, the second into the second.
    fn single_points(&mut self, image_id: i64, image: &AnnotatedImage) {
        let names = &self.labels.points;
        let absent = Keypoint {
            x: 0.0,
            y: 0.0,
            visibility: Visibility::Absent,
        };
        let mut skeletons: Vec<Vec<Keypoint>> = Vec::new();
        for object in &image.objects {
            let Geometry::Shape(Shape::Keypoint { x, y, is_visible }) = object.geometry else {
                continue;
            };
            let visibility = if is_visible {
                Visibility::Visible
            } else {
                Visibility::Hidden
            };
            for label in &object.labels {
                let Some(slot) = names.iter().position(|name| name == label) else {
                    continue;
                };
                let is_free =
                    |points: &Vec<Keypoint>| points[slot].visibility == Visibility::Absent;
                let free = skeletons.iter().position(is_free);
                let index = free.unwrap_or_else(|| {
                    skeletons.push(vec![absent; names.len()]);
                    skeletons.len() - 1
                });
                skeletons[index][slot] = Keypoint { x, y, visibility };
            }
        }
        for points in skeletons {
            let mut object = Object::new(Geometry::Keypoints, KEYPOINT_CATEGORY);
            object.keypoints = points;
            let bbox = object.bounding_box().unwrap_or_default();
            self.annotations.push((
                None,
                Annotation {
                    id: 0,
                    image_id,
                    category_id: self.labels.points_id(),
                    bbox,
                    area: bbox[2] * bbox[3],
                    iscrowd: 0,
                    segmentation: Segmentation::Rings(Vec::new()),
                    keypoints: Some(keypoints(&object.keypoints)),
                    attributes: Attributes::new(),
                },
            ));
        }
    }

    fn numbered(self) -> Vec<Annotation> {
        let ids = ids(self.annotations.iter().map(|(id, _)| id.as_deref()));
        let numbered = self.annotations.into_iter().zip(ids);
        numbered
            .map(|((_, annotation), id)| Annotation { id, ..annotation })
            .collect()
    }
}

/// Says what COCO cannot hold of an object.
fn told(object: &Object, losses: &mut Losses<'_>) {
    match &object.geometry {
        Geometry::Shape(Shape::Ellipse { .. }) => losses.add(Feature::Ellipse, Became::Polygon),
        Geometry::Shape(Shape::RotatedRectangle { .. }) => {
            losses.add(Feature::RotatedBox, Became::Polygon);
        }
        Geometry::Shape(Shape::Keypoint { .. }) => losses.add(Feature::Keypoint, Became::Skeleton),
        Geometry::Image => losses.add(Feature::ImageLabel, Became::Box),
        Geometry::Polyline(_) => losses.add(Feature::Polyline, Became::LeftOut),
        _ => {}
    }
    if object.labels.len() > 1 && object.geometry != Geometry::Image {
        losses.add(Feature::SeveralLabels, Became::Objects);
    }
    losses.add_some(
        Feature::Group,
        Became::LeftOut,
        usize::from(object.group.is_some()),
    );
    losses.add_some(
        Feature::ZOrder,
        Became::LeftOut,
        usize::from(object.z_order != 0),
    );
}

fn attributes(object: &Object) -> Attributes {
    let mut attributes = object.attributes.clone();
    let flags = object.flags;
    for (name, is_set) in [
        ("occluded", flags.occluded),
        ("truncated", flags.truncated),
        ("difficult", flags.difficult),
    ] {
        if is_set {
            attributes.insert(name.to_owned(), true.into());
        }
    }
    attributes
}

fn covered(object: &Object, bbox: [f64; 4]) -> f64 {
    match &object.geometry {
        Geometry::Mask(mask) => mask.area() as f64,
        Geometry::Polygons(parts) => parts.iter().map(|part| area(part)).sum(),
        Geometry::Shape(shape) => area(&corners(shape)),
        _ => bbox[2] * bbox[3],
    }
}

fn segmentation(object: &Object) -> Segmentation {
    let rings = |parts: &[Vec<Point>]| parts.iter().map(|part| flat(part)).collect();
    match &object.geometry {
        Geometry::Mask(mask) => Segmentation::Mask {
            size: [mask.height(), mask.width()],
            counts: mask.runs().to_vec(),
        },
        Geometry::Polygons(parts) => Segmentation::Rings(rings(parts)),
        Geometry::Shape(Shape::Rectangle { .. }) => Segmentation::Rings(Vec::new()),
        Geometry::Shape(shape) => Segmentation::Rings(rings(&[corners(shape)])),
        _ => Segmentation::Rings(Vec::new()),
    }
}

fn keypoints(points: &[Keypoint]) -> Keypoints {
    let numbers = |point: &Keypoint| [point.x, point.y, f64::from(point.visibility.number())];
    let known = points
        .iter()
        .filter(|point| point.visibility != Visibility::Absent);
    Keypoints {
        keypoints: points.iter().flat_map(numbers).collect(),
        num_keypoints: known.count(),
    }
}

#[cfg(test)]
mod tests {
    use super::ids;

    #[test]
    fn numbers_of_the_source_stay_unless_one_is_missing_double_or_0() {
        let numbers = |known: &[Option<&'static str>]| ids(known.iter().copied());
        assert_eq!(numbers(&[Some("7"), Some("3")]), [7, 3]);
        assert_eq!(numbers(&[Some("7"), Some("7")]), [1, 2]);
        assert_eq!(numbers(&[Some("7"), None]), [1, 2]);
        assert_eq!(numbers(&[Some("a"), Some("3")]), [1, 2]);
        assert_eq!(numbers(&[Some("0"), Some("1")]), [1, 2]);
    }
}
