use std::path::Path;

use serde_json::Value;
use straylight_core::Task;
use straylight_engine::graph::IrModel;
use straylight_engine::{CompileOptions, Runtime};
use straylight_tasks::{TaskConfig, described_post_processor};

use super::network::{Adapter, Network};
use super::tiles::TileClassifier;
use super::{TaskModel, beside};
use crate::config::Config;
use crate::{DeployError, folder};

impl TaskModel {
    /// Loads the model of a task from the task's folder.
    pub(crate) fn load(
        task: &Task,
        folder: &Path,
        runtime: &Runtime,
        options: &CompileOptions,
    ) -> Result<Self, DeployError> {
        let path = folder.join("model/model.xml");
        let ir = IrModel::read(&path)?;
        // Older exports keep their configuration beside the model.
        let older = beside(&path, "config.json").map(|path| folder::read_json(&path));
        let config = Config::new(&path, ir.info(), &older.transpose()?.unwrap_or(Value::Null));
        check_described(&config)?;
        config.check_keys()?;
        Self::build(
            task,
            &path,
            &config,
            Some(&ir),
            Adapter::default(),
            runtime,
            options,
        )
    }

    /// Makes the model of a task from its configuration.
    pub(crate) fn build(
        task: &Task,
        path: &Path,
        config: &Config,
        ir: Option<&IrModel>,
        adapter: Adapter,
        runtime: &Runtime,
        options: &CompileOptions,
    ) -> Result<Self, DeployError> {
        let failed = |source| DeployError::Task {
            path: path.to_owned(),
            source,
        };
        let task_config = TaskConfig::from_model_info(config.entries()).map_err(failed)?;
        let reading = adapter.reading.clone();
        let post = described_post_processor(task.task_type, &task_config, &task.labels, reading)
            .map_err(failed)?;
        let network = Network::load(path, config, task_config.resize, ir, runtime, options)?;
        let network = network.adapted(adapter)?;
        let tile_classifier = match &task_config.tiling {
            Some(_) => TileClassifier::load(path, runtime, options)?,
            None => None,
        };
        Ok(Self {
            title: task.title.clone(),
            task_type: task.task_type,
            path: path.to_owned(),
            network,
            post,
            empty: task.labels.iter().find(|label| label.is_empty).cloned(),
            tiling: task_config.tiling,
            tile_classifier,
        })
    }
}

/// Refuses a model that neither names its type nor its labels: its outputs could mean anything.
fn check_described(config: &Config) -> Result<(), DeployError> {
    if config.text("labels").is_some() || config.text("model_type").is_some() {
        return Ok(());
    }
    let reason = "has no rt_info/model_info, and config.json beside it says neither `model_type` nor \
                  `labels`: what its outputs mean is not known";
    Err(DeployError::model(config.path(), reason))
}
