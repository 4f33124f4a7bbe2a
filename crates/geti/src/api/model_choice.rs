//! Which model is meant when none is named.

use straylight_core::TaskType;

use crate::wire::{
    Algorithm, DeploymentModel, Model, ModelGroup, ModelSummary, Open, OptimizationType,
    OptimizedModel, Task,
};

/// The active model of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct ActiveModel {
    /// Identifier of the task.
    pub task_id: String,
    /// Identifier of the model's group.
    pub group_id: String,
    /// The model with its optimized forms.
    pub model: Model,
}

impl ActiveModel {
    /// What a deployment of one of its optimized forms is asked for with.
    pub fn deployment_model(&self, optimized: &OptimizedModel) -> DeploymentModel {
        DeploymentModel {
            model_id: optimized.id.clone(),
            model_group_id: self.group_id.clone(),
        }
    }
}

/// The active model of a task.
///
/// The first group of the task whose latest trained model is active. If there is none and the
/// task has exactly one group with a trained model, the latest of that group.
pub fn choose_active<'a>(
    task: &Task,
    groups: &'a [ModelGroup],
    algorithms: &[Algorithm],
) -> Option<(&'a ModelGroup, &'a ModelSummary)> {
    let trained: Vec<(&ModelGroup, &ModelSummary)> = groups
        .iter()
        .filter(|group| belongs(group, task, algorithms))
        .filter_map(|group| Some((group, latest(group)?)))
        .collect();
    let active = trained.iter().find(|(_, model)| model.active_model);
    match (active, trained.as_slice()) {
        (Some(found), _) => Some(*found),
        (None, [only]) => Some(*only),
        _ => None,
    }
}

/// Whether a group holds fully supervised models for the task.
fn belongs(group: &ModelGroup, task: &Task, algorithms: &[Algorithm]) -> bool {
    let supervised = group
        .learning_approach
        .as_deref()
        .is_none_or(|a| a == "fully_supervised");
    let own = group.task_id.as_ref().map(|id| *id == task.id);
    let algorithm = algorithms
        .iter()
        .find(|a| a.id() == group.model_template_id);
    let fits = algorithm.map(|algorithm| same_kind(algorithm.task(), &task.task_type));
    supervised
        && match (own, fits) {
            (Some(own), _) => own,
            (None, fits) => fits == Some(true),
        }
}

/// Equal kinds of task; all kinds of anomaly task count as one.
fn same_kind(a: &Open<TaskType>, b: &Open<TaskType>) -> bool {
    let anomaly = |kind: &Open<TaskType>| {
        matches!(
            kind,
            Open::Known(
                TaskType::Anomaly
                    | TaskType::AnomalyClassification
                    | TaskType::AnomalyDetection
                    | TaskType::AnomalySegmentation
            )
        )
    };
    a == b || (anomaly(a) && anomaly(b))
}

/// The latest model of a group that was trained and still has its files.
fn latest(group: &ModelGroup) -> Option<&ModelSummary> {
    let usable = |model: &&ModelSummary| {
        let scored = model.performance.is_some_and(|p| p.score.is_some());
        scored
            && !model
                .purge_info
                .as_ref()
                .is_some_and(|purge| purge.is_purged)
    };
    group
        .models
        .iter()
        .filter(usable)
        .max_by_key(|model| (model.creation_date, model.version))
}

/// The optimized form with an XAI head (feature vectors, saliency maps) that scores best.
///
/// Of equal scores the first counts; a form without a score counts as the worst.
pub fn best_xai_model(model: &Model) -> Option<&OptimizedModel> {
    let score = |m: &OptimizedModel| m.performance.and_then(|p| p.score).unwrap_or(f64::MIN);
    let mut best: Option<&OptimizedModel> = None;
    for candidate in usable(model).filter(|m| m.has_xai_head) {
        if best.is_none_or(|best| score(candidate) > score(best)) {
            best = Some(candidate);
        }
    }
    best
}

/// The optimized form that is deployed when none is named, with or without an XAI head.
///
/// Plain OpenVINO comes before post-training quantization and that before NNCF; of several of
/// one kind the first counts.
pub fn default_model(model: &Model, xai_head: bool) -> Option<&OptimizedModel> {
    let order = [
        OptimizationType::Mo,
        OptimizationType::Pot,
        OptimizationType::Nncf,
    ];
    let of =
        |kind| usable(model).find(|m| m.has_xai_head == xai_head && m.optimization_type.is(&kind));
    order.into_iter().find_map(of)
}

/// Optimized forms that were made successfully and are OpenVINO.
fn usable(model: &Model) -> impl Iterator<Item = &OptimizedModel> {
    model.optimized_models.iter().filter(|m| {
        let format = m.model_format.as_deref().unwrap_or("OpenVINO");
        matches!(m.model_status.as_str(), "" | "SUCCESS") && format == "OpenVINO"
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn task() -> Task {
        serde_json::from_value(
            json!({"id": "t", "title": "T", "task_type": "classification",
            "labels": []}),
        )
        .unwrap()
    }

    fn group(json: serde_json::Value) -> ModelGroup {
        serde_json::from_value(json).unwrap()
    }

    fn algorithms() -> Vec<Algorithm> {
        serde_json::from_value(json!([
            {"model_manifest_id": "c", "task": "classification", "name": "n"},
            {"model_manifest_id": "d", "task": "detection", "name": "n"}]))
        .unwrap()
    }

    fn models(active: &[bool]) -> serde_json::Value {
        let model = |(n, active): (usize, &bool)| {
            json!({"id": format!("m{n}"), "name": "n", "active_model": active,
                "performance": {"score": 0.5},
                "creation_date": format!("2024-01-0{}T00:00:00Z", n + 1)})
        };
        active.iter().enumerate().map(model).collect()
    }

    #[test]
    fn the_active_model_is_the_latest_of_its_group() {
        struct Case<'a>(&'a [&'a ModelGroup], Option<(&'a str, &'a str)>);
        let old = group(json!({"id": "g0", "name": "n", "model_template_id": "c",
            "models": models(&[true, false])}));
        let new = group(json!({"id": "g1", "name": "n", "model_template_id": "c",
            "models": models(&[false, true])}));
        let other = group(json!({"id": "g2", "name": "n", "model_template_id": "d",
            "models": models(&[true])}));
        let one_shot = group(
            json!({"id": "g3", "name": "n", "model_template_id": "unknown",
            "task_id": "t", "learning_approach": "one_shot", "models": models(&[true])}),
        );
        let untrained = group(json!({"id": "g4", "name": "n", "model_template_id": "c",
            "models": [{"id": "m", "name": "n", "active_model": true}]}));
        for Case(groups, chosen) in [
            Case(&[&one_shot, &other, &old, &new], Some(("g1", "m1"))),
            Case(&[&old], Some(("g0", "m1"))),
            Case(&[&old, &old], None),
            Case(&[&untrained, &other], None),
            Case(&[], None),
        ] {
            let groups: Vec<ModelGroup> = groups.iter().map(|group| (*group).clone()).collect();
            let found = choose_active(&task(), &groups, &algorithms());
            assert_eq!(found.map(|(g, m)| (g.id.as_str(), m.id.as_str())), chosen);
        }
    }

    #[test]
    fn a_group_of_another_task_of_the_same_kind_is_not_taken() {
        let other = group(json!({"id": "g", "name": "n", "model_template_id": "c",
            "task_id": "u", "models": models(&[true])}));
        assert_eq!(choose_active(&task(), &[other], &algorithms()), None);
    }

    #[test]
    fn optimized_forms_are_chosen_by_head_kind_and_score() {
        let form = |id: &str, kind: &str, xai: bool, score: Option<f64>| {
            json!({"id": id, "name": id, "optimization_type": kind, "has_xai_head": xai,
                "performance": {"score": score}, "model_status": "SUCCESS"})
        };
        let model: Model = serde_json::from_value(json!({"name": "n", "optimized_models": [
            form("nncf", "NNCF", false, Some(0.9)), form("pot", "POT", false, Some(0.9)),
            form("mo", "MO", false, Some(0.9)), form("mo2", "MO", false, Some(0.9)),
            form("x0", "MO", true, None), form("x1", "MO", true, Some(0.8)),
            form("x2", "POT", true, Some(0.9)), form("x3", "POT", true, Some(0.9))]}))
        .unwrap();
        let id = |model: Option<&OptimizedModel>| model.map(|m| m.id.clone());
        assert_eq!(id(best_xai_model(&model)).as_deref(), Some("x2"));
        assert_eq!(id(default_model(&model, true)).as_deref(), Some("x0"));
        assert_eq!(id(default_model(&model, false)).as_deref(), Some("mo"));
    }
}
