//! A process that collects into a folder is killed: of each image all files are there, or none.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::frame;
use straylight_core::Prediction;
use straylight_hooks::action::{FileSystemDataCollection, FileSystemOptions};
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{
    Event, HookOptions, HookSet, HookSetOptions, Observer, Overflow, PostInferenceHook,
    QueueOptions,
};

const FOLDER: &str = "KILLED_FILES_FOLDER";
const KILLS: usize = 12;

fn collecting(folder: &Path, observer: Arc<dyn Observer>) -> HookSet {
    let hooks = HookSet::new(HookSetOptions {
        observer,
        ..HookSetOptions::default()
    });
    let action = FileSystemDataCollection::new(FileSystemOptions::new(folder));
    let options = HookOptions {
        queue: Some(QueueOptions {
            overflow: Overflow::Wait,
            ..QueueOptions::MEMORY
        }),
        ..HookOptions::default()
    };
    let hook = PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(action), options);
    hooks.add(hook).unwrap();
    hooks
}

struct Tells;

impl Observer for Tells {
    fn delivered(&self, _hook: &str, event: &Event) {
        println!("\n{}", event.name);
    }
}

struct Silent;

impl Observer for Silent {}

/// Not a test of its own: the process that is killed.
#[test]
#[ignore = "a process that other tests start"]
fn child() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    let hooks = collecting(&folder, Arc::new(Tells));
    for i in 0.. {
        let name = format!("{}-{i}", std::process::id());
        drop(hooks.submit(&frame(&name), &Prediction::default()));
    }
}

/// Lets a process collect until it has reported so many images; returns what it reported.
fn collect_until_killed(folder: &Path, reports: usize) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_report = |line: &String| line.starts_with(|c: char| c.is_ascii_digit());
    let reported = lines.map(Result::unwrap).filter(is_report).take(reports);
    let reported = reported.collect();
    child.kill().unwrap();
    child.wait().unwrap();
    reported
}

/// How many files each image has, by name.
fn collected(folder: &Path) -> BTreeMap<String, usize> {
    let mut count = BTreeMap::new();
    for part in ["images", "predictions", "scores", "overlays"] {
        for entry in std::fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            let (name, _) = stem.rsplit_once('_').unwrap();
            *count.entry(name.to_owned()).or_insert(0) += 1;
        }
    }
    count
}

#[test]
fn of_each_image_all_files_are_there_or_none_and_of_those_reported_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut reported = BTreeSet::new();
    for kill in 0..KILLS {
        // Rounds take many: so the kills come at different places in them.
        reported.extend(collect_until_killed(folder.path(), 20 + kill * 7));
    }
    // Whoever collects there next finishes what the dead ones began.
    let hooks = collecting(folder.path(), Arc::new(Silent));
    drop(hooks.submit(&frame("last"), &Prediction::default()));
    assert!(hooks.drain(Duration::from_secs(60)));
    drop(hooks);
    let collected = collected(folder.path());
    let half: Vec<_> = collected.iter().filter(|(_, files)| **files != 4).collect();
    assert!(half.is_empty(), "{half:?}");
    let missing: Vec<_> = reported
        .iter()
        .filter(|name| !collected.contains_key(*name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(reported.len() >= KILLS * 20);
}
