use std::collections::HashMap;
use std::path::Path;

use csv::StringRecord;

use super::columns::{Columns, rows};
use super::{WANTED, open_images};
use crate::gather::{Gather, nothing};
use crate::{Format, FormatError, Object, folder, geometry};

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let files = gather.with_extension("csv")?;
    let files = gather.chosen(files);
    if open_images::read(gather, &files) {
        return Ok(());
    }
    let mut found = false;
    for path in files {
        let Some(text) = gather.text(&path) else {
            continue;
        };
        let first = rows(&text).next().and_then(|(_, row)| row.ok());
        if let Some(mut columns) = first.as_ref().and_then(Columns::of) {
            let others = columns.drop_other_marks(&text);
            if columns.class.is_none() && columns.marks.is_empty() {
                continue;
            }
            found = true;
            for name in others {
                let text =
                    format!("the column `{name}` is no label: it has no name, or not only 0 and 1");
                gather.note(gather.place(&path), text);
            }
            Table::new(gather, &path, columns).read(gather, &text);
        }
    }
    if found {
        Ok(())
    } else {
        Err(nothing(gather, Format::Csv, WANTED))
    }
}

struct Table {
    columns: Columns,
    place: String,
    near: std::path::PathBuf,
    /// The subset of all rows without one of their own.
    subset: Option<String>,
    /// Images by their names in the table.
    images: HashMap<String, Option<usize>>,
}

impl Table {
    fn new(gather: &Gather<'_>, path: &Path, columns: Columns) -> Self {
        let near = path.parent().unwrap_or(gather.root).to_owned();
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let parent = near
            .strip_prefix(gather.root)
            .ok()
            .and_then(Path::file_name);
        let parent = parent.unwrap_or_default().to_string_lossy().into_owned();
        Self {
            columns,
            place: gather.place(path),
            subset: [stem, parent]
                .into_iter()
                .find(|name| folder::is_split(name)),
            near,
            images: HashMap::new(),
        }
    }

    fn read(&mut self, gather: &mut Gather<'_>, text: &str) {
        for (line, row) in rows(text).skip(usize::from(self.columns.has_header)) {
            let place = format!("{}: line {line}", self.place);
            match row {
                Ok(row) if row.iter().all(str::is_empty) => {}
                Ok(row) => {
                    if let Err(error) = self.row(gather, &row, &place) {
                        self.lost(gather, &row);
                        gather.problem(place, error);
                    }
                }
                Err(error) => gather.problem(place, error),
            }
        }
    }

    /// Notes that the image of a row lacks an object.
    fn lost(&self, gather: &mut Gather<'_>, row: &StringRecord) {
        let name = row.get(self.columns.image).unwrap_or_default();
        if let Some(Some(index)) = self.images.get(name) {
            gather.mark_incomplete(*index);
        }
    }

    fn row(
        &mut self,
        gather: &mut Gather<'_>,
        row: &StringRecord,
        place: &str,
    ) -> Result<(), String> {
        let Some(index) = self.image(gather, row, place) else {
            return Ok(());
        };
        for (name, column) in &self.columns.marks {
            gather.set.add_label(name);
            if row.get(*column).is_some_and(|mark| mark.parse() == Ok(1.0)) {
                gather.set.images[index].add_image_label(name);
            }
        }
        let class = self
            .columns
            .class
            .and_then(|column| row.get(column))
            .filter(|class| !class.is_empty());
        let Some(class) = class else {
            return Ok(());
        };
        let bounds = self.edges(row)?;
        gather.set.add_label(class);
        match bounds {
            Some([left, top, right, bottom]) => {
                let shape = geometry::rectangle(&[left, top, right - left, bottom - top])?;
                gather.set.images[index]
                    .objects
                    .push(Object::new(shape, class));
            }
            None => gather.set.images[index].add_image_label(class),
        }
        Ok(())
    }

    fn edges(&self, row: &StringRecord) -> Result<Option<[f64; 4]>, String> {
        let Some(columns) = self.columns.edges else {
            return Ok(None);
        };
        let mut edges = [0.0; 4];
        for (edge, column) in edges.iter_mut().zip(columns) {
            let text = row.get(column).unwrap_or_default();
            *edge = text
                .parse()
                .map_err(|_| format!("`{text}` is not a number"))?;
        }
        Ok(Some(edges))
    }

    fn image(&mut self, gather: &mut Gather<'_>, row: &StringRecord, place: &str) -> Option<usize> {
        let name = row.get(self.columns.image).unwrap_or_default();
        if let Some(known) = self.images.get(name) {
            return *known;
        }
        let own = self
            .columns
            .subset
            .and_then(|column| row.get(column))
            .filter(|name| !name.is_empty());
        let subset = own.map(str::to_owned).or_else(|| self.subset.clone());
        let subset = subset.as_deref().and_then(folder::subset_named);
        let size = self.columns.size.and_then(|[width, height]| {
            Some((
                row.get(width)?.parse::<f64>().ok()? as u32,
                row.get(height)?.parse::<f64>().ok()? as u32,
            ))
        });
        let found = gather.find_image(name, subset, &self.near, place);
        let index = found.and_then(|(file, name)| gather.image(&file, &name, subset, size, place));
        self.images.insert(name.to_owned(), index);
        index
    }
}
