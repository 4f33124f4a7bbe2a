use crate::{Activations, ScoredLabel, Shape};

/// One shape of a prediction or an annotation with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// Where, in absolute pixels of the image.
    pub shape: Shape,
    /// What, at least one; in a task chain one label of each task.
    pub labels: Vec<ScoredLabel>,
}

/// How much each place of an image spoke for one label.
#[derive(Debug, Clone, PartialEq)]
pub struct SaliencyMap {
    /// Identifier of the label.
    pub label_id: String,
    /// Name of the label.
    pub label_name: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Grey levels row by row, `width * height` of them, 255 is the strongest.
    pub data: Vec<u8>,
}

/// What a deployment says about one image; owns all of its data.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prediction {
    /// Objects found, or one annotation over the whole image for a classification.
    pub annotations: Vec<Annotation>,
    /// Saliency maps, one a label; filled by `explain` only.
    pub saliency_maps: Vec<SaliencyMap>,
    /// Feature vector, logits and probabilities, as far as something asked for them.
    pub activations: Activations,
    /// Objects that were left out because there were too many of them (a model that finds
    /// thousands is most likely fed with images that are normalised in another way), or because
    /// their masks are empty (Ultralytics' segmentations, which leave such objects out).
    pub left_out: usize,
    /// The score of the deployment's OOD model; `None` without a model.
    pub ood_score: Option<ModelScore>,
}

/// The score of an OOD model, and which model gave it; two are equal if their scores are.
#[derive(Debug, Clone, Copy)]
pub struct ModelScore {
    /// `0..=1`, higher is more out of distribution.
    pub value: f64,
    /// Where the model is in memory: whoever holds a model tells by it whether the score is that
    /// model's.
    pub model: usize,
}

impl PartialEq for ModelScore {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Prediction {
    /// The names of all labels in the prediction, each once, in order of appearance.
    pub fn label_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for label in self.annotations.iter().flat_map(|a| &a.labels) {
            if !names.contains(&label.name.as_str()) {
                names.push(&label.name);
            }
        }
        names
    }

    /// The label with the highest probability of all, if there is any.
    pub fn top_label(&self) -> Option<&ScoredLabel> {
        let labels = self.annotations.iter().flat_map(|a| &a.labels);
        labels.max_by(|a, b| a.probability.total_cmp(&b.probability))
    }
}
