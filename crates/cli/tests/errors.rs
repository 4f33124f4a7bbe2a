//! What the program says when something is wrong.

#![allow(clippy::unwrap_used)]

mod support;

use support::{Scratch, snapshot};

const DEPLOYMENT: &str = "assets/demo";

/// Runs the program, and compares code and words with what they were.
#[track_caller]
fn case(scratch: &Scratch, name: &str, arguments: &[&str], code: i32) {
    let ran = scratch.run(arguments).expect(code);
    snapshot(&format!("error-{name}"), &scratch.normal(&ran.all()));
}

#[test]
fn sources_that_cannot_be_read() {
    let scratch = Scratch::new();
    std::fs::write(
        scratch.path().join("broken.jpg"),
        b"\xff\xd8\xff\xe0 not a photo",
    )
    .unwrap();
    std::fs::write(scratch.path().join("notes.txt"), "no image").unwrap();
    let predict = |source: &'static str| ["predict", source, "--deployment", DEPLOYMENT];
    case(&scratch, "missing-file", &predict("nowhere.jpg"), 1);
    case(&scratch, "corrupt-image", &predict("broken.jpg"), 1);
    case(&scratch, "text-file", &predict("notes.txt"), 1);
    case(&scratch, "empty-glob", &predict("*.png"), 1);
    case(
        &scratch,
        "dataset-without-server",
        &predict("dataset:a/b"),
        1,
    );
}

#[test]
fn ffmpeg_that_is_not_there() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path().join("clip.mp4"), b"\0\0\0\x18ftypisom").unwrap();
    let arguments = [
        "predict",
        "clip.mp4",
        "--deployment",
        DEPLOYMENT,
        "--ffmpeg",
        "no-such-ffmpeg",
    ];
    case(&scratch, "no-ffmpeg", &arguments, 4);
}

#[test]
fn deployments_and_hooks_that_are_wrong() {
    let scratch = Scratch::new();
    let folder = scratch.path().join("bad");
    std::fs::create_dir(&folder).unwrap();
    case(&scratch, "no-deployment", &["deployment", "show", "bad"], 1);
    std::fs::write(folder.join("project.json"), "{\"name\": }").unwrap();
    case(&scratch, "wrong-json", &["deployment", "show", "bad"], 1);
    std::fs::write(
        folder.join("hook_config.json"),
        "{\"post_inference_hooks\": [1]}",
    )
    .unwrap();
    case(
        &scratch,
        "wrong-hooks",
        &["hooks", "show", "--deployment", "bad"],
        1,
    );
    let no_ood = [
        "run",
        "assets/demo/photos/fish/fish1.webp",
        "--deployment",
        DEPLOYMENT,
    ];
    std::fs::write(
        scratch.path().join("ood.json"),
        r#"{"straylight": {"version": 1, "hooks": [{"trigger": {"OODTrigger": {}},
            "action": {"FileSystemDataCollection": {"target_folder": "out"}}}]}}"#,
    )
    .unwrap();
    let with_hooks: Vec<&str> = no_ood.into_iter().chain(["--hooks", "ood.json"]).collect();
    case(&scratch, "no-ood-model", &with_hooks, 1);
}

#[test]
fn hooks_that_cannot_be() {
    let scratch = Scratch::new();
    let add = |rest: &[&'static str]| -> Vec<&'static str> {
        let start = ["hooks", "add", "--deployment", DEPLOYMENT];
        start.into_iter().chain(rest.iter().copied()).collect()
    };
    let limit = [
        "--trigger",
        "always",
        "--action",
        "folder",
        "--to",
        "x",
        "--limit",
        "often",
    ];
    case(&scratch, "limit", &add(&limit), 2);
    let superfluous = [
        "--trigger",
        "always",
        "--threshold",
        "1",
        "--action",
        "folder",
        "--to",
        "x",
    ];
    case(&scratch, "superfluous-threshold", &add(&superfluous), 1);
    let dataset = [
        "--trigger",
        "always",
        "--action",
        "dataset",
        "--to",
        "x",
        "--store",
        "s",
    ];
    case(&scratch, "no-dataset", &add(&dataset), 1);
    case(
        &scratch,
        "no-trigger",
        &add(&["--action", "folder", "--to", "x"]),
        2,
    );
    let remove = ["hooks", "remove", "--deployment", DEPLOYMENT, "strays"];
    case(&scratch, "no-such-hook", &remove, 1);
}

#[test]
fn servers_that_are_not_there() {
    let scratch = Scratch::new();
    case(&scratch, "no-server", &["project", "list"], 1);
    std::fs::write(
        scratch.path().join(".env"),
        "HOST=http://127.0.0.1:9\nTOKEN=geti_pat_x\n",
    )
    .unwrap();
    let ran = scratch.run(&["project", "list"]).expect(1);
    assert!(ran.err.contains("127.0.0.1:9"), "{}", ran.err);
    assert!(
        !ran.err.contains("geti_pat_x"),
        "the token is in the message: {}",
        ran.err
    );
    case(
        &scratch,
        "no-such-project",
        &["project", "show", "birds", "--store", "store"],
        1,
    );
}

#[test]
fn mistyped_words_are_answered_by_the_right_ones() {
    let scratch = Scratch::new();
    case(&scratch, "mistyped-command", &["predit", "a"], 2);
    case(&scratch, "mistyped-flag", &["config", "show", "--jsn"], 2);
    std::fs::write(
        scratch.path().join("straylight.toml"),
        "deploymnt = \"a\"\n",
    )
    .unwrap();
    case(&scratch, "mistyped-setting", &["config", "show"], 1);
}
