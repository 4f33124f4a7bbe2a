//! Several sources in one run: names, limits and counters of their own; videos need ffmpeg.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Stdio;

use serde_json::Value;
use support::{Ran, Scratch, json_lines, own_deployment, repository};

/// Copies a file of `fixtures/media` or a photo of the demo.
fn put(scratch: &Scratch, from: &str, to: &str) {
    let to = scratch.path().join(to);
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(repository().join(from), to).unwrap();
}

fn words(text: &str) -> Vec<&str> {
    text.split(' ').collect()
}

/// Images by source.
fn images(ran: &Ran) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in json_lines(&ran.out) {
        if let Some(source) = line["source"].as_str() {
            *counts.entry(source.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

#[test]
fn each_source_has_its_name_its_limits_and_its_counters() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    put(&scratch, "fixtures/media/vfr.mp4", "a/clip.mp4");
    put(&scratch, "fixtures/media/vfr.mp4", "b/clip.mp4");
    put(&scratch, "fixtures/media/cut.ts", "cut.ts");
    let add = "hooks add --deployment own --trigger always --limit 1/s --action folder --to out";
    scratch.run(&words(add)).expect(0);
    let run = "run a/clip.mp4 b/clip.mp4 cut.ts --deployment own --json --state st";
    let ran = scratch.run(&words(run)).expect(3);
    let wanted = [("clip.mp4", 6), ("clip.mp4-2", 6), ("cut.ts", 11)];
    let wanted = wanted.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(images(&ran), wanted.into(), "{}", ran.all());
    let told = ran
        .err
        .lines()
        .filter(|line| line.starts_with("clip.mp4: "));
    assert_eq!(told.count(), 1, "{}", ran.err);
    assert!(ran.err.contains("cut.ts: 11 images"), "{}", ran.err);
    let hooks = json_lines(&ran.out).pop().unwrap();
    let hooks = hooks["hooks"].as_array().unwrap();
    let fired = hooks
        .iter()
        .map(|hook| (hook["source"].as_str().unwrap(), &hook["fired"]));
    let fired: Vec<_> = fired
        .map(|(source, fired)| (source, fired.as_u64().unwrap()))
        .collect();
    // Frames at 0, 0.1, 0.2, 1.0, 1.1 and 3.0 s: a limit that both shared would give fewer.
    assert_eq!(fired[..2], [("clip.mp4", 3), ("clip.mp4-2", 3)]);
    for hook in hooks {
        let count = |key: &str| hook[key].as_u64().unwrap();
        let suppressed = hook["suppressed"]["rate"].as_u64().unwrap();
        assert_eq!(count("evaluated"), count("fired") + suppressed, "{hook}");
        assert_eq!(count("delivered"), count("fired"), "{hook}");
    }
    let mut folders: Vec<_> = fs::read_dir(scratch.path().join("st"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    assert_eq!(folders.len(), 3, "{folders:?}");
    assert!(folders[0].starts_with("clip-mp4-"), "{folders:?}");
}

#[test]
fn names_are_given_in_order_and_reach_the_dataset() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    for (from, to) in [
        ("fish/fish1", "in/1"),
        ("fish/fish2", "in/2"),
        ("other/cup", "x/3"),
    ] {
        put(
            &scratch,
            &format!("assets/demo/photos/{from}.webp"),
            &format!("{to}.webp"),
        );
    }
    for line in [
        "project create p --task classification --labels a,b --store store",
        "hooks add --deployment own --trigger always --action dataset --to p/strays --store store",
    ] {
        scratch.run(&words(line)).expect(0);
    }
    let run = "run in x --name gate --name yard --deployment own --json";
    let ran = scratch.run(&words(run)).expect(0);
    let wanted = [("gate".to_owned(), 2), ("yard".to_owned(), 1)];
    assert_eq!(images(&ran), wanted.into(), "{}", ran.all());
    let store = straylight::store::Store::open(scratch.path().join("store")).unwrap();
    let project = store.projects_named("p").unwrap().remove(0);
    let datasets = store.datasets(&project.id).unwrap();
    let strays = datasets
        .iter()
        .find(|dataset| dataset.name == "strays")
        .unwrap();
    assert_eq!(store.sources(&strays.id).unwrap(), ["gate", "yard"]);
}

#[test]
fn events_that_wait_for_another_run_are_told_and_listed() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    put(&scratch, "assets/demo/photos/fish/fish1.webp", "in/1.webp");
    put(&scratch, "assets/demo/photos/other/cup.webp", "x/2.webp");
    // Nobody listens there.
    let add = "hooks add --deployment own --name away --trigger always --action http --to http://127.0.0.1:9/ \
               --when-full spill";
    scratch.run(&words(add)).expect(0);
    let run = "run in x --name gate --name yard --deployment own --state st --drain 0";
    let ran = scratch.run(&words(run));
    assert!(!ran.err.contains("belong to no source"), "{}", ran.all());
    let listed = scratch.run(&words("queue ls --state st")).expect(0);
    for queue in ["gate/away", "yard/away"] {
        assert!(listed.out.contains(queue), "{}", listed.all());
    }
    let ran = scratch.run(&words("run in --deployment own --state st --drain 0"));
    let told = ran
        .err
        .lines()
        .filter(|line| line.contains("belong to no source"));
    assert_eq!(told.count(), 2, "{}", ran.all());
}

#[test]
fn image_files_are_one_source_and_wrong_names_are_refused() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    put(&scratch, "assets/demo/photos/fish/fish1.webp", "1.webp");
    put(&scratch, "assets/demo/photos/fish/fish2.webp", "2.webp");
    let run = |rest: &str| {
        let line = format!("run --deployment own --json {rest}");
        scratch.run(&words(&line))
    };
    let ran = run("1.webp 2.webp").expect(0);
    assert_eq!(
        images(&ran),
        [("files".to_owned(), 2)].into(),
        "{}",
        ran.all()
    );
    let ran = run("1.webp 2.webp --name cards").expect(0);
    assert_eq!(
        images(&ran),
        [("cards".to_owned(), 2)].into(),
        "{}",
        ran.all()
    );
    fs::create_dir(scratch.path().join("in")).unwrap();
    for (wrong, said) in [
        (
            "1.webp --name a --name b",
            "there are 1 sources and 2 names",
        ),
        ("1.webp in --name a --name a", "two sources are named `a`"),
        ("1.webp gone", "gone"),
    ] {
        let ran = run(wrong).expect(1);
        assert!(ran.err.contains(said), "{}", ran.err);
        assert!(ran.out.is_empty(), "nothing was run: {}", ran.out);
    }
}

/// Answers one request; the text after the head.
fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[test]
fn the_metrics_of_a_run_can_be_asked_for_while_it_lasts() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    let add = "hooks add --deployment own --trigger always --action folder --to out";
    scratch.run(&words(add)).expect(0);
    put(&scratch, "assets/demo/photos/other/cup.webp", "x/3.webp");
    let mut command = scratch.command();
    command.args(words(
        "run - x --name list --name yard --deployment own --json",
    ));
    command.args(["--metrics", "127.0.0.1:0"]);
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(process.stderr.take().unwrap());
    let address = loop {
        let mut line = String::new();
        assert_ne!(told.read_line(&mut line).unwrap(), 0, "no address was told");
        let address = line.trim().strip_prefix("metrics: http://");
        if let Some(address) = address.and_then(|rest| rest.strip_suffix("/metrics")) {
            break address.parse().unwrap();
        }
    };
    let mut input = process.stdin.take().unwrap();
    let photo = repository().join("assets/demo/photos/fish/fish1.webp");
    writeln!(input, "{}", photo.display()).unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&out.next().unwrap().unwrap()).unwrap();
    let mut sources = [next(), next()].map(|line| line["source"].as_str().unwrap().to_owned());
    sources.sort();
    assert_eq!(sources, ["list", "yard"]);
    let (status, text) = get(address, "/metrics");
    assert_eq!(status, "HTTP/1.1 200 OK");
    for source in ["list", "yard"] {
        let line = format!("straylight_source_images_total{{source=\"{source}\"}} 1\n");
        assert!(text.contains(&line), "{text}");
        let fired = text
            .lines()
            .find(|line| line.starts_with("straylight_hook_fired_total") && line.contains(source));
        assert!(fired.unwrap().ends_with(" 1"), "{text}");
    }
    assert_eq!(get(address, "/").0, "HTTP/1.1 404 Not Found");
    drop(input);
    assert!(process.wait().unwrap().success());
    assert!(
        TcpStream::connect(address).is_err(),
        "nobody listens any more"
    );
}
