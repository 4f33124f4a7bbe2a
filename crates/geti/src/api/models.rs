use super::model_choice::{ActiveModel, choose_active};
use super::project::ProjectApi;
use crate::error::GetiError;
use crate::http::{Request, encode};
use crate::wire::{Algorithm, AlgorithmList, Model, ModelGroup, ModelGroupList};

impl ProjectApi {
    /// The algorithms that the project's tasks can be trained with.
    pub fn algorithms(&self) -> Result<Vec<Algorithm>, GetiError> {
        let request = Request::get(self.path("/supported_algorithms"));
        let list: AlgorithmList = self.geti().transport().json(&request)?;
        Ok(list.supported_algorithms)
    }

    /// All model groups with their models.
    pub fn model_groups(&self) -> Result<Vec<ModelGroup>, GetiError> {
        let request = Request::get(self.path("/model_groups"));
        let list: ModelGroupList = self.geti().transport().json(&request)?;
        Ok(list.model_groups)
    }

    /// A model with its optimized forms.
    pub fn model(&self, group_id: &str, model_id: &str) -> Result<Model, GetiError> {
        let (group, model) = (encode(group_id), encode(model_id));
        let path = self.path(&format!("/model_groups/{group}/models/{model}"));
        self.geti().transport().json(&Request::get(path))
    }

    /// The active model of every trainable task, in pipeline order; tasks without one are left out.
    pub fn active_models(&self) -> Result<Vec<ActiveModel>, GetiError> {
        let project = self.get()?;
        let algorithms = self.algorithms()?;
        let groups = self.model_groups()?;
        let mut active = Vec::new();
        for task in project
            .pipeline
            .tasks
            .iter()
            .filter(|task| task.is_trainable())
        {
            if let Some((group, summary)) = choose_active(task, &groups, &algorithms) {
                let model = self.model(&group.id, &summary.id)?;
                active.push(ActiveModel {
                    task_id: task.id.clone(),
                    group_id: group.id.clone(),
                    model,
                });
            }
        }
        Ok(active)
    }
}
