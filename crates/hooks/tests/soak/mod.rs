//! Hooks under trouble: a child process fires into a local server through a proxy that breaks
//! things, and is killed at random moments, perhaps while its disk is full or its clock jumps.
//! In the end every accepted image must be in the dataset exactly once, and the counters add up.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test's own program"
)]

mod check;
mod child;
mod clock;
mod disk;
mod proxy;
mod server;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

pub(crate) use child::run_if_asked;
pub(crate) use disk::{Disk, run_on_small_disk};
use proxy::Proxy;
use server::LocalServer;

/// Shows what the children say besides the names, when it is set.
const SHOW: &str = "SOAK_SHOW";

/// Fewer accepted events than this prove nothing.
const LEAST_ACCEPTED: usize = 20;

/// What a run is made of.
#[derive(Debug, Clone)]
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
    /// What happens besides the kills.
    pub trouble: Trouble,
    /// Whether every tenth image is a photo of 12 megapixels from a file.
    pub photos: bool,
}

/// What happens to a child besides its death.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    Nothing,
    /// The wall clock jumps by up to three days, many times a second.
    JumpingClock,
    /// The disk is full half of the time.
    FullDisk(Disk),
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

/// Runs the plan and checks the end: nothing lost, nothing doubled, nothing dropped, and counters
/// that add up.
pub(crate) fn run(plan: &Plan) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let server = LocalServer::start(&folder.path().join("store"));
    std::fs::write(folder.path().join("token"), &server.token).unwrap();
    let proxy = Proxy::start(server.address, plan.faults, plan.seed);
    let place = Place::new(plan, folder.path(), &proxy);
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let mut accepted = Vec::new();
    let mut round = 0;
    // A busy machine gets more lives, so that enough happens in them.
    while round < plan.kills || accepted.len() <= LEAST_ACCEPTED && round < 20 * plan.kills {
        let life = plan.longest_life.mul_f64(random.f64());
        accepted.extend(place.live(round, life.max(Duration::from_millis(150))));
        if plan.trouble == Trouble::Nothing {
            check::counters(&place.queues);
        }
        round += 1;
    }
    place.drain();
    let delivered = check::emptied_queue(&place.queues);
    let stored = check::images(&server, &accepted);
    assert_eq!(stored as u64, delivered, "counters and dataset disagree");
    Outcome {
        accepted: accepted.len(),
        stored,
        spoilt: proxy.spoilt(),
    }
}

/// Where the children of a run live.
struct Place<'a> {
    plan: &'a Plan,
    queues: std::path::PathBuf,
    environment: Vec<(&'static str, String)>,
}

impl<'a> Place<'a> {
    fn new(plan: &'a Plan, folder: &Path, proxy: &Proxy) -> Self {
        let queues = match &plan.trouble {
            Trouble::FullDisk(Disk::Small(small)) => small.join("queues"),
            _ => folder.join("queues"),
        };
        let token = folder.join("token").display().to_string();
        let environment = vec![
            (child::QUEUES, queues.display().to_string()),
            (child::TOKEN, token),
            (child::SERVER, format!("http://{}", proxy.address())),
            (child::RATE, plan.images_per_second.to_string()),
            (child::PHOTOS, plan.photos.to_string()),
            (
                child::TROUBLE,
                child::trouble_name(&plan.trouble).to_owned(),
            ),
        ];
        Self {
            plan,
            queues,
            environment,
        }
    }

    /// Lets a child live for a while, kills it, and returns the names that it had accepted.
    fn live(&self, round: u32, life: Duration) -> Vec<String> {
        let disk = disk::Weather::of_round(&self.plan.trouble, round);
        let mut child = self.start(&disk, &round.to_string());
        let output = child.stdout.take().unwrap();
        let reader = std::thread::spawn(|| accepted_names(output));
        std::thread::sleep(life / 2);
        let _until_the_end = disk.change();
        std::thread::sleep(life / 2);
        child.kill().unwrap();
        child.wait().unwrap();
        reader.join().unwrap()
    }

    /// Lets a last child deliver all that is left, without other trouble than the proxy's.
    fn drain(&self) {
        let mut child = self.start(&disk::Weather::Fair, child::DRAIN);
        accepted_names(child.stdout.take().unwrap());
        assert!(child.wait().unwrap().success(), "the queue did not drain");
    }

    fn start(&self, disk: &disk::Weather, round: &str) -> Child {
        let mut command = disk.command(self.plan.child_arguments);
        command
            .env(child::ROUND, round)
            .envs(self.environment.iter().map(|(key, value)| (key, value)));
        let started = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        started.unwrap()
    }
}

/// The names that the child said were on its disk; a line cut off by the kill does not count.
fn accepted_names(output: ChildStdout) -> Vec<String> {
    let mut names = Vec::new();
    let mut reader = BufReader::new(output);
    let mut line = String::new();
    let is_shown = std::env::var_os(SHOW).is_some();
    while reader.read_line(&mut line).unwrap() > 0 {
        let name = line.strip_prefix("accepted ");
        if let Some(name) = name.and_then(|rest| rest.strip_suffix('\n')) {
            names.push(name.to_owned());
        } else if is_shown && !line.trim().is_empty() {
            print!("  {line}");
        }
        line.clear();
    }
    names
}
