//! A run at work takes deployment, OOD model and hooks anew, and loses no image.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::Value;
use support::{Scratch, json_lines, own_deployment, repository};

/// A run over the list of files that is written to it, and a folder of one photo.
struct Running {
    process: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(scratch: &Scratch, arguments: &str) -> Self {
        let mut command = scratch.command();
        command.args(words(arguments));
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = pipes.spawn().unwrap();
        Self {
            input: process.stdin.take().unwrap(),
            lines: BufReader::new(process.stdout.take().unwrap()).lines(),
            process,
        }
    }

    /// The record of one more image.
    fn image(&mut self) -> Value {
        let photo = repository().join("assets/demo/photos/fish/fish1.webp");
        writeln!(self.input, "{}", photo.display()).unwrap();
        self.next()
    }

    fn next(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    /// Ends the list; the statistics of the hooks by name.
    fn end(mut self) -> Vec<Value> {
        drop(self.input);
        let last = self.lines.next().unwrap().unwrap();
        assert!(self.process.wait().unwrap().success());
        let last: Value = serde_json::from_str(&last).unwrap();
        last["hooks"].as_array().unwrap().clone()
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

/// The hooks that decided about an image.
fn hooks(record: &Value) -> Vec<&str> {
    let hooks = record["hooks"].as_array().unwrap().iter();
    hooks.map(|hook| hook["hook"].as_str().unwrap()).collect()
}

fn fired(record: &Value) -> Vec<bool> {
    let hooks = record["hooks"].as_array().unwrap().iter();
    hooks.map(|hook| hook["decision"] == "queued").collect()
}

#[test]
fn hooks_change_between_two_images_and_mistakes_change_nothing() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    let add = |rest: &str| {
        let line = format!("hooks add --deployment own --action folder --to out {rest}");
        scratch.run(&words(&line)).expect(0);
    };
    add("--name sure --trigger confidence --threshold 0.01");
    let mut running = Running::start(
        &scratch,
        "run - --deployment own --json --state st --name list",
    );
    let first = running.image();
    assert_eq!((hooks(&first), fired(&first)), (vec!["sure"], vec![false]));

    // Another threshold for the first, and one more.
    let file = scratch.path().join("own/hook_config.json");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("0.01"), "{text}");
    fs::write(&file, text.replace("0.01", "1.0")).unwrap();
    add("--name all --trigger always");
    let told = scratch
        .run(&words("reload --deployment own --json"))
        .expect(0);
    let told = json_lines(&told.out).remove(0);
    assert_eq!(
        (&told["reloaded"], &told["sources"][0]),
        (&true.into(), &"list".into())
    );
    let second = running.image();
    assert_eq!(
        (hooks(&second), fired(&second)),
        (vec!["sure", "all"], vec![true, true])
    );

    // A file that cannot be read leaves everything as it was.
    fs::write(&file, "no hooks").unwrap();
    let told = scratch.run(&words("reload")).expect(1);
    assert!(
        told.err.contains("not reloaded") && told.err.contains("hook_config.json"),
        "{}",
        told.err
    );
    assert_eq!(fired(&running.image()), [true, true]);

    let statistics = running.end();
    let counts =
        |hook: &Value| ["evaluated", "fired", "delivered"].map(|key| hook[key].as_u64().unwrap());
    // The first kept what it had counted before.
    assert_eq!(
        statistics.iter().map(counts).collect::<Vec<_>>(),
        [[3, 2, 2], [2, 2, 2]]
    );
    let told = scratch.run(&words("reload")).expect(1);
    assert!(told.err.contains("no such run is at work"), "{}", told.err);
}

#[test]
fn all_sources_go_on_with_the_new_deployment_and_lose_no_image() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    let folder = scratch.path().join("in");
    fs::create_dir(&folder).unwrap();
    let photo = repository().join("assets/demo/photos/fish/fish2.webp");
    for place in 0..40 {
        fs::copy(&photo, folder.join(format!("{place}.webp"))).unwrap();
    }
    let mut running = Running::start(
        &scratch,
        "run in - --deployment own --json --name folder --name list",
    );
    let mut images = 0;
    let mut seen = Vec::new();
    for _ in 0..3 {
        // Its first line says that the run is at work.
        seen.push(running.image());
        images += 1;
        let line = format!("reload --pid {}", running.process.id());
        scratch.run(&words(&line)).expect(0);
    }
    drop(running.input);
    let lines = running.lines.map(|line| line.unwrap());
    seen.extend(lines.map(|line| serde_json::from_str::<Value>(&line).unwrap()));
    assert!(running.process.wait().unwrap().success());
    let of = |source: &str| seen.iter().filter(|line| line["source"] == source).count();
    assert_eq!((of("folder"), of("list")), (40, images));
}
