use std::path::Path;

use serde::{Deserialize, Serialize};
use straylight_tasks::{OutputTensor, Outputs, TensorData};

use super::{Coordinates, OutputDescription};
use crate::DeployError;

/// What a column of a detector's rows holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Column {
    /// Left edge.
    Left,
    /// Upper edge.
    Top,
    /// Right edge.
    Right,
    /// Lower edge.
    Bottom,
    /// Score of the box.
    Score,
    /// Class of the box.
    Class,
    /// Something that is not used.
    Other,
}

/// Takes a detector's rows apart into the tensors that post-processing knows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    width: usize,
    /// Places of left, upper, right and lower edge, score and class.
    places: [usize; 6],
    coordinates: Coordinates,
}

impl Rows {
    /// The columns of a description; `None` when it names no `detections`.
    pub(crate) fn of(
        outputs: &OutputDescription,
        path: &Path,
    ) -> Result<Option<Self>, DeployError> {
        if outputs.detections.is_none() {
            return Ok(None);
        }
        let place = |wanted: Column| {
            let found = outputs.columns.iter().position(|column| *column == wanted);
            found.ok_or_else(|| {
                let reason = format!("there is no column {wanted:?}").to_lowercase();
                DeployError::config(path, "outputs.columns", reason)
            })
        };
        let places = [
            place(Column::Left)?,
            place(Column::Top)?,
            place(Column::Right)?,
            place(Column::Bottom)?,
            place(Column::Score)?,
            place(Column::Class)?,
        ];
        let (width, coordinates) = (outputs.columns.len(), outputs.coordinates);
        Ok(Some(Self {
            width,
            places,
            coordinates,
        }))
    }

    /// Hands `take` the rows of the first output as boxes, scores and labels.
    pub(crate) fn split<T>(
        &self,
        outputs: &Outputs<'_>,
        path: &Path,
        take: impl FnOnce(&Outputs<'_>) -> Result<T, DeployError>,
    ) -> Result<T, DeployError> {
        let rows = outputs
            .all()
            .first()
            .filter(|tensor| tensor.last() == self.width);
        let rows = rows.ok_or_else(|| {
            let reason = format!(
                "its detections do not have the {} columns of its description",
                self.width
            );
            DeployError::DescribedModel {
                path: path.to_owned(),
                reason,
            }
        })?;
        let values = rows.data.to_f32();
        let column = |place: usize| {
            values
                .iter()
                .copied()
                .skip(self.places[place])
                .step_by(self.width)
        };
        let edges: Vec<_> = (0..4)
            .map(|place| column(place).collect::<Vec<f32>>())
            .collect();
        let count = edges[0].len();
        let boxes: Vec<f32> = (0..count)
            .flat_map(|row| edges.iter().map(move |edge| edge[row]))
            .collect();
        let (scores, classes): (Vec<f32>, Vec<f32>) = (column(4).collect(), column(5).collect());
        let name = match self.coordinates {
            Coordinates::Pixels => "boxes",
            Coordinates::Fractions => "bboxes",
        };
        let (many, flat) = ([1, count, 4], [1, count]);
        let tensor = |name, shape, data| OutputTensor { name, shape, data };
        let split = Outputs::new(vec![
            tensor(name, &many, TensorData::F32(&boxes)),
            tensor("scores", &flat, TensorData::F32(&scores)),
            tensor("labels", &flat, TensorData::F32(&classes)),
        ]);
        let split = split.map_err(|source| DeployError::Task {
            path: path.to_owned(),
            source,
        })?;
        take(&split)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(columns: Vec<Column>) -> OutputDescription {
        OutputDescription {
            detections: Some("rows".to_owned()),
            columns,
            ..Default::default()
        }
    }

    #[test]
    fn rows_are_taken_apart_by_their_columns() {
        use Column::{Bottom, Class, Left, Other, Right, Score, Top};
        let columns = vec![Class, Other, Score, Left, Top, Right, Bottom];
        let rows = Rows::of(&description(columns), Path::new("d"))
            .unwrap()
            .unwrap();
        let data = [
            3.0, 9.0, 0.5, 1.0, 2.0, 3.0, 4.0, 7.0, 9.0, 0.25, 5.0, 6.0, 7.0, 8.0,
        ];
        let tensor = OutputTensor {
            name: "rows",
            shape: &[1, 2, 7],
            data: TensorData::F32(&data),
        };
        let outputs = Outputs::new(vec![tensor]).unwrap();
        let seen = rows.split(&outputs, Path::new("m"), |split| {
            let values = |name| split.named(name).unwrap().data.to_f32().into_owned();
            Ok((values("boxes"), values("scores"), values("labels")))
        });
        let (boxes, scores, labels) = seen.unwrap();
        assert_eq!(boxes, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!((scores, labels), (vec![0.5, 0.25], vec![3.0, 7.0]));
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = Rows::of(&description(vec![Column::Left]), Path::new("d.yaml")).unwrap_err();
        assert!(error.to_string().contains("no column top"), "{error}");
    }
}
