/// What a prediction shall hold besides its annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keep {
    /// Feature vector, logits and probabilities, as far as the model gives them.
    pub activations: bool,
    /// A saliency map for each label.
    pub saliency_maps: bool,
}

impl Keep {
    /// Annotations only.
    pub const NOTHING: Self = Self {
        activations: false,
        saliency_maps: false,
    };

    /// All activations that the model gives, without saliency maps.
    pub const ACTIVATIONS: Self = Self {
        activations: true,
        saliency_maps: false,
    };

    /// All activations and saliency maps.
    pub const EVERYTHING: Self = Self {
        activations: true,
        saliency_maps: true,
    };

    /// What is kept by either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            activations: self.activations || other.activations,
            saliency_maps: self.saliency_maps || other.saliency_maps,
        }
    }
}
