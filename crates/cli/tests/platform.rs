//! Projects, datasets, tokens and hooks by the program, in words and as JSON.

#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use serde_json::{Value, json};
use support::{DEPLOYMENT, Scratch, copy, json_lines, own_deployment};

/// Runs a command of the local store with `--json` and reads its answer.
#[track_caller]
fn answer(scratch: &Scratch, code: i32, arguments: &[&str]) -> Value {
    let ran = scratch.run(&[arguments, &["--json"]].concat()).expect(code);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn a_store_is_filled_exported_and_copied() {
    let scratch = Scratch::new();
    for class in ["fish", "tool"] {
        copy(
            &support::repository().join("assets/demo/photos").join(class),
            &scratch.path().join("tree").join(class),
        );
    }
    std::fs::write(scratch.path().join("tree/fish/broken.jpg"), "no image").unwrap();
    let run = |arguments: &[&str]| scratch.run(&[arguments, &["--store", "store"]].concat());
    let ran = run(&[
        "dataset",
        "import",
        "tree",
        "--into",
        "pets",
        "--task",
        "classification",
    ]);
    let ran = ran.expect(3);
    assert!(
        ran.out.contains("66 images with 66 annotations imported"),
        "{}",
        ran.out
    );
    assert!(ran.err.contains("broken.jpg"), "{}", ran.err);
    let again = run(&["dataset", "import", "tree", "--into", "pets"]).expect(3);
    assert!(
        again
            .out
            .contains("0 images with 0 annotations imported, 0 updated, 66 were there")
    );
    run(&[
        "dataset", "export", "pets", "--format", "coco", "--out", "coco", "--filter", "fish",
    ])
    .expect(0);
    let shown = scratch
        .run(&["dataset", "show", "coco", "--json"])
        .expect(0)
        .out;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["images"], 28);
    run(&["project", "download", "pets", "--out", "copy"]).expect(0);
    run(&["project", "upload", "copy", "--name", "pets again"]).expect(0);
    let list = run(&["dataset", "list", "pets again"]).expect(0).out;
    assert!(list.contains("66 images, 66 annotated"), "{list}");
    let ran = run(&[
        "predict",
        "dataset:pets again",
        "--deployment",
        DEPLOYMENT,
        "--json",
    ])
    .expect(0);
    assert_eq!(json_lines(&ran.out).len(), 66);
    run(&["project", "delete", "pets again"]).expect(1);
    run(&["project", "delete", "pets again", "--yes"]).expect(0);
    assert_eq!(run(&["project", "list"]).expect(0).out.lines().count(), 1);
    let tokens = run(&["token", "list", "--json"]).expect(0).out;
    assert_eq!(tokens.trim(), "[]", "tokens of finished commands are gone");
}

#[test]
fn commands_that_change_something_answer_in_json() {
    let scratch = Scratch::new();
    let photos = support::repository().join("assets/demo/photos/fish");
    copy(&photos, &scratch.path().join("tree/fish"));
    std::fs::write(scratch.path().join("tree/fish/broken.jpg"), "no image").unwrap();
    let store = |code, arguments: &[&str]| {
        answer(&scratch, code, &[arguments, &["--store", "store"]].concat())
    };
    let create = ["project", "create", "pets", "--task", "classification"];
    let project = store(0, &[&create[..], &["--labels", "fish,cat"]].concat());
    assert_eq!(project["name"], "pets");
    assert_eq!(project["tasks"][0]["labels"], json!(["fish", "cat"]));
    assert_eq!(store(0, &["project", "list"])[0]["id"], project["id"]);

    let dataset = store(0, &["dataset", "create", "pets/strays"]);
    assert_eq!(dataset["name"], "strays");
    let imported = store(3, &["dataset", "import", "tree", "--into", "pets"]);
    assert_eq!(
        (&imported["images"], &imported["there_already"]),
        (&json!(28), &json!(0))
    );
    let bad = imported["problems"][0]["place"].as_str().unwrap();
    assert!(bad.contains("broken.jpg"), "{imported}");
    let nothing = store(3, &["dataset", "upload", "pets/strays", "tree"]);
    assert_eq!(nothing["problems"][0]["place"], "tree");
    let uploaded = store(3, &["dataset", "upload", "pets/strays", "tree/fish"]);
    assert_eq!(uploaded["media"], 28);
    let exported = store(
        0,
        &[
            "dataset", "export", "pets", "--format", "voc", "--out", "voc",
        ],
    );
    assert_eq!(
        (&exported["images"], &exported["problems"]),
        (&json!(28), &json!([]))
    );
    let to_coco = ["dataset", "convert", "voc", "--to", "coco", "--out", "coco"];
    assert_eq!(answer(&scratch, 0, &to_coco)["images"], 28);
    let downloaded = store(
        0,
        &["dataset", "download", "pets/strays", "--out", "strays"],
    );
    assert_eq!(downloaded["folder"], "strays");

    let downloaded = store(0, &["project", "download", "pets", "--out", "copy"]);
    assert_eq!(
        (&downloaded["media"], &downloaded["annotations"]),
        (&json!(56), &json!(28))
    );
    let again = store(0, &["project", "upload", "copy", "--name", "again"]);
    assert_eq!(
        (&again["name"], &again["media"]),
        (&json!("again"), &json!(56))
    );
    let deleted = store(0, &["project", "delete", "again", "--yes"]);
    assert_eq!(
        (&deleted["id"], &deleted["deleted"]),
        (&again["id"], &json!(true))
    );

    let token = store(0, &["token", "create", "laptop"]);
    assert!(token["token"].as_str().unwrap().len() > 20);
    assert_eq!(store(0, &["token", "revoke", "laptop"])["name"], "laptop");
}

#[test]
fn commands_that_change_a_deployment_answer_in_json() {
    let scratch = Scratch::new();
    own_deployment(&scratch);
    let hooks = |arguments: &[&str]| {
        let own = ["hooks", "--deployment", "own"];
        answer(&scratch, 0, &[&own, arguments].concat())
    };
    let add = [
        "add",
        "--trigger",
        "always",
        "--action",
        "folder",
        "--to",
        "out",
    ];
    assert_eq!(
        hooks(&[&add[..], &["--name", "all"]].concat())["added"],
        "all"
    );
    assert_eq!(
        hooks(&["remove", "all"]),
        json!({ "removed": 1, "hooks": [] })
    );
    let saved = answer(&scratch, 0, &["deployment", "save", "own", "backup"]);
    let folder = scratch.path().join(saved["folder"].as_str().unwrap());
    assert!(folder.join("project.json").is_file(), "{saved}");
}
