use std::fmt::Write;

use super::YoloTask;
use super::lines::Lines;
use crate::folder::by_subset;
use crate::loss::Losses;
use crate::{AnnotatedSet, Became, Feature, Skeleton, WriteReport};

/// What trainers call the three parts of a set.
const KEYS: [&str; 3] = ["train", "val", "test"];

/// The text of `data.yaml`.
///
/// It has no `path`: Ultralytics then takes the folder of the file, so that the set can be used
/// from every folder and moved. `train` and `val` are always there, as it demands.
pub(super) fn text(set: &AnnotatedSet, lines: &Lines<'_>, report: &mut WriteReport) -> String {
    let mut text = String::from("# Paths are relative to this file.\n");
    let subsets: Vec<&str> = by_subset(set)
        .into_iter()
        .map(|(subset, _)| subset)
        .collect();
    for (key, folders) in parts(&subsets, report) {
        let folders: Vec<String> = folders
            .iter()
            .map(|name| quoted(&format!("images/{name}")))
            .collect();
        // Writing to a string cannot fail.
        let _ = match folders.as_slice() {
            [one] => writeln!(text, "{key}: {one}"),
            several => writeln!(text, "{key}: [{}]", several.join(", ")),
        };
    }
    if lines.task == YoloTask::Pose {
        let _ = writeln!(text, "kpt_shape: [{}, 3]", lines.points);
        let mirror = mirror(set, lines.points).map(|mirror| format!("{mirror:?}"));
        mirror.map(|mirror| writeln!(text, "flip_idx: {mirror}"));
    }
    text.push_str(&class_block(set));
    text
}

/// The classes of a set, as the end of the file.
pub(super) fn class_block(set: &AnnotatedSet) -> String {
    let mut text = format!("nc: {}\nnames:\n", set.labels.len());
    for (number, label) in set.labels.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {number}: {}", quoted(&label.name));
    }
    text
}

/// The folders of each part; a part that trainers demand borrows the images of another.
fn parts<'a>(subsets: &[&'a str], report: &mut WriteReport) -> Vec<(&'static str, Vec<&'a str>)> {
    let mut parts: Vec<(&'static str, Vec<&str>)> = KEYS.map(|key| (key, Vec::new())).into();
    for subset in subsets {
        parts[part_of(subset)].1.push(subset);
    }
    let borrowed = |from: [usize; 2], parts: &[(&'static str, Vec<&'a str>)]| {
        let lenders = from.iter().map(|&part| parts[part].1.clone());
        lenders.into_iter().find(|folders| !folders.is_empty())
    };
    for (part, lenders) in [(0, [1, 2]), (1, [2, 0])] {
        if !parts[part].1.is_empty() {
            continue;
        }
        if let Some(folders) = borrowed(lenders, &parts) {
            parts[part].1 = folders;
            Losses::of_set(report).add(Feature::Subset, Became::UsedTwice);
        }
    }
    parts.retain(|(_, folders)| !folders.is_empty());
    parts
}

/// Images of no part, or of one with a name of its own, are for training.
pub(super) fn part_of(subset: &str) -> usize {
    let name = subset.to_ascii_lowercase();
    let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if begins(&["val", "dev"]) {
        1
    } else if begins(&["test"]) {
        2
    } else {
        0
    }
}

/// For each key point the one that it becomes in a mirrored image, if all classes agree.
fn mirror(set: &AnnotatedSet, points: usize) -> Option<Vec<usize>> {
    let skeletons: Vec<&Skeleton> = set
        .labels
        .iter()
        .filter_map(|l| l.skeleton.as_ref())
        .collect();
    let first = skeletons.first()?;
    let agree = skeletons
        .iter()
        .all(|skeleton| skeleton.mirror == first.mirror);
    (agree && first.mirror.len() == points).then(|| first.mirror.clone())
}

/// JSON's quotes are YAML's double quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
