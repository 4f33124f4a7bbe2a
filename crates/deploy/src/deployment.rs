use std::path::{Path, PathBuf};

use straylight_core::{Frame, Label, NoProgress, Prediction, Progress, Project};
use straylight_engine::Runtime;
use straylight_engine::graph::HeadWeights;
use straylight_tasks::{Size, add_empty_label};

use crate::model::TaskModel;
use crate::{DeployError, Keep, LoadOptions, folder};

/// A deployed project: its models, ready to infer.
///
/// All methods take `&self`; any number of threads may share one deployment.
#[derive(Debug)]
pub struct Deployment {
    folder: PathBuf,
    project: Project,
    models: Vec<TaskModel>,
}

impl Deployment {
    /// Loads a deployment from its root, or from the `deployment` folder itself.
    ///
    /// # Errors
    ///
    /// A [`DeployError`] that names the file, and the key where it is about one, when a file
    /// is missing, unreadable or not what it should be, and [`DeployError::Engine`] when there
    /// is no OpenVINO or it cannot load a model.
    pub fn from_folder(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self, DeployError> {
        Self::from_folder_with_progress(path, options, &NoProgress)
    }

    /// Loads a deployment, showing the progress of fetching OpenVINO if that is needed.
    pub fn from_folder_with_progress(
        path: impl AsRef<Path>,
        options: &LoadOptions,
        progress: &dyn Progress,
    ) -> Result<Self, DeployError> {
        let folder = folder::find(path.as_ref())?;
        let project_file = folder.join(folder::PROJECT);
        let project: Project = folder::read_json(&project_file)?;
        if project.trainable_tasks().next().is_none() {
            return Err(DeployError::config(
                &project_file,
                "pipeline.tasks",
                "has no trainable task",
            ));
        }
        let runtime = Runtime::load(&options.runtime, progress)?;
        let models = project.trainable_tasks().enumerate().map(|(index, task)| {
            let task_folder = folder::of_task(&folder, task)?;
            TaskModel::load(
                task,
                &task_folder,
                &runtime,
                &options.compile_options(index),
            )
        });
        let models = models.collect::<Result<_, _>>()?;
        Ok(Self {
            folder,
            project,
            models,
        })
    }

    /// The project.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// The folder that it was loaded from, the one with `project.json`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The labels of all tasks, in pipeline order.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.project.trainable_tasks().flat_map(|task| &task.labels)
    }

    /// How many images may be inferred at once.
    pub fn requests(&self) -> usize {
        self.models
            .iter()
            .map(TaskModel::requests)
            .min()
            .unwrap_or(1)
    }

    /// Whether predictions can have a feature vector.
    pub fn has_features(&self) -> bool {
        self.models.first().is_some_and(TaskModel::has_features)
    }

    /// The weights of the first model's last linear layer; `None` when its graph ends otherwise.
    ///
    /// A caller who relies on them should check [`HeadWeights::logits`] against the logits of a
    /// real image first.
    pub fn head_weights(&self) -> Result<Option<HeadWeights>, DeployError> {
        self.models
            .first()
            .map_or(Ok(None), TaskModel::head_weights)
    }

    /// Infers one image.
    ///
    /// The prediction owns its data and holds the activations that the attached hooks and OOD
    /// model need.
    pub fn infer(&self, frame: &Frame) -> Result<Prediction, DeployError> {
        self.infer_with(frame, Keep::NOTHING)
    }

    /// Infers one image and keeps what is asked for beside what hooks need.
    ///
    /// What a model does not give is `None` in the prediction's activations.
    pub fn infer_with(&self, frame: &Frame, keep: Keep) -> Result<Prediction, DeployError> {
        let Some(model) = self.models.first() else {
            return Ok(Prediction::default());
        };
        let image = frame.image();
        let mut prediction = model.infer(image, keep)?;
        let size = Size::new(image.width(), image.height());
        add_empty_label(&mut prediction, model.empty_label(), size);
        Ok(prediction)
    }

    /// Infers one image with all activations and a saliency map for each label.
    ///
    /// # Errors
    ///
    /// [`DeployError::NoExplanation`] when the first task's model has no saliency maps.
    pub fn explain(&self, frame: &Frame) -> Result<Prediction, DeployError> {
        self.infer_with(frame, Keep::EVERYTHING)
    }

    /// Saves the deployment as `<root>/deployment`, as a whole or not at all.
    ///
    /// The files are copied byte for byte from where they were loaded; saving changes nothing
    /// in this deployment, and saving what was saved gives the same bytes.
    pub fn save(&self, root: impl AsRef<Path>) -> Result<(), DeployError> {
        folder::save(&self.folder, root.as_ref(), |_copy| Ok(()))
    }
}
