//! KITTI's labels for detection: a text file for each image in `label_2/`, images in `image_2/`.
//!
//! A line is a type, truncation, occlusion, an angle, and left, top, right and lower edge; what
//! follows is three-dimensional and not read. `DontCare` regions are passed over.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use straylight_core::Shape;

use crate::gather::{Gather, nothing};
use crate::{Format, FormatError, Object, folder, geometry};

const WANTED: &str = "label_2/*.txt with 15 columns";

/// Numbers of columns: without and with a score.
const COLUMNS: [usize; 2] = [15, 16];

/// Whether a text is a label file: every line has a name and fourteen numbers.
pub(crate) fn fits(text: &str) -> bool {
    let mut lines = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .peekable();
    lines.peek().is_some() && lines.all(is_line)
}

fn is_line(line: &str) -> bool {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    COLUMNS.contains(&words.len())
        && words[0].parse::<f64>().is_err()
        && words[1..].iter().all(|word| word.parse::<f64>().is_ok())
}

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let files = gather.with_extension("txt")?;
    let files = gather.chosen(files);
    let texts = files.into_iter().map(|path| {
        let text = gather.text(&path);
        (path, text)
    });
    let texts: Vec<(PathBuf, String)> = texts
        .filter_map(|(path, text)| Some((path, text?)))
        .collect();
    let is_label_folder = |folder: &Path| folder.ends_with("label_2") || gather.only.is_some();
    let folders: HashSet<PathBuf> = texts
        .iter()
        .filter_map(|(path, text)| Some((path.parent()?, text)))
        .filter(|(folder, text)| fits(text) || is_label_folder(folder))
        .map(|(folder, _)| folder.to_owned())
        .collect();
    if folders.is_empty() {
        return Err(nothing(gather, Format::Kitti, WANTED));
    }
    // An empty file beside others says that nothing is on its image.
    for (path, text) in texts {
        if path.parent().is_some_and(|folder| folders.contains(folder)) {
            read_file(gather, &path, &text);
        }
    }
    if gather.only.is_none() {
        gather.add_unannotated()?;
    }
    Ok(())
}

fn read_file(gather: &mut Gather<'_>, path: &Path, text: &str) {
    let place = gather.place(path);
    let stem = path
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    // `training/label_2/000000.txt` is about `training/image_2/000000.png`.
    let above = path
        .parent()
        .and_then(Path::parent)
        .unwrap_or(gather.root)
        .to_owned();
    let folders = [path.parent(), Some(above.as_path())].into_iter().flatten();
    let mut names = folders.filter_map(|folder| folder.file_name()?.to_str());
    let subset = names.find(|name| folder::is_split(name)).map(str::to_owned);
    let subset = subset.as_deref();
    let Some((file, name)) = gather.find_image(&stem, subset, &above, &place) else {
        return;
    };
    let Some(index) = gather.image(&file, &name, subset, None, &place) else {
        return;
    };
    let mut ignored = 0;
    for (number, line) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        if line.starts_with("DontCare") {
            ignored += 1;
            continue;
        }
        match object(line) {
            Ok(object) => {
                gather.set.add_label(&object.labels[0]);
                gather.set.images[index].objects.push(object);
            }
            Err(error) => gather.lost(index, format!("{place}: line {}", number + 1), error),
        }
    }
    if ignored > 0 {
        gather.note(
            place,
            format!("{ignored} regions `DontCare` are passed over"),
        );
    }
}

fn object(line: &str) -> Result<Object, String> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    if !COLUMNS.contains(&words.len()) {
        return Err(format!("it has {} columns, not 15", words.len()));
    }
    let number = |index: usize| {
        let number = words[index]
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite());
        number.ok_or_else(|| format!("`{}` is not a number", words[index]))
    };
    let (left, top) = (number(4)?, number(5)?);
    let shape: Shape = geometry::rectangle(&[left, top, number(6)? - left, number(7)? - top])?;
    let mut object = Object::new(shape, words[0]);
    object.flags.truncated = number(1)? > 0.0;
    object.flags.occluded = number(2)? > 0.0;
    object
        .attributes
        .insert("truncation".to_owned(), number(1)?.into());
    object
        .attributes
        .insert("occlusion".to_owned(), number(2)?.into());
    if words.len() == 16 {
        object
            .attributes
            .insert("score".to_owned(), number(15)?.into());
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn label_files_are_known_by_their_columns() {
        assert!(fits("Car 0.0 0 -1.6 1 2 3 4 1 1 1 1 1 1 0\n\n"));
        assert!(!fits("0 0.0 0 -1.6 1 2 3 4 1 1 1 1 1 1 0"));
        assert!(!fits("Car 1 2 3 4"));
        assert!(!fits(""));
    }
}
