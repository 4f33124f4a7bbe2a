use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use straylight::Progress;
use straylight::formats::{Filter, Format};
use straylight::platform::{ExportOptions, Platform, export};

use super::written::{Training, written};
use crate::exit::Outcome;
use crate::output;

/// Arguments of `straylight dataset export`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// PROJECT/DATASET.
    dataset: String,
    /// A new or empty folder; with --merge one with a dataset.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The format.
    #[arg(long)]
    format: Format,
    /// Only images whose labels fit.
    #[arg(long)]
    filter: Option<Filter>,
    /// Take more along than images that are decided; rejected images never come along.
    #[arg(long, value_name = "WHAT")]
    include: Option<Include>,
    #[command(flatten)]
    training: Training,
}

/// What an export may take along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Include {
    /// Images that nobody has annotated; a training takes them for images of nothing.
    Unlabelled,
}

impl Arguments {
    pub(super) fn run(
        &self,
        platform: &Platform,
        as_json: bool,
        progress: &dyn Progress,
    ) -> Outcome {
        let dataset = platform.target(&self.dataset)?;
        let options = ExportOptions {
            filter: self.filter.clone(),
            unlabelled: self.include == Some(Include::Unlabelled),
            split: self.training.split(),
            write: self.training.options(),
            ..ExportOptions::new(self.format)
        };
        let done = export(&dataset, &self.out, &options, progress)?;
        let left_out = done.left_out.to_string();
        if !left_out.is_empty() && !as_json {
            output::note(&format!("note: {left_out}"));
        }
        let value = json!({ "left_out": {
            "rejected": done.left_out.rejected,
            "unlabelled": done.left_out.unlabelled,
            "filtered": done.left_out.filtered,
        }});
        written(
            as_json,
            "exported",
            &self.out,
            (&done.report, done.shares.as_ref()),
            value,
            done.problems,
        )
    }
}
