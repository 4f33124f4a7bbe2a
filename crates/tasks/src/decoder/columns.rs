use serde::{Deserialize, Serialize};

use super::BoxFormat;

/// What a column of a detector's rows holds; some words stand for several columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// Left edge.
    Left,
    /// Upper edge.
    Top,
    /// Right edge.
    Right,
    /// Lower edge.
    Bottom,
    /// Column of the centre.
    X,
    /// Row of the centre.
    Y,
    /// Width.
    Width,
    /// Height.
    Height,
    /// Clockwise angle in radians.
    Angle,
    /// Score of the box.
    Score,
    /// Class of the box.
    Class,
    /// Score for there being an object at all; class scores are multiplied by it.
    Objectness,
    /// As many columns as there are classes (and background): a score for each.
    ClassScores,
    /// As many columns as there are prototypes: the object's share of each.
    MaskCoefficients,
    /// Three columns for each key point: column, row, visibility.
    KeyPoints,
    /// Two columns for each key point: column and row.
    KeyPointsWithoutScore,
    /// Something that is not used.
    Other,
}

/// How many columns the words that stand for several have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Widths {
    /// Scores of each candidate.
    pub(crate) scores: usize,
    /// Prototypes of masks.
    pub(crate) prototypes: usize,
    /// Key points of each object.
    pub(crate) points: usize,
}

/// Where in a row which value is.
#[derive(Debug, Clone, PartialEq)]
pub struct RowLayout {
    /// The words of the description.
    pub columns: Vec<Column>,
    /// Whether candidates are the last axis; `None` where the width of a row tells.
    pub turned: Option<bool>,
    /// The four columns of the box, by the order of its format.
    pub(crate) place: [usize; 4],
    /// What they are.
    pub(crate) format: BoxFormat,
    pub(crate) angle: Option<usize>,
}

impl RowLayout {
    /// Makes the layout of a list of columns; `turned` when candidates are the last axis.
    ///
    /// # Errors
    ///
    /// A sentence that says which column is missing.
    pub fn new(columns: Vec<Column>, turned: Option<bool>) -> Result<Self, String> {
        use Column::{Bottom, Height, Left, Right, Top, Width, X, Y};
        let has = |column: Column| columns.contains(&column);
        let (format, edges) = if has(X) || has(Y) {
            (BoxFormat::Centre, [X, Y, Width, Height])
        } else if has(Width) || has(Height) {
            (BoxFormat::LeftTopSize, [Left, Top, Width, Height])
        } else {
            (BoxFormat::Corners, [Left, Top, Right, Bottom])
        };
        if let Some(missing) = edges.into_iter().find(|&column| !has(column)) {
            return Err(missing_column(missing));
        }
        if !has(Column::Score) && !has(Column::ClassScores) && !has(Column::Objectness) {
            return Err(missing_column(Column::Score));
        }
        if has(Column::Score) && has(Column::ClassScores) {
            return Err("`score` and `class_scores` exclude each other".to_owned());
        }
        let mut layout = Self {
            columns,
            turned,
            place: [0; 4],
            format,
            angle: None,
        };
        // Boxes and angle stand in single columns, whose places do not depend on the widths
        // unless a wide one stands before them; those are resolved by `places`.
        layout.place = edges.map(|column| layout.index(column).unwrap_or_default());
        layout.angle = layout.index(Column::Angle);
        Ok(layout)
    }

    fn index(&self, wanted: Column) -> Option<usize> {
        self.columns.iter().position(|&column| column == wanted)
    }

    /// How wide a row is.
    pub(crate) fn width(&self, widths: Widths) -> usize {
        self.columns.iter().map(|&column| widths.of(column)).sum()
    }

    /// The first column of a word.
    pub(crate) fn start(&self, wanted: Column, widths: Widths) -> Option<usize> {
        let index = self.index(wanted)?;
        Some(self.start_of(index, widths))
    }

    /// The column where the word of this index begins.
    pub(crate) fn start_of(&self, index: usize, widths: Widths) -> usize {
        let before = self.columns.iter().take(index);
        before.map(|&column| widths.of(column)).sum()
    }

    /// Whether a word is among the columns.
    pub fn has(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }
}

impl Widths {
    fn of(self, column: Column) -> usize {
        match column {
            Column::ClassScores => self.scores,
            Column::MaskCoefficients => self.prototypes,
            Column::KeyPoints => 3 * self.points,
            Column::KeyPointsWithoutScore => 2 * self.points,
            _ => 1,
        }
    }
}

fn missing_column(column: Column) -> String {
    let word = serde_json::to_value(column).ok();
    let word = word.as_ref().and_then(|word| word.as_str());
    format!("there is no column {}", word.unwrap_or_default())
}
