//! Images as people have them, on their way from a source into a folder or a dataset; videos need
//! ffmpeg.
#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;
use support::{Ran, Scratch, json_lines, own_deployment, repository};

const DEPLOYMENT: &str = "assets/demo";

/// Copies files of `fixtures/media` into a folder of the scratch folder.
fn media(scratch: &Scratch, folder: &str, names: &[&str]) {
    let folder = scratch.path().join(folder);
    fs::create_dir_all(&folder).unwrap();
    for name in names {
        fs::copy(
            repository().join("fixtures/media").join(name),
            folder.join(name),
        )
        .unwrap();
    }
}

fn predict(scratch: &Scratch, rest: &[&str]) -> Ran {
    let start = ["predict", "--deployment", DEPLOYMENT];
    scratch.run(&[&start[..], rest].concat())
}

#[test]
fn what_lies_beside_the_images_is_one_line_and_no_error() {
    let scratch = Scratch::new();
    media(&scratch, "in", &["g16.png"]);
    for name in ["g16.txt", "classes.txt", "a.xml", ".DS_Store", "._g16.png"] {
        fs::write(scratch.path().join("in").join(name), "0 0.5 0.5 1 1").unwrap();
    }
    let ran = predict(&scratch, &["in", "--json"]).expect(0);
    assert_eq!(ran.out.lines().count(), 1, "{}", ran.all());
    let wanted = "in: passed over 5 entries that are no pictures (2 .txt, 1 .xml, 2 hidden)";
    assert!(ran.err.contains(wanted), "{}", ran.err);
    fs::create_dir(scratch.path().join("empty")).unwrap();
    let ran = predict(&scratch, &["empty"]).expect(1);
    assert!(ran.err.contains("it holds no image"), "{}", ran.err);
}

#[test]
fn a_pipe_in_a_folder_is_named_and_the_run_ends() {
    let scratch = Scratch::new();
    media(&scratch, "in", &["g16.png"]);
    let pipe = scratch.path().join("in/pipe.jpg");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let ran = predict(&scratch, &["in"]).expect(3);
    assert!(
        ran.err.contains("pipe.jpg: it is a named pipe"),
        "{}",
        ran.err
    );
    let ran = predict(&scratch, &["in/pipe.jpg"]).expect(1);
    assert!(ran.err.contains("it is a named pipe"), "{}", ran.err);
}

#[test]
fn names_cannot_steer_a_terminal() {
    let scratch = Scratch::new();
    media(&scratch, "in", &["g16.png"]);
    let image = scratch.path().join("in/g16.png");
    let name = "a\x1b]0;owned\x07\nbad: b\u{9b}2J.png";
    fs::copy(&image, scratch.path().join("in").join(name)).unwrap();
    fs::write(scratch.path().join("in").join(format!("{name}.bin")), "x").unwrap();
    for words in [&["in"][..], &["in", "--json"]] {
        let ran = predict(&scratch, words).expect(3);
        let is_plain = |c: char| c == '\n' || !c.is_control();
        assert!(ran.all().chars().all(is_plain), "{:?}", ran.all());
    }
    let ran = predict(&scratch, &["in", "--json"]).expect(3);
    let images: Vec<Value> = json_lines(&ran.out);
    let is_there = |line: &Value| line["image"] == format!("in/{name}");
    assert!(
        images.iter().any(is_there),
        "JSON tells the true name: {}",
        ran.out
    );
}

#[test]
fn sixteen_bits_transparency_and_unread_formats() {
    let scratch = Scratch::new();
    let names = [
        "f32.tiff",
        "g16.png",
        "g16.tiff",
        "rgba.png",
        "IMG_0001.HEIC",
        "IMG_0002.jpg",
        "x.avif",
    ];
    media(&scratch, "in", &names);
    let ran = predict(&scratch, &["in"]).expect(3);
    assert_eq!(ran.out.lines().count(), 3, "{}", ran.all());
    for (name, reason) in [
        ("f32.tiff", "not supported"),
        ("IMG_0001.HEIC", "format HEIC"),
        ("IMG_0002.jpg", "format HEIC"),
        ("x.avif", "format AVIF"),
    ] {
        let line = ran.err.lines().find(|line| line.contains(name)).unwrap();
        assert!(line.contains(reason), "{line}");
        let alone = predict(&scratch, &[&format!("in/{name}")]).expect(1);
        assert!(alone.err.contains(reason), "{}", alone.err);
    }
}

#[test]
fn one_option_and_one_setting_raise_the_limit_on_pixels_everywhere() {
    let scratch = Scratch::new();
    media(&scratch, "in", &["g16.png"]);
    let small = "in/g16.png";
    let ran = predict(&scratch, &[small, "--max-pixels", "1199"]).expect(1);
    assert!(
        ran.err
            .contains("40 x 30 pixels, more than the limit of 1199"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("--max-pixels"), "{}", ran.err);
    predict(&scratch, &[small, "--max-pixels", "1200"]).expect(0);
    // The least that a server takes has 32 pixels a side.
    let photo = "assets/demo/photos/other/igloo.webp";
    fs::write(
        scratch.path().join("straylight.toml"),
        "max-pixels = 1000\n",
    )
    .unwrap();
    predict(&scratch, &[photo]).expect(1);
    let store = ["--store", "store"];
    let create = [
        "project",
        "create",
        "p",
        "--task",
        "classification",
        "--labels",
        "a,b",
    ];
    scratch.run(&[&create[..], &store].concat()).expect(0);
    let upload = ["dataset", "upload", "p", photo];
    let ran = scratch.run(&[&upload[..], &store].concat()).expect(3);
    assert!(ran.err.contains("limit of 1000 pixels"), "{}", ran.err);
    let raised = ["--max-pixels", "100000000"];
    let ran = scratch
        .run(&[&upload[..], &store, &raised].concat())
        .expect(0);
    assert!(ran.out.contains("1 uploaded"), "{}", ran.all());
    predict(&scratch, &[&raised[..], &[photo]].concat()).expect(0);
}

#[test]
fn nobody_reads_and_a_full_disk_stop_a_prediction() {
    let scratch = Scratch::new();
    let folder = scratch.path().join("in");
    fs::create_dir(&folder).unwrap();
    let image = repository().join("fixtures/media/g16.png");
    for number in 0..200 {
        fs::copy(&image, folder.join(format!("{number:03}.png"))).unwrap();
    }
    let words = ["predict", "in", "--deployment", DEPLOYMENT, "--json"];
    let mut closed = scratch.command();
    closed
        .args(words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = closed.spawn().unwrap();
    drop(child.stdout.take());
    let closed = child.wait_with_output().unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let full = scratch.command().args(words).stdout(full).output().unwrap();
    for (output, reason) in [(closed, "was closed"), (full, "No space left")] {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(reason), "{said}");
    }
    // A short answer onto a full disk fails as well.
    let full = File::options().write(true).open("/dev/full").unwrap();
    let show = ["deployment", "show", DEPLOYMENT];
    let output = scratch.command().args(show).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn hooks_that_are_added_at_once_are_all_there() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    let add = |number: usize| {
        let name = format!("hook-{number}");
        let mut command = scratch.command();
        let words = "hooks add --deployment own --trigger always --action folder --to out --name";
        command.args(words.split(' ')).arg(name);
        command.output().unwrap().status.code()
    };
    thread::scope(|scope| {
        let adding: Vec<_> = (0..10)
            .map(|number| scope.spawn(move || add(number)))
            .collect();
        for added in adding {
            assert_eq!(added.join().unwrap(), Some(0));
        }
    });
    let shown = scratch.run(&["hooks", "show", "--deployment", "own", "--json"]);
    let shown: Value = serde_json::from_str(&shown.expect(0).out).unwrap();
    assert_eq!(shown.as_array().unwrap().len(), 10);
}

#[test]
fn mistakes_are_found_when_a_hook_is_added() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    for (words, reason) in [
        (
            "--trigger label --labels fsh --action folder --to out",
            "no label `fsh`; it has:",
        ),
        (
            "--trigger confidence --threshold 1.5 --action folder --to out",
            "not in 0..=1",
        ),
        (
            "--trigger always --action http --to ftp://host/",
            "neither http:// nor https://",
        ),
        (
            "--trigger always --action http --to http://me:pa#ss@host/",
            "user name or password",
        ),
    ] {
        let words = words.split(' ');
        let words: Vec<&str> = ["hooks", "add", "--deployment", "own"]
            .into_iter()
            .chain(words)
            .collect();
        let ran = scratch.run(&words).expect(1);
        assert!(
            ran.err.contains(reason) && !ran.err.contains("pa#"),
            "{}",
            ran.err
        );
    }
    scratch
        .run(&["hooks", "show", "--deployment", "own"])
        .expect(0);
}

#[test]
fn a_wrong_path_makes_no_store() {
    let scratch = Scratch::new();
    for words in [
        "project list --store nowhere",
        "dataset list p --store nowhere",
        "token list --store nowhere",
        "predict dataset:p/d --deployment assets/demo --store nowhere",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let ran = scratch.run(&words).expect(1);
        assert!(
            ran.err.contains("there is no store in nowhere"),
            "{}",
            ran.err
        );
        assert!(!scratch.path().join("nowhere").exists());
    }
}

#[test]
fn a_limit_of_one_a_second_counts_by_the_times_of_the_frames() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    media(&scratch, "in", &["vfr.mp4", "cut.ts"]);
    let add = "hooks add --deployment own --trigger always --limit 1/s --action folder --to out";
    let add: Vec<&str> = add.split(' ').collect();
    scratch.run(&add).expect(0);
    let ran = scratch
        .run(&["run", "in/vfr.mp4", "--deployment", "own"])
        .expect(0);
    let images = fs::read_dir(scratch.path().join("out/images")).unwrap();
    assert_eq!(images.count(), 3, "{}", ran.all());
    let ran = predict(&scratch, &["in/cut.ts", "--json"]).expect(3);
    let lines = json_lines(&ran.out);
    let good = lines.iter().filter(|line| line["prediction"].is_object());
    assert_eq!(good.count(), 11, "{}", ran.all());
    assert!(
        ran.err.contains("cut off or damaged: 11 frames"),
        "{}",
        ran.err
    );
}

#[test]
fn a_second_run_adds_nothing_to_the_local_dataset() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    let create = "project create p --task classification --labels a,b --store store";
    let add =
        "hooks add --deployment own --trigger always --action dataset --to p/strays --store store";
    for words in [create, add] {
        let words: Vec<&str> = words.split(' ').collect();
        scratch.run(&words).expect(0);
    }
    let photos = "assets/demo/photos/other";
    let count = |scratch: &Scratch| -> u64 {
        let ran = scratch.run(&["dataset", "list", "p", "--store", "store", "--json"]);
        let all: Value = serde_json::from_str(&ran.expect(0).out).unwrap();
        let is_strays = |dataset: &&Value| dataset["name"] == "strays";
        let strays = all
            .as_array()
            .unwrap()
            .iter()
            .find(is_strays)
            .unwrap()
            .clone();
        strays["images"].as_u64().unwrap()
    };
    scratch
        .run(&["run", photos, "--deployment", "own"])
        .expect(0);
    let first = count(&scratch);
    let again = scratch
        .run(&["run", photos, "--deployment", "own"])
        .expect(0);
    assert!(first > 0);
    let wanted = format!("{first} delivered ({first} already there)");
    assert!(again.out.contains(&wanted), "{}", again.all());
    assert_eq!(count(&scratch), first);
}

#[test]
fn mistakes_in_hooks_are_told_when_they_are_made() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    let hooks = |words: &str| {
        let mut all = vec!["hooks"];
        all.extend(words.split(' '));
        all.extend(["--deployment", "own"]);
        scratch.run(&all)
    };
    // `own` has no OOD model yet.
    let ran = hooks("add --trigger ood --threshold 1.5 --action folder --to out").expect(1);
    assert!(ran.err.contains("OODTrigger.threshold: 1.5"), "{}", ran.err);
    let ran = hooks("add --trigger always --action http --to ftp://x/y").expect(1);
    assert!(
        ran.err.contains("neither http:// nor https://"),
        "{}",
        ran.err
    );
    hooks("add --trigger always --action folder --to out").expect(0);
    hooks("check").expect(0);
    fs::write(scratch.path().join("file"), "").unwrap();
    hooks("add --name a --trigger always --action folder --to file/out").expect(0);
    hooks("add --name b --trigger always --action dataset --to p/d --store gone").expect(0);
    let create = "project create other --task classification --labels a,b --store store";
    let create: Vec<&str> = create.split(' ').collect();
    scratch.run(&create).expect(0);
    hooks("add --name c --trigger always --action dataset --to p/d --store store").expect(0);
    let ran = hooks("check").expect(1);
    for wanted in [
        "hook `a`: nothing can be written into",
        "hook `b`: there is no store in",
        "hook `c`: the store in",
        "4 hooks, 3 problems",
    ] {
        assert!(ran.out.contains(wanted), "{}", ran.all());
    }
    assert!(!scratch.path().join("gone").exists());
}

#[test]
fn a_hook_collects_into_the_folder_in_which_it_was_added() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    let add = "hooks add --deployment own --trigger always --action folder --to out";
    scratch.run(&add.split(' ').collect::<Vec<_>>()).expect(0);
    fs::create_dir(scratch.path().join("elsewhere")).unwrap();
    let photos = repository().join("assets/demo/photos/other");
    let run = scratch
        .command()
        .current_dir(scratch.path().join("elsewhere"))
        .args(["run", photos.to_str().unwrap(), "--deployment", "../own"])
        .output()
        .unwrap();
    let ran = Ran::of(run).expect(0);
    assert!(scratch.path().join("out/images").exists(), "{}", ran.all());
    assert!(!scratch.path().join("elsewhere/out").exists());
}
