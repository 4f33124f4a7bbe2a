//! Two servers of buckets: moto, which imitates Amazon's, and `SeaweedFS`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use serde_json::json;
use straylight_core::{Frame, Prediction, RgbImage, Timestamp};
use straylight_hooks::action::S3Collection;

use super::program::{Program, free_port, installed, wait_for};
use super::{Hook, common};

const SECRET: &str = "swordfish";

fn action(port: u16, bucket: &str, folder: &Path) -> S3Collection {
    let secret = folder.join("secret");
    let config = json!({
        "bucket": bucket, "prefix": "line-3/", "endpoint": format!("http://127.0.0.1:{port}"),
        "access_key_id": "key", "secret_access_key": format!("file:{}", secret.display()),
    });
    std::fs::write(secret, SECRET).unwrap();
    S3Collection::new(serde_json::from_value(config).unwrap())
}

/// Noise, which no server packs.
fn noise(name: &str, side: u32) -> Frame {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let pixels = (0..side * side * 3).map(|_| next()).collect();
    Frame::new(
        RgbImage::new(side, side, pixels).unwrap(),
        name,
        Timestamp::UNIX_EPOCH,
    )
}

/// What moto asks of whoever reads a bucket; it does not check the signature.
const SIGNED: (&str, &str) = (
    "Authorization",
    "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, \
     Signature=none",
);

/// The keys in a bucket of moto.
fn keys(port: u16, bucket: &str) -> Vec<String> {
    let url = format!("http://127.0.0.1:{port}/{bucket}?list-type=2");
    let list = ureq::get(&url)
        .header(SIGNED.0, SIGNED.1)
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    let keys = list.split("<Key>").skip(1);
    keys.map(|rest| rest.split_once("</Key>").unwrap().0.to_owned())
        .collect()
}

fn object(port: u16, bucket: &str, key: &str) -> Vec<u8> {
    let url = format!("http://127.0.0.1:{port}/{bucket}/{key}");
    let answer = ureq::get(&url).header(SIGNED.0, SIGNED.1).call();
    let mut answer = answer.unwrap();
    answer
        .body_mut()
        .with_config()
        .limit(1 << 30)
        .read_to_vec()
        .unwrap()
}

fn moto() -> (u16, Program) {
    let port = free_port();
    let mut command = Command::new(installed("moto_server"));
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
    let mut program = Program::start(&mut command, "Running on");
    wait_for(port, &mut program);
    (port, program)
}

fn make_bucket(port: u16, bucket: &str) {
    ureq::put(format!("http://127.0.0.1:{port}/{bucket}"))
        .send_empty()
        .unwrap();
}

#[test]
fn three_objects_come_whole_and_a_repetition_adds_none() {
    let (port, _moto) = moto();
    let state = tempfile::tempdir().unwrap();
    let hook = Hook::new(state.path(), action(port, "strays", state.path()));
    hook.submit(["a".to_owned()].into_iter());
    assert!(
        crate::waiting_error(state.path()).contains("NoSuchBucket"),
        "{}",
        crate::waiting_error(state.path())
    );
    make_bucket(port, "strays");
    assert!(hook.try_again());
    // 12 MB in one piece: what is sent in parts elsewhere is not here.
    let large = noise("large", 2_000);
    hook.hooks.show(&large, &Prediction::default());
    assert_eq!(hook.ledger().delivered, 2);
    let keys = keys(port, "strays");
    let folders = |folder: &str| keys.iter().filter(|k| k.starts_with(folder)).count();
    assert_eq!(
        (
            keys.len(),
            folders("line-3/images/"),
            folders("line-3/scores/")
        ),
        (6, 2, 2),
        "{keys:?}"
    );
    let sizes = |key: &&String| key.starts_with("line-3/images/");
    let images = keys
        .iter()
        .filter(sizes)
        .map(|key| object(port, "strays", key));
    let decoded: Vec<_> = images
        .map(|bytes| straylight_image::decode(&bytes).unwrap().0)
        .collect();
    assert!(decoded.contains(large.image()));
    assert!(decoded.contains(common::frame("a").image()));
}

/// Passes on, but for what it is told to answer itself: as Amazon does when it is asked too much.
fn slows_down(port: u16, busy: &Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let busy = Arc::clone(busy);
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            if busy.load(SeqCst) {
                let body = "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";
                let length = body.len();
                // An answer to a request that has not begun is an error of another kind.
                let _ = client.read(&mut [0; 512]);
                let head = "HTTP/1.1 503 Slow Down\r\nconnection: close\r\nretry-after: 1\r\n";
                let _ = write!(client, "{head}content-length: {length}\r\n\r\n{body}");
                // The client may still be sending.
                let _ = std::io::copy(&mut client, &mut std::io::sink());
                continue;
            }
            let mut there = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), there.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            thread::spawn(move || std::io::copy(&mut there, &mut client));
        }
    });
    own
}

#[test]
fn a_server_that_asks_to_slow_down_is_asked_again_later() {
    let (port, _moto) = moto();
    make_bucket(port, "strays");
    let busy = Arc::new(AtomicBool::new(true));
    let state = tempfile::tempdir().unwrap();
    let hook = Hook::new(
        state.path(),
        action(slows_down(port, &busy), "strays", state.path()),
    );
    hook.submit(["a".to_owned()].into_iter());
    let error = crate::waiting_error(state.path());
    assert!(error.contains("503") && !error.contains(SECRET), "{error}");
    busy.store(false, SeqCst);
    assert!(hook.try_again());
    assert_eq!(keys(port, "strays").len(), 3);
}

struct Seaweed {
    port: u16,
    master: u16,
    _program: Program,
    _folder: tempfile::TempDir,
}

impl Seaweed {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let users = json!({"identities": [{
            "name": "straylight", "actions": ["Admin", "Read", "Write", "List"],
            "credentials": [{"accessKey": "key", "secretKey": SECRET}],
        }]});
        let file = folder.path().join("users.json");
        std::fs::write(&file, users.to_string()).unwrap();
        let [master, volume, filer, port] = [0; 4].map(|_: u16| free_port());
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let mut command = Command::new(installed("weed"));
        command.args(["server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"]);
        command.args([
            "-master.telemetry=false",
            "-volume.max=8",
            "-master.volumeSizeLimitMB=30",
        ]);
        command.args(["-s3.port.iceberg=0", "-s3.port.lance=0"]);
        command.arg(format!("-dir={}", data.display()));
        command.arg(format!("-s3.config={}", file.display()));
        for (name, port) in [
            ("master.port", master),
            ("volume.port", volume),
            ("filer.port", filer),
            ("s3.port", port),
        ] {
            command.arg(format!("-{name}={port}"));
        }
        let mut program = Program::start(&mut command, "Start Seaweed");
        wait_for(port, &mut program);
        let seaweed = Self {
            port,
            master,
            _program: program,
            _folder: folder,
        };
        while !seaweed
            .shell("s3.bucket.create -name strays")
            .contains("created bucket")
        {}
        seaweed
    }

    /// What its own shell answers.
    fn shell(&self, commands: &str) -> String {
        let mut command = Command::new(installed("weed"));
        command
            .arg("shell")
            .arg(format!("-master=127.0.0.1:{}", self.master));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        writeln!(input, "{commands}").unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        let [out, err] =
            [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        format!("{out}{err}")
    }

    /// Repeats commands until the answer has this text in it: some numbers are known only later.
    fn shell_until(&self, commands: &str, text: &str) {
        while !self.shell(commands).contains(text) {}
    }
}

#[test]
fn seaweedfs_that_is_full_throttled_or_refuses_a_key_gets_everything_in_the_end() {
    let seaweed = Seaweed::start();
    let state = tempfile::tempdir().unwrap();
    let hook = Hook::new(state.path(), action(seaweed.port, "strays", state.path()));
    let next = |name: &str, wrong: &str| {
        hook.hooks.show(&noise(name, 900), &Prediction::default());
        assert_eq!(hook.ledger().waiting(), 1, "{wrong}");
        let error = crate::waiting_error(state.path());
        assert!(error.contains(wrong) && !error.contains(SECRET), "{error}");
    };
    hook.hooks
        .show(&noise("first", 900), &Prediction::default());
    assert_eq!(hook.ledger().delivered, 1);

    seaweed.shell("s3.bucket.quota -name strays -op set -sizeMB 1");
    seaweed.shell_until("s3.bucket.quota.enforce -apply", "read only");
    next("full", "500");
    seaweed.shell_until(
        "s3.bucket.quota -name strays -op disable\ns3.bucket.quota.enforce -apply",
        "cleared read-only",
    );
    assert!(hook.try_again());

    let breaker = "s3.circuitBreaker -global -type Count -actions Write -values 0";
    seaweed.shell(&format!("{breaker} -apply"));
    next("throttled", "503");
    seaweed.shell("s3.circuitBreaker -global -delete -apply");
    assert!(hook.try_again());
    assert_eq!(hook.ledger().delivered, 3);

    let stranger = tempfile::tempdir().unwrap();
    let refused = Hook::new(
        stranger.path(),
        action(seaweed.port, "strays", stranger.path()),
    );
    std::fs::write(stranger.path().join("secret"), "wrong").unwrap();
    refused.submit(["a".to_owned()].into_iter());
    let error = crate::waiting_error(stranger.path());
    assert!(error.contains("403") && !error.contains("wrong"), "{error}");
}
