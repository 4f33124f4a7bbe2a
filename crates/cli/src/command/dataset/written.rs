//! What exports and conversions have in common.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};
use straylight::formats::{Shares, Split, WriteOptions, WriteReport, YoloTask};

use crate::exit::Outcome;
use crate::output;

/// Kinds of remarks that are printed; `--json` has them all.
const SHOWN: usize = 20;

/// What makes a folder one to train with.
#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub(super) struct Training {
    /// Share the images out among train, val and test, for example 80/10/10.
    ///
    /// The same images give the same parts. Every label is shared out alike; near-duplicates and
    /// frames of one video stay on one side.
    #[arg(long, value_name = "SHARES")]
    split: Option<Split>,
    /// Share the images out in another way.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, requires = "split")]
    seed: u64,
    /// What a YOLO set is for: detect, segment, pose, obb; by default what keeps most.
    #[arg(long, value_name = "TASK")]
    yolo_task: Option<YoloTask>,
    /// Add to the YOLO dataset that is in the folder; its classes keep their numbers.
    #[arg(long)]
    merge: bool,
}

impl Training {
    pub(super) fn split(&self) -> Option<Split> {
        self.split.map(|split| split.with_seed(self.seed))
    }

    pub(super) fn options(&self) -> WriteOptions {
        WriteOptions {
            task: self.yolo_task,
            merge: self.merge,
            ..WriteOptions::default()
        }
    }
}

/// Says what was written. What the format could not hold is no failure, but worth saying.
pub(super) fn written(
    as_json: bool,
    done: &str,
    out: &Path,
    (report, shares): (&WriteReport, Option<&Shares>),
    mut value: Value,
    problems: Vec<(String, String)>,
) -> Outcome {
    if !as_json {
        for line in report.summary() {
            output::note(&format!("note: {line}"));
        }
    }
    let mut text = format!(
        "{} images, {} objects {done}",
        report.images, report.objects
    );
    value["folder"] = json!(out);
    value["images"] = json!(report.images);
    value["objects"] = json!(report.objects);
    value["losses"] = json!(report.losses);
    if let Some(shares) = shares {
        text = format!("{text}: {}", said(shares));
        let parts = shares
            .parts
            .iter()
            .map(|(name, count)| ((*name).to_owned(), json!(count)));
        value["parts"] = Value::Object(parts.collect());
        value["groups"] = json!(shares.groups);
        warn(report.images, shares);
    }
    output::answer_with(as_json, &text, value, problems)
}

fn said(shares: &Shares) -> String {
    let parts = shares
        .parts
        .iter()
        .map(|(name, count)| format!("{name} {count}"));
    parts.collect::<Vec<_>>().join(", ")
}

fn warn(images: usize, shares: &Shares) {
    if shares.groups < images {
        output::note(&format!(
            "note: near-duplicates and frames of one video stay on one side: {images} images in {} \
             groups, the largest of {}",
            shares.groups, shares.largest_group
        ));
    }
    for (name, _) in shares.parts.iter().filter(|(_, count)| *count == 0) {
        output::note(&format!(
            "note: `{name}` is empty: there are too few groups of images"
        ));
    }
}

/// Prints remarks, those of one kind on one line.
pub(super) fn summary(remarks: &[(String, String)]) {
    let mut kinds: Vec<(String, usize, &str)> = Vec::new();
    for (place, message) in remarks {
        // "object 3 (bolt): it was cut" is of one kind with "object 4 (nut): it was cut".
        let kind = message
            .split_once("): ")
            .map_or(message.as_str(), |(_, kind)| kind);
        match kinds.iter_mut().find(|known| known.0 == kind) {
            Some(known) => known.1 += 1,
            None => kinds.push((kind.to_owned(), 1, place)),
        }
    }
    for (kind, count, first) in kinds.iter().take(SHOWN) {
        output::note(&format!("note: {kind} ({count} times, first in {first})"));
    }
    if kinds.len() > SHOWN {
        output::note(&format!(
            "note: {} more; --json lists all",
            kinds.len() - SHOWN
        ));
    }
}
