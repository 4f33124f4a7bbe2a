//! What the program does with the demo's deployment and photos.

#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use serde_json::Value;
use support::{DEPLOYMENT, Scratch, copy, json_lines, own_deployment, snapshot};

/// Photos of one folder and two files that are none.
fn mixed(scratch: &Scratch) {
    copy(
        &support::repository().join("assets/demo/photos/other"),
        &scratch.path().join("mixed"),
    );
    std::fs::write(scratch.path().join("mixed/aaa.jpg"), "no image").unwrap();
    std::fs::write(
        scratch.path().join("mixed/zzz.png"),
        b"\x89PNG\r\n\x1a\nbut cut off",
    )
    .unwrap();
}

#[test]
fn good_images_are_inferred_in_order_and_bad_ones_are_listed() {
    let scratch = Scratch::new();
    mixed(&scratch);
    let arguments = ["predict", "mixed", "--deployment", DEPLOYMENT, "--json"];
    let ran = scratch.run(&arguments).expect(3);
    let lines = json_lines(&ran.out);
    assert_eq!(lines.len(), 19);
    let names: Vec<&str> = lines
        .iter()
        .map(|line| line["image"].as_str().unwrap())
        .collect();
    assert!(names.is_sorted(), "{names:?}");
    let bad: Vec<&str> = lines
        .iter()
        .filter(|line| line["error"].is_string())
        .map(|l| l["image"].as_str().unwrap())
        .collect();
    assert_eq!(bad, ["mixed/aaa.jpg", "mixed/zzz.png"]);
    assert_eq!(
        ran.err
            .lines()
            .filter(|line| line.starts_with("bad: "))
            .count(),
        2
    );
    let label = |line: &Value| line["prediction"]["annotations"][0]["labels"][0].clone();
    let igloo = lines.iter().find(|line| line["name"] == "igloo").unwrap();
    assert_eq!(label(igloo)["name"], "monument");
    assert!((label(igloo)["probability"].as_f64().unwrap() - 0.90).abs() < 0.02);
}

#[test]
fn results_in_words_are_what_they_were() {
    let scratch = Scratch::new();
    mixed(&scratch);
    let ran = scratch
        .run(&["predict", "mixed", "--deployment", DEPLOYMENT])
        .expect(3);
    snapshot("predict-mixed", &scratch.normal(&ran.all()));
}

#[test]
fn every_kind_of_source_gives_the_same_images() {
    let scratch = Scratch::new();
    copy(
        &support::repository().join("assets/demo/photos/other"),
        &scratch.path().join("photos"),
    );
    let archive = std::process::Command::new("tar")
        .args(["czf", "photos.tar.gz", "photos"])
        .current_dir(scratch.path())
        .status()
        .unwrap();
    assert!(archive.success());
    let names = |source: &str| -> Vec<String> {
        let ran = scratch
            .run(&["predict", source, "--deployment", DEPLOYMENT, "--json"])
            .expect(0);
        let mut names: Vec<String> = json_lines(&ran.out)
            .iter()
            .map(|line| line["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let folder = names("photos");
    assert_eq!(folder.len(), 17);
    assert_eq!(names("photos/*.webp"), folder);
    assert_eq!(names("photos.tar.gz"), folder);
    assert_eq!(names("photos/igloo.webp"), ["igloo"]);
}

#[test]
fn pictures_are_drawn_and_always_the_same() {
    let scratch = Scratch::new();
    let draw = |out: &str| {
        let source = "assets/demo/photos/fish/fish1.webp";
        let arguments = [
            "predict",
            source,
            "--deployment",
            DEPLOYMENT,
            "--saliency",
            "--out",
            out,
        ];
        scratch.run(&arguments).expect(0);
        let mut files: Vec<_> = std::fs::read_dir(scratch.path().join(out))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files
    };
    let (first, second) = (draw("a"), draw("b"));
    let names: Vec<_> = first
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "fish1.png",
            "fish1_saliency_fish.png",
            "fish1_saliency_monument.png",
            "fish1_saliency_renewable.png",
            "fish1_saliency_tool.png"
        ]
    );
    for (a, b) in first.iter().zip(&second) {
        assert_eq!(
            std::fs::read(a).unwrap(),
            std::fs::read(b).unwrap(),
            "{}",
            a.display()
        );
    }
}

#[test]
fn terminals_that_can_get_the_picture() {
    let scratch = Scratch::new();
    let source = "assets/demo/photos/fish/fish1.webp";
    for (graphics, start) in [
        ("kitty", "\x1b_G"),
        ("iterm2", "\x1b]1337;"),
        ("sixel", "\x1bPq"),
    ] {
        let mut command = scratch.command();
        command.args(["predict", source, "--deployment", DEPLOYMENT, "--show"]);
        let output = command
            .env("STRAYLIGHT_GRAPHICS", graphics)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(start), "{graphics}");
    }
    let ran = scratch
        .run(&["predict", source, "--deployment", DEPLOYMENT, "--show"])
        .expect(0);
    assert!(!ran.out.contains('\x1b'), "{}", ran.out);
    assert!(
        scratch
            .path()
            .join("straylight-predictions/fish1.png")
            .exists(),
        "{}",
        ran.all()
    );
}

#[test]
fn hooks_are_added_run_and_removed() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    let hooks = |arguments: &[&str]| {
        let all: Vec<&str> = ["hooks"].iter().chain(arguments).copied().collect();
        scratch
            .run(&[all.as_slice(), &["--deployment", "own"]].concat())
            .expect(0)
    };
    let fish = ["--labels", "fish", "--action", "folder"];
    let add = [
        "add",
        "--name",
        "fish",
        "--trigger",
        "label",
        "--to",
        "out/fish",
    ];
    hooks(&[&add[..], &fish[..]].concat());
    let add = [
        "add",
        "--name",
        "no-fish",
        "--trigger",
        "count",
        "--threshold",
        "1",
        "--mode",
        "lower",
    ];
    hooks(&[&add[..], &["--to", "out/no-fish"], &fish[..]].concat());
    snapshot("hooks-show", &scratch.normal(&hooks(&["show"]).out));
    hooks(&["check"]);

    let arguments = [
        "run",
        "assets/demo/photos/fish",
        "--deployment",
        "own",
        "--json",
    ];
    let ran = scratch.run(&arguments).expect(0);
    let lines = json_lines(&ran.out);
    let (statistics, images) = lines.split_last().unwrap();
    assert_eq!(images.len(), 28);
    let fired: Vec<u64> = statistics["hooks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hook| {
            assert_eq!(hook["fired"], hook["delivered"], "{hook}");
            hook["fired"].as_u64().unwrap()
        })
        .collect();
    assert_eq!(fired.iter().sum::<u64>(), 28, "{statistics}");
    for (folder, count) in [("fish", fired[0]), ("no-fish", fired[1])] {
        for part in ["images", "predictions", "scores", "overlays"] {
            let path = scratch.path().join("out").join(folder).join(part);
            let files = std::fs::read_dir(path).map_or(0, |files| files.count() as u64);
            assert_eq!(files, count, "{folder}/{part}");
        }
    }

    std::fs::copy(
        scratch.path().join("own/hook_config.json"),
        scratch.path().join("new.json"),
    )
    .unwrap();
    hooks(&["remove", "no-fish"]);
    let arguments = [
        "replay",
        "assets/demo/photos/fish",
        "--deployment",
        "own",
        "--hooks",
        "new.json",
        "--json",
    ];
    let replay = scratch.run(&arguments).expect(0).out;
    let replayed: Value = serde_json::from_str(&replay).unwrap();
    assert_eq!(
        replayed["gained"].as_array().unwrap().len() as u64,
        fired[1]
    );
    assert_eq!(replayed["common"].as_u64().unwrap(), fired[0]);
    assert_eq!(
        scratch.run(&arguments).out,
        replay,
        "a replay repeats itself"
    );
    hooks(&["remove", "--all"]);
    assert!(!scratch.path().join("own/hook_config.json").exists());
}

#[test]
fn objects_that_are_left_out_are_said() {
    let scratch = Scratch::new();
    let families = support::repository().join("fixtures/families");
    copy(
        &families.join("too_many_masks"),
        &scratch.path().join("many"),
    );
    std::fs::copy(families.join("p.png"), scratch.path().join("p.png")).unwrap();
    let words = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        scratch.run(&words).expect(0)
    };
    words("deployment init many/model.onnx");
    words(
        "hooks add --name cats --trigger label --labels bolt --action folder --to out \
         --deployment many",
    );
    std::fs::copy(
        scratch.path().join("many/hook_config.json"),
        scratch.path().join("new.json"),
    )
    .unwrap();
    for line in [
        "predict p.png --deployment many",
        "run p.png --deployment many",
        "replay p.png --deployment many --hooks new.json",
    ] {
        let err = words(line).err;
        let note = "500 more objects were found and left out";
        assert!(err.contains(note), "{line}: {err}");
    }
}
