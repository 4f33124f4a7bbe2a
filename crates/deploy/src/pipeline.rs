//! Task chains: the objects that one task finds are cut out and go to the next.
//!
//! What is cut and how results are merged is decided in [`straylight_tasks`]; here each task's
//! model is run on the parts of the image.

use straylight_core::{Prediction, TaskType};
use straylight_tasks::{ChainRunner, Tile, predict_chain};

use crate::model::TaskModel;
use crate::picture::Picture;
use crate::{DeployError, Keep};

/// Runs all models of a chain, in order; activations and saliency maps are the first one's.
pub(crate) fn run(
    models: &[TaskModel],
    picture: Picture<'_>,
    keep: Keep,
) -> Result<Prediction, DeployError> {
    match models {
        [] => Ok(Prediction::default()),
        [only] => only.infer(picture, keep),
        chain => {
            let tasks: Vec<TaskType> = chain.iter().map(TaskModel::task_type).collect();
            predict_chain(
                &tasks,
                picture.size,
                &mut Chain {
                    models: chain,
                    picture,
                    keep,
                },
            )
        }
    }
}

struct Chain<'a> {
    models: &'a [TaskModel],
    picture: Picture<'a>,
    keep: Keep,
}

impl ChainRunner for Chain<'_> {
    type Error = DeployError;

    fn run(&mut self, task: usize, part: Tile) -> Result<Prediction, DeployError> {
        let Some(model) = self.models.get(task) else {
            return Ok(Prediction::default());
        };
        if task == 0 {
            return model.infer(self.picture, self.keep);
        }
        match self.picture.cut(part) {
            Some(part) => model.infer(part.picture(), Keep::NOTHING),
            None => Ok(Prediction::default()),
        }
    }
}
