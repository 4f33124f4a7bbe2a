//! Adds a set to a YOLO dataset that is there, whose classes keep their numbers.

use std::path::{Path, PathBuf};

use straylight_core::ContentHash;

use super::data_yaml::{class_block, part_of};
use super::lines::Lines;
use super::{Place, YoloTask, write_labels};
use crate::folder::{files_below, slashed, stem, subset_of};
use crate::yolo::layout::resolve;
use crate::yolo::names::{self, Description};
use crate::{AnnotatedImage, AnnotatedSet, ClassLabel, FormatError, WriteOptions, WriteReport};

/// Adds images and labels; new classes come after those that are there.
///
/// An image whose file is there already gets its labels anew; another image of its name gets a
/// name of its own. `data.yaml` is changed last, and only if there are new classes.
pub(super) fn merge(
    set: &AnnotatedSet,
    folder: &Path,
    options: WriteOptions,
    report: &mut WriteReport,
) -> Result<(), FormatError> {
    let there = description(folder)?;
    let task = options.task.unwrap_or_else(|| match there.keypoints {
        Some(_) => YoloTask::Pose,
        None => YoloTask::of(set),
    });
    let all = with_classes_of(&there, set);
    let lines = Lines::new(&all, task);
    check_keypoints(&there, &lines)?;
    let yaml = (all.labels.len() > there.names.len()).then(|| with_classes(&there, &all));
    let yaml = yaml.transpose()?;
    for image in &all.images {
        let image = &named_apart(image, &there, folder)?;
        let place = place(image, &there, folder)?;
        write_labels(
            &lines,
            image,
            &folder.join(&place.labels),
            &mut report.losses,
        )?;
        if options.copy_images {
            place.copy(image, folder)?;
        }
    }
    if let Some(text) = yaml {
        straylight_files::write_atomically(&there.file, text.as_bytes())?;
    }
    Ok(())
}

fn description(folder: &Path) -> Result<Description, FormatError> {
    let found = names::find(&files_below(folder)?)?.filter(Description::is_yaml);
    found.ok_or_else(|| unreadable(folder, "there is no data.yaml with classes to add to"))
}

fn unreadable(file: &Path, message: impl Into<String>) -> FormatError {
    FormatError::Unreadable {
        file: file.to_owned(),
        message: message.into(),
    }
}

/// The set with the classes of the dataset before its own.
fn with_classes_of(there: &Description, set: &AnnotatedSet) -> AnnotatedSet {
    let known = |name: &String| {
        let label = set.label(name).cloned();
        label.unwrap_or_else(|| ClassLabel::named(name))
    };
    let mut labels: Vec<ClassLabel> = there.names.iter().map(known).collect();
    let new = set.labels.iter();
    labels.extend(
        new.filter(|label| !there.names.contains(&label.name))
            .cloned(),
    );
    AnnotatedSet {
        labels,
        images: set.images.clone(),
    }
}

fn check_keypoints(there: &Description, lines: &Lines<'_>) -> Result<(), FormatError> {
    match there.keypoints {
        Some((points, 3)) if points == lines.points => Ok(()),
        None if lines.task != YoloTask::Pose => Ok(()),
        Some((points, numbers)) => Err(unreadable(
            &there.file,
            format!(
                "its objects have {points} key points of {numbers} numbers, those of the set {} of 3",
                lines.points
            ),
        )),
        None => Err(unreadable(&there.file, "its objects have no key points")),
    }
}

/// The image under a name that no other image of the dataset has.
fn named_apart(
    image: &AnnotatedImage,
    there: &Description,
    folder: &Path,
) -> Result<AnnotatedImage, FormatError> {
    let path = folder.join(place(image, there, folder)?.image);
    let mut image = image.clone();
    if !path.is_file() {
        return Ok(image);
    }
    let bytes = straylight_files::read(&image.file)?;
    if straylight_files::read(&path)? != bytes {
        let digits = &ContentHash::of(&bytes).to_hex()[..8];
        let (stem, end) = image.name.split_at(stem(&image.name).len());
        image.name = format!("{stem}_{digits}{end}");
    }
    Ok(image)
}

/// Where the dataset has images of the image's part; of training if it has no such part.
fn place(image: &AnnotatedImage, there: &Description, folder: &Path) -> Result<Place, FormatError> {
    let base = there.file.parent().unwrap_or(folder);
    let part = part_of(subset_of(image));
    let mut paths = there.parts.iter();
    let path = paths
        .find(|(_, name)| part_of(name) == part)
        .or_else(|| there.parts.first());
    let Some((path, name)) = path else {
        return Err(unreadable(
            &there.file,
            "it does not say where its images are",
        ));
    };
    let found = resolve(folder, base, path).filter(|path| path.is_dir());
    let Some(found) = found else {
        let message = format!("`{name}: {path}` is no folder of the dataset");
        return Err(unreadable(&there.file, message));
    };
    let below: PathBuf = found.strip_prefix(folder).unwrap_or(&found).to_owned();
    Place::below(&slashed(&below), image)
}

/// The text of the YAML file with the classes of `all`; everything else in it stays.
fn with_classes(there: &Description, all: &AnnotatedSet) -> Result<String, FormatError> {
    let text = straylight_files::read_to_string(&there.file)?;
    let mut kept = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.lines() {
        let begins_key =
            line.starts_with(|c: char| !c.is_whitespace() && !matches!(c, '-' | '#' | ']' | '}'));
        if begins_key {
            let key = line.split(':').next().unwrap_or_default();
            inside = ["names", "nc"].contains(&key.trim().trim_matches(['"', '\'']));
        }
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept.push_str(&class_block(all));
    let names: Vec<&str> = all.label_names().collect();
    let read_back = names::from_yaml(&kept).map(|found| found.names);
    if read_back.is_none_or(|found| found != names) {
        let message = "its classes cannot be replaced: add the new ones by hand, then merge again";
        return Err(unreadable(&there.file, message));
    }
    Ok(kept)
}
