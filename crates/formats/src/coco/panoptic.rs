//! Panoptic files: a picture of numbers for each image, and what each number stands for.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::annotation::Annotation;
use super::read::Reading;
use crate::gather::Gather;
use crate::json::{self, Id, Number, lenient};
use crate::{Mask, Object};

#[derive(Deserialize)]
struct Segment {
    id: Number,
    category_id: Id,
    #[serde(default, deserialize_with = "lenient")]
    iscrowd: Option<Number>,
}

/// Whether a file's name says that it is panoptic.
pub(super) fn is_named(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("panoptic"))
}

pub(super) fn read(
    gather: &mut Gather<'_>,
    reading: &Reading,
    image: usize,
    annotation: &Annotation<'_>,
    place: &str,
) {
    if !gather.set.images[image].objects.is_empty() {
        let text = "its segments are passed over: another file has the image's objects; name this \
                    file alone to read it";
        return gather.note(place, text);
    }
    let size = (
        gather.set.images[image].width,
        gather.set.images[image].height,
    );
    let masks = picture(gather, reading, annotation).and_then(|file| masks(&file, size));
    let mut masks = match masks {
        Ok(masks) => masks,
        Err(error) => return gather.lost(image, place, error),
    };
    for (index, raw) in annotation.segments_info.iter().flatten().enumerate() {
        let object = json::entry::<Segment>(raw).and_then(|segment| {
            let id = &segment.category_id.0;
            let label = reading
                .categories
                .get(id)
                .ok_or(format!("there is no category of id {id}"))?;
            let number = segment.id.0 as u32;
            let mask = masks.remove(&number);
            let mask = mask.ok_or(format!("no pixel of the picture has the number {number}"))?;
            let mut object = Object::new(mask, label.as_str());
            object.flags.crowd = segment.iscrowd.is_some_and(|crowd| crowd.0 != 0.0);
            Ok(object)
        });
        match object {
            Ok(object) => gather.set.images[image].objects.push(object),
            Err(error) => gather.lost(image, format!("{place}.segments_info[{index}]"), error),
        }
    }
}

/// The picture lies in a folder of the JSON file's name, or beside it.
fn picture(
    gather: &Gather<'_>,
    reading: &Reading,
    annotation: &Annotation<'_>,
) -> Result<PathBuf, String> {
    let name = annotation
        .file_name
        .as_deref()
        .ok_or("it has no `file_name`")?;
    if !crate::folder::is_inside(Path::new(name)) {
        return Err(format!("`{name}` does not lie in the set's folder"));
    }
    let stem = reading.path.file_stem().unwrap_or_default();
    let near = reading.folder();
    let folders = [
        near.join(stem),
        gather.root.join(stem),
        near.to_owned(),
        near.join("panoptic"),
    ];
    let found = folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    found.ok_or_else(|| {
        format!(
            "the picture of numbers `{}/{name}` is missing",
            stem.to_string_lossy()
        )
    })
}

/// The number of a pixel is red + 256 green + 65536 blue.
fn masks(file: &Path, size: (u32, u32)) -> Result<std::collections::BTreeMap<u32, Mask>, String> {
    let bytes = straylight_files::read(file).map_err(|error| error.to_string())?;
    let (pixels, _) = straylight_image::decode(&bytes).map_err(|error| error.to_string())?;
    if (pixels.width(), pixels.height()) != size {
        let (w, h) = (pixels.width(), pixels.height());
        return Err(format!(
            "the picture has {w} x {h} pixels, the image {} x {}",
            size.0, size.1
        ));
    }
    let number =
        |rgb: &[u8]| u32::from(rgb[0]) + 256 * u32::from(rgb[1]) + 65_536 * u32::from(rgb[2]);
    let numbers: Vec<u32> = pixels.data().chunks_exact(3).map(number).collect();
    Ok(Mask::of_values(size.0, size.1, &numbers))
}
