use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;
use straylight_core::Shape;

use super::{WANTED, json_files, subset};
use crate::folder::Gather;
use crate::json::{self, RawList};
use crate::mask::{self, Rle};
use crate::{AnnotatedImage, Format, FormatError, geometry};

#[derive(Deserialize)]
pub(super) struct File<'a> {
    #[serde(borrow)]
    images: RawList<'a>,
    #[serde(borrow)]
    annotations: RawList<'a>,
    #[serde(borrow)]
    categories: RawList<'a>,
}

#[derive(Deserialize)]
struct Image {
    id: i64,
    file_name: String,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
}

#[derive(Deserialize)]
struct Category {
    id: i64,
    name: String,
    #[serde(default)]
    keypoints: Vec<String>,
    supercategory: Option<String>,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: i64,
    category_id: i64,
    #[serde(default)]
    bbox: Vec<f64>,
    #[serde(default)]
    segmentation: Segmentation,
    #[serde(default)]
    keypoints: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Segmentation {
    Rings(Vec<Vec<f64>>),
    Mask(Rle),
}

impl Default for Segmentation {
    fn default() -> Self {
        Self::Rings(Vec::new())
    }
}

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let mut found = false;
    for path in json_files(gather.root)? {
        found |= read_file(gather, &path);
    }
    if found {
        return Ok(());
    }
    let folder = gather.root.to_owned();
    Err(FormatError::NothingFound {
        format: Format::Coco,
        folder,
        wanted: WANTED,
    })
}

/// Whether the file was COCO at all; what was wrong is reported.
fn read_file(gather: &mut Gather<'_>, path: &Path) -> bool {
    let place = gather.place(path);
    let text = match straylight_files::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            gather.problem(place, error);
            return false;
        }
    };
    let file: File<'_> = match serde_json::from_str(&text) {
        Ok(file) => file,
        Err(error) => {
            gather.problem(place, error);
            return false;
        }
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let categories = categories(gather, &place, &file);
    let mut images = images(gather, &place, &file, subset(&stem));
    annotations(gather, &place, &file, &categories, &mut images);
    gather
        .set
        .images
        .extend(images.into_iter().filter_map(|(_, image)| image));
    true
}

fn categories(gather: &mut Gather<'_>, place: &str, file: &File<'_>) -> HashMap<i64, Category> {
    let mut categories = HashMap::new();
    for (index, raw) in file.categories.iter().enumerate() {
        match json::entry::<Category>(raw) {
            Ok(category) => {
                if category.keypoints.is_empty() {
                    gather.set.add_label(&category.name);
                    set_parent(gather, &category);
                }
                category
                    .keypoints
                    .iter()
                    .for_each(|name| gather.set.add_label(name));
                categories.insert(category.id, category);
            }
            Err(error) => gather.problem(format!("{place}: categories[{index}]"), error),
        }
    }
    categories
}

fn set_parent(gather: &mut Gather<'_>, category: &Category) {
    let parent = category
        .supercategory
        .as_ref()
        .filter(|name| !name.is_empty());
    let label = gather
        .set
        .labels
        .iter_mut()
        .find(|label| label.name == category.name);
    if let (Some(label), Some(parent)) = (label, parent.filter(|name| **name != category.name)) {
        label.parent = Some(parent.clone());
    }
}

/// Images by their ids in the file's order; `None` for those that were kept out.
type Images = Vec<(i64, Option<AnnotatedImage>)>;

fn images(gather: &mut Gather<'_>, place: &str, file: &File<'_>, subset: Option<&str>) -> Images {
    let mut images = Vec::new();
    for (index, raw) in file.images.iter().enumerate() {
        let place = format!("{place}: images[{index}]");
        match json::entry::<Image>(raw) {
            Ok(entry) => {
                let path = gather.find_image(&entry.file_name, subset, &place);
                let size = Some((entry.width, entry.height));
                let name = entry.file_name.replace('\\', "/");
                let image = path.and_then(|path| gather.image(&path, &name, subset, size, &place));
                images.push((entry.id, image));
            }
            Err(error) => gather.problem(place, error),
        }
    }
    images
}

fn annotations(
    gather: &mut Gather<'_>,
    place: &str,
    file: &File<'_>,
    categories: &HashMap<i64, Category>,
    images: &mut Images,
) {
    let by_id: HashMap<i64, usize> = images
        .iter()
        .enumerate()
        .map(|(index, (id, _))| (*id, index))
        .collect();
    for (index, raw) in file.annotations.iter().enumerate() {
        let added = json::entry::<Annotation>(raw).and_then(|annotation| {
            let unknown = format!("there is no image of id {}", annotation.image_id);
            let image = by_id.get(&annotation.image_id).ok_or(unknown)?;
            let unknown = format!("there is no category of id {}", annotation.category_id);
            let category = categories.get(&annotation.category_id).ok_or(unknown)?;
            // An image that was kept out is reported already.
            match images.get_mut(*image) {
                Some((_, Some(image))) => add(image, category, &annotation),
                _ => Ok(()),
            }
        });
        if let Err(error) = added {
            gather.problem(format!("{place}: annotations[{index}]"), error);
        }
    }
}

fn add(
    image: &mut AnnotatedImage,
    category: &Category,
    annotation: &Annotation,
) -> Result<(), String> {
    if !category.keypoints.is_empty() && !annotation.keypoints.is_empty() {
        return add_keypoints(image, &category.keypoints, &annotation.keypoints);
    }
    let shapes = match &annotation.segmentation {
        Segmentation::Rings(rings) if rings.is_empty() => {
            vec![geometry::rectangle(&annotation.bbox)?]
        }
        Segmentation::Rings(rings) => rings
            .iter()
            .map(|ring| geometry::polygon(ring))
            .collect::<Result<_, _>>()?,
        Segmentation::Mask(rle) => {
            let outlines = mask::outlines(rle, (image.width, image.height))?;
            outlines
                .into_iter()
                .map(|points| Shape::Polygon { points })
                .collect()
        }
    };
    for shape in shapes {
        image.add(shape, &category.name);
    }
    Ok(())
}

fn add_keypoints(
    image: &mut AnnotatedImage,
    names: &[String],
    numbers: &[f64],
) -> Result<(), String> {
    if numbers.len() != names.len() * 3 {
        let wanted = names.len() * 3;
        return Err(format!(
            "keypoints has {} numbers, not {wanted}",
            numbers.len()
        ));
    }
    geometry::finite(numbers)?;
    for (name, point) in names.iter().zip(numbers.chunks_exact(3)) {
        let &[x, y, visibility] = point else { continue };
        if visibility > 0.0 {
            image.add(
                Shape::Keypoint {
                    x,
                    y,
                    is_visible: visibility > 1.0,
                },
                name,
            );
        }
    }
    Ok(())
}
