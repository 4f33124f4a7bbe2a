//! Reading and writing arrays: NumPy's `.npz` and `.npy`, and safetensors.

mod activations;
mod npy;
mod npz;
mod tensors;

pub use activations::{ArrayFile, parse_arrays, read_arrays, write_scores};
pub(crate) use tensors::{read_tensors, write_tensors};

/// All arrays of a `.npz` fixture.
#[cfg(test)]
pub(crate) fn fixture(path: &str) -> std::collections::BTreeMap<String, Array> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/");
    let bytes = std::fs::read(format!("{root}{path}")).unwrap();
    npz::read(std::io::Cursor::new(bytes)).unwrap()
}

/// The array of a `.npy` fixture.
#[cfg(test)]
pub(crate) fn fixture_array(path: &str) -> Array {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/");
    let bytes = std::fs::read(format!("{root}{path}")).unwrap();
    npy::read(&mut bytes.as_slice(), bytes.len() as u64).unwrap()
}

/// An array of any number of dimensions, in C order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Values,
}

/// The numbers of an array; narrower types are widened when read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I64(Vec<i64>),
}

impl Values {
    pub(crate) fn into_f32(self) -> Vec<f32> {
        match self {
            Self::F32(values) => values,
            Self::F64(values) => values.into_iter().map(|value| value as f32).collect(),
            Self::I64(values) => values.into_iter().map(|value| value as f32).collect(),
        }
    }

    #[cfg(test)]
    pub(crate) fn to_f64(&self) -> Vec<f64> {
        match self {
            Self::F32(values) => values.iter().map(|&value| f64::from(value)).collect(),
            Self::F64(values) => values.clone(),
            Self::I64(values) => values.iter().map(|&value| value as f64).collect(),
        }
    }

    /// The same numbers of a Fortran-ordered array of this shape, in C order.
    fn in_c_order(self, shape: &[usize]) -> Self {
        fn turned<T: Copy>(values: &[T], shape: &[usize]) -> Vec<T> {
            let mut strides = Vec::with_capacity(shape.len());
            let mut stride = 1;
            for &side in shape {
                strides.push(stride);
                stride *= side;
            }
            let place = |mut index: usize| {
                let mut place = 0;
                for (&side, stride) in shape.iter().zip(&strides).rev() {
                    place += index % side * stride;
                    index /= side;
                }
                place
            };
            (0..values.len())
                .map(|index| values[place(index)])
                .collect()
        }
        match self {
            Self::F32(values) => Self::F32(turned(&values, shape)),
            Self::F64(values) => Self::F64(turned(&values, shape)),
            Self::I64(values) => Self::I64(turned(&values, shape)),
        }
    }
}
