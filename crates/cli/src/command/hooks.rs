//! `straylight hooks`: the hooks that are saved with a deployment.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use straylight::hookfile::{ActionDraft, HookDraft, HookFile, Limit, TriggerKind, kind};
use straylight::hooks::Overflow;
use straylight::hooks::config::HookConfig;
use straylight::platform::split_target;
use straylight::{hide_secrets, holds_user};

use crate::command::platform::PlatformArguments;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;

/// Arguments of `straylight hooks`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight hooks add --deployment D --trigger ood --action folder --to strays
  straylight hooks add --deployment D --trigger ood --threshold 0.7 --limit 1/s --limit similar \\
    --action dataset --to 'birds/OOD Images Collected' --store straylight-store
  straylight hooks add --deployment D --trigger count --labels dog --threshold 0 --mode greater \\
    --action folder --to hook_data/dogs
  straylight hooks add --deployment D --trigger sample --rate 0.5% --action folder --to control
  straylight hooks check --deployment D")]
pub(crate) struct Arguments {
    /// Folder of the deployment.
    #[arg(
        long,
        value_name = "FOLDER",
        env = "STRAYLIGHT_DEPLOYMENT",
        global = true
    )]
    deployment: Option<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show the hooks.
    Show,
    /// Say what keeps the hooks from working: labels, thresholds, secrets, folders, stores and their
    /// projects; contacts no server and collects nothing.
    Check {
        /// Put secrets that are in clear text into files of this folder and refer to them.
        #[arg(long, value_name = "FOLDER")]
        move_secrets: Option<PathBuf>,
    },
    /// Add a hook.
    Add(Box<AddArguments>),
    /// Remove hooks.
    Remove(RemoveArguments),
}

/// Which hooks go.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct RemoveArguments {
    /// Their names, or their numbers counted from 1.
    hooks: Vec<String>,
    /// All of them.
    #[arg(long)]
    all: bool,
}

/// A hook to be added.
#[derive(Debug, Args)]
struct AddArguments {
    /// Which images are wanted.
    #[arg(long, value_enum, required_unless_present = "hook")]
    trigger: Option<TriggerArgument>,
    /// ood: score from which on it fires, 0..1 (default: the model's own). confidence: probability
    /// below which it fires. count: number of objects to compare with.
    #[arg(long, allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// ood: share of normal images that may be called strange, instead of a threshold.
    #[arg(long, value_name = "SHARE", conflicts_with = "threshold")]
    false_alarm_rate: Option<f64>,
    /// sample: share of all images, 0.5% or 0.005.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    rate: Option<f64>,
    /// label, count, confidence: the labels that matter, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    labels: Vec<String>,
    /// count: greater, lower or equal. label: or (any of them), and (all of them).
    #[arg(long)]
    mode: Option<String>,
    /// Where images go.
    #[arg(long, value_enum, requires = "to", required_unless_present = "hook")]
    action: Option<ActionArgument>,
    /// folder: its path, kept as an absolute one. dataset, geti: PROJECT/DATASET. http: the address.
    #[arg(long, value_name = "PLACE")]
    to: Option<String>,
    /// What holds images back, may be given several times: 1/s, 10/min, 100/h, 500/d, 2000 (in
    /// all), 'label 30', 'similar 4', 'object 60', 'best 3/60'.
    #[arg(long, value_name = "LIMIT")]
    limit: Vec<Limit>,
    /// Name of the hook in metrics, logs and queues.
    #[arg(long)]
    name: Option<String>,
    /// Threads that deliver; 0 delivers before the next image is inferred.
    #[arg(long, value_name = "N", default_value_t = 5)]
    max_threads: usize,
    /// What happens when images come faster than they are delivered. auto: files and videos wait,
    /// a camera or stream keeps its images on disk.
    #[arg(long, value_enum, value_name = "POLICY", default_value = "auto")]
    when_full: WhenFullArgument,
    /// Most images that wait or are being delivered (default: 1000 in memory, 100000 on disk).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    queue_size: Option<u64>,
    /// geti: where the token is found when the hook runs, `env:NAME` or `file:PATH`.
    #[arg(long, value_name = "REFERENCE", default_value = "env:GETI_TOKEN")]
    token: String,
    /// A whole hook as JSON, from this file (-: standard input), for what has no flag:
    /// combinations of triggers, S3, MQTT, queues, retries.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["trigger", "action"])]
    hook: Option<PathBuf>,
    #[command(flatten)]
    platform: PlatformArguments,
}

/// The triggers.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum TriggerArgument {
    /// Every image.
    Always,
    /// A probability below a threshold.
    Confidence,
    /// Nothing found.
    Empty,
    /// Certain labels.
    Label,
    /// The number of objects.
    Count,
    /// Out of distribution.
    Ood,
    /// A random share of all images, to see what the other triggers miss.
    Sample,
}

/// What happens when a hook's queue is full.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum WhenFullArgument {
    /// Decided by the source.
    Auto,
    /// The source waits.
    Wait,
    /// Images wait on disk; at the limit of the disk files and videos wait, and new images of a
    /// camera or stream are lost.
    Spill,
    /// The oldest image that waits is lost.
    DropOldest,
    /// The new image is lost.
    DropNewest,
}

/// The actions.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ActionArgument {
    /// Images, predictions, scores and overlays in a folder.
    Folder,
    /// A dataset of the local store.
    Dataset,
    /// A dataset of a Geti server.
    Geti,
    /// A POST request with the prediction.
    Http,
}

/// Shows, checks, adds or removes.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    let folder = arguments.deployment.as_deref();
    let folder = folder.ok_or("name the deployment with --deployment FOLDER")?;
    let as_json = arguments.json;
    match &arguments.what {
        What::Show => show(&HookFile::open(folder)?, as_json)?,
        What::Check { move_secrets } => {
            return check(folder, move_secrets.as_deref(), as_json);
        }
        What::Add(add) => {
            let hook = add.hook()?;
            let name = HookFile::change(folder, |file| {
                file.add(hook)?;
                Ok(file.names().pop().unwrap_or_default())
            })?;
            output::answer(as_json, &format!("added {name}"), &json!({ "added": name }))?;
        }
        What::Remove(remove) => {
            let (removed, left) = HookFile::change(folder, |file| {
                let names = if remove.all {
                    file.names()
                } else {
                    remove.hooks.clone()
                };
                // Numbers are those of before: the last goes first.
                for name in names.iter().rev() {
                    file.remove(name)?;
                }
                Ok((names.len(), file.names()))
            })?;
            let text = format!("removed {removed} hooks");
            let value = json!({ "removed": removed, "hooks": left });
            output::answer(as_json, &text, &value)?;
        }
    }
    Ok(Exit::Success)
}

fn show(file: &HookFile, as_json: bool) -> Result<(), Failure> {
    if as_json {
        let hooks = file.hooks.iter().map(serde_json::to_value);
        let hooks = hooks.map(|hook| hook.map(without_passwords));
        return output::json(&hooks.collect::<Result<Vec<_>, _>>()?, "-".as_ref());
    }
    if file.hooks.is_empty() {
        output::line("no hooks");
    }
    for (number, (hook, name)) in (1..).zip(file.hooks.iter().zip(file.names())) {
        output::line(&format!("{number}  {name}"));
        output::line(&format!("     when   {}", settings(&hook.trigger)?));
        output::line(&format!("     then   {}", settings(&hook.action)?));
        let limits = serde_json::to_value(&hook.limits)?;
        if limits.as_object().is_some_and(|limits| !limits.is_empty()) {
            output::line(&format!("     limits {limits}"));
        }
    }
    Ok(())
}

/// Settings with the passwords of addresses hidden.
fn without_passwords(value: Value) -> Value {
    match value {
        Value::String(text) if holds_user(&text) => Value::String(hide_secrets(&text)),
        Value::Array(values) => values.into_iter().map(without_passwords).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| (key, without_passwords(value)))
            .collect(),
        other => other,
    }
}

/// The name of a trigger or action, then its settings.
fn settings(config: &impl serde::Serialize) -> Result<String, Failure> {
    let name = kind(config);
    let value = without_passwords(serde_json::to_value(config)?);
    Ok(match value.get(&name).and_then(Value::as_object) {
        Some(settings) if !settings.is_empty() => format!("{name} {}", value[&name]),
        _ => name,
    })
}

fn check(deployment: &Path, secrets: Option<&Path>, as_json: bool) -> Outcome {
    if let Some(folder) = secrets {
        let moved = HookFile::change(deployment, |file| file.move_secrets(folder))?;
        for moved in moved {
            output::note(&format!("moved the {} to {}", moved.what, moved.reference));
        }
    }
    let file = HookFile::open(deployment)?;
    let (problems, losses) = (file.check()?, file.losses());
    if as_json {
        output::json(
            &json!({ "hooks": file.names(), "problems": problems, "losses": losses }),
            "-".as_ref(),
        )?;
    } else {
        for line in problems.iter().chain(&losses) {
            output::line(line);
        }
        output::line(&format!(
            "{} hooks, {} problems",
            file.hooks.len(),
            problems.len()
        ));
    }
    Ok(if problems.is_empty() {
        Exit::Success
    } else {
        Exit::Failure
    })
}

impl AddArguments {
    fn hook(&self) -> Result<HookConfig, Failure> {
        if let Some(path) = &self.hook {
            return read_hook(path);
        }
        let (Some(trigger), Some(_)) = (self.trigger, self.action) else {
            return Err("give --trigger and --action, or --hook FILE".into());
        };
        let draft = HookDraft {
            name: self.name.clone(),
            trigger: trigger.into(),
            threshold: self.threshold,
            false_alarm_rate: self.false_alarm_rate,
            rate: self.rate,
            labels: self.labels.clone(),
            mode: self.mode.clone(),
            action: self.action()?,
            limits: self.limit.clone(),
            max_threads: self.max_threads,
            when_full: self.when_full.into(),
            queue_size: self.queue_size.and_then(|size| usize::try_from(size).ok()),
        };
        Ok(draft.build()?)
    }

    fn action(&self) -> Result<ActionDraft, Failure> {
        let to = self.to.as_deref().unwrap_or_default();
        let dataset = || match split_target(to) {
            (project, Some(dataset)) => Ok((project.to_owned(), dataset.to_owned())),
            _ => Err(format!("`{to}` is no dataset: write PROJECT/DATASET")),
        };
        Ok(match self.action {
            Some(ActionArgument::Dataset) => {
                let (project, dataset) = dataset()?;
                let store = self.platform.store.clone();
                let store = store.ok_or("name the folder of the local store with --store")?;
                ActionDraft::Store(absolute(&store)?, project, dataset)
            }
            Some(ActionArgument::Geti) => {
                let (project, dataset) = dataset()?;
                let server = self.platform.details()?;
                ActionDraft::Geti(server, self.token.clone(), project, dataset)
            }
            Some(ActionArgument::Http) => ActionDraft::Http(to.to_owned()),
            Some(ActionArgument::Folder) | None => ActionDraft::Folder(absolute(to.as_ref())?),
        })
    }
}

/// The path from the root: the hook may run in another folder than this one.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// A share, or as many percent.
fn share(text: &str) -> Result<f64, String> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let share = match text.strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| percent / 100.0),
        None => number(text),
    };
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("`{text}` is no share of all images: write 0.5% or 0.005"))
}

fn read_hook(path: &Path) -> Result<HookConfig, Failure> {
    let text = if path == Path::new("-") {
        std::io::read_to_string(std::io::stdin())?
    } else {
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?
    };
    let read = serde_json::from_str(&text);
    Ok(read.map_err(|error| format!("{}: {error}", path.display()))?)
}

impl From<WhenFullArgument> for Overflow {
    fn from(argument: WhenFullArgument) -> Self {
        match argument {
            WhenFullArgument::Auto => Self::Auto,
            WhenFullArgument::Wait => Self::Wait,
            WhenFullArgument::Spill => Self::Spill,
            WhenFullArgument::DropOldest => Self::DropOldest,
            WhenFullArgument::DropNewest => Self::DropNewest,
        }
    }
}

impl From<TriggerArgument> for TriggerKind {
    fn from(argument: TriggerArgument) -> Self {
        match argument {
            TriggerArgument::Always => Self::Always,
            TriggerArgument::Confidence => Self::Confidence,
            TriggerArgument::Empty => Self::Empty,
            TriggerArgument::Label => Self::Label,
            TriggerArgument::Count => Self::Count,
            TriggerArgument::Ood => Self::Ood,
            TriggerArgument::Sample => Self::Sample,
        }
    }
}
