use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use straylight_core::{Connection, Project, Task, TaskType};
use straylight_files::{FileError, content_hash};
use straylight_geti::wire::{
    ModelGroup, ModelSummary, OptimizationType, OptimizedModel, Performance, PurgeInfo,
};
use straylight_store::{DeploymentRecord, Store, StoreError};

/// A deployment folder could not be taken over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file of the folder cannot be read or is not as it should be.
    #[error("`{path}` {detail}: export the deployment again")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A file of the folder cannot be read.
    #[error(transparent)]
    Unreadable(#[from] FileError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is shown of the model of a deployment that is not Geti's.
#[derive(Debug, Clone, Default)]
pub struct OwnModel {
    /// Bytes of its files.
    pub size: u64,
    /// Its format, such as `ONNX`.
    pub format: String,
    /// Whether it gives saliency maps.
    pub explains: bool,
}

/// What the REST API says of one task's model of a deployment.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct TaskModel {
    pub(crate) group: ModelGroup,
    pub(crate) optimized: OptimizedModel,
}

/// Takes a deployment folder of Geti's into the store: the project, when it is not there, and its
/// models.
///
/// `folder` is the one with `project.json` or the one above it. The newest import becomes the
/// active deployment of its project. Hooks in the folder come along. What is there already, with
/// the same content, is not taken a second time; it becomes the active one.
///
/// # Errors
///
/// A file is missing or not as it should be; nothing is stored then.
pub fn import_deployment(store: &Store, folder: &Path) -> Result<DeploymentRecord, ImportError> {
    let folder = if folder.join("deployment").join("project.json").is_file() {
        folder.join("deployment")
    } else {
        folder.to_owned()
    };
    let value = read_json(&folder.join("project.json"))?;
    let project: Project = serde_json::from_value(value.clone())
        .map_err(|e| bad(&folder.join("project.json"), format!("is no project ({e})")))?;
    let tasks: Vec<&Task> = project.trainable_tasks().collect();
    let models = tasks
        .iter()
        .map(|task| task_model(store, &folder, task))
        .collect::<Result<Vec<_>, _>>()?;
    add(store, &folder, &value, &models)
}

/// Takes the deployment of another origin into the store; `project` is what it was loaded as.
///
/// The project gets identifiers that follow from its name, its tasks and its labels: a newer
/// model with the same ones becomes another deployment of the same project. Otherwise as
/// [`import_deployment`].
///
/// # Errors
///
/// A file cannot be read, or the store failed; nothing is stored then.
pub fn import_own_model(
    store: &Store,
    folder: &Path,
    project: &Project,
    model: &OwnModel,
) -> Result<DeploymentRecord, ImportError> {
    let project = identified(project.clone());
    let make = |task: &Task| {
        let said = json!({ "name": format!("{} OpenVINO", project.name), "precision": ["FP32"],
                           "model_format": model.format, "has_xai_head": model.explains });
        let mut optimized: OptimizedModel = serde_json::from_value(said)
            .map_err(|e| bad(folder, format!("makes no model ({e})")))?;
        complete(store, &mut optimized, model.size)?;
        let group = group(store, task, &optimized)?;
        Ok(TaskModel { group, optimized })
    };
    let models = project.trainable_tasks().map(make);
    let models = models.collect::<Result<Vec<_>, ImportError>>()?;
    let value = serde_json::to_value(&project)
        .map_err(|e| bad(folder, format!("makes no project ({e})")))?;
    add(store, folder, &value, &models)
}

/// A project with identifiers of its own, and the dataset task before its others.
fn identified(mut project: Project) -> Project {
    let labels = |task: &Task| task.labels.iter().map(|label| label.name.clone()).collect();
    let tasks = project.trainable_tasks();
    let tasks: Vec<(TaskType, Vec<String>)> =
        tasks.map(|task| (task.task_type, labels(task))).collect();
    let key = format!("{} {tasks:?}", project.name);
    let id = |part: &str| {
        let digits = blake3::hash(format!("{part} {key}").as_bytes()).to_hex();
        digits.chars().take(24).collect::<String>()
    };
    project.id = id("project");
    let dataset = Task {
        id: id("dataset"),
        title: "Dataset".to_owned(),
        task_type: TaskType::Dataset,
        labels: Vec::new(),
    };
    project.pipeline.tasks.insert(0, dataset);
    for (place, task) in project.pipeline.tasks.iter_mut().enumerate().skip(1) {
        task.id = id(&format!("task {place}"));
    }
    let pairs = project.pipeline.tasks.windows(2);
    let connections = pairs.map(|pair| Connection {
        from: pair[0].id.clone(),
        to: pair[1].id.clone(),
    });
    project.pipeline.connections = connections.collect();
    project
}

/// Stores a deployment, unless one of the same content is there.
fn add(
    store: &Store,
    folder: &Path,
    project: &Value,
    models: &[TaskModel],
) -> Result<DeploymentRecord, ImportError> {
    let content = content(folder)?;
    let stored = store.import_project(project)?;
    let known = store.deployments(&stored.id)?.into_iter();
    let mut known = known.filter(|record| record.json["content"] == json!(content));
    if let Some(record) = known.next_back() {
        store.activate_deployment(&record.id)?;
        return Ok(store.deployment(&record.id)?);
    }
    let name = models
        .first()
        .map_or("deployment", |m| m.group.name.as_str());
    let models = json!({ "models": models, "content": content });
    Ok(store.add_deployment(&stored.id, name, folder, &models)?)
}

/// A hash of all files of a folder with their names, 64 hexadecimal digits.
fn content(folder: &Path) -> Result<String, FileError> {
    let mut files = Vec::new();
    collect(folder, &mut files).map_err(|error| FileError::new("read", folder, error))?;
    files.sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for path in files {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy();
        hasher.update(blake3::hash(name.as_bytes()).as_bytes());
        hasher.update(content_hash(&path)?.as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn bad(path: &Path, detail: String) -> ImportError {
    ImportError::File {
        path: path.to_owned(),
        detail,
    }
}

fn read_json(path: &Path) -> Result<Value, ImportError> {
    let bytes = fs::read(path).map_err(|e| bad(path, format!("cannot be read ({e})")))?;
    serde_json::from_slice(&bytes).map_err(|e| bad(path, format!("is not JSON ({e})")))
}

fn task_model(store: &Store, folder: &Path, task: &Task) -> Result<TaskModel, ImportError> {
    let dir = task_dir(folder, task)?;
    let path = dir.join("model.json");
    let mut optimized: OptimizedModel = serde_json::from_value(read_json(&path)?)
        .map_err(|e| bad(&path, format!("is no model ({e})")))?;
    let size = ["model.xml", "model.bin"]
        .iter()
        .map(|name| model_size(&dir.join("model").join(name)))
        .sum::<Result<u64, _>>()?;
    complete(store, &mut optimized, size)?;
    let group = group(store, task, &optimized)?;
    Ok(TaskModel { group, optimized })
}

/// The folder of a task: its title, which must not lead elsewhere.
pub(crate) fn task_dir(folder: &Path, task: &Task) -> Result<PathBuf, ImportError> {
    let dir = folder.join(&task.title);
    let stays = !task.title.is_empty()
        && !task.title.contains(['/', '\\', '\0'])
        && !matches!(task.title.as_str(), "." | "..");
    if stays && dir.is_dir() {
        return Ok(dir);
    }
    Err(bad(
        &folder.join("project.json"),
        format!("has a task `{}` without a folder", task.title),
    ))
}

fn model_size(path: &Path) -> Result<u64, ImportError> {
    let metadata = fs::metadata(path).map_err(|e| bad(path, format!("cannot be read ({e})")))?;
    Ok(metadata.len())
}

/// Fills what the SDK needs and a model.json may lack; scores must be numbers for it.
fn complete(store: &Store, model: &mut OptimizedModel, size: u64) -> Result<(), StoreError> {
    if !straylight_store::is_object_id(&model.id) {
        model.id = store.new_id()?;
    }
    model
        .creation_date
        .get_or_insert(store.clock().now().into());
    "SUCCESS".clone_into(&mut model.model_status);
    model
        .model_format
        .get_or_insert_with(|| "OpenVINO".to_owned());
    model.size = size;
    let score = model.performance.and_then(|p| p.score).unwrap_or(0.0);
    model.performance = Some(Performance { score: Some(score) });
    if model
        .optimization_type
        .known()
        .is_none_or(|t| *t == OptimizationType::None)
    {
        model.optimization_type = OptimizationType::Mo.into();
    }
    if model.precision.is_empty() {
        model.precision.push("FP16".to_owned());
    }
    Ok(())
}

fn group(store: &Store, task: &Task, model: &OptimizedModel) -> Result<ModelGroup, StoreError> {
    let architecture = model.name.split(" OpenVINO").next().unwrap_or(&model.name);
    let previous = model.previous_revision_id.clone();
    let id = match previous.filter(|id| straylight_store::is_object_id(id)) {
        Some(id) => id,
        None => store.new_id()?,
    };
    let summary = ModelSummary {
        id,
        name: architecture.to_owned(),
        creation_date: model.creation_date,
        score_up_to_date: true,
        active_model: true,
        size: model.size,
        performance: model.performance,
        label_schema_in_sync: true,
        version: model.version.max(1),
        purge_info: Some(PurgeInfo::default()),
    };
    Ok(ModelGroup {
        id: store.new_id()?,
        name: architecture.to_owned(),
        model_template_id: template_id(task, architecture),
        task_id: Some(task.id.clone()),
        learning_approach: Some("fully_supervised".to_owned()),
        models: vec![summary],
    })
}

/// An identifier for an algorithm that was trained elsewhere.
fn template_id(task: &Task, architecture: &str) -> String {
    let kind = serde_json::to_value(task.task_type).unwrap_or_default();
    let kind = kind.as_str().unwrap_or("task").to_owned();
    let name: String = architecture
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    format!("imported_{kind}_{name}")
}

impl TaskModel {
    /// The forms in which the model is offered. One with an XAI head is offered without it as
    /// well: the SDK asks for such a model unless told otherwise, and the same file serves both.
    pub(crate) fn variants(&self) -> Vec<OptimizedModel> {
        let mut variants = vec![self.optimized.clone()];
        if self.optimized.has_xai_head {
            let digits = blake3::hash(self.optimized.id.as_bytes()).to_hex();
            let mut plain = self.optimized.clone();
            plain.id = digits.chars().take(24).collect();
            plain.name = plain.name.replace(" with XAI head", "");
            plain.has_xai_head = false;
            variants.push(plain);
        }
        variants
    }
}

/// The models of an imported deployment.
pub(crate) fn models(deployment: &DeploymentRecord) -> Vec<TaskModel> {
    let models = serde_json::from_value(deployment.json["models"].clone());
    models.unwrap_or_else(|error| {
        tracing::error!(%error, deployment = deployment.id, "its models cannot be read");
        Vec::new()
    })
}
