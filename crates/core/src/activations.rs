use std::sync::Arc;

/// What a model computed for one image besides its prediction.
///
/// Everything is owned (shared, never a view into the engine's buffers), so it stays valid
/// and unchanged however many inferences follow. A part is `None` when the model has no such
/// output, or when nothing asked for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Activations {
    /// Feature vector of the penultimate layer, shape `[D]`, as the model gives it (not normalised).
    pub features: Option<Arc<[f32]>>,
    /// Raw class scores before softmax or sigmoid, shape `[C]`, in the order of the model's labels.
    pub logits: Option<Arc<[f32]>>,
    /// Class probabilities in `0..=1`, shape `[C]`, in the order of the model's labels.
    pub probabilities: Option<Arc<[f32]>>,
}

impl Activations {
    /// Whether nothing was kept.
    pub fn is_empty(&self) -> bool {
        self.features.is_none() && self.logits.is_none() && self.probabilities.is_none()
    }
}
