//! What the columns of a table mean.

use csv::{ReaderBuilder, StringRecord, Trim};

/// What stands in which column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    pub(super) image: usize,
    /// The column of the class.
    pub(super) class: Option<usize>,
    /// Left, top, right and lower edge.
    pub(super) edges: Option<[usize; 4]>,
    /// Width and height of the image.
    pub(super) size: Option<[usize; 2]>,
    pub(super) subset: Option<usize>,
    /// Columns of classes with 0 or 1, by name.
    pub(super) marks: Vec<(String, usize)>,
    /// Whether the first row is a header.
    pub(super) has_header: bool,
}

/// The rows of a table with their lines.
pub(super) fn rows(text: &str) -> impl Iterator<Item = (u64, Result<StringRecord, String>)> {
    let reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    reader.into_records().map(|row| match row {
        Ok(row) => (row.position().map_or(0, csv::Position::line), Ok(row)),
        Err(error) => (
            error.position().map_or(0, csv::Position::line),
            Err(error.to_string()),
        ),
    })
}

/// Tables of some countries have semicolons between columns.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let count = |letter: char| first.matches(letter).count();
    match (count(','), count(';'), count('\t')) {
        (commas, semicolons, tabs) if semicolons > commas && semicolons >= tabs => b';',
        (commas, _, tabs) if tabs > commas => b'\t',
        _ => b',',
    }
}

impl Columns {
    /// From the first row of a table.
    pub(super) fn of(first: &StringRecord) -> Option<Self> {
        let names: Vec<String> = first
            .iter()
            .map(|name| name.to_lowercase().replace([' ', '-'], "_"))
            .collect();
        let find = |known: &[&str]| {
            known
                .iter()
                .find_map(|known| names.iter().position(|name| name == known))
        };
        let image = find(&[
            "filename",
            "file_name",
            "image",
            "image_name",
            "image_path",
            "img_path",
            "path",
            "filepath",
            "imagename",
        ]);
        let Some(image) = image else {
            return Self::without_header(first);
        };
        let edges = [
            find(&["xmin", "x_min", "x1", "left"]),
            find(&["ymin", "y_min", "y1", "top"]),
            find(&["xmax", "x_max", "x2", "right"]),
            find(&["ymax", "y_max", "y2", "bottom"]),
        ];
        let edges = match edges {
            [Some(left), Some(top), Some(right), Some(bottom)] => Some([left, top, right, bottom]),
            _ => None,
        };
        let size = [
            find(&["width", "image_width"]),
            find(&["height", "image_height"]),
        ];
        let size = match size {
            [Some(width), Some(height)] => Some([width, height]),
            _ => None,
        };
        let class = find(&[
            "class",
            "label",
            "class_name",
            "labels",
            "category",
            "label_name",
        ]);
        let subset = find(&["subset", "split", "set", "data_set"]);
        let taken = [Some(image), class, subset];
        let others = (0..names.len()).filter(|index| !taken.contains(&Some(*index)));
        let marks = others
            .map(|index| (first[index].to_owned(), index))
            .collect();
        let marks = if class.is_none() && edges.is_none() {
            marks
        } else {
            Vec::new()
        };
        let known = class.is_some() || !marks.is_empty();
        known.then_some(Self {
            image,
            class,
            edges,
            size,
            subset,
            marks,
            has_header: true,
        })
    }

    /// Takes away what cannot be a label with a mark for each image: a column without a name, as
    /// pandas writes for its index, and one that holds anything but 0 and 1. Returns the names.
    pub(super) fn drop_other_marks(&mut self, text: &str) -> Vec<String> {
        let is_mark = |value: &str| {
            let value = value.trim();
            value.is_empty()
                || value
                    .parse()
                    .is_ok_and(|mark: f64| [0.0, 1.0].contains(&mark))
        };
        let mut fits: Vec<bool> = self
            .marks
            .iter()
            .map(|(name, _)| !name.trim().is_empty())
            .collect();
        for row in rows(text).skip(1).filter_map(|(_, row)| row.ok()) {
            for ((_, column), fits) in self.marks.iter().zip(&mut fits) {
                *fits &= row.get(*column).is_none_or(is_mark);
            }
        }
        let mut fits = fits.into_iter();
        let (marks, others) = std::mem::take(&mut self.marks)
            .into_iter()
            .partition(|_| fits.next().unwrap_or_default());
        self.marks = marks;
        let others: Vec<(String, usize)> = others;
        others.into_iter().map(|(name, _)| name).collect()
    }

    /// `path,left,top,right,bottom,class` of `RetinaNet`; four empty ones for an image of nothing.
    fn without_header(first: &StringRecord) -> Option<Self> {
        let is_image = crate::find::has_image_name(std::path::Path::new(first.get(0)?));
        let is_number = |index: usize| {
            first
                .get(index)
                .is_some_and(|text| text.is_empty() || text.parse::<f64>().is_ok())
        };
        let fits = first.len() == 6 && is_image && (1..5).all(is_number);
        fits.then(|| Self {
            image: 0,
            class: Some(5),
            edges: Some([1, 2, 3, 4]),
            size: None,
            subset: None,
            marks: Vec::new(),
            has_header: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_names() {
        let of = |row: &str| Columns::of(&StringRecord::from(row.split(',').collect::<Vec<_>>()));
        let boxes = of("filename,width,height,class,xmin,ymin,xmax,ymax").unwrap();
        assert_eq!(
            (boxes.class, boxes.edges, boxes.size),
            (Some(3), Some([4, 5, 6, 7]), Some([1, 2]))
        );
        assert_eq!(of("image,label").unwrap().class, Some(1));
        assert_eq!(of("filename,bolt,nut").unwrap().marks.len(), 2);
        assert!(!of("a.jpg,1,2,3,4,bolt").unwrap().has_header);
        assert!(of("name,price").is_none() && of("a.jpg,1").is_none());
    }

    #[test]
    fn semicolons_and_tabs_are_understood() {
        for text in ["a;b;c\n1;2;3", "a\tb\tc\n1\t2\t3", "a,b,c\n1,2,3"] {
            let rows: Vec<usize> = rows(text).map(|(_, row)| row.unwrap().len()).collect();
            assert_eq!(rows, [3, 3]);
        }
    }
}
