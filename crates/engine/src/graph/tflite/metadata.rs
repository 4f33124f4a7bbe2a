//! The flatbuffer `TFLITE_METADATA`, by the schema `metadata_schema.fbs` (1.5.0).

use super::flat::{Damaged, Flat, Table};
use crate::graph::facts::{Fact, Place};

/// What the metadata says, as facts with paths such as `input/0/mean`.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Fact>, Damaged> {
    let flat = Flat::new(bytes);
    let root = flat.root()?;
    let mut facts = Facts::default();
    for (field, key) in [(0, "name"), (1, "description"), (2, "version")] {
        facts.text(key, root.text(field)?);
    }
    facts.files("files", root, 6)?;
    for graph in root.tables(3)?.into_iter().take(1) {
        for (side, field) in [("input", 2), ("output", 3)] {
            for (place, tensor) in graph.tables(field)?.into_iter().enumerate() {
                facts.tensor(&format!("{side}/{place}"), tensor)?;
            }
        }
        facts.files("files", graph, 4)?;
        for (side, field) in [("input", 5), ("output", 6)] {
            for unit in graph.tables(field)? {
                facts.unit(side, unit)?;
            }
        }
    }
    Ok(facts.0)
}

#[derive(Default)]
struct Facts(Vec<Fact>);

impl Facts {
    fn text(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.0.push(Fact {
                place: Place::TfliteMetadata,
                key: key.to_owned(),
                value: value.to_owned(),
            });
        }
    }

    fn numbers(&mut self, key: &str, values: &[f32]) {
        let words: Vec<String> = values.iter().map(f32::to_string).collect();
        self.text(key, &words.join(" "));
    }

    fn tensor(&mut self, path: &str, tensor: Table<'_>) -> Result<(), Damaged> {
        self.text(&format!("{path}/name"), tensor.text(0)?);
        self.text(&format!("{path}/description"), tensor.text(1)?);
        if let Some(content) = tensor.table(3)? {
            self.content(path, content)?;
        }
        for unit in tensor.tables(4)? {
            self.unit(path, unit)?;
        }
        if let Some(stats) = tensor.table(5)? {
            self.numbers(&format!("{path}/max"), &stats.f32s(0)?);
            self.numbers(&format!("{path}/min"), &stats.f32s(1)?);
        }
        self.files(path, tensor, 6)
    }

    fn content(&mut self, path: &str, content: Table<'_>) -> Result<(), Damaged> {
        let Some(properties) = content.table(1)? else {
            return Ok(());
        };
        match content.i8(0)? {
            2 => {
                let spaces = ["unknown", "RGB", "GRAYSCALE"];
                let name = named(&spaces, properties.i8(0)?);
                self.text(&format!("{path}/color_space"), name);
            }
            3 => {
                let order: Vec<String> = properties.i32s(0)?.iter().map(i32::to_string).collect();
                self.text(&format!("{path}/box_order"), &order.join(" "));
                let kinds = ["unknown", "BOUNDARIES", "UPPER_LEFT", "CENTER"];
                self.text(
                    &format!("{path}/box_type"),
                    named(&kinds, properties.i8(1)?),
                );
                let units = named(&["RATIO", "PIXEL"], properties.i8(2)?);
                self.text(&format!("{path}/box_coordinates"), units);
            }
            _ => {}
        }
        Ok(())
    }

    fn unit(&mut self, path: &str, unit: Table<'_>) -> Result<(), Damaged> {
        let Some(options) = unit.table(1)? else {
            return Ok(());
        };
        match unit.i8(0)? {
            1 => {
                self.numbers(&format!("{path}/mean"), &options.f32s(0)?);
                self.numbers(&format!("{path}/std"), &options.f32s(1)?);
            }
            2 => {
                let kinds = ["IDENTITY", "LOG", "INVERSE_LOGISTIC"];
                let name = named(&kinds, options.i8(0)?);
                self.text(&format!("{path}/score_calibration"), name);
            }
            3 => {
                let threshold = options.f32(0)?.unwrap_or_default();
                self.numbers(&format!("{path}/score_threshold"), &[threshold]);
            }
            other => self.text(&format!("{path}/process_unit"), &other.to_string()),
        }
        Ok(())
    }

    fn files(&mut self, path: &str, owner: Table<'_>, field: usize) -> Result<(), Damaged> {
        let kinds = [
            "file",
            "description_file",
            "label_file",
            "value_label_file",
            "calibration_file",
            "vocabulary_file",
        ];
        for file in owner.tables(field)? {
            let kind = named(&kinds, file.i8(2)?);
            self.text(&format!("{path}/{kind}"), file.text(0)?);
        }
        Ok(())
    }
}

/// The name of a value of an enumeration.
fn named(names: &[&'static str], value: i8) -> &'static str {
    let place = usize::try_from(value).ok();
    place
        .and_then(|place| names.get(place))
        .copied()
        .unwrap_or("unknown")
}
