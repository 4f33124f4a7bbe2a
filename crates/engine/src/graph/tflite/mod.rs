//! Reading TFLite files without OpenVINO: tensors with their quantisation, metadata, packed files.
//!
//! Field numbers are those of TensorFlow's `schema.fbs` (version 3).

mod flat;
mod metadata;
mod packed;

use std::path::Path;

use flat::{Damaged, Flat, Table};

use super::facts::{Fact, Place, wrong};
use crate::{Dimension, EngineError};

/// A TFLite model as its file describes it, without its weights.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TfliteModel {
    /// Inputs of the first subgraph.
    pub inputs: Vec<TfliteTensor>,
    /// Outputs of the first subgraph.
    pub outputs: Vec<TfliteTensor>,
    /// Operations of the first subgraph, in the order in which they are computed.
    pub operators: Vec<TfliteOperator>,
    /// What its metadata and the files packed into it say.
    pub facts: Vec<Fact>,
}

/// A tensor of a TFLite model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TfliteTensor {
    /// Its name.
    pub name: String,
    /// Type of its values.
    pub element: TfliteType,
    /// Its shape; `None` for an axis without a fixed size.
    pub shape: Vec<Dimension>,
    /// How integers stand for real numbers, if they do.
    pub quantisation: Option<Quantisation>,
    /// Whether its values are constants of the file.
    pub is_constant: bool,
}

/// How integers stand for real numbers: `scale * (integer - zero_point)`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quantisation {
    /// One scale, or one for each place along `axis`.
    pub scale: Vec<f32>,
    /// As many zero points.
    pub zero_point: Vec<i64>,
    /// The axis along which scales differ.
    pub axis: i32,
}

/// Element types of TFLite, as far as they are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TfliteType {
    /// 32-bit floating point.
    #[default]
    F32,
    /// 16-bit floating point.
    F16,
    /// 8 bits without a sign.
    U8,
    /// 8 bits with a sign.
    I8,
    /// 16 bits with a sign.
    I16,
    /// 32 bits with a sign.
    I32,
    /// 64 bits with a sign.
    I64,
    /// Boolean.
    Bool,
    /// Any other, by its number.
    Other(i8),
}

/// An operation of a TFLite model, with its operands.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TfliteOperator {
    /// Number of the built-in operation; 32 for one of another maker.
    pub code: i32,
    /// Name of an operation of another maker, such as `TFLite_Detection_PostProcess`.
    pub custom: String,
    /// Its inputs; `None` for one that is left out.
    pub inputs: Vec<Option<TfliteTensor>>,
    /// Its outputs.
    pub outputs: Vec<TfliteTensor>,
}

impl TfliteModel {
    /// Reads a model from the bytes of its file; `path` is used in messages.
    ///
    /// # Errors
    ///
    /// [`EngineError::Model`] when the bytes are not those of a TFLite model.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, EngineError> {
        let flat = Flat::new(bytes);
        if !flat.is(*b"TFL3") {
            return Err(wrong(path, "is no TFLite file: its identifier is not TFL3"));
        }
        let read = || -> Result<Self, Damaged> {
            let root = flat.root()?;
            let graph = root.tables(2)?.into_iter().next().ok_or(Damaged)?;
            let mut model = Self::graph(root, graph)?;
            if let Some(bytes) = metadata_bytes(root, bytes)? {
                model.facts = metadata::read(bytes)?;
            }
            Ok(model)
        };
        let mut model = read().map_err(|Damaged| wrong(path, "is no complete TFLite file"))?;
        model.facts.extend(packed::read(path, bytes)?);
        Ok(model)
    }

    fn graph(root: Table<'_>, graph: Table<'_>) -> Result<Self, Damaged> {
        let codes = root.tables(1)?;
        let filled = root.tables(4)?;
        let is_filled = |buffer: u32| -> Result<bool, Damaged> {
            let buffer = filled.get(buffer as usize);
            let filled = |buffer: &Table<'_>| Ok(buffer.u64(2)? > 1 || buffer.has(0)?);
            buffer.map_or(Ok(false), filled)
        };
        let tensors = graph.tables(0)?.into_iter();
        let tensors = tensors.map(|tensor| tensor_of(tensor, is_filled(tensor.u32(2)?)?));
        let tensors = tensors.collect::<Result<Vec<_>, _>>()?;
        let get = |place: &i32| {
            let place = usize::try_from(*place).ok();
            place.and_then(|place| tensors.get(place)).cloned()
        };
        let all = |table: Table<'_>, field| -> Result<Vec<TfliteTensor>, Damaged> {
            let places = table.i32s(field)?;
            places
                .iter()
                .map(|place| get(place).ok_or(Damaged))
                .collect()
        };
        let operator = |operator: Table<'_>| {
            let code = codes.get(operator.u32(0)? as usize).ok_or(Damaged)?;
            Ok(TfliteOperator {
                // Older files have the number in the first field, newer ones in the last.
                code: code.i32(3)?.max(i32::from(code.i8(0)?)),
                custom: code.text(1)?.to_owned(),
                inputs: operator.i32s(1)?.iter().map(get).collect(),
                outputs: all(operator, 2)?,
            })
        };
        Ok(Self {
            inputs: all(graph, 1)?,
            outputs: all(graph, 2)?,
            operators: graph
                .tables(3)?
                .into_iter()
                .map(operator)
                .collect::<Result<_, _>>()?,
            facts: Vec::new(),
        })
    }

    /// The value of a key of the metadata, such as `input/0/mean`.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        let mut facts = self.facts.iter();
        let fact = facts.find(|fact| fact.place == Place::TfliteMetadata && fact.key == key);
        fact.map(|fact| fact.value.as_str())
    }

    /// The labels of an output, one a line, from the file that its metadata names.
    pub fn labels(&self, output: usize) -> Option<Vec<&str>> {
        let name = self
            .metadata(&format!("output/{output}/label_file"))
            .or_else(|| self.metadata(&format!("output/{output}/value_label_file")))?;
        let mut facts = self.facts.iter();
        let file = facts.find(|fact| fact.place == Place::PackedFile && fact.key == name)?;
        Some(file.value.lines().map(str::trim_end).collect())
    }
}

fn tensor_of(tensor: Table<'_>, is_constant: bool) -> Result<TfliteTensor, Damaged> {
    let signature = tensor.i32s(7)?;
    let shape = tensor.i32s(0)?;
    let shape = if signature.is_empty() {
        shape
    } else {
        signature
    };
    Ok(TfliteTensor {
        name: tensor.text(3)?.to_owned(),
        element: TfliteType::of(tensor.i8(1)?),
        shape: shape
            .iter()
            .map(|&side| usize::try_from(side).ok())
            .collect(),
        quantisation: tensor.table(4)?.map(quantisation).transpose()?.flatten(),
        is_constant,
    })
}

fn quantisation(table: Table<'_>) -> Result<Option<Quantisation>, Damaged> {
    let scale = table.f32s(2)?;
    let mut zero_point = table.i64s(3)?;
    zero_point.resize(scale.len(), 0);
    let axis = table.i32(6)?;
    Ok((!scale.is_empty()).then_some(Quantisation {
        scale,
        zero_point,
        axis,
    }))
}

/// The bytes of the buffer that is named `TFLITE_METADATA`.
fn metadata_bytes<'a>(root: Table<'a>, file: &'a [u8]) -> Result<Option<&'a [u8]>, Damaged> {
    for entry in root.tables(6)? {
        if entry.text(0)? != "TFLITE_METADATA" {
            continue;
        }
        let buffers = root.tables(4)?;
        let buffer = buffers.get(entry.u32(1)? as usize).ok_or(Damaged)?;
        let (offset, size) = (buffer.u64(1)?, buffer.u64(2)?);
        // Files of more than 2 GiB keep buffers behind the flatbuffer.
        if offset > 1 {
            let end = offset.checked_add(size).ok_or(Damaged)?;
            return Ok(Some(
                file.get(offset as usize..end as usize).ok_or(Damaged)?,
            ));
        }
        return Ok(Some(buffer.bytes(0)?));
    }
    Ok(None)
}

impl TfliteType {
    fn of(number: i8) -> Self {
        match number {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::I32,
            3 => Self::U8,
            4 => Self::I64,
            6 => Self::Bool,
            7 => Self::I16,
            9 => Self::I8,
            other => Self::Other(other),
        }
    }

    /// Whether its values are integers, which may stand for real numbers.
    pub fn is_integer(self) -> bool {
        matches!(
            self,
            Self::U8 | Self::I8 | Self::I16 | Self::I32 | Self::I64
        )
    }
}

#[cfg(test)]
mod tests;
