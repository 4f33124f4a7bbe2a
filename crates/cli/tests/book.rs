//! Every command of the guide, run in the order of its pages.
//!
//! The `sh` blocks of all pages run in one scratch folder with the repository's `assets`, beside a
//! server on loopback. Some need ffmpeg. Commands in other blocks (streams that nobody has)
//! must at least be understood.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]
#![cfg(unix)]

mod support;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use support::{Ran, Scratch};

/// A fenced block of a page.
struct Block {
    language: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                let language = language.to_owned();
                open = Some(Block {
                    language,
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => writeln!(block.text, "{line}").unwrap(),
            (None, None) => {}
        }
    }
    blocks
}

/// The pages in the order of the summary.
fn pages() -> Vec<(String, String)> {
    let source = support::repository().join("docs/src");
    let summary = std::fs::read_to_string(source.join("SUMMARY.md")).unwrap();
    let names = summary
        .lines()
        .filter_map(|line| Some(line.split_once("](")?.1.trim_end_matches(')')));
    names
        .map(|name| {
            (
                name.to_owned(),
                std::fs::read_to_string(source.join(name)).unwrap(),
            )
        })
        .collect()
}

/// A server that ends with the test.
struct Server {
    process: Child,
    host: String,
    token: String,
}

impl Server {
    fn start(scratch: &Scratch) -> Self {
        let mut command = scratch.command();
        command.args(["serve", "--plain-http", "--listen", "127.0.0.1:0"]);
        command.args(["--store", "server-store", "--deployment", "assets/demo"]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (mut host, mut token) = (String::new(), String::new());
        for line in lines.map(Result::unwrap) {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("REST") => words.nth(1).unwrap().clone_into(&mut host),
                Some("Token") => words.next().unwrap().clone_into(&mut token),
                Some("Ctrl-C") => break,
                _ => {}
            }
        }
        Self {
            process,
            host,
            token,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn shell(scratch: &Scratch, server: &Server, script: &str) -> Ran {
    let program = Path::new(env!("CARGO_BIN_EXE_straylight"));
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("bash");
    scratch.isolate(&mut command);
    command.args(["-e", "-u", "-o", "pipefail", "-c", script]);
    command.env(
        "PATH",
        format!("{}:{path}", program.parent().unwrap().display()),
    );
    command
        .env("GETI_HOST", &server.host)
        .env("GETI_TOKEN", &server.token);
    Ran::of(command.output().unwrap())
}

#[test]
fn every_command_of_the_guide_runs() {
    let scratch = Scratch::new();
    let server = Server::start(&scratch);
    let mut count = 0;
    for (name, page) in pages() {
        for block in blocks(&page)
            .into_iter()
            .filter(|block| block.language == "sh")
        {
            let start = std::time::Instant::now();
            let ran = shell(&scratch, &server, &block.text);
            // Shown when the test fails or is asked to: which block is slow.
            eprintln!(
                "{name}: {:.1} s: {}",
                start.elapsed().as_secs_f64(),
                block.text.trim_end()
            );
            assert_eq!(ran.code, Some(0), "{name}:\n{}\n{}", block.text, ran.all());
            count += block
                .text
                .lines()
                .filter(|line| line.contains("straylight "))
                .count();
        }
    }
    assert!(count > 80, "only {count} commands were found");
    look_at_what_is_left(&scratch);
}

/// The commands did what the pages say.
fn look_at_what_is_left(scratch: &Scratch) {
    let read = |name: &str| std::fs::read_to_string(scratch.path().join(name)).unwrap();
    assert_eq!(read("predictions.jsonl").lines().count(), 17);
    assert!(
        scratch
            .path()
            .join("drawn/fish1_saliency_fish.png")
            .exists()
    );
    assert!(
        scratch
            .path()
            .join("hook_data/fish/overlays")
            .read_dir()
            .unwrap()
            .count()
            > 20
    );
    assert!(read("laptop.token").starts_with("geti_pat_"));
    assert!(read("straylight.1").contains("straylight"));
}

#[test]
fn commands_that_are_not_run_are_understood() {
    let scratch = Scratch::new();
    for (name, page) in pages() {
        for block in blocks(&page).iter().filter(|block| block.language != "sh") {
            for line in block
                .text
                .lines()
                .filter(|line| line.starts_with("straylight "))
            {
                let arguments: Vec<&str> =
                    line.split_whitespace().skip(1).chain(["--help"]).collect();
                let ran = scratch.run(&arguments);
                assert_eq!(ran.code, Some(0), "{name}: {line}\n{}", ran.all());
            }
        }
    }
}
