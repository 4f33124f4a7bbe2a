//! What `straylight run` does with images that cannot be delivered at once, and what it says.
#![allow(clippy::unwrap_used)]

mod support;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use straylight::RgbImage;
use support::{Ran, Scratch, own_deployment};

/// A folder of photos as phones take them: 36 million bytes of pixels each, in small files.
fn photos(scratch: &Scratch, count: usize) {
    let folder = scratch.path().join("photos");
    std::fs::create_dir(&folder).unwrap();
    let mut image = RgbImage::filled(4_032, 3_024, [90, 120, 150]).unwrap();
    for (at, value) in image.data_mut().iter_mut().step_by(9_973).enumerate() {
        *value = at as u8;
    }
    let bytes = straylight::image::encode_jpeg(&image, 80).unwrap();
    for n in 0..count {
        std::fs::write(folder.join(format!("{n:02}.jpg")), &bytes).unwrap();
    }
}

/// Gives the deployment `own` one hook, which fires for every image.
fn set_hook(scratch: &Scratch, action: &Value, more: &Value) {
    if !scratch.path().join("own").exists() {
        own_deployment(scratch);
    }
    let mut hook = json!({ "name": "all", "trigger": { "AlwaysTrigger": {} }, "action": action,
        "retry": { "initial_ms": 50, "longest_ms": 100, "max_attempts": 1000 } });
    for (key, value) in more.as_object().unwrap() {
        hook[key] = value.clone();
    }
    std::fs::write(scratch.path().join("hook.json"), hook.to_string()).unwrap();
    let hooks = |arguments: &[&str]| {
        let all = [&["hooks"], arguments, &["--deployment", "own"]].concat();
        scratch.run(&all).expect(0);
    };
    hooks(&["remove", "--all"]);
    hooks(&["add", "--hook", "hook.json"]);
}

fn run(scratch: &Scratch, source: &str, more: &[&str]) -> Ran {
    let arguments = ["run", source, "--deployment", "own", "--json"];
    scratch.run(&[&arguments[..], more].concat())
}

/// The statistics of the only hook, which balance.
fn statistics(ran: &Ran) -> Value {
    let line = ran.out.lines().last().unwrap();
    let value: Value = serde_json::from_str(line).unwrap();
    let hook = value["hooks"][0].clone();
    for part in [&hook, &hook["earlier"], &hook["total"]] {
        let count = |name: &str| part[name].as_u64().unwrap();
        let ends = ["delivered", "queued", "dropped", "dead"].map(count);
        assert_eq!(count("fired"), ends.iter().sum::<u64>(), "{hook}");
        assert_eq!(count("in_memory"), 0, "{hook}");
    }
    hook
}

/// An address that refuses connections.
fn nobody() -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    json!({ "HttpRequestAction": { "url": url } })
}

/// Twelve photos are more pixels than a queue in memory holds.
#[test]
fn large_photos_are_all_collected_as_the_files_that_they_were() {
    let scratch = Scratch::new();
    photos(&scratch, 12);
    set_hook(
        &scratch,
        &json!({ "FileSystemDataCollection": {
            "target_folder": scratch.path().join("out"), "picture_format": "original" } }),
        &json!({}),
    );
    let ran = run(&scratch, "photos", &[]).expect(0);
    assert_eq!(statistics(&ran)["delivered"], 12);
    let original = std::fs::read(scratch.path().join("photos/00.jpg")).unwrap();
    let images = std::fs::read_dir(scratch.path().join("out/images")).unwrap();
    let images: Vec<_> = images.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(images.len(), 12);
    for image in images {
        assert!(
            std::fs::read(&image).unwrap() == original,
            "{}",
            image.display()
        );
    }
    let overlays = std::fs::read_dir(scratch.path().join("out/overlays")).unwrap();
    assert_eq!(overlays.count(), 12);
}

#[test]
fn an_image_that_only_memory_held_is_named_and_the_code_says_so() {
    let scratch = Scratch::new();
    set_hook(&scratch, &nobody(), &json!({}));
    let photo = "assets/demo/photos/other/igloo.webp";
    let ran = run(&scratch, photo, &["--drain", "0"]).expect(3);
    assert_eq!(statistics(&ran)["dropped_by_reason"]["closed"], 1);
    assert!(ran.err.contains("lost by all: igloo"), "{}", ran.err);
    assert!(ran.err.contains("--state"), "{}", ran.err);
}

#[test]
fn what_waits_on_disk_is_not_lost_and_the_next_run_goes_on_with_it() {
    let scratch = Scratch::new();
    set_hook(&scratch, &nobody(), &json!({}));
    let photo = "assets/demo/photos/other/igloo.webp";
    let state = ["--state", "queues", "--drain", "0"];
    let ran = run(&scratch, photo, &state).expect(0);
    assert_eq!(statistics(&ran)["queued"], 1);
    assert!(
        ran.err.contains("1 images of all wait on disk"),
        "{}",
        ran.err
    );
    let required = [&state[..], &["--require-delivery"]].concat();
    let ran = run(&scratch, photo, &required).expect(3);
    let hook = statistics(&ran);
    assert_eq!((&hook["fired"], &hook["queued"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&hook["earlier"]["fired"], &hook["total"]["queued"]),
        (&json!(1), &json!(2))
    );

    set_hook(
        &scratch,
        &json!({ "FileSystemDataCollection": { "target_folder": scratch.path().join("out") } }),
        &json!({}),
    );
    let ran = run(&scratch, photo, &["--state", "queues"]).expect(0);
    let hook = statistics(&ran);
    assert_eq!((&hook["fired"], &hook["delivered"]), (&json!(1), &json!(1)));
    assert_eq!(hook["earlier"]["delivered"], 2);
    let stats = scratch
        .run(&["queue", "--state", "queues", "stats", "--json"])
        .expect(0);
    let stats: Value = serde_json::from_str(&stats.out).unwrap();
    assert_eq!(
        (&stats[0]["fired"], &stats[0]["delivered"]),
        (&json!(3), &json!(3))
    );
}

/// A sink that takes connections and never answers: the end does not wait for it.
#[test]
fn a_sink_that_hangs_does_not_hold_up_the_end() {
    let scratch = Scratch::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    set_hook(
        &scratch,
        &json!({ "HttpRequestAction": { "url": url, "timeout_seconds": 3600.0 } }),
        &json!({}),
    );
    let start = Instant::now();
    let photo = "assets/demo/photos/other/igloo.webp";
    let ran = run(&scratch, photo, &["--state", "queues", "--drain", "1"]).expect(0);
    assert_eq!(statistics(&ran)["queued"], 1);
    assert!(start.elapsed() < Duration::from_secs(1_800));
}

/// Room for one image, no thread that could make more: the run waits, then says where it stopped.
#[test]
fn a_queue_that_stands_still_ends_the_run_and_says_where_to_continue() {
    let scratch = Scratch::new();
    set_hook(&scratch, &nobody(), &json!({ "queue_size": 1 }));
    let ran = run(&scratch, "assets/demo/photos/other", &["--stall", "1"]).expect(3);
    assert!(ran.err.contains("Continue at"), "{}", ran.err);
    assert_eq!(statistics(&ran)["dropped_by_reason"]["stalled"], 1);
}
