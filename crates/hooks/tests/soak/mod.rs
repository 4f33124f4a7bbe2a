//! Hooks under kill -9: a child process fires into a local server through a proxy that breaks
//! things, is killed at random moments, and in the end every accepted image must be in the
//! dataset exactly once.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod child;
mod proxy;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use straylight_core::TaskType;
use straylight_hooks::QueueFolder;
use straylight_server::{Server, ServerConfig, Tls, create_token};
use straylight_store::{ImageFilter, ImageSort, NewProject, Page, SortDirection, Store};

pub(crate) use child::run_if_asked;
use proxy::Proxy;

const PROJECT: &str = "soak";
const DATASET: &str = "strays";

/// What a run is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// How often the child is killed.
    pub kills: u32,
    /// Longest life of a child before it is killed.
    pub longest_life: Duration,
    /// Images a second.
    pub images_per_second: u32,
    /// Share of requests that the proxy spoils, `0..=1`.
    pub faults: f64,
    /// Seed of lives and faults.
    pub seed: u64,
    /// Arguments with which this program calls itself as a child.
    pub child_arguments: &'static [&'static str],
}

/// What came out.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Events that were on the child's disk when it said so.
    pub accepted: usize,
    /// Images in the dataset at the end.
    pub stored: usize,
    /// Requests that the proxy spoilt.
    pub spoilt: usize,
}

/// Runs the plan and checks the end: nothing lost, nothing doubled, books that balance.
pub(crate) fn run(plan: Plan) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let (store, server, token) = serve(&folder.path().join("store"));
    std::fs::write(folder.path().join("token"), token).unwrap();
    let proxy = Proxy::start(server, plan.faults, plan.seed);
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let mut accepted = Vec::new();
    for round in 0..plan.kills {
        let mut child = start(&plan, folder.path(), proxy.address(), &round.to_string());
        let output = child.stdout.take().unwrap();
        let reader = std::thread::spawn(|| accepted_names(output));
        let life = random.f64() * plan.longest_life.as_secs_f64();
        std::thread::sleep(Duration::from_millis(150).max(Duration::from_secs_f64(life)));
        child.kill().unwrap();
        child.wait().unwrap();
        accepted.extend(reader.join().unwrap());
    }
    let mut child = start(&plan, folder.path(), proxy.address(), "drain");
    let output = child.stdout.take().unwrap();
    accepted_names(output);
    assert!(child.wait().unwrap().success(), "the queue did not drain");
    check_books(folder.path());
    let stored = check_images(&store, &accepted);
    Outcome {
        accepted: accepted.len(),
        stored,
        spoilt: proxy.spoilt(),
    }
}

fn serve(folder: &Path) -> (Arc<Store>, SocketAddr, String) {
    let store = Arc::new(Store::open(folder).unwrap());
    store
        .create_project(&NewProject::single(
            PROJECT,
            TaskType::Classification,
            &["a", "b"],
        ))
        .unwrap();
    let token = create_token(&store, "soak", None).unwrap();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = ServerConfig::default()
        .listen_on(loopback)
        .with_tls(Tls::Off);
    let server = Server::bind(Arc::clone(&store), config, None).unwrap();
    let address = server.address();
    std::thread::spawn(move || server.run().unwrap());
    (store, address, token.reveal().to_owned())
}

fn start(plan: &Plan, folder: &Path, proxy: SocketAddr, round: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(plan.child_arguments)
        .env(child::FOLDER, folder)
        .env(child::SERVER, format!("http://{proxy}"))
        .env(child::ROUND, round)
        .env(child::RATE, plan.images_per_second.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The names that the child said were on its disk; a line cut off by the kill does not count.
fn accepted_names(output: ChildStdout) -> Vec<String> {
    let mut names = Vec::new();
    let mut reader = BufReader::new(output);
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap() > 0 {
        if let Some(name) = line
            .strip_prefix("accepted ")
            .and_then(|rest| rest.strip_suffix('\n'))
        {
            names.push(name.to_owned());
        }
        line.clear();
    }
    names
}

fn check_books(folder: &Path) {
    for queue in QueueFolder::all(&folder.join("queues")).unwrap() {
        let ledger = queue.ledger().unwrap();
        assert!(ledger.balances(), "{ledger:?}");
        assert_eq!(
            (ledger.queued, ledger.dead, ledger.total_dropped()),
            (0, 0, 0),
            "{ledger:?}"
        );
    }
}

/// Every accepted image exactly once, and no image twice.
fn check_images(store: &Store, accepted: &[String]) -> usize {
    let project = store.projects_named(PROJECT).unwrap().remove(0);
    let dataset = store.dataset_named(&project.id, DATASET).unwrap().unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let order = (ImageSort::default(), SortDirection::default());
    let page = store.images(
        &dataset.id,
        &ImageFilter::default(),
        order,
        Page::first(u64::MAX / 4),
    );
    for image in page.unwrap().images {
        let name = image.name.split('_').next().unwrap().to_owned();
        *counts.entry(name).or_default() += 1;
    }
    let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "doubled: {doubled:?}");
    let lost: Vec<_> = accepted
        .iter()
        .filter(|name| !counts.contains_key(*name))
        .collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    counts.len()
}
