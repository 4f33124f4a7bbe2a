//! Videos in and out, through ffmpeg, which these tests need.

#![allow(clippy::unwrap_used, clippy::expect_used)]
#![cfg(unix)]

mod support;

use std::process::Command;

use serde_json::Value;
use support::Scratch;

const DEPLOYMENT: &str = "assets/demo";

/// Four seconds of 10 frames: each photo stands for one second.
fn video(scratch: &Scratch) {
    let source = "assets/demo/photos/fish/fish1%d.webp";
    let made = Command::new("ffmpeg")
        .args([
            "-loglevel",
            "error",
            "-framerate",
            "1",
            "-start_number",
            "0",
            "-i",
            source,
        ])
        .args(["-vf", "scale=161:121,setsar=1,fps=10", "-frames:v", "40"])
        .args(["-pix_fmt", "yuv444p", "clip.mkv"])
        .current_dir(scratch.path())
        .status()
        .expect("this test needs ffmpeg: install it");
    assert!(made.success());
}

fn count(scratch: &Scratch, video: &str) -> usize {
    let ran = scratch
        .run(&["predict", video, "--deployment", DEPLOYMENT, "--json"])
        .expect(0);
    ran.out.lines().count()
}

#[test]
fn a_video_is_drawn_into_a_video() {
    let scratch = Scratch::new();
    video(&scratch);
    assert_eq!(count(&scratch, "clip.mkv"), 40);
    let draw = |out: &str| {
        let arguments = [
            "predict",
            "clip.mkv",
            "--deployment",
            DEPLOYMENT,
            "--saliency",
        ];
        let ran = scratch
            .run(&[&arguments[..], &["--stride", "2", "--out", out]].concat())
            .expect(0);
        assert!(ran.err.contains(&format!("wrote {out}")), "{}", ran.err);
        std::fs::read(scratch.path().join(out)).unwrap()
    };
    assert_eq!(
        draw("a.mp4"),
        draw("b.mp4"),
        "the same frames give the same bytes"
    );
    assert_eq!(count(&scratch, "a.mp4"), 20);
    let parts = std::fs::read_dir(scratch.path()).unwrap();
    let parts = parts.filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with(".part-")
    });
    assert_eq!(parts.count(), 0);
}

#[test]
fn limits_of_hooks_follow_the_time_in_the_video() {
    let scratch = Scratch::new();
    video(&scratch);
    std::fs::write(
        scratch.path().join("hooks.json"),
        r#"{"straylight": {"version": 1, "hooks": [{"trigger": {"AlwaysTrigger": {}},
            "limits": {"max_frames_per_second": 1.0},
            "action": {"FileSystemDataCollection": {"target_folder": "out"}}}]},
            "post_inference_hooks": [{"PostInferenceHook": {"trigger": {"AlwaysTrigger": {}},
            "limit_action_rate": true, "max_frames_per_second": 1.0,
            "action": {"FileSystemDataCollection": {"target_folder": "out"}}}}]}"#,
    )
    .unwrap();
    let arguments = [
        "run",
        "clip.mkv",
        "--deployment",
        DEPLOYMENT,
        "--hooks",
        "hooks.json",
        "--json",
    ];
    let ran = scratch.run(&arguments).expect(0);
    let statistics: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    let hook = &statistics["hooks"][0];
    assert_eq!(
        (&hook["evaluated"], &hook["delivered"]),
        (&40.into(), &4.into()),
        "{hook}"
    );
    assert_eq!(hook["suppressed"]["rate"], 36, "{hook}");
}

#[test]
fn a_part_of_a_video_is_taken() {
    let scratch = Scratch::new();
    video(&scratch);
    let arguments = ["predict", "clip.mkv", "--deployment", DEPLOYMENT, "--json"];
    let part = ["--start", "0:01", "--end", "3", "--fps", "5"];
    let ran = scratch.run(&[&arguments[..], &part[..]].concat()).expect(0);
    assert_eq!(ran.out.lines().count(), 10, "{}", ran.out);
}
