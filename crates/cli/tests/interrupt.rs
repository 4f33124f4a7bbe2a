//! Sources without an end: Ctrl-C ends them, and what is on its way comes out.

#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use support::Scratch;

const DEPLOYMENT: &str = "assets/demo";

/// The program at work, and the lines that it prints.
struct Running {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(scratch: &Scratch, arguments: &[&str]) -> Self {
        let mut command = scratch.command();
        command.args(arguments).stdin(Stdio::piped());
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    fn next(&mut self) -> Value {
        let line = self.lines.next().unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Presses Ctrl-C and waits for the end: the exit code and what was still printed.
    fn interrupt(mut self) -> (Option<i32>, Vec<Value>) {
        let id = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
        let rest = self
            .lines
            .map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let rest = rest.collect();
        (self.process.wait().unwrap().code(), rest)
    }
}

#[test]
fn a_list_that_does_not_end_is_ended_by_ctrl_c() {
    let scratch = Scratch::new();
    let mut running = Running::start(
        &scratch,
        &["run", "-", "--deployment", DEPLOYMENT, "--json"],
    );
    let mut input = running.process.stdin.take().unwrap();
    for name in ["fish1", "fish10", "fish11"] {
        writeln!(input, "assets/demo/photos/fish/{name}.webp").unwrap();
        input.flush().unwrap();
        assert_eq!(running.next()["name"], name);
    }
    let (code, rest) = running.interrupt();
    assert_eq!(code, Some(0));
    assert_eq!(
        rest.len(),
        1,
        "only the statistics are left to tell: {rest:?}"
    );
    drop(input);
}

#[test]
fn a_watched_folder_gives_what_comes_until_ctrl_c() {
    let scratch = Scratch::new();
    let folder = scratch.path().join("incoming");
    std::fs::create_dir(&folder).unwrap();
    let photos = support::repository().join("assets/demo/photos/fish");
    let put = |name: &str| std::fs::copy(photos.join(name), folder.join(name)).unwrap();
    put("fish1.webp");
    let arguments = [
        "run",
        "incoming",
        "--watch",
        "--deployment",
        DEPLOYMENT,
        "--json",
    ];
    let mut running = Running::start(&scratch, &arguments);
    assert_eq!(running.next()["name"], "fish1");
    put("fish2.webp");
    assert_eq!(running.next()["name"], "fish2");
    let (code, rest) = running.interrupt();
    assert_eq!((code, rest.len()), (Some(0), 1), "{rest:?}");
}
