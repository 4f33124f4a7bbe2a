//! `straylight deployment`: deployments as folders.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use straylight::custom::{
    Assignment, Proposal, check as check_deployment, propose, write_with_features,
};
use straylight::engine::{Runtime, RuntimeOptions};
use straylight::hookfile::HookFile;
use straylight::image::read_frame;
use straylight::{Deployment, LoadOptions, SavedHooks};

use crate::command::engine::EngineArguments;
use crate::command::platform::PlatformArguments;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::progress::TerminalProgress;

/// The description that makes a model a deployment.
const DESCRIPTION: &str = "straylight.json";

/// Arguments of `straylight deployment`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight deployment show D
  straylight deployment init model/resnet.onnx
  straylight deployment init model/resnet.onnx --recipe torchvision
  straylight deployment init model/tiny.onnx --set input.scale=255 --set labels=cat,dog
  straylight deployment check model photo.jpg --add-features
  straylight deployment download birds --out D
  straylight deployment save D backup")]
pub(crate) struct Arguments {
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show a deployment: tasks, labels, what it can give, OOD model, hooks.
    Show {
        /// Folder of the deployment.
        folder: PathBuf,
        #[command(flatten)]
        engine: EngineArguments,
    },
    /// Make a deployment of a bare model (IR, ONNX, `TFLite`): propose its description.
    ///
    /// It is written beside the model; with --json it is printed instead.
    Init {
        /// The model file (.xml, .onnx, .tflite); labels.txt beside it names the classes.
        model: PathBuf,
        /// Replace a description that is there already.
        #[arg(long)]
        force: bool,
        /// What the model does not say: a key of the description and its value.
        #[arg(long, value_name = "KEY=VALUE")]
        set: Vec<Assignment>,
        /// How its pixels are prepared, by a name: `--recipe list` lists all.
        #[arg(long, value_name = "NAME")]
        recipe: Option<String>,
    },
    /// Run a deployment on a picture and say what is missing.
    Check {
        /// Folder of the deployment.
        folder: PathBuf,
        /// A picture.
        image: PathBuf,
        /// Make an inner layer the feature vector that OOD models need (IR and ONNX models that
        /// have a description).
        #[arg(long)]
        add_features: bool,
        #[command(flatten)]
        engine: EngineArguments,
    },
    /// Save a deployment with its OOD model and hooks into another folder.
    Save {
        /// Folder of the deployment.
        folder: PathBuf,
        /// Folder that receives the folder `deployment`.
        target: PathBuf,
        #[command(flatten)]
        engine: EngineArguments,
    },
    /// Download the active models of a project.
    Download {
        /// Name or identifier of the project.
        project: String,
        /// Folder that receives the folder `deployment`.
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        /// Take models without an XAI head, which OOD scores and saliency maps need.
        #[arg(long)]
        without_xai: bool,
        #[command(flatten)]
        platform: PlatformArguments,
    },
}

/// Shows, makes, checks, saves or downloads.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let as_json = arguments.json;
    match &arguments.what {
        What::Show { folder, engine } => show(folder, as_json, engine),
        What::Init {
            model,
            force,
            set,
            recipe,
        } => init(model, as_json, *force, set, recipe.as_deref()),
        What::Check {
            folder,
            image,
            add_features,
            engine,
        } => check(folder, image, *add_features, as_json, engine),
        What::Save {
            folder,
            target,
            engine,
        } => {
            load(folder, engine)?.save(target)?;
            arrived(as_json, "saved as", &target.join("deployment"))
        }
        What::Download {
            project,
            out,
            without_xai,
            platform,
        } => {
            let platform = platform.open()?;
            let api = platform.project_api(project)?;
            let saved = api.deploy_active(!without_xai, out, &TerminalProgress::new())?;
            arrived(as_json, "downloaded to", &saved.root.join("deployment"))
        }
    }
}

/// Says where the deployment is now.
fn arrived(as_json: bool, how: &str, folder: &Path) -> Outcome {
    let text = format!("{how} {}", folder.display());
    output::answer(as_json, &text, &json!({ "folder": folder }))?;
    Ok(Exit::Success)
}

/// Loads without starting hooks: their queues may be at work in another process.
fn ignoring_hooks(engine: &EngineArguments) -> LoadOptions {
    LoadOptions {
        hooks: SavedHooks::Ignore,
        ..engine.load_options()
    }
}

fn load(folder: &Path, engine: &EngineArguments) -> Result<Deployment, Failure> {
    let progress = TerminalProgress::new();
    Ok(Deployment::from_folder_with_progress(
        folder,
        &engine.load_options(),
        &progress,
    )?)
}

fn show(folder: &Path, as_json: bool, engine: &EngineArguments) -> Outcome {
    let progress = TerminalProgress::new();
    let load = ignoring_hooks(engine);
    let deployment = Deployment::from_folder_with_progress(folder, &load, &progress)?;
    let shown = described(&deployment, &HookFile::open(deployment.folder())?);
    if as_json {
        output::json(&shown, "-".as_ref())?;
        return Ok(Exit::Success);
    }
    output::line(&format!("project    {}", deployment.project().name));
    for task in deployment.project().trainable_tasks() {
        let labels: Vec<&str> = task
            .labels
            .iter()
            .map(|label| label.name.as_str())
            .collect();
        let kind = serde_json::to_value(task.task_type)?;
        let kind = kind.as_str().unwrap_or_default();
        output::line(&format!(
            "task       {} ({kind}): {}",
            task.title,
            labels.join(", ")
        ));
    }
    let features = if deployment.has_features() {
        "yes"
    } else {
        "no: OOD scores need it"
    };
    output::line(&format!("features   {features}"));
    output::line(&match deployment.ood_model() {
        Some(model) => format!(
            "OOD model  {}, threshold {:.4}",
            model.kind().name(),
            model.threshold()
        ),
        None => "OOD model  none; `straylight ood fit` makes one".to_owned(),
    });
    let names = HookFile::open(folder)?.names();
    let names = if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    };
    output::line(&format!("hooks      {names}"));
    Ok(Exit::Success)
}

fn described(deployment: &Deployment, hooks: &HookFile) -> Value {
    let tasks = deployment.project().trainable_tasks().map(|task| {
        let labels = task.labels.iter().map(|label| label.name.as_str());
        json!({
            "title": task.title,
            "type": task.task_type,
            "labels": labels.collect::<Vec<_>>(),
        })
    });
    let ood = deployment.ood_model().map(|model| {
        json!({
            "kind": model.kind(),
            "detectors": model.detectors().collect::<Vec<_>>(),
            "threshold": model.threshold_details(),
        })
    });
    json!({
        "folder": deployment.folder(),
        "project": deployment.project().name,
        "tasks": tasks.collect::<Vec<_>>(),
        "features": deployment.has_features(),
        "ood_model": ood,
        "hooks": hooks.names(),
    })
}

fn init(
    model: &Path,
    as_json: bool,
    force: bool,
    set: &[Assignment],
    recipe: Option<&str>,
) -> Outcome {
    if recipe == Some("list") {
        output::line(&Assignment::recipes());
        return Ok(Exit::Success);
    }
    let path = model.with_file_name(DESCRIPTION);
    if !as_json && path.exists() && !force {
        let path = path.display();
        return Err(format!("{path} is there already; --force replaces it").into());
    }
    let mut assignments = recipe.map_or(Ok(Vec::new()), Assignment::recipe)?;
    assignments.extend_from_slice(set);
    let runtime = Runtime::load(&RuntimeOptions::default(), &TerminalProgress::new())?;
    let mut proposal = propose(model, &runtime, &assignments)?;
    if as_json {
        output::line(proposal.description.to_json().trim_end());
    } else {
        let features = write_with_features(model, &mut proposal.description, &runtime)?;
        straylight::write_atomically(&path, proposal.description.to_json().as_bytes())?;
        output::line(&format!("wrote {}", path.display()));
        if let Some(tensor) = features {
            let copy = model.with_file_name(&proposal.description.model);
            output::line(&format!(
                "wrote {}: the model with `{tensor}` as its feature vector",
                copy.display()
            ));
        }
    }
    say(&proposal);
    Ok(Exit::Success)
}

/// Says of each fact where it comes from.
fn say(proposal: &Proposal) {
    for fact in &proposal.said {
        output::note(&format!(
            "{:<6} {:<24} {}",
            fact.origin.as_str(),
            fact.key,
            fact.why
        ));
    }
    for note in &proposal.notes {
        output::note(&format!("! {note}"));
    }
}

fn check(
    folder: &Path,
    image: &Path,
    add_features: bool,
    as_json: bool,
    engine: &EngineArguments,
) -> Outcome {
    let frame = read_frame(image)?;
    let options = ignoring_hooks(engine);
    let mut report = check_deployment(folder, &frame, &options)?;
    if add_features && report.prediction.activations.features.is_none() {
        report.add_features(folder)?;
        output::note("the penultimate layer is an output now: feature_vector");
        report = check_deployment(folder, &frame, &options)?;
    }
    let labels = report.prediction.annotations.iter().flat_map(|a| &a.labels);
    if as_json {
        let labels = labels.map(|l| json!({"name": l.name, "probability": l.probability}));
        let found = json!({
            "labels": labels.collect::<Vec<_>>(),
            "missing": report.missing,
            "penultimate": report.penultimate,
        });
        output::json(&found, "-".as_ref())?;
    } else {
        for label in labels {
            output::line(&format!("{} {:.3}", label.name, label.probability));
        }
        report
            .missing
            .iter()
            .for_each(|missing| output::line(&format!("! {missing}")));
        if let Some(layer) = &report.penultimate {
            output::line(&format!(
                "! The layer `{layer}` can be the feature vector: --add-features."
            ));
        }
    }
    Ok(Exit::Success)
}
