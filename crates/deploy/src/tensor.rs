use std::borrow::Cow;

use straylight_engine::{ElementType, EngineError, Output, Session};

/// The results of one inference, viewed without copying.
#[derive(Debug)]
pub(crate) struct Tensors<'a>(Vec<Tensor<'a>>);

/// One named result.
#[derive(Debug, Clone)]
pub(crate) struct Tensor<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its shape.
    pub(crate) shape: Cow<'a, [usize]>,
    /// Its values in row-major order.
    pub(crate) data: Data<'a>,
}

/// The values of a result.
#[derive(Debug, Clone)]
pub(crate) enum Data<'a> {
    /// Scores, boxes, features.
    F32(Cow<'a, [f32]>),
    /// Saliency maps.
    U8(Cow<'a, [u8]>),
    /// Indices.
    Int(Vec<i64>),
}

/// Takes all outputs of a session's last run.
pub(crate) fn outputs_of<'a>(
    session: &'a Session,
    names: &'a [String],
) -> Result<Vec<(&'a str, Output<'a>)>, EngineError> {
    names
        .iter()
        .enumerate()
        .map(|(index, name)| Ok((name.as_str(), session.output(index)?)))
        .collect()
}

impl<'a> Tensors<'a> {
    /// Views the outputs of a session.
    pub(crate) fn view(outputs: &'a [(&'a str, Output<'a>)]) -> Result<Self, EngineError> {
        outputs
            .iter()
            .map(|(name, output)| Tensor::view(name, output))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    #[cfg(test)]
    pub(crate) fn of(tensors: Vec<Tensor<'a>>) -> Self {
        Self(tensors)
    }

    /// The result of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Tensor<'a>> {
        self.0.iter().find(|tensor| tensor.name == name)
    }

    /// All results, in the model's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Tensor<'a>> {
        self.0.iter()
    }
}

impl<'a> Tensor<'a> {
    fn view(name: &'a str, output: &'a Output<'a>) -> Result<Self, EngineError> {
        let data = match output.element() {
            ElementType::F32 => Data::F32(Cow::Borrowed(output.values()?)),
            ElementType::U8 => Data::U8(Cow::Borrowed(output.values()?)),
            _ => Data::Int(output.integers()?),
        };
        Ok(Self {
            name,
            shape: Cow::Borrowed(output.shape()),
            data,
        })
    }

    /// The values as floating point numbers; indices and grey levels are converted.
    pub(crate) fn floats(&self) -> Cow<'_, [f32]> {
        match &self.data {
            Data::F32(values) => Cow::Borrowed(values),
            Data::U8(values) => values.iter().map(|&value| f32::from(value)).collect(),
            Data::Int(values) => values.iter().map(|&value| value as f32).collect(),
        }
    }

    /// The size of the axis that lies `from_end` axes before the last one; 1 when there is none.
    pub(crate) fn axis_from_end(&self, from_end: usize) -> usize {
        self.shape.iter().rev().nth(from_end).copied().unwrap_or(1)
    }
}
