//! What the version of 2026-11-24 wrote opens in the real program.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::Value;
use support::{Ran, Scratch, copy, json_lines, repository};

/// A scratch folder with a copy of what the old version wrote.
fn old() -> Scratch {
    let scratch = Scratch::new();
    let fixture = repository().join("fixtures/upgrade/2026-11-24");
    copy(&fixture, scratch.path());
    scratch
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn an_old_deployment_predicts_and_scores_as_before() {
    let scratch = old();
    let ran = scratch.run(&["predict", "photos", "--deployment", "deployment", "--json"]);
    let now = json_lines(&ran.expect(0).out);
    let before = json_lines(&fs::read_to_string(scratch.path().join("predicted.jsonl")).unwrap());
    assert_eq!(now.len(), before.len());
    for (now, before) in now.iter().zip(&before) {
        assert_eq!(now["image"], before["image"]);
        let score = |record: &Value| record["ood_score"].as_f64().unwrap();
        assert!((score(now) - score(before)).abs() < 1e-4, "{now} {before}");
        let label = |record: &Value| {
            let label = &record["prediction"]["annotations"][0]["labels"][0];
            (
                label["name"].clone(),
                label["probability"].as_f64().unwrap(),
            )
        };
        assert_eq!(label(now).0, label(before).0);
        assert!((label(now).1 - label(before).1).abs() < 1e-4);
    }
}

#[test]
fn an_old_deployment_keeps_its_ood_model_and_hooks() {
    let scratch = old();
    let shown = json(
        &scratch
            .run(&["deployment", "show", "deployment", "--json"])
            .expect(0),
    );
    assert_eq!(shown["ood_model"]["kind"], "default");
    assert_eq!(shown["hooks"].as_array().unwrap().len(), 2);
    scratch
        .run(&["hooks", "check", "--deployment", "deployment"])
        .expect(0);
}

#[test]
fn old_hooks_that_name_their_policy_still_run() {
    let scratch = old();
    for file in ["hooks_block.json", "hooks_drop_oldest.json"] {
        let ran = scratch.run(&[
            "run",
            "photos",
            "--deployment",
            "deployment",
            "--hooks",
            file,
        ]);
        let ran = ran.expect(0);
        assert!(ran.out.contains("5 delivered"), "{}", ran.all());
    }
}

#[test]
fn an_old_store_shows_its_dataset() {
    let scratch = old();
    let ran = scratch.run(&["dataset", "list", "upgrade", "--store", "store", "--json"]);
    let all = json(&ran.expect(0));
    let strays = all.as_array().unwrap().iter();
    let strays = strays.filter(|dataset| dataset["name"] == "Strays");
    let images: Vec<&Value> = strays.map(|dataset| &dataset["images"]).collect();
    assert_eq!(images, [5]);
}

#[test]
fn old_events_that_wait_are_delivered() {
    let scratch = old();
    let stats = |scratch: &Scratch| {
        let ran = scratch.run(&["queue", "stats", "--state", "state", "--json"]);
        json(&ran.expect(0)).to_string()
    };
    assert!(
        stats(&scratch).contains("\"queued\":5"),
        "{}",
        stats(&scratch)
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || listener.incoming().flatten().for_each(answer));
    let hooks = scratch.path().join("hooks_away.json");
    let text = fs::read_to_string(&hooks).unwrap();
    fs::write(&hooks, text.replace("127.0.0.1:9", &address)).unwrap();
    let words =
        "run photos/known.png --deployment deployment --hooks hooks_away.json --state state";
    let words: Vec<&str> = words.split(' ').collect();
    scratch.run(&words).expect(0);
    let stats = stats(&scratch);
    assert!(
        stats.contains("\"queued\":0") && stats.contains("\"delivered\":6"),
        "{stats}"
    );
}

/// Takes one request after the other and is content with each.
fn answer(stream: TcpStream) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    loop {
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let answered = writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        if answered.is_err() {
            return;
        }
    }
}
