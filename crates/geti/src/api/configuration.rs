use serde_json::Value;

use super::project::ProjectApi;
use crate::error::{ErrorKind, GetiError};
use crate::http::{Method, Request, Target, encode};
use crate::wire::{Project, ProjectConfiguration, TrainingConfiguration};

impl ProjectApi {
    /// The configuration of the project (servers from 2.12 on).
    pub fn configuration(&self) -> Result<ProjectConfiguration, GetiError> {
        self.geti()
            .transport()
            .json(&Request::get(self.path("/project_configuration")))
    }

    /// What an optimized model was trained with (servers from 2.12 on).
    pub fn training_configuration(
        &self,
        model_id: &str,
        task_id: &str,
    ) -> Result<TrainingConfiguration, GetiError> {
        let (model, task) = (encode(model_id), encode(task_id));
        let path = format!("/training_configuration?model_id={model}&task_id={task}");
        self.geti()
            .transport()
            .json(&Request::get(self.path(&path)))
    }

    /// Switches automatic training of all tasks on or off.
    ///
    /// Returns whether the server has such a switch: it may be disabled there.
    pub fn set_auto_training(&self, enabled: bool) -> Result<bool, GetiError> {
        let result = if self.geti().version().has_project_configuration() {
            self.set_in_project_configuration(enabled)
        } else {
            self.set_in_task_configurations(enabled)
        };
        match result {
            Ok(()) => Ok(true),
            Err(e) if matches!(e.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn set_in_project_configuration(&self, enabled: bool) -> Result<(), GetiError> {
        let mut configuration = self.configuration()?;
        configuration.set_auto_training(enabled);
        let target = Target::Api(self.path("/project_configuration"));
        let request = Request::new(Method::Patch, target)
            .repeatable()
            .json(&configuration)?;
        self.geti().transport().done(&request)
    }

    /// Servers before 2.12 keep the switch in a configuration of each task.
    fn set_in_task_configurations(&self, enabled: bool) -> Result<(), GetiError> {
        let project: Project = self.get()?;
        for task in project
            .pipeline
            .tasks
            .iter()
            .filter(|task| task.is_trainable())
        {
            let path = self.path(&format!("/configuration/task_chain/{}", encode(&task.id)));
            let mut configuration: Value =
                self.geti().transport().json(&Request::get(path.clone()))?;
            set_parameter(&mut configuration, "auto_training", &enabled.into());
            let request = Request::post(path).repeatable().json(&configuration)?;
            self.geti().transport().done(&request)?;
        }
        Ok(())
    }
}

/// Sets every parameter `{"name": name, "value": ...}` of a nested configuration.
fn set_parameter(configuration: &mut Value, name: &str, value: &Value) {
    match configuration {
        Value::Object(object) => {
            if object.get("name").and_then(Value::as_str) == Some(name) {
                object.insert("value".to_owned(), value.clone());
            }
            for inner in object.values_mut() {
                set_parameter(inner, name, value);
            }
        }
        Value::Array(items) => {
            for inner in items {
                set_parameter(inner, name, value);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_parameter_is_set_wherever_it_is() {
        let mut configuration = json!({"components": [{"parameters": [
            {"name": "auto_training", "value": true, "header": "x"}, {"name": "other", "value": 1}]}]});
        set_parameter(&mut configuration, "auto_training", &false.into());
        assert_eq!(
            configuration,
            json!({"components": [{"parameters": [
                {"name": "auto_training", "value": false, "header": "x"}, {"name": "other", "value": 1}]}]})
        );
    }
}
