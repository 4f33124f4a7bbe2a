//! The local store as a whole, by the program.

#![allow(clippy::unwrap_used)]
#![cfg(unix)]

mod support;

use serde_json::Value;
use support::Scratch;

#[test]
fn a_store_is_backed_up_restored_limited_and_opened_for_a_browser() {
    let scratch = Scratch::new();
    let run = |arguments: &[&str]| scratch.run(&[arguments, &["--store", "s"]].concat());
    let missing = run(&["store", "usage"]).expect(1);
    assert!(missing.err.contains("`s` is no store"), "{}", missing.err);
    assert!(
        !scratch.path().join("s").exists(),
        "nothing is made by mistake"
    );
    let photos = support::repository().join("assets/demo/photos");
    for label in ["fish", "tool"] {
        support::copy(
            &photos.join(label),
            &scratch.path().join("tree").join(label),
        );
    }
    run(&[
        "dataset",
        "import",
        "tree",
        "--into",
        "pets",
        "--task",
        "classification",
    ])
    .expect(0);
    run(&["token", "create", "camera", "--role", "collect"]).expect(0);
    let listed = run(&["token", "list"]).expect(0).out;
    assert!(listed.contains("camera  collect"), "{listed}");
    let refused = run(&["token", "create", "x", "--role", "king"]).expect(2);
    assert!(refused.err.contains("`king` is no role"), "{}", refused.err);
    let link = run(&["token", "login"]).expect(0).out;
    assert!(
        link.starts_with("http") && link.contains("/login#"),
        "{link}"
    );

    let used: Value =
        serde_json::from_str(&run(&["store", "usage", "--json"]).expect(0).out).unwrap();
    let bytes = used[0]["media_bytes"].as_u64().unwrap();
    assert!(bytes > 0 && used[0]["limit_bytes"].is_null(), "{used}");
    let limited = run(&["store", "limit", "pets", "1.5GB"]).expect(0).out;
    assert!(limited.contains("limited to 1.5 GB"), "{limited}");
    run(&["store", "limit", "nobody", "1GB"]).expect(1);
    run(&["store", "limit", "pets", "much"]).expect(2);

    run(&["store", "backup", "b"]).expect(0);
    let again = run(&["store", "backup", "b"]).expect(1);
    assert!(again.err.contains("`b`"), "{}", again.err);
    let restored = scratch
        .run(&["store", "restore", "b", "--store", "r"])
        .expect(0)
        .out;
    assert!(restored.contains("each as it was"), "{restored}");
    let other = scratch
        .run(&["store", "usage", "--json", "--store", "r"])
        .expect(0)
        .out;
    let other: Value = serde_json::from_str(&other).unwrap();
    assert_eq!(other[0]["media_bytes"], bytes);
    assert_eq!(other[0]["limit_bytes"], 1_500_000_000);
    std::fs::remove_file(scratch.path().join("b/backup.json")).unwrap();
    let cut = scratch
        .run(&["store", "restore", "b", "--store", "t"])
        .expect(1);
    assert!(cut.err.contains("no whole backup"), "{}", cut.err);
}
