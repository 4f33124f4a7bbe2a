//! `straylight project`: projects of a Geti server or of the local store.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use straylight::TaskType;
use straylight::geti::wire::{Project, Task};
use straylight::geti::{ClassFolders, ProjectDownload, ProjectPlan, ProjectUpload, TaskPlan};
use straylight::platform::{Platform, add_labels, keypoint_task, parse_edge};

use crate::command::platform::PlatformArguments;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::progress::TerminalProgress;

/// Arguments of `straylight project`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight project list
  straylight project create birds --task classification --labels tern,auklet
  straylight project create birds --from photos/ --store straylight-store
  straylight project create hands --task keypoint_detection --labels wrist,thumb --edges wrist-thumb
  straylight project labels add birds puffin 'grey heron'
  straylight project download birds --out birds
  straylight project upload birds --name 'birds again'")]
pub(crate) struct Arguments {
    #[command(flatten)]
    platform: PlatformArguments,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the projects.
    List,
    /// Make a project.
    Create(CreateArguments),
    /// Show a project: tasks, labels, datasets.
    Show {
        /// Name or identifier.
        project: String,
    },
    /// Change the labels of a project.
    #[command(subcommand)]
    Labels(Labels),
    /// Delete a project with all that is in it.
    Delete {
        /// Name or identifier.
        project: String,
        /// Really.
        #[arg(long)]
        yes: bool,
    },
    /// Download a project: description, media, annotations, as the Python SDK lays them out.
    Download {
        /// Name or identifier.
        project: String,
        /// The folder; what is in it already is not downloaded again.
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        /// Leave videos out.
        #[arg(long)]
        without_videos: bool,
    },
    /// Make a project of a folder that was downloaded.
    Upload {
        /// The folder.
        folder: PathBuf,
        /// Name of the new project; that of the downloaded one by default.
        #[arg(long)]
        name: Option<String>,
        /// Let the server train by itself afterwards.
        #[arg(long)]
        auto_training: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Labels {
    /// Add labels to a project, after those that it has.
    ///
    /// Where the labels of the task exclude one another, the new ones exclude them too.
    Add {
        /// Name or identifier of the project.
        project: String,
        /// The new labels.
        #[arg(required = true, value_name = "LABEL")]
        labels: Vec<String>,
        /// Title of the task that gets them; needed if the project has several.
        #[arg(long, value_name = "TITLE")]
        task: Option<String>,
    },
}

/// A project to be made.
#[derive(Debug, Args)]
struct CreateArguments {
    /// Its name.
    name: String,
    /// What it does: classification, detection, segmentation, anomaly, ...
    #[arg(long, value_parser = task_type, required_unless_present = "from")]
    task: Option<TaskType>,
    /// Its labels, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    labels: Vec<String>,
    /// Any number of the labels may hold for an image.
    #[arg(long)]
    multi_label: bool,
    /// Lines between key points, LABEL-LABEL, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "EDGES")]
    edges: Vec<String>,
    /// A classification of the images in this folder, which has a subfolder for each label.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["task", "labels"])]
    from: Option<PathBuf>,
}

/// A type of task by the platform's name.
pub(crate) fn task_type(text: &str) -> Result<TaskType, String> {
    let name = text.to_lowercase().replace('-', "_");
    serde_json::from_value(Value::String(name)).map_err(|error| error.to_string())
}

/// Lists, makes, shows, deletes, downloads or uploads.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let platform = match arguments.what {
        What::Create(_) | What::Upload { .. } => arguments.platform.open_or_make()?,
        _ => arguments.platform.open()?,
    };
    let as_json = arguments.json;
    match &arguments.what {
        What::List => list(&platform, as_json)?,
        What::Create(create) => return create.run(&platform, as_json),
        What::Show { project } => show(&platform.project(project)?, as_json)?,
        What::Labels(Labels::Add {
            project,
            labels,
            task,
        }) => {
            let found = platform.project(project)?;
            let api = platform.geti().at(&found.id);
            let changed = add_labels(&api, &found, task.as_deref(), labels)?;
            let text = format!("added to {}: {}", changed.name, labels.join(", "));
            output::answer(as_json, &text, &described(&changed))?;
        }
        What::Delete { project, yes } => delete(&platform, project, *yes, as_json)?,
        What::Download {
            project,
            out,
            without_videos,
        } => {
            let options = ProjectDownload {
                videos: !without_videos,
            };
            let api = platform.project_api(project)?;
            let done = api.download_to(out, options, &TerminalProgress::new())?;
            let text = format!(
                "{} media and {} annotations downloaded to {}, {} media were there",
                done.media.done.len(),
                done.annotations.done.len(),
                out.display(),
                done.media.skipped
            );
            let value = json!({
                "folder": out,
                "media": done.media.done.len(),
                "annotations": done.annotations.done.len(),
                "there_already": done.media.skipped,
            });
            let failed = done.media.failed.into_iter().chain(done.annotations.failed);
            return output::answer_with(as_json, &text, value, failed);
        }
        What::Upload {
            folder,
            name,
            auto_training,
        } => {
            let options = ProjectUpload {
                name: name.clone(),
                auto_training: *auto_training,
            };
            let done =
                platform
                    .geti()
                    .upload_project(folder, &options, &TerminalProgress::new())?;
            let text = format!(
                "made {}: {} media, {} annotated",
                done.project.name,
                done.media.done.len(),
                done.annotations.done.len()
            );
            let value = json!({
                "id": done.project.id,
                "name": done.project.name,
                "media": done.media.done.len(),
                "annotations": done.annotations.done.len(),
            });
            let failed = done.media.failed.into_iter().chain(done.annotations.failed);
            return output::answer_with(as_json, &text, value, failed);
        }
    }
    Ok(Exit::Success)
}

fn list(platform: &Platform, as_json: bool) -> Result<(), Failure> {
    let projects = platform.geti().projects()?;
    if as_json {
        return output::json(
            &projects.iter().map(described).collect::<Vec<_>>(),
            "-".as_ref(),
        );
    }
    for project in &projects {
        output::line(&format!(
            "{}  {}  {}",
            project.id,
            project.name,
            tasks(project)
        ));
    }
    Ok(())
}

fn tasks(project: &Project) -> String {
    let tasks = project
        .pipeline
        .tasks
        .iter()
        .filter(|task| task.is_trainable());
    tasks
        .map(|task| task.title.as_str())
        .collect::<Vec<_>>()
        .join(" -> ")
}

fn show(project: &Project, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return output::json(&described(project), "-".as_ref());
    }
    output::line(&format!("{}  {}", project.id, project.name));
    for task in project
        .pipeline
        .tasks
        .iter()
        .filter(|task| task.is_trainable())
    {
        output::line(&format!(
            "task     {}: {}",
            task.title,
            labels(task).join(", ")
        ));
    }
    for dataset in project.datasets.iter().flatten() {
        let training = if dataset.use_for_training {
            " (training)"
        } else {
            ""
        };
        output::line(&format!(
            "dataset  {}  {}{training}",
            dataset.id, dataset.name
        ));
    }
    Ok(())
}

fn labels(task: &Task) -> Vec<&str> {
    task.labels()
        .iter()
        .map(|label| label.name.as_str())
        .collect()
}

fn described(project: &Project) -> Value {
    let tasks = project
        .pipeline
        .tasks
        .iter()
        .filter(|task| task.is_trainable());
    let tasks = tasks
        .map(|task| json!({ "title": task.title, "type": task.task_type, "labels": labels(task) }));
    let datasets = project.datasets.iter().flatten();
    let datasets = datasets.map(|dataset| {
        json!({ "id": dataset.id, "name": dataset.name, "training": dataset.use_for_training })
    });
    json!({
        "id": project.id,
        "name": project.name,
        "created_at": project.creation_time,
        "tasks": tasks.collect::<Vec<_>>(),
        "datasets": datasets.collect::<Vec<_>>(),
    })
}

fn delete(platform: &Platform, project: &str, yes: bool, as_json: bool) -> Result<(), Failure> {
    let project = platform.project(project)?;
    if !yes {
        let name = project.name;
        return Err(format!("`{name}` and all of its images would be gone; say --yes").into());
    }
    platform.geti().delete_project(&project.id)?;
    let value = json!({ "id": project.id, "name": project.name, "deleted": true });
    output::answer(as_json, &format!("deleted {}", project.name), &value)
}

impl CreateArguments {
    fn run(&self, platform: &Platform, as_json: bool) -> Outcome {
        let geti = platform.geti();
        if let Some(folder) = &self.from {
            let folders = ClassFolders::read(folder)?;
            let progress = TerminalProgress::new();
            let (project, images) =
                geti.create_project_from_folders(&self.name, &folders, false, &progress)?;
            let text = format!("made {} with {} images", project.name, images.done.len());
            let mut value = described(&project);
            value["images"] = json!(images.done.len());
            return output::answer_with(as_json, &text, value, images.failed);
        }
        let task = self.task.ok_or("say what the project does with --task")?;
        let plan = self.task_plan(task)?;
        let plan = if self.multi_label {
            plan.multi_label()
        } else {
            plan
        };
        let request = ProjectPlan::single(&self.name, plan).request(geti.version())?;
        let project = geti.create_project(&request)?;
        let text = format!("made {}  {}", project.id, project.name);
        output::answer(as_json, &text, &described(&project))?;
        Ok(Exit::Success)
    }

    fn task_plan(&self, task: TaskType) -> Result<TaskPlan, Failure> {
        if task != TaskType::KeypointDetection {
            if !self.edges.is_empty() {
                return Err("--edges is for --task keypoint_detection".into());
            }
            return Ok(TaskPlan::new(task, self.labels.iter().map(String::as_str)));
        }
        let edges = self.edges.iter().map(|edge| parse_edge(edge, &self.labels));
        let edges = edges.collect::<Result<Vec<_>, _>>()?;
        Ok(keypoint_task(&self.labels, &edges)?)
    }
}
