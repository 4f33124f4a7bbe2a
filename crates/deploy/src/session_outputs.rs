use straylight_engine::{ElementType, EngineError, Output, Session};
use straylight_tasks::{OutputTensor, Outputs, TensorData};

use crate::DeployError;
use crate::quantised::Dequantise;

/// An output that is used.
#[derive(Debug, Clone)]
pub(crate) struct Used {
    /// Its place among the model's outputs.
    pub(crate) index: usize,
    /// What post-processing calls it.
    pub(crate) name: String,
    /// How its integers become real numbers, if they stand for some.
    pub(crate) dequantise: Option<Dequantise>,
}

/// The results of a session's last run, in the engine's memory but for those that were quantised.
pub(crate) struct Results<'a>(Vec<Held<'a>>);

struct Held<'a> {
    name: &'a str,
    output: Output<'a>,
    real: Option<Vec<f32>>,
}

impl<'a> Results<'a> {
    /// Takes outputs of a session.
    pub(crate) fn of(session: &'a Session, used: &'a [Used]) -> Result<Self, EngineError> {
        let held = |used: &'a Used| {
            let output = session.output(used.index)?;
            let real = match used.dequantise {
                Some(dequantise) => Some(dequantise.apply(&data(&output)?.to_f32())),
                None => None,
            };
            Ok(Held {
                name: &used.name,
                output,
                real,
            })
        };
        used.iter().map(held).collect::<Result<_, _>>().map(Self)
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

fn tensor<'a>(held: &'a Held<'_>) -> Result<OutputTensor<'a>, EngineError> {
    let data = match &held.real {
        Some(values) => TensorData::F32(values),
        None => data(&held.output)?,
    };
    Ok(OutputTensor {
        name: held.name,
        shape: held.output.shape(),
        data,
    })
}

fn data<'a>(output: &'a Output<'_>) -> Result<TensorData<'a>, EngineError> {
    Ok(match output.element() {
        ElementType::F32 => TensorData::F32(output.values()?),
        ElementType::U8 => TensorData::U8(output.values()?),
        ElementType::Boolean => TensorData::U8(output.booleans()?),
        ElementType::I32 => TensorData::I32(output.values()?),
        _ => TensorData::I64(output.values()?),
    })
}
