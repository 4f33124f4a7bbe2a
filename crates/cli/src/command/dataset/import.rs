use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use straylight::formats::{Filter, Format};
use straylight::platform::{ImportOptions, Imported, Platform, import, split_target};
use straylight::{Progress, TaskType};

use super::written::summary;
use crate::command::project::task_type;
use crate::exit::Outcome;
use crate::output;

/// Arguments of `straylight dataset import`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder, one annotation file, or a zip file.
    folder: PathBuf,
    /// PROJECT/DATASET; the dataset is made if it is missing.
    #[arg(long, value_name = "DATASET")]
    into: String,
    /// The format; found from the files by default.
    #[arg(long)]
    format: Option<Format>,
    /// Only images whose labels fit.
    #[arg(long)]
    filter: Option<Filter>,
    /// Make the project if it is missing, with a task of this type and all labels of the set.
    #[arg(long, value_parser = task_type)]
    task: Option<TaskType>,
    /// Add labels of the set that the project lacks.
    #[arg(long)]
    add_labels: bool,
    /// Replace annotations that people made or changed in the dataset.
    #[arg(long)]
    overwrite: bool,
}

impl Arguments {
    /// Whether the project is made if it is missing.
    pub(super) fn makes_a_project(&self) -> bool {
        self.task.is_some()
    }

    pub(super) fn run(
        &self,
        platform: &Platform,
        as_json: bool,
        progress: &dyn Progress,
    ) -> Outcome {
        let options = ImportOptions {
            format: self.format,
            filter: self.filter.clone(),
            create: self.task,
            add_labels: self.add_labels,
            overwrite: self.overwrite,
        };
        let target = split_target(&self.into);
        let done = import(platform, target, &self.folder, &options, progress)?;
        let text = told(&done);
        if !as_json {
            summary(&done.changed);
            summary(&done.kept);
            if !done.added_labels.is_empty() {
                output::note(&format!(
                    "note: labels added: {}",
                    done.added_labels.join(", ")
                ));
            }
        }
        let value = json!({
            "images": done.images,
            "annotations": done.objects,
            "empty": done.empty,
            "updated": done.updated,
            "kept": placed(&done.kept),
            "there_already": done.unchanged,
            "added_labels": done.added_labels,
            "changed": placed(&done.changed),
        });
        output::answer_with(as_json, &text, value, done.problems)
    }
}

fn told(done: &Imported) -> String {
    let mut parts = vec![format!(
        "{} images with {} annotations imported, {} updated, {} were there",
        done.images, done.objects, done.updated, done.unchanged
    )];
    if done.empty > 0 {
        parts.push(format!("{} annotated as empty", done.empty));
    }
    if !done.kept.is_empty() {
        parts.push(format!("{} kept: changed here", done.kept.len()));
    }
    parts.join(", ")
}

fn placed(said: &[(String, String)]) -> Vec<Value> {
    let said = said.iter();
    said.map(|(place, message)| json!({"place": place, "message": message}))
        .collect()
}
