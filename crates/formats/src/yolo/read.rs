use std::path::{Path, PathBuf};

use straylight_core::{Point, Shape};

use super::{WANTED, names};
use crate::folder::{self, Gather, slashed, stem};
use crate::{AnnotatedImage, Format, FormatError, geometry};

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let Some(names) = names::find(gather.root)? else {
        let folder = gather.root.to_owned();
        return Err(FormatError::NothingFound {
            format: Format::Yolo,
            folder,
            wanted: WANTED,
        });
    };
    for name in names.iter().filter(|name| !name.is_empty()) {
        gather.set.add_label(name);
    }
    for file in image_files(gather)? {
        let (subset, name) = subset_and_name(gather.root, &file);
        let place = gather.place(&file);
        let image = gather.image(&file, &name, folder::subset_named(&subset), None, &place);
        let Some(mut image) = image else { continue };
        if let Some(labels) = label_file(gather.root, &file, &subset, &name) {
            read_labels(gather, &mut image, &labels, &names);
        }
        gather.set.images.push(image);
    }
    Ok(())
}

/// Everything below `images/` folders; without one, all files that begin like an image.
fn image_files(gather: &Gather<'_>) -> Result<Vec<PathBuf>, FormatError> {
    let mut files = folder::files_below(gather.root)?;
    let in_images = |file: &PathBuf| {
        let below = file.strip_prefix(gather.root).unwrap_or(file);
        if below.starts_with("labels") {
            return false;
        }
        below
            .parent()
            .is_some_and(|folder| folder.iter().any(|part| part == "images"))
    };
    if files.iter().any(in_images) {
        files.retain(in_images);
    } else {
        files.retain(|file| folder::is_image(file));
    }
    Ok(files)
}

/// `images/train/a/b.jpg` and `train/images/a/b.jpg` are `a/b.jpg` of `train`.
fn subset_and_name(root: &Path, file: &Path) -> (String, String) {
    let below = slashed(file.strip_prefix(root).unwrap_or(file));
    let split = |path: &str| {
        let (subset, name) = path.split_once('/').unwrap_or(("", path));
        (subset.to_owned(), name.to_owned())
    };
    if let Some(rest) = below.strip_prefix("images/") {
        return split(rest);
    }
    if let Some((subset, name)) = below.split_once("/images/") {
        return (subset.to_owned(), name.to_owned());
    }
    // The older layout: obj_train_data/a.jpg beside obj_train_data/a.txt.
    match below
        .strip_prefix("obj_")
        .and_then(|rest| rest.split_once("_data/"))
    {
        Some((subset, name)) => (subset.to_owned(), name.to_owned()),
        None => (String::new(), below),
    }
}

fn label_file(root: &Path, file: &Path, subset: &str, name: &str) -> Option<PathBuf> {
    let text = format!("{}.txt", stem(name));
    let places = [
        root.join("labels").join(subset).join(&text),
        root.join(subset).join("labels").join(&text),
        file.with_extension("txt"),
    ];
    places.into_iter().find(|file| file.is_file())
}

fn read_labels(gather: &mut Gather<'_>, image: &mut AnnotatedImage, file: &Path, names: &[String]) {
    let place = gather.place(file);
    let text = match straylight_files::read_to_string(file) {
        Ok(text) => text,
        Err(error) => return gather.problem(place, error),
    };
    for (index, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        match read_line(line, names, image) {
            Ok((shape, name)) => image.add(shape, name),
            Err(message) => gather.problem(format!("{place}: line {}", index + 1), message),
        }
    }
}

fn read_line<'a>(
    line: &str,
    names: &'a [String],
    image: &AnnotatedImage,
) -> Result<(Shape, &'a str), String> {
    let mut words = line.split_ascii_whitespace();
    let class = words.next().unwrap_or_default();
    let name = class.parse().ok().and_then(|index: usize| names.get(index));
    let name = name
        .filter(|name| !name.is_empty())
        .ok_or(format!("class `{class}` has no name"))?;
    let number = |word: &str| {
        word.parse::<f64>()
            .map_err(|_| format!("`{word}` is not a number"))
    };
    let numbers = words.map(number).collect::<Result<Vec<f64>, String>>()?;
    Ok((shape(&numbers, image)?, name))
}

fn shape(numbers: &[f64], image: &AnnotatedImage) -> Result<Shape, String> {
    let (width, height) = (f64::from(image.width), f64::from(image.height));
    if let &[x, y, w, h] = numbers {
        let upright = [
            (x - w / 2.0) * width,
            (y - h / 2.0) * height,
            w * width,
            h * height,
        ];
        return geometry::rectangle(&upright.map(unscaled));
    }
    let polygon = geometry::polygon(numbers)?;
    let Shape::Polygon { points } = polygon else {
        return Ok(polygon);
    };
    let scaled = |p: &Point| Point {
        x: unscaled(p.x * width),
        y: unscaled(p.y * height),
    };
    Ok(Shape::Polygon {
        points: points.iter().map(scaled).collect(),
    })
}

/// Takes away what dividing by the image's size and multiplying again added: a box over the
/// whole image must be recognised as one.
fn unscaled(pixels: f64) -> f64 {
    let rounded = (pixels * 1e6).round() / 1e6;
    if rounded.is_finite() { rounded } else { pixels }
}
