use straylight_engine::{ElementType, EngineError, Output, Session};
use straylight_tasks::{OutputTensor, Outputs, TaskError, TensorData};

/// The results of a session's last run, still in the engine's memory.
pub(crate) struct Results<'a>(Vec<(&'a str, Output<'a>)>);

impl<'a> Results<'a> {
    /// Takes all outputs of a session, which are called `names` in the model's order.
    pub(crate) fn of(session: &'a Session, names: &'a [String]) -> Result<Self, EngineError> {
        let outputs = names.iter().enumerate();
        outputs
            .map(|(index, name)| Ok((name.as_str(), session.output(index)?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Views the results as post-processing wants them, without copying.
    pub(crate) fn view(&self) -> Result<Result<Outputs<'_>, TaskError>, EngineError> {
        let tensors: Result<Vec<_>, EngineError> = self.0.iter().map(tensor).collect();
        tensors.map(Outputs::new)
    }
}

fn tensor<'a>((name, output): &'a (&str, Output<'_>)) -> Result<OutputTensor<'a>, EngineError> {
    let data = match output.element() {
        ElementType::F32 => TensorData::F32(output.values()?),
        ElementType::U8 => TensorData::U8(output.values()?),
        ElementType::Boolean => TensorData::U8(output.booleans()?),
        ElementType::I32 => TensorData::I32(output.values()?),
        _ => TensorData::I64(output.values()?),
    };
    Ok(OutputTensor {
        name,
        shape: output.shape(),
        data,
    })
}
