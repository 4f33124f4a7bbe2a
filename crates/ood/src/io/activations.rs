use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use straylight_files::FileError;

use super::{Array, Values, npz, tensors};
use crate::error::{ModelFileError, SetError};
use crate::kernels::MappedFile;
use crate::{ActivationSet, Head, Matrix};

/// How zip archives begin.
const ZIPPED: [u8; 2] = *b"PK";

/// Activations that were computed elsewhere, as they came from a file.
///
/// The file is NumPy's `.npz` or a `.safetensors` with the arrays `features` `[n, D]`, `logits`
/// `[n, C]`, `labels` `[n]` (integers), `head_w` `[C, D]` and `head_b` `[C]`; all but `features`
/// are optional, and other arrays are ignored.
#[derive(Debug, Clone)]
pub struct ArrayFile {
    /// The activations of the images.
    pub set: ActivationSet,
    /// Weight and bias of the model's last layer, if the file has both.
    pub head: Option<Head>,
}

/// Reads activations from a `.npz` or `.safetensors` file; which, is found from its first bytes.
///
/// Negative labels mark outliers in common data sets, and are refused as labels of a fit: leave
/// the array out. Arrays are in memory once, whatever their size.
pub fn read_arrays(path: &Path) -> Result<ArrayFile, ModelFileError> {
    let failed = |reason: String| ModelFileError::Format {
        path: PathBuf::from(path),
        reason,
    };
    let unreadable = |error| FileError::new("read", path, error);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut start = [0; 2];
    let zipped = file.read_exact(&mut start).is_ok() && start == ZIPPED;
    let arrays = if zipped {
        file.rewind().map_err(unreadable)?;
        npz::read(BufReader::new(file))
    } else {
        tensors::parse(MappedFile::open(path)?.bytes())
    };
    arrays.and_then(array_file).map_err(failed)
}

/// Reads activations from the bytes of a file, see [`read_arrays`].
pub fn parse_arrays(bytes: &[u8]) -> Result<ArrayFile, String> {
    let arrays = if bytes.starts_with(&ZIPPED) {
        npz::read(Cursor::new(bytes))
    } else {
        tensors::parse(bytes)
    };
    arrays.and_then(array_file)
}

fn array_file(mut arrays: BTreeMap<String, Array>) -> Result<ArrayFile, String> {
    let features = matrix(&mut arrays, "features")?
        .ok_or("it has no array `features`: that one is needed, of shape [n, D]")?;
    let text = |error: SetError| error.to_string();
    let mut set = ActivationSet::new(features).map_err(text)?;
    if let Some(logits) = matrix(&mut arrays, "logits")? {
        set = set.with_logits(logits).map_err(text)?;
    }
    if let Some(probabilities) = matrix(&mut arrays, "probabilities")? {
        set = set.with_probabilities(probabilities).map_err(text)?;
    }
    if let Some(labels) = labels(&mut arrays)? {
        set = set.with_labels(labels).map_err(text)?;
    }
    let head = match (matrix(&mut arrays, "head_w")?, arrays.remove("head_b")) {
        (Some(weight), Some(bias)) => {
            Some(Head::new(weight, bias.values.into_f32()).map_err(text)?)
        }
        (None, None) => None,
        _ => return Err("it has only one of `head_w` and `head_b`: give both or none".to_owned()),
    };
    Ok(ArrayFile { set, head })
}

fn matrix(arrays: &mut BTreeMap<String, Array>, name: &str) -> Result<Option<Matrix>, String> {
    let Some(array) = arrays.remove(name) else {
        return Ok(None);
    };
    let &[rows, columns] = array.shape.as_slice() else {
        return Err(format!(
            "`{name}` has {} dimensions, it needs 2",
            array.shape.len()
        ));
    };
    let made = Matrix::new(rows, columns, array.values.into_f32());
    made.map(Some).map_err(|error| format!("`{name}`: {error}"))
}

fn labels(arrays: &mut BTreeMap<String, Array>) -> Result<Option<Vec<u32>>, String> {
    let Some(array) = arrays.remove("labels") else {
        return Ok(None);
    };
    let Values::I64(values) = array.values else {
        return Err("`labels` are not integers".to_owned());
    };
    let label = |(row, value): (usize, i64)| {
        u32::try_from(value).map_err(|_| {
            format!("`labels`: image {row} has label {value}, a label is a class index from 0")
        })
    };
    values
        .into_iter()
        .enumerate()
        .map(label)
        .collect::<Result<_, _>>()
        .map(Some)
}

/// Writes scores as a `.npz` file: one array of doubles a name, in the order of the images.
pub fn write_scores(path: &Path, scores: &[(&str, Vec<f64>)]) -> Result<(), ModelFileError> {
    let arrays = scores.iter().map(|(name, values)| {
        let array = Array {
            shape: vec![values.len()],
            values: Values::F64(values.clone()),
        };
        ((*name).to_owned(), array)
    });
    let bytes = npz::format(&arrays.collect()).map_err(|reason| ModelFileError::Format {
        path: path.to_owned(),
        reason,
    })?;
    Ok(straylight_files::write_atomically(path, &bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(change: impl FnOnce(&mut BTreeMap<String, Array>)) -> Result<ArrayFile, String> {
        let array = |shape: &[usize], values| Array {
            shape: shape.to_vec(),
            values,
        };
        let mut arrays = BTreeMap::from([
            (
                "features".to_owned(),
                array(&[2, 3], Values::F64(vec![1.0; 6])),
            ),
            (
                "logits".to_owned(),
                array(&[2, 2], Values::F32(vec![0.5; 4])),
            ),
            ("labels".to_owned(), array(&[2], Values::I64(vec![1, 0]))),
            (
                "head_w".to_owned(),
                array(&[2, 3], Values::F32(vec![0.0; 6])),
            ),
            ("head_b".to_owned(), array(&[2], Values::F32(vec![0.5; 2]))),
        ]);
        change(&mut arrays);
        parse_arrays(&npz::format(&arrays).unwrap())
    }

    #[test]
    fn all_arrays_are_read() {
        let read = file(|_| {}).unwrap();
        assert_eq!(read.set.labels(), Some([1, 0].as_slice()));
        assert_eq!(read.set.features().row(1), [1.0; 3]);
        assert_eq!(read.head.unwrap().classes(), 2);
    }

    #[test]
    fn what_is_wrong_is_named() {
        struct Case(&'static str, fn(&mut BTreeMap<String, Array>));
        for Case(named, change) in [
            Case("features", |a| drop(a.remove("features"))),
            Case("head_b", |a| drop(a.remove("head_b"))),
            Case("labels", |a| {
                a.get_mut("labels").unwrap().values = Values::I64(vec![-1, 0]);
            }),
            Case("labels", |a| {
                a.get_mut("labels").unwrap().values = Values::F32(vec![0.0; 2]);
            }),
            Case("labels", |a| {
                a.get_mut("labels").unwrap().values = Values::I64(vec![9, 0]);
            }),
            Case("dimensions", |a| {
                a.get_mut("logits").unwrap().shape = vec![4];
            }),
        ] {
            let error = file(change).unwrap_err();
            assert!(error.contains(named), "{named}: {error}");
        }
        assert!(parse_arrays(b"hello").is_err());
    }
}
