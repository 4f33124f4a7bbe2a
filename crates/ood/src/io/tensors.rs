//! safetensors files: a JSON header with names, types, shapes and offsets, then the numbers.
//!
//! Arrays are two-dimensional here. They are read as views of the mapped file, so a bank of
//! 30,000 images costs no start-up time and no private memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytemuck::Pod;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensorError, SafeTensors};
use straylight_files::FileError;

use super::npy::half;
use super::{Array, Values};
use crate::Matrix;
use crate::error::ModelFileError;
use crate::kernels::MappedFile;
use crate::state::{Numbers, StoredArray, Tensor};
use crate::storage::Storage;

/// Writes a safetensors file with these arrays, one after the other; the same arrays give the same
/// bytes.
pub(crate) fn write_tensors(
    arrays: &BTreeMap<String, Tensor<'_>>,
    path: &Path,
) -> Result<(), ModelFileError> {
    let failed = |reason: String| ModelFileError::Format {
        path: path.to_owned(),
        reason,
    };
    let views = arrays.iter().map(|(name, tensor)| {
        let (dtype, bytes): (_, &[u8]) = match &tensor.numbers {
            Numbers::F32(numbers) => (Dtype::F32, bytemuck::cast_slice(numbers)),
            Numbers::F64(numbers) => (Dtype::F64, bytemuck::cast_slice(numbers)),
            Numbers::U32(numbers) => (Dtype::U32, bytemuck::cast_slice(numbers)),
            Numbers::I8(numbers) => (Dtype::I8, bytemuck::cast_slice(numbers)),
        };
        TensorView::new(dtype, tensor.shape.to_vec(), bytes).map(|view| (name.as_str(), view))
    });
    let views = views
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| failed(error.to_string()))?;
    match safetensors::serialize_to_file(views, None, path) {
        Ok(()) => Ok(()),
        Err(SafeTensorError::IoError(error)) => Err(FileError::new("write", path, error).into()),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Maps the safetensors file of a model and views its arrays.
pub(crate) fn read_tensors(path: &Path) -> Result<BTreeMap<String, StoredArray>, ModelFileError> {
    let file = Arc::new(MappedFile::open(path)?);
    let failed = |reason: String| ModelFileError::Format {
        path: path.to_owned(),
        reason,
    };
    let (header, metadata) =
        SafeTensors::read_metadata(file.bytes()).map_err(|error| failed(error.to_string()))?;
    let start = header + size_of::<u64>();
    let mut arrays = BTreeMap::new();
    for (name, info) in metadata.tensors() {
        let (from, to) = info.data_offsets;
        let bytes = start + from..start + to;
        let found = match info.dtype {
            Dtype::F32 => view(&file, bytes, &info.shape).map(StoredArray::F32),
            Dtype::F64 => view(&file, bytes, &info.shape).map(StoredArray::F64),
            Dtype::U32 => view(&file, bytes, &info.shape).map(StoredArray::U32),
            Dtype::I8 => view(&file, bytes, &info.shape).map(StoredArray::I8),
            _ => None,
        };
        let wrong = || {
            failed(format!(
                "the array `{name}` has an unexpected type or shape"
            ))
        };
        arrays.insert(name.clone(), found.ok_or_else(wrong)?);
    }
    Ok(arrays)
}

/// Reads the arrays of any safetensors file into memory; types without a use here are left out.
pub(super) fn parse(bytes: &[u8]) -> Result<BTreeMap<String, Array>, String> {
    let file = SafeTensors::deserialize(bytes)
        .map_err(|error| format!("it is neither a .npz nor a .safetensors file: {error}"))?;
    let read = file.iter().filter_map(|(name, view)| {
        let values = values(view.dtype(), view.data())?;
        Some((
            name.to_owned(),
            Array {
                shape: view.shape().to_vec(),
                values,
            },
        ))
    });
    Ok(read.collect())
}

fn values(dtype: Dtype, data: &[u8]) -> Option<Values> {
    fn read<const N: usize, T>(data: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
        data.as_chunks::<N>()
            .0
            .iter()
            .map(|bytes| number(*bytes))
            .collect()
    }
    Some(match dtype {
        Dtype::F32 => Values::F32(read(data, f32::from_le_bytes)),
        Dtype::F64 => Values::F64(read(data, f64::from_le_bytes)),
        Dtype::F16 => Values::F32(read(data, |bytes| half(u16::from_le_bytes(bytes)))),
        Dtype::BF16 => Values::F32(read(data, |[low, high]| {
            f32::from_le_bytes([0, 0, low, high])
        })),
        Dtype::I64 => Values::I64(read(data, i64::from_le_bytes)),
        Dtype::I32 => Values::I64(read(data, |bytes| i64::from(i32::from_le_bytes(bytes)))),
        Dtype::U32 => Values::I64(read(data, |bytes| i64::from(u32::from_le_bytes(bytes)))),
        Dtype::U8 => Values::I64(read(data, |bytes| i64::from(u8::from_le_bytes(bytes)))),
        _ => return None,
    })
}

/// Views a stretch of a mapped file as a matrix.
fn view<T: Pod>(
    file: &Arc<MappedFile>,
    bytes: std::ops::Range<usize>,
    shape: &[usize],
) -> Option<Matrix<T>> {
    let &[rows, columns] = shape else { return None };
    let storage = Storage::mapped(file, bytes)?;
    Matrix::from_storage(rows, columns, storage).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{StateReader, StateWriter};

    fn write(path: &Path) -> Vec<u8> {
        let mut state = StateWriter::default();
        let mut section = state.section("a");
        section.number("half", 0.5);
        section.vector("ones", &[1.0, 1.0, 1.0]);
        section.indices("rows", &[7]);
        write_tensors(&state.into_arrays(), path).unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn arrays_come_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("arrays.safetensors");
        write(&path);
        let state = StateReader::new(read_tensors(&path).unwrap());
        let section = state.section("a");
        assert_eq!(section.number("half").unwrap().to_bits(), 0.5_f64.to_bits());
        assert_eq!(section.vector("ones").unwrap(), [1.0; 3]);
        assert_eq!(section.indices("rows").unwrap(), [7]);
        assert!(section.number("ones").is_err() && section.number("none").is_err());
    }

    #[test]
    fn every_truncation_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("arrays.safetensors");
        let bytes = write(&path);
        for length in 1..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            assert!(read_tensors(&path).is_err(), "{length} bytes");
        }
    }
}
