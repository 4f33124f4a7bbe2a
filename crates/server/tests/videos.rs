//! Videos, made and read with `FFmpeg`, which these tests need.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::process::Command;

use common::TestServer;
use serde_json::{Value, json};
use straylight_server::{ServerConfig, Tls, VideoTools};

/// Two seconds of 5 frames of 64 x 48 pixels.
fn video(extension: &str) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("clip.{extension}"));
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i"])
        .args(["testsrc=size=64x48:rate=5:duration=2", "-c:v", "mjpeg"])
        .arg(&path)
        .status()
        .expect("this test needs ffmpeg: install it");
    assert!(made.success());
    std::fs::read(path).unwrap()
}

fn query(server: &TestServer, dataset: &str, rules: &Value) -> Value {
    let body = json!({"condition": "and", "rules": rules});
    let answer = server.post(&format!("{dataset}/media:query?limit=2"), &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn a_video_is_kept_listed_given_back_and_deleted() {
    let server = TestServer::start();
    let (_, dataset) = server.project();
    for extension in ["avi", "mov", "mkv"] {
        let bytes = video(extension);
        let name = format!("Vögel.{extension}");
        let answer = server.send_file(&format!("{dataset}/media/videos"), &name, &bytes);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let video = answer.json();
        assert_eq!(
            (&video["name"], &video["type"]),
            (&json!("Vögel"), &json!("video"))
        );
        let facts = &video["media_information"];
        assert_eq!(
            [
                &facts["width"],
                &facts["height"],
                &facts["frame_count"],
                &facts["frame_stride"]
            ],
            [64, 48, 10, 5]
        );
        assert_eq!(
            (&facts["frame_rate"], &facts["duration"]),
            (&json!(5.0), &json!(2))
        );
        let url = facts["display_url"].as_str().unwrap();
        assert!(url.ends_with("/display/stream"), "{url}");
        let back = server.get(url);
        assert_eq!(back.body, bytes);
        assert_eq!(back.header("content-length"), bytes.len().to_string());
        let path = url.trim_end_matches("/display/stream");
        assert_eq!(server.get(path).json(), video);
        frames(&server, path);
        assert_eq!(server.call("DELETE", path, b"").status, 200);
        let gone = server.get(url).error();
        assert_eq!(gone, (404, "video_not_found".to_owned()));
    }
    // Nothing of the files is left.
    for folder in ["videos", "thumbnails", "pending"] {
        assert_eq!(walk(&server.dir.path().join("store").join(folder)), 0);
    }
}

fn walk(dir: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().flatten();
    let count = |entry: std::fs::DirEntry| {
        let is_dir = entry.file_type().unwrap().is_dir();
        if is_dir { walk(&entry.path()) } else { 1 }
    };
    entries.map(count).sum()
}

/// Frames are pictures, differ, and end with the video.
fn frames(server: &TestServer, path: &str) {
    let frame = |n: u64| server.get(&format!("{path}/frames/{n}/display/full"));
    let (first, last) = (frame(0), frame(9));
    for answer in [&first, &last] {
        assert_eq!(
            answer.header("content-type"),
            "image/jpeg",
            "{}",
            answer.text()
        );
        let (image, _) = straylight_image::decode(&answer.body).unwrap();
        assert_eq!((image.width(), image.height()), (64, 48));
    }
    assert_ne!(first.body, last.body);
    assert_eq!(frame(10).status, 404);
    assert_eq!(
        server.get(&format!("{path}/frames/x/display/full")).status,
        400
    );
    assert_eq!(
        server.get(&format!("{path}/frames/2/display/thumb")).status,
        200
    );
    let thumb = server.get(&format!("{path}/display/thumb"));
    assert_eq!(thumb.status, 200, "{}", thumb.text());
    // It is kept: the second answer is read, not made.
    assert_eq!(walk(&server.dir.path().join("store/thumbnails")), 1);
    let again = server.get(&format!("{path}/display/thumb"));
    assert_eq!(again.body, thumb.body);
}

#[test]
fn videos_and_images_are_told_apart_in_queries_and_counts() {
    let bytes = video("avi");
    let server = TestServer::start();
    let (_, dataset) = server.project();
    for name in ["b", "a", "c"] {
        server.send_file(
            &format!("{dataset}/media/videos"),
            &format!("{name}.avi"),
            &bytes,
        );
    }
    server.upload(&dataset, "picture.png", &common::png(64, 48));
    let of = |kind: &str| json!([{"field": "MEDIA_TYPE", "operator": "EQUAL", "value": kind}]);
    let videos = query(&server, &dataset, &of("video"));
    assert_eq!(
        (
            &videos["total_matched_videos"],
            &videos["total_matched_images"]
        ),
        (&json!(3), &json!(0))
    );
    assert_eq!(
        (&videos["media"][0]["name"], &videos["media"][1]["name"]),
        (&json!("a"), &json!("b"))
    );
    let next = videos["next_page"].as_str().unwrap();
    let rest = server.post(next, &json!({"rules": of("video")})).json();
    assert_eq!(rest["media"].as_array().unwrap().len(), 1);
    assert!(rest.get("next_page").is_none());
    let images = query(&server, &dataset, &of("image"));
    assert_eq!(
        (&images["total_matched_images"], &images["total_videos"]),
        (&json!(1), &json!(3))
    );
    let all = query(&server, &dataset, &json!([]));
    assert_eq!(
        (&all["media"][0]["type"], &all["media"][1]["name"]),
        (&json!("image"), &json!("a"))
    );
    let statistics = server.get(&format!("{dataset}/statistics")).json();
    assert_eq!(statistics["overview"]["videos"], 3);
}

#[test]
fn frames_are_annotated_one_by_one() {
    let bytes = video("avi");
    let server = TestServer::start();
    let (project, dataset) = server.project();
    let video = server
        .send_file(&format!("{dataset}/media/videos"), "v.avi", &bytes)
        .json();
    let id = video["id"].as_str().unwrap();
    let path = format!("{dataset}/media/videos/{id}");
    let label = server.get(&project).json()["pipeline"]["tasks"][1]["labels"][0]["id"].clone();
    let scene = |frame: u64| {
        json!({
            "annotations": [{"labels": [{"id": label, "probability": 1.0}],
                "shape": {"type": "RECTANGLE", "x": 0, "y": 0, "width": 64, "height": 48}}],
            "media_identifier": {"type": "video_frame", "video_id": id, "frame_index": frame}})
    };
    let of_frame = |frame: u64| format!("{path}/frames/{frame}/annotations");
    assert_eq!(server.get(&format!("{}/latest", of_frame(7))).status, 204);
    let posted = server.post(&of_frame(7), &scene(7));
    assert_eq!(posted.status, 200, "{}", posted.text());
    assert_eq!(
        posted.json()["media_identifier"],
        scene(7)["media_identifier"]
    );
    assert_eq!(
        server.get(&format!("{}/latest", of_frame(7))).json(),
        posted.json()
    );
    assert_eq!(server.post(&of_frame(8), &scene(7)).status, 400);
    assert_eq!(server.post(&of_frame(10), &scene(10)).status, 404);
    let all = server.get(&format!("{path}/annotations/latest")).json();
    assert_eq!(all["video_annotations"], json!([posted.json()]));
    assert_eq!(all["video_annotation_properties"]["total_count"], 1);
    let overview = server.get(&format!("{dataset}/statistics")).json()["overview"].clone();
    assert_eq!(
        [&overview["annotated_frames"], &overview["annotated_videos"]],
        [1, 1]
    );
}

#[test]
fn what_is_no_video_is_refused_and_leaves_nothing() {
    let server = TestServer::start();
    let (_, dataset) = server.project();
    let bytes = video("avi");
    let path = format!("{dataset}/media/videos");
    let playlist =
        b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:1/a.ts\n#EXT-X-ENDLIST\n";
    for (name, content) in [
        ("a.avi", &b"no video"[..]),
        ("a.mp4", b""),
        ("a.mp4", playlist),
        ("a.png", &bytes),
        (".avi", &bytes),
        ("a.avi", &bytes[..400]),
    ] {
        let answer = server.send_file(&path, name, content);
        assert_eq!(
            answer.error(),
            (415, "invalid_media".to_owned()),
            "{name}: {}",
            answer.text()
        );
        assert!(!answer.text().contains("pending"), "{}", answer.text());
    }
    assert_eq!(walk(&server.dir.path().join("store/pending")), 0);
    let answer = server.send_file(&path, "a.mp4", playlist);
    assert!(
        answer.text().contains("of the kind `hls`"),
        "{}",
        answer.text()
    );
}

#[test]
fn without_ffmpeg_the_answer_says_what_to_do() {
    let tools = VideoTools {
        ffprobe: "/there/is/no/ffprobe".into(),
        ..VideoTools::default()
    };
    let config = ServerConfig::default()
        .with_tls(Tls::Off)
        .with_video_tools(tools);
    let server = TestServer::configured(config);
    let (_, dataset) = server.project();
    let answer = server.send_file(&format!("{dataset}/media/videos"), "a.avi", b"anything");
    assert_eq!(answer.status, 501);
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("install FFmpeg"), "{message}");
}
