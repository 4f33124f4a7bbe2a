use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use straylight::Progress;
use straylight::formats::{Filter, Format, WriteOptions, write};

use super::written::{Training, written};
use crate::exit::Outcome;

/// Arguments of `straylight dataset convert`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder, one annotation file, or a zip file.
    folder: PathBuf,
    /// The format that it has; found from the files by default.
    #[arg(long, value_name = "FORMAT")]
    from: Option<Format>,
    /// The format to write.
    #[arg(long, value_name = "FORMAT")]
    to: Format,
    /// A new or empty folder; with --merge one with a dataset.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Only images whose labels fit.
    #[arg(long)]
    filter: Option<Filter>,
    /// Write annotations only.
    #[arg(long)]
    without_images: bool,
    #[command(flatten)]
    training: Training,
}

impl Arguments {
    pub(super) fn run(&self, as_json: bool, progress: &dyn Progress) -> Outcome {
        let mut read = super::read(&self.folder, self.from, self.filter.as_ref())?;
        let set = &mut read.set;
        let split = self.training.split();
        let shares = split.map(|split| split.apply(set, progress));
        let options = WriteOptions {
            copy_images: !self.without_images,
            ..self.training.options()
        };
        let report = write(set, &self.out, self.to, &options)?;
        written(
            as_json,
            "written",
            &self.out,
            (&report, shares.as_ref()),
            json!({}),
            read.problems,
        )
    }
}
