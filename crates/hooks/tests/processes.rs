//! Two processes that share a queue, a folder of collected images, a store, or a configuration.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use common::{Watched, check_folder, frame};
use straylight_core::{Frame, RgbImage, TaskType};
use straylight_hooks::action::{FileSystemDataCollection, FileSystemOptions};
use straylight_hooks::config::{BuildContext, FolderVault, load_hooks, parse_hooks};
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{HookOptions, HookSetOptions, PostInferenceHook, QueueFolder};
use straylight_store::{ImageFilter, NewProject, Store};

const FOLDER: &str = "PROCESSES_FOLDER";
const TASK: &str = "PROCESSES_TASK";

/// Images that each process submits.
const IMAGES: usize = 40;

/// Not a test of its own: the other processes of the tests below.
#[test]
#[ignore = "a process that other tests start"]
fn child() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    match std::env::var(TASK).unwrap().as_str() {
        "hold the queue" => hold_queue(&folder),
        "collect" => collect(&folder),
        task => load(&folder, task),
    }
}

fn start(folder: &Path, task: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .env(TASK, task)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs the task in two processes at once.
fn run_twice(folder: &Path, tasks: [&str; 2]) {
    let children = tasks.map(|task| start(folder, task));
    for mut child in children {
        // Whoever reads what they say does not hold them up.
        drop(child.stdin.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}");
    }
}

fn files(folder: &Path, name: Option<&str>) -> PostInferenceHook {
    let action = FileSystemDataCollection::new(FileSystemOptions::new(folder.join("collected")));
    let options = HookOptions {
        name: name.map(str::to_owned),
        ..HookOptions::default()
    };
    PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(action), options)
}

fn with_state(folder: &Path) -> Watched {
    Watched::new(HookSetOptions {
        state_folder: Some(folder.join("state")),
        ..HookSetOptions::default()
    })
}

fn hold_queue(folder: &Path) {
    let hooks = with_state(folder);
    hooks.add(files(folder, Some("strays"))).unwrap();
    println!("\nready");
    // Until the other process closes the pipe or dies.
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

#[test]
fn a_queue_belongs_to_one_process_and_to_the_next_when_that_dies() {
    let folder = tempfile::tempdir().unwrap();
    let mut other = start(folder.path(), "hold the queue");
    let mut said = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap() == "ready"));
    let hooks = with_state(folder.path());
    let error = hooks
        .add(files(folder.path(), Some("strays")))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("in use by another process") && error.contains(&other.id().to_string()),
        "{error}"
    );
    let queue = QueueFolder::all(&folder.path().join("state"))
        .unwrap()
        .remove(0);
    assert!(queue.retry(&[]).is_err() && queue.discard(&[]).is_err());
    assert!(queue.ledger().unwrap().balances() && queue.events().unwrap().is_empty());
    // A hook of another name has a queue of its own.
    hooks.add(files(folder.path(), Some("others"))).unwrap();
    other.kill().unwrap();
    other.wait().unwrap();
    hooks.add(files(folder.path(), Some("strays"))).unwrap();
}

/// A picture for each number: the store takes the same one once.
fn numbered(number: usize) -> Frame {
    let image = RgbImage::filled(32, 32, [number as u8; 3]).unwrap();
    Frame::new(image, number.to_string(), frame("").captured_at())
}

fn collect(folder: &Path) {
    let hooks = Watched::new(HookSetOptions::default());
    hooks.add(files(folder, None)).unwrap();
    let store = serde_json::json!({"straylight": {"version": 1, "hooks": [{
        "trigger": {"AlwaysTrigger": {}},
        "action": {"LocalDatasetCollection": {
            "store_folder": folder.join("store"), "project": "p", "dataset": "strays"}}}]}});
    let store = store.to_string();
    for config in parse_hooks(&store, Path::new("hook_config.json")).unwrap() {
        hooks
            .add(config.build(&BuildContext::default()).unwrap())
            .unwrap();
    }
    for i in 0..IMAGES {
        hooks.show(&numbered(i), &straylight_core::Prediction::default());
    }
    assert!(hooks.drain(Duration::from_secs(300)));
    for stats in hooks.stats() {
        assert_eq!(stats.ledger.delivered, IMAGES as u64, "{}", stats.hook);
    }
}

#[test]
fn two_processes_collect_into_one_folder_and_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(folder.path().join("store")).unwrap());
    let project = NewProject::single("p", TaskType::Classification, &["a", "b"]);
    let project = store.create_project(&project).unwrap();
    run_twice(folder.path(), ["collect", "collect"]);
    let stems = |part: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(folder.path().join("collected").join(part)).unwrap();
        let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
        entries.map(|entry| stem(entry.unwrap().path())).collect()
    };
    let images = stems("images");
    assert_eq!(images.len(), 2 * IMAGES);
    for part in ["predictions", "scores", "overlays"] {
        assert_eq!(stems(part), images, "{part}");
    }
    let dataset = store.dataset_named(&project.id, "strays").unwrap().unwrap();
    let count = store
        .count_images(&dataset.id, &ImageFilter::default())
        .unwrap();
    // Both processes saw the same images, and the dataset takes a file once.
    assert_eq!(count, IMAGES as u64);
}

/// What the Python SDK leaves: a token in clear text.
const SDK_FILE: &str = r#"{"post_inference_hooks":[{"PostInferenceHook":{
    "trigger":{"AlwaysTrigger":{}},"action":{"GetiDataCollection":{
    "session":{"host":"https://geti","has_valid_certificate":true,"proxies":null,
    "token":"swordfish"},"workspace_id":"w","project":"p","dataset":"d"}}}}]}"#;

fn load(folder: &Path, vault: &str) {
    for _ in 0..20 {
        let vault = FolderVault(folder.join(vault));
        let (hooks, _) = load_hooks(&folder.join("hook_config.json"), &vault).unwrap();
        assert_eq!(hooks.len(), 1);
    }
}

#[test]
fn two_processes_that_clean_one_configuration_leave_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hook_config.json");
    std::fs::write(&path, SDK_FILE).unwrap();
    run_twice(folder.path(), ["vault", "vault"]);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("swordfish"), "{text}");
    let vault = FolderVault(folder.path().join("vault"));
    let (hooks, moved) = load_hooks(&path, &vault).unwrap();
    assert_eq!((hooks.len(), moved.len()), (1, 0));
    check_folder(&folder.path().join("state"));
}
