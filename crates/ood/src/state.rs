//! The numbers of a fitted model as named arrays, between the detectors and the files.
//!
//! Names are `section.array`; a section is a detector (`vim`) or something that several
//! detectors share (`bank.unit`). Single numbers are arrays of one double, so that they come
//! back bit for bit.

use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytemuck::Pod;

use crate::{Matrix, ShapeError};

/// More classes, dimensions or neighbours than this are a damaged file.
const LARGEST_COUNT: f64 = 1e6;

/// The numbers of one array.
#[derive(Debug, Clone)]
pub(crate) enum Numbers<'a> {
    /// Single precision.
    F32(Cow<'a, [f32]>),
    /// Double precision.
    F64(Cow<'a, [f64]>),
    /// Counts and indices.
    U32(Cow<'a, [u32]>),
    /// Rounded numbers.
    I8(Cow<'a, [i8]>),
}

/// One array on its way into a file, shape `[rows, columns]`, row by row.
#[derive(Debug, Clone)]
pub(crate) struct Tensor<'a> {
    pub(crate) shape: [usize; 2],
    pub(crate) numbers: Numbers<'a>,
}

/// Collects the arrays of a fitted model.
#[derive(Debug, Default)]
pub struct StateWriter<'a> {
    arrays: BTreeMap<String, Tensor<'a>>,
}

impl<'a> StateWriter<'a> {
    /// Begins or continues a section.
    pub fn section(&mut self, name: impl Into<String>) -> SectionWriter<'_, 'a> {
        SectionWriter {
            name: name.into(),
            writer: self,
        }
    }

    /// All arrays by name, in the order of their names.
    pub(crate) fn into_arrays(self) -> BTreeMap<String, Tensor<'a>> {
        self.arrays
    }
}

/// Writes the arrays of one section; a name that is written twice keeps the last.
#[derive(Debug)]
pub struct SectionWriter<'w, 'a> {
    name: String,
    writer: &'w mut StateWriter<'a>,
}

impl<'a> SectionWriter<'_, 'a> {
    fn put(&mut self, name: &str, shape: [usize; 2], numbers: Numbers<'a>) {
        let name = format!("{}.{name}", self.name);
        self.writer.arrays.insert(name, Tensor { shape, numbers });
    }

    /// Writes a matrix.
    pub fn matrix(&mut self, name: &str, value: &'a Matrix) {
        let shape = [value.rows(), value.columns()];
        self.put(name, shape, Numbers::F32(Cow::Borrowed(value.data())));
    }

    /// Writes a matrix in double precision.
    pub fn matrix64(&mut self, name: &str, value: &'a Matrix<f64>) {
        let shape = [value.rows(), value.columns()];
        self.put(name, shape, Numbers::F64(Cow::Borrowed(value.data())));
    }

    /// Writes a matrix of whole numbers in 8 bits.
    pub fn bytes(&mut self, name: &str, value: &'a Matrix<i8>) {
        let shape = [value.rows(), value.columns()];
        self.put(name, shape, Numbers::I8(Cow::Borrowed(value.data())));
    }

    /// Writes a vector.
    pub fn vector(&mut self, name: &str, value: &'a [f32]) {
        self.put(name, [1, value.len()], Numbers::F32(Cow::Borrowed(value)));
    }

    /// Writes a vector in double precision.
    pub fn vector64(&mut self, name: &str, value: &'a [f64]) {
        self.put(name, [1, value.len()], Numbers::F64(Cow::Borrowed(value)));
    }

    /// Writes counts or indices.
    pub fn indices(&mut self, name: &str, value: &'a [u32]) {
        self.put(name, [1, value.len()], Numbers::U32(Cow::Borrowed(value)));
    }

    /// Writes one number.
    pub fn number(&mut self, name: &str, value: f64) {
        self.put(name, [1, 1], Numbers::F64(Cow::Owned(vec![value])));
    }
}

/// One array as it was found in a file.
#[derive(Debug, Clone)]
pub(crate) enum StoredArray {
    F32(Matrix),
    F64(Matrix<f64>),
    U32(Matrix<u32>),
    I8(Matrix<i8>),
}

/// The arrays of a fitted model as they were found in a file.
#[derive(Debug, Default)]
pub(crate) struct StateReader {
    arrays: BTreeMap<String, StoredArray>,
    shared: RefCell<BTreeMap<String, Arc<dyn Any + Send + Sync>>>,
}

/// The arrays of a file do not make a fitted model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// An array is not there.
    #[error("the array `{0}` is missing")]
    Missing(String),
    /// An array has another element type or shape than it should.
    #[error("the array `{name}` is not {expected}")]
    Unexpected {
        /// Full name of the array.
        name: String,
        /// What it should be.
        expected: String,
    },
    /// The shape of an array is impossible.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

impl StateReader {
    pub(crate) fn new(arrays: BTreeMap<String, StoredArray>) -> Self {
        Self {
            arrays,
            shared: RefCell::default(),
        }
    }

    /// Opens a section; its arrays are looked for when they are asked for.
    pub(crate) fn section(&self, name: impl Into<String>) -> SectionReader<'_> {
        SectionReader {
            name: name.into(),
            reader: self,
        }
    }

    /// Reads something that several detectors share, once.
    pub(crate) fn shared<T: Any + Send + Sync>(
        &self,
        section: &str,
        read: impl FnOnce(&SectionReader<'_>) -> Result<T, StateError>,
    ) -> Result<Arc<T>, StateError> {
        let known = self.shared.borrow().get(section).cloned();
        if let Some(Ok(value)) = known.map(Arc::downcast::<T>) {
            return Ok(value);
        }
        let value = Arc::new(read(&self.section(section))?);
        self.shared
            .borrow_mut()
            .insert(section.to_owned(), Arc::clone(&value) as _);
        Ok(value)
    }
}

/// Reads the arrays of one section.
#[derive(Debug)]
pub(crate) struct SectionReader<'r> {
    name: String,
    reader: &'r StateReader,
}

impl SectionReader<'_> {
    fn get(&self, name: &str) -> Result<(&StoredArray, String), StateError> {
        let name = format!("{}.{name}", self.name);
        match self.reader.arrays.get(&name) {
            Some(array) => Ok((array, name)),
            None => Err(StateError::Missing(name)),
        }
    }

    fn unexpected<T>(name: String, expected: impl Into<String>) -> Result<T, StateError> {
        Err(StateError::Unexpected {
            name,
            expected: expected.into(),
        })
    }

    /// Reads a matrix.
    pub(crate) fn matrix(&self, name: &str) -> Result<Matrix, StateError> {
        match self.get(name)? {
            (StoredArray::F32(matrix), _) => Ok(matrix.clone()),
            (_, name) => Self::unexpected(name, "of single precision"),
        }
    }

    /// Reads a matrix of whole numbers in 8 bits.
    pub(crate) fn bytes(&self, name: &str) -> Result<Matrix<i8>, StateError> {
        match self.get(name)? {
            (StoredArray::I8(matrix), _) => Ok(matrix.clone()),
            (_, name) => Self::unexpected(name, "of whole numbers in 8 bits"),
        }
    }

    /// Reads a matrix of a given width.
    pub(crate) fn matrix_of(&self, name: &str, columns: usize) -> Result<Matrix, StateError> {
        let matrix = self.matrix(name)?;
        if matrix.columns() == columns {
            return Ok(matrix);
        }
        Self::unexpected(
            format!("{}.{name}", self.name),
            format!("{columns} columns wide"),
        )
    }

    /// Reads a matrix in double precision.
    pub(crate) fn matrix64(&self, name: &str) -> Result<Matrix<f64>, StateError> {
        match self.get(name)? {
            (StoredArray::F64(matrix), _) => Ok(matrix.clone()),
            (_, name) => Self::unexpected(name, "of double precision"),
        }
    }

    /// Reads a vector.
    pub(crate) fn vector(&self, name: &str) -> Result<Vec<f32>, StateError> {
        self.matrix(name)
            .and_then(|matrix| self.only_row(name, &matrix))
    }

    /// Reads a vector in double precision.
    pub(crate) fn vector64(&self, name: &str) -> Result<Vec<f64>, StateError> {
        self.matrix64(name)
            .and_then(|matrix| self.only_row(name, &matrix))
    }

    /// Reads counts or indices.
    pub(crate) fn indices(&self, name: &str) -> Result<Vec<u32>, StateError> {
        match self.get(name)? {
            (StoredArray::U32(matrix), _) => self.only_row(name, matrix),
            (_, name) => Self::unexpected(name, "of unsigned integers"),
        }
    }

    /// Reads one number.
    pub(crate) fn number(&self, name: &str) -> Result<f64, StateError> {
        match self.vector64(name)?.as_slice() {
            [value] => Ok(*value),
            _ => Self::unexpected(format!("{}.{name}", self.name), "one number"),
        }
    }

    /// Reads a count: a whole number that is not absurd, as memory is asked for by it.
    pub(crate) fn count(&self, name: &str) -> Result<usize, StateError> {
        let value = self.number(name)?;
        if value.fract() == 0.0 && (0.0..=LARGEST_COUNT).contains(&value) {
            return Ok(value as usize);
        }
        Self::unexpected(
            format!("{}.{name}", self.name),
            format!("a whole number from 0 to {LARGEST_COUNT}"),
        )
    }

    fn only_row<T: Pod>(&self, name: &str, matrix: &Matrix<T>) -> Result<Vec<T>, StateError> {
        if matrix.rows() == 1 {
            return Ok(matrix.data().to_vec());
        }
        Self::unexpected(format!("{}.{name}", self.name), "one row")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_and_not_absurd() {
        let count = |value: f64| {
            let stored = StoredArray::F64(Matrix::new(1, 1, vec![value]).unwrap());
            let reader = StateReader::new([("a.classes".to_owned(), stored)].into());
            reader.section("a").count("classes")
        };
        for (value, whole) in [(0.0, 0), (1000.0, 1000), (1e6, 1_000_000)] {
            assert_eq!(count(value).unwrap(), whole);
        }
        for value in [-1.0, 0.5, 1e7, 1e300, f64::INFINITY, f64::NAN] {
            let error = count(value).unwrap_err();
            assert!(error.to_string().contains("a.classes"), "{error}");
        }
    }
}
