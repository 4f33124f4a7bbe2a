use straylight_engine::{ElementType, EngineError, Output, Session};
use straylight_tasks::{OutputTensor, Outputs, TensorData};

use crate::DeployError;

/// The results of a session's last run, still in the engine's memory.
pub(crate) struct Results<'a>(Vec<(&'a str, Output<'a>)>);

impl<'a> Results<'a> {
    /// Takes all outputs of a session, each by its index and the name for it.
    pub(crate) fn of(
        session: &'a Session,
        names: &'a [(usize, String)],
    ) -> Result<Self, EngineError> {
        let outputs = names.iter();
        outputs
            .map(|(index, name)| Ok((name.as_str(), session.output(*index)?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Views the results as post-processing wants them, without copying.
    pub(crate) fn view(&self) -> Result<Outputs<'_>, DeployError> {
        let tensors: Result<Vec<_>, EngineError> = self.0.iter().map(tensor).collect();
        // The engine's tensors always hold what their shapes say; another tale is its fault.
        Outputs::new(tensors?).map_err(|error| {
            let reason = error.to_string();
            EngineError::OpenVino {
                action: "give consistent results".to_owned(),
                reason,
            }
            .into()
        })
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
