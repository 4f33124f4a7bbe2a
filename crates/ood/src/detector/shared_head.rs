use std::sync::Arc;

use super::{FitContext, Reason};
use crate::Head;
use crate::numeric::log_sum_exp;
use crate::state::{StateError, StateReader, StateWriter};

const SECTION: &str = "head";

/// The head of the deployed model, once for all detectors of a fit.
pub(super) fn fit(context: &FitContext<'_>) -> Result<Arc<Head>, Reason> {
    let head = context.head()?;
    Ok(context.shared(SECTION, || head.clone()))
}

pub(super) fn save<'a>(head: &'a Head, to: &mut StateWriter<'a>) {
    let mut section = to.section(SECTION);
    section.matrix("weight", head.weight());
    section.vector("bias", head.bias());
}

pub(super) fn load(from: &StateReader) -> Result<Arc<Head>, StateError> {
    from.shared(SECTION, |section| {
        let weight = section.matrix("weight")?;
        let bias = section.vector("bias")?;
        Head::new(weight, bias).map_err(|error| StateError::Unexpected {
            name: "head.weight".to_owned(),
            expected: format!("a head ({error})"),
        })
    })
}

/// Free energy `-ln sum exp(W x + b)` of changed features.
pub(super) fn energy(head: &Head, features: &[f64]) -> f64 {
    -log_sum_exp(head.logits_of(features.iter().copied()).into_iter())
}
