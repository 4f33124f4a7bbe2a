use std::borrow::Cow;

use crate::TaskError;

/// The elements of a tensor, borrowed from whoever ran the model.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum TensorData<'a> {
    /// 32-bit floats.
    F32(&'a [f32]),
    /// 64-bit floats.
    F64(&'a [f64]),
    /// Bytes; booleans come as 0 and 1.
    U8(&'a [u8]),
    /// 32-bit integers.
    I32(&'a [i32]),
    /// 64-bit integers.
    I64(&'a [i64]),
}

impl<'a> TensorData<'a> {
    /// How many elements there are.
    pub fn len(self) -> usize {
        match self {
            Self::F32(data) => data.len(),
            Self::F64(data) => data.len(),
            Self::U8(data) => data.len(),
            Self::I32(data) => data.len(),
            Self::I64(data) => data.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// All elements as 32-bit floats, without a copy if that is what they are.
    pub fn to_f32(self) -> Cow<'a, [f32]> {
        match self {
            Self::F32(data) => Cow::Borrowed(data),
            Self::F64(data) => data.iter().map(|&value| value as f32).collect(),
            Self::U8(data) => data.iter().map(|&value| f32::from(value)).collect(),
            Self::I32(data) => data.iter().map(|&value| value as f32).collect(),
            Self::I64(data) => data.iter().map(|&value| value as f32).collect(),
        }
    }

    /// `len` elements from `begin` on as 32-bit floats; `None` if there are not as many.
    pub(crate) fn part(self, begin: usize, len: usize) -> Option<Cow<'a, [f32]>> {
        let range = begin..begin.checked_add(len)?;
        let part = match self {
            Self::F32(data) => Self::F32(data.get(range)?),
            Self::F64(data) => Self::F64(data.get(range)?),
            Self::U8(data) => Self::U8(data.get(range)?),
            Self::I32(data) => Self::I32(data.get(range)?),
            Self::I64(data) => Self::I64(data.get(range)?),
        };
        Some(part.to_f32())
    }

    /// All elements as class indices: fractions are cut off, NaN becomes -1.
    pub fn to_classes(self) -> Vec<i64> {
        let from_f64 = |value: f64| if value.is_nan() { -1 } else { value as i64 };
        match self {
            Self::F32(data) => data.iter().map(|&value| from_f64(value.into())).collect(),
            Self::F64(data) => data.iter().map(|&value| from_f64(value)).collect(),
            Self::U8(data) => data.iter().map(|&value| value.into()).collect(),
            Self::I32(data) => data.iter().map(|&value| value.into()).collect(),
            Self::I64(data) => data.to_vec(),
        }
    }
}

/// One output of a model: name, shape and elements in C order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutputTensor<'a> {
    /// The name by which the model calls it.
    pub name: &'a str,
    /// Its extents, outermost first; a batch of one image has a leading 1.
    pub shape: &'a [usize],
    /// Its elements, `shape` multiplied together of them.
    pub data: TensorData<'a>,
}

impl<'a> OutputTensor<'a> {
    /// The number of dimensions.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The extent of the last dimension, 0 for a scalar.
    pub fn last(&self) -> usize {
        self.shape.last().copied().unwrap_or(0)
    }

    /// The shape without leading extents of 1, as far as at least `rank` dimensions remain.
    pub fn core_shape(&self, rank: usize) -> &'a [usize] {
        let mut shape = self.shape;
        while let [1, rest @ ..] = shape {
            if rest.len() < rank {
                break;
            }
            shape = rest;
        }
        shape
    }

    /// The error that this output cannot be used, for `reason`.
    pub(crate) fn unfit(&self, reason: impl Into<String>) -> TaskError {
        TaskError::Output {
            output: self.name.to_owned(),
            shape: self.shape.to_vec(),
            reason: reason.into(),
        }
    }

    /// Refuses NaN and infinity.
    pub(crate) fn finite(&self, values: &[f32]) -> Result<(), TaskError> {
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(position) => Err(TaskError::NotFinite {
                output: self.name.to_owned(),
                position,
                value: values.get(position).copied().unwrap_or(f32::NAN),
            }),
        }
    }
}

/// Name of the output that holds saliency maps.
pub const SALIENCY_MAP: &str = "saliency_map";
/// Name of the output that holds the feature vector.
pub const FEATURE_VECTOR: &str = "feature_vector";

/// All outputs of a model for one image, in the model's order.
///
/// Every tensor holds as many elements as its shape says; that is checked once, here.
#[derive(Debug, Clone, PartialEq)]
pub struct Outputs<'a>(Vec<OutputTensor<'a>>);

impl<'a> Outputs<'a> {
    /// Takes the outputs of one inference; an element count that differs from the shape is an error.
    pub fn new(tensors: Vec<OutputTensor<'a>>) -> Result<Self, TaskError> {
        for tensor in &tensors {
            let product = tensor
                .shape
                .iter()
                .try_fold(1_usize, |product, &extent| product.checked_mul(extent));
            if product != Some(tensor.data.len()) {
                return Err(tensor.unfit(format!("{} elements do not fit", tensor.data.len())));
            }
        }
        Ok(Self(tensors))
    }

    /// All outputs in the model's order.
    pub fn all(&self) -> &[OutputTensor<'a>] {
        &self.0
    }

    /// The output of this name.
    pub fn named(&self, name: &str) -> Option<&OutputTensor<'a>> {
        self.0.iter().find(|tensor| tensor.name == name)
    }

    /// The only output whose name contains `part`, if there is exactly one.
    pub fn only_containing(&self, part: &str) -> Option<&OutputTensor<'a>> {
        let mut found = self.0.iter().filter(|tensor| tensor.name.contains(part));
        found.next().filter(|_| found.next().is_none())
    }

    /// The outputs that are neither saliency maps nor a feature vector.
    pub fn results(&self) -> impl Iterator<Item = &OutputTensor<'a>> {
        self.0
            .iter()
            .filter(|tensor| tensor.name != SALIENCY_MAP && tensor.name != FEATURE_VECTOR)
    }

    /// The error that these outputs do not fit a task.
    pub(crate) fn unfit(&self, task: &'static str, wanted: &'static str) -> TaskError {
        let have: Vec<String> = self
            .0
            .iter()
            .map(|tensor| format!("`{}` {:?}", tensor.name, tensor.shape))
            .collect();
        let have = have.join(", ");
        TaskError::Layout { task, wanted, have }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor<'a>(name: &'a str, shape: &'a [usize], data: &'a [f32]) -> OutputTensor<'a> {
        OutputTensor {
            name,
            shape,
            data: TensorData::F32(data),
        }
    }

    #[test]
    fn the_element_count_must_fit_the_shape() {
        assert!(Outputs::new(vec![tensor("a", &[1, 2], &[0.0, 1.0])]).is_ok());
        assert!(Outputs::new(vec![tensor("a", &[1, 3], &[0.0, 1.0])]).is_err());
        assert!(Outputs::new(vec![tensor("a", &[usize::MAX, 2], &[0.0, 1.0])]).is_err());
    }

    #[test]
    fn leading_ones_are_dropped_down_to_the_rank() {
        let data = [0.0; 5];
        assert_eq!(tensor("a", &[1, 1, 5], &data).core_shape(2), [1, 5]);
        assert_eq!(tensor("a", &[1, 1, 5], &data).core_shape(1), [5]);
        assert_eq!(tensor("a", &[5], &data).core_shape(2), [5]);
    }

    #[test]
    fn a_part_of_a_name_must_be_unique() {
        let outputs = Outputs::new(vec![
            tensor("boxes", &[0], &[]),
            tensor("bboxes", &[0], &[]),
        ]);
        let outputs = outputs.unwrap();
        assert!(outputs.only_containing("boxes").is_none());
        assert_eq!(outputs.only_containing("bboxes").unwrap().name, "bboxes");
    }

    #[test]
    fn classes_are_cut_off() {
        assert_eq!(
            TensorData::F32(&[1.9, f32::NAN, -2.0]).to_classes(),
            [1, -1, -2]
        );
    }
}
