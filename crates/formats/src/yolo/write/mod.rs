//! Writes what Ultralytics trains on, from whatever folder it is called.

mod data_yaml;
mod join;
mod lines;
mod merge;
mod task;

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use straylight_core::ImageFormat;
use straylight_image::{decode, encode_png, sniff};

use crate::folder::{by_subset, copy_image, stem, subset_of};
use crate::loss::Losses;
use crate::{
    AnnotatedImage, AnnotatedSet, Became, Feature, FormatError, Loss, WriteOptions, WriteReport,
};

pub use task::{UnknownYoloTask, YoloTask};

/// The extensions by which Ultralytics knows image files (8.4); others are passed over.
const EXTENSIONS: [&str; 13] = [
    "avif", "bmp", "dng", "heic", "heif", "jp2", "jpeg", "jpg", "mpo", "png", "tif", "tiff", "webp",
];

pub(crate) fn write(
    set: &AnnotatedSet,
    folder: &Path,
    options: WriteOptions,
    report: &mut WriteReport,
) -> Result<(), FormatError> {
    if options.merge {
        return merge::merge(set, folder, options, report);
    }
    let task = options.task.unwrap_or_else(|| YoloTask::of(set));
    let lines = lines::Lines::new(set, task);
    let images = by_subset(set).into_iter().flat_map(|(_, images)| images);
    let images: Vec<&AnnotatedImage> = images.collect();
    let write_one = |image: &&AnnotatedImage| -> Result<Vec<Loss>, FormatError> {
        let (place, mut losses) = (Place::of(image)?, Vec::new());
        write_labels(&lines, image, &folder.join(&place.labels), &mut losses)?;
        if options.copy_images {
            place.copy(image, folder)?;
        }
        Ok(losses)
    };
    let losses: Result<Vec<_>, _> = images.par_iter().map(write_one).collect();
    report.losses.extend(losses?.into_iter().flatten());
    let yaml = data_yaml::text(set, &lines, report);
    straylight_files::write_atomically(&folder.join("data.yaml"), yaml.as_bytes())?;
    Ok(())
}

fn write_labels(
    lines: &lines::Lines<'_>,
    image: &AnnotatedImage,
    path: &Path,
    losses: &mut Vec<Loss>,
) -> Result<(), FormatError> {
    let mut losses = Losses::into(image, losses);
    if image.unannotated {
        losses.add(Feature::Unannotated, Became::Empty);
        return Ok(());
    }
    let text = lines.of(image, &mut losses);
    // An empty file says that somebody looked and found nothing.
    straylight_files::write_unsynced(path, text.as_bytes())?;
    Ok(())
}

/// Where an image and its labels go, below the folder of the set.
struct Place {
    image: PathBuf,
    labels: PathBuf,
    format: Option<ImageFormat>,
}

impl Place {
    fn of(image: &AnnotatedImage) -> Result<Self, FormatError> {
        Self::below(&format!("images/{}", subset_of(image)), image)
    }

    /// The place in a folder of images, a path with `/` below that of the set.
    fn below(images: &str, image: &AnnotatedImage) -> Result<Self, FormatError> {
        let format = image_format(&image.file)?;
        let name = match format {
            Some(ImageFormat::Gif) => format!("{}.png", stem(&image.name)),
            Some(format) if !is_known(&image.name) => {
                format!("{}.{}", image.name, format.extension())
            }
            _ => image.name.clone(),
        };
        let path = format!("/{images}/{name}");
        // Trainers look for labels where the last `images` of the path is replaced.
        let (before, after) = path.rsplit_once("/images/").unwrap_or(("", &path));
        let labels = format!("{before}/labels/{}.txt", stem(after));
        let below = |path: &str| PathBuf::from(path.trim_start_matches('/'));
        Ok(Self {
            image: below(&path),
            labels: below(&labels),
            format,
        })
    }

    fn copy(&self, image: &AnnotatedImage, folder: &Path) -> Result<(), FormatError> {
        let to = folder.join(&self.image);
        if self.format != Some(ImageFormat::Gif) {
            return copy_image(image, &to);
        }
        let bytes = straylight_files::read(&image.file)?;
        match decode(&bytes).and_then(|(pixels, _)| encode_png(&pixels)) {
            Ok(png) => straylight_files::write_unsynced(&to, &png)?,
            // Whatever is wrong with it: it comes along as it is.
            Err(_) => copy_image(image, &to)?,
        }
        Ok(())
    }
}

fn is_known(name: &str) -> bool {
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension.as_str()))
}

fn image_format(file: &Path) -> Result<Option<ImageFormat>, FormatError> {
    let mut start = [0; 12];
    let read = std::fs::File::open(file)
        .and_then(|mut file| std::io::Read::read(&mut file, &mut start))
        .map_err(|error| straylight_files::FileError::new("read", file, error));
    Ok(sniff(&start[..read?]))
}
