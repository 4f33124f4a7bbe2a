use std::collections::HashMap;

use straylight_formats::LabelledShape;
use straylight_geti::wire::{Annotation, Label, Project, ScoredLabel, Task};

/// The identifiers of a project's labels by their names.
pub(super) struct Labels(HashMap<String, String>);

impl Labels {
    /// Those of all tasks.
    pub(super) fn of(project: &Project) -> Self {
        let labels = project.pipeline.tasks.iter().flat_map(Task::labels);
        let pair = |label: &Label| (label.name.clone(), label.id.clone());
        Self(labels.map(pair).collect())
    }

    /// Whether there is a label of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Annotations as a server takes them; labels that the project has not are left out.
    pub(super) fn annotations(&self, shapes: &[LabelledShape]) -> Vec<Annotation> {
        let annotation = |(shape, labels): &LabelledShape| Annotation {
            id: None,
            modified: None,
            labels_to_revisit: None,
            shape: shape.clone().into(),
            labels: labels.iter().filter_map(|name| self.scored(name)).collect(),
        };
        let all = shapes.iter().map(annotation);
        all.filter(|annotation| !annotation.labels.is_empty())
            .collect()
    }

    fn scored(&self, name: &str) -> Option<ScoredLabel> {
        Some(ScoredLabel {
            id: Some(self.0.get(name)?.clone()),
            probability: 1.0,
            name: None,
            color: None,
            source: None,
        })
    }
}
