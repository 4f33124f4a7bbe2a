use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use straylight_core::{Frame, Label, NoProgress, Prediction, Progress, Project, RgbImage};
use straylight_engine::graph::HeadWeights;
use straylight_engine::{EngineError, Runtime};
use straylight_hooks::HookSet;
use straylight_image::{
    DecodeLimits, DecodeOptions, ImageError, ScaledSize, pixels_for, read_frame_with,
};
use straylight_ood::OodModel;
use straylight_tasks::{Size, add_empty_label};
use tempfile::TempDir;

use crate::custom::{self, ModelDescription};
use crate::infer::hook_set;
use crate::model::TaskModel;
use crate::picture::{self, Picture};
use crate::{
    DeployError, JpegDecoding, Keep, LoadOptions, archive, folder, pipeline, self_described,
};

/// A deployed project: its models, ready to infer.
///
/// All methods take `&self`; any number of threads may share one deployment.
pub struct Deployment {
    pub(crate) folder: PathBuf,
    project: Project,
    pub(crate) models: Vec<TaskModel>,
    pub(crate) hooks: HookSet,
    pub(crate) ood_model: RwLock<Option<Arc<OodModel>>>,
    /// What a description says that decides numbers; `None` for Geti's deployments.
    pub(crate) described: Option<String>,
    /// How JPEG files are to be decoded, if somebody said so.
    pub(crate) asked_decoding: Option<JpegDecoding>,
    /// Where a zip file was unpacked; removed with the deployment.
    _unpacked: Option<TempDir>,
}

impl fmt::Debug for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Deployment({}, {} hooks)",
            self.folder.display(),
            self.hooks.len()
        )
    }
}

impl Deployment {
    /// Loads a deployment from its root, from the `deployment` folder itself, or from the zip
    /// file that a Geti server gives.
    ///
    /// # Errors
    ///
    /// A [`DeployError`] that names the file, and the key where it is about one, when a file
    /// is missing, unreadable or not what it should be, and [`DeployError::Engine`] when there
    /// is no OpenVINO or it cannot load a model.
    pub fn from_folder(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self, DeployError> {
        Self::from_folder_with_progress(path, options, &NoProgress)
    }

    /// Loads a deployment, showing the progress of fetching OpenVINO if that is needed, and
    /// telling what the user should know.
    pub fn from_folder_with_progress(
        path: impl AsRef<Path>,
        options: &LoadOptions,
        progress: &dyn Progress,
    ) -> Result<Self, DeployError> {
        let path = path.as_ref();
        let unpacked = archive::unpack(path)?;
        let folder = folder::find(unpacked.as_ref().map_or(path, |(_, folder)| folder))?;
        let runtime = || Runtime::load(&options.runtime, progress);
        let mut described = None;
        let (project, models) = if let Some(file) = custom::find(&folder) {
            described = Some(ModelDescription::read(&file)?.identity());
            custom::load(&file, &runtime()?, &options.compile_options(0))?
        } else if folder.join(folder::PROJECT).exists() {
            load_project(&folder, options, runtime)?
        } else {
            let stated = self_described::read(&folder)?;
            stated.load(
                &self_described::name_of(path),
                &runtime()?,
                &options.compile_options(0),
            )?
        };
        let deployment = Self {
            folder,
            project,
            models,
            hooks: hook_set(options),
            ood_model: RwLock::default(),
            described,
            asked_decoding: options.jpeg_decoding,
            _unpacked: unpacked.map(|(kept, _)| kept),
        };
        deployment.load_hooks_and_ood_model(options, progress)?;
        Ok(deployment)
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

    /// The first task's labels in the order of its model's classes: activations hold a class's
    /// logit and probability at its label's place here.
    pub fn classes(&self) -> &[Label] {
        self.models.first().map_or(&[], TaskModel::classes)
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

    /// Whether predictions can have saliency maps.
    pub fn has_saliency(&self) -> bool {
        self.models.first().is_some_and(TaskModel::has_saliency)
    }

    /// The files that decide what the deployment computes: graphs, weights and configurations.
    ///
    /// # Errors
    ///
    /// [`DeployError::Engine`] when a model file cannot be read.
    pub fn model_files(&self) -> Result<Vec<PathBuf>, DeployError> {
        let files = self.models.iter().map(TaskModel::files);
        Ok(files.collect::<Result<Vec<_>, _>>()?.concat())
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

    /// To what size images are scaled for the network, when JPEG files may be decoded smaller than
    /// they are: [`JpegDecoding::Scaled`], one model, no tiles, no samples of 16 bits.
    pub fn scaled_size(&self) -> Option<ScaledSize> {
        match self.models.as_slice() {
            [only] if self.jpeg_decoding() == JpegDecoding::Scaled => only.scaled_size(),
            _ => None,
        }
    }

    /// How files are decoded for this deployment, within these limits.
    pub fn decode_options(&self, limits: DecodeLimits) -> DecodeOptions {
        DecodeOptions {
            limits,
            scaled: self.scaled_size(),
        }
    }

    /// Reads an image file within the default limits, a JPEG file no larger than needed.
    pub fn read_frame(&self, path: &Path) -> Result<Frame, ImageError> {
        read_frame_with(path, &self.decode_options(DecodeLimits::default()))
    }

    /// The pixels that the network's input is made of, see [`Deployment::scaled_size`].
    pub fn pixels<'a>(&self, frame: &'a Frame) -> Cow<'a, RgbImage> {
        pixels_for(frame, self.scaled_size())
    }

    /// Infers one image without telling the hooks, and keeps what is asked for.
    ///
    /// What a model does not give is `None` in the prediction's activations.
    pub fn predict(&self, frame: &Frame, keep: Keep) -> Result<Prediction, DeployError> {
        let wants_deep = self.models.iter().any(TaskModel::is_deep);
        let deep = if wants_deep {
            picture::deep(frame)?
        } else {
            None
        };
        let image = self.pixels(frame);
        let (width, height) = frame.size();
        let picture = Picture {
            image: &image,
            size: Size::new(width, height),
            deep: deep.as_ref(),
        };
        let mut prediction = pipeline::run(&self.models, picture, keep)?;
        let empty = self.models.first().and_then(TaskModel::empty_label);
        add_empty_label(&mut prediction, empty, picture.size);
        Ok(prediction)
    }

    /// Saves the deployment as `<root>/deployment`, as a whole or not at all.
    ///
    /// The files are copied byte for byte from where they were loaded; OOD model and hooks are
    /// those of now. Saving changes nothing in this deployment, and saving what was saved gives
    /// the same bytes.
    pub fn save(&self, root: impl AsRef<Path>) -> Result<(), DeployError> {
        folder::save(&self.folder, root.as_ref(), |copy| {
            self.save_hooks_and_ood_model(copy)
        })
    }
}

/// Reads a Geti project and loads the models of its tasks.
fn load_project(
    folder: &Path,
    options: &LoadOptions,
    runtime: impl FnOnce() -> Result<Runtime, EngineError>,
) -> Result<(Project, Vec<TaskModel>), DeployError> {
    let file = folder.join(folder::PROJECT);
    let project: Project = folder::read_json(&file)?;
    if project.trainable_tasks().next().is_none() {
        return Err(DeployError::config(
            &file,
            "pipeline.tasks",
            "has no trainable task",
        ));
    }
    let runtime = runtime()?;
    let models = project.trainable_tasks().enumerate().map(|(index, task)| {
        let folder = folder::of_task(folder, task)?;
        TaskModel::load(task, &folder, &runtime, &options.compile_options(index))
    });
    let models = models.collect::<Result<_, _>>()?;
    Ok((project, models))
}
