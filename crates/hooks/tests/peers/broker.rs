//! Mosquitto, Debian's MQTT broker, and its own subscriber.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use straylight_hooks::action::MqttPublish;

use super::Hook;
use super::program::{Program, free_port};

/// A broker whose state and certificate outlive it.
struct Broker {
    port: u16,
    folder: tempfile::TempDir,
    program: Option<Program>,
}

impl Broker {
    /// One that keeps what it has when it ends; `settings` are further lines of its file.
    fn start(settings: &str) -> Self {
        let mut broker = Self {
            port: free_port(),
            folder: tempfile::tempdir().unwrap(),
            program: None,
        };
        let port = broker.port;
        let folder = broker.folder.path().display();
        let text = format!(
            "listener {port} 127.0.0.1\npersistence true\npersistence_location {folder}/\n\
             user root\n{settings}\n"
        );
        std::fs::write(broker.file("broker.conf"), text).unwrap();
        broker.restart();
        broker
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn restart(&mut self) {
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(self.file("broker.conf"));
        self.program = Some(Program::start(&mut command, "running"));
    }

    fn end(&mut self) {
        self.program.take().unwrap().end();
    }

    fn subscriber(&self, options: &[&str]) -> Command {
        let mut command = Command::new("mosquitto_sub");
        command.args([
            "-h",
            "localhost",
            "-p",
            &self.port.to_string(),
            "-t",
            "strays/#",
        ]);
        // A session that the broker keeps while its owner is away.
        command.args(["-q", "1", "-c", "-i", "watcher", "-W", "60"]);
        command.args(options);
        command
    }

    /// Subscribes and goes away.
    fn subscribe(&self, options: &[&str]) {
        let mut command = self.subscriber(&[options, &["-E"]].concat());
        assert!(command.status().unwrap().success());
    }

    /// How often each key has come; reads until the message `end` is there.
    fn heard(&self, options: &[&str]) -> BTreeMap<String, usize> {
        let mut command = Command::new("mosquitto_pub");
        command.args(["-h", "localhost", "-p", &self.port.to_string()]);
        command.args(options);
        // Retained, and so told to everybody who asks, however full the session is.
        let ended = command.args(["-t", "strays/end", "-m", "{\"key\": \"end\"}", "-r"]);
        assert!(ended.status().unwrap().success());
        let mut child = self.subscriber(options);
        let mut child = child.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let out = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut keys = BTreeMap::new();
        for line in std::io::BufRead::lines(out) {
            let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let key = message["key"].as_str().unwrap().to_owned();
            if key == "end" {
                break;
            }
            *keys.entry(key).or_default() += 1;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        keys
    }
}

fn action(port: u16, more: &Value) -> MqttPublish {
    let mut config = json!({
        "host": "localhost", "port": port, "topic": "strays/line-3", "timeout_seconds": 20.0,
    });
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    MqttPublish::new(serde_json::from_value(config).unwrap()).unwrap()
}

fn names(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| number.to_string())
}

/// Each of so many keys once.
fn each_once(heard: &BTreeMap<String, usize>, count: usize) {
    assert_eq!(heard.len(), count, "{heard:?}");
    assert!(heard.values().all(|times| *times == 1), "{heard:?}");
}

const ANYBODY: &str = "allow_anonymous true";

#[test]
fn messages_go_encrypted_and_with_a_password_and_each_comes_once() {
    let keys = tempfile::tempdir().unwrap();
    let file = |name: &str| keys.path().join(name).display().to_string();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(file("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(file("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let passwords = file("passwords");
    let mut password = Command::new("mosquitto_passwd");
    password.args(["-b", "-c", &passwords, "camera", "swordfish"]);
    assert!(password.status().unwrap().success());
    let mut settings = String::new();
    for (name, value) in [
        ("certfile", "cert.pem"),
        ("keyfile", "key.pem"),
        ("password_file", "passwords"),
    ] {
        writeln!(settings, "{name} {}", file(value)).unwrap();
    }
    let broker = Broker::start(&settings);
    let certificate = file("cert.pem");
    let login = ["--cafile", &certificate, "-u", "camera", "-P", "swordfish"];
    broker.subscribe(&login);

    std::fs::write(file("secret"), "wrong").unwrap();
    let more = json!({
        "tls": true, "ca_file": certificate, "username": "camera",
        "password": format!("file:{}", file("secret")),
    });
    let state = tempfile::tempdir().unwrap();
    let hook = Hook::new(state.path(), action(broker.port, &more));
    hook.submit(names(1));
    let error = crate::waiting_error(state.path());
    assert!(
        error.contains("does not allow the connection") && !error.contains("wrong"),
        "{error}"
    );
    std::fs::write(file("secret"), "swordfish").unwrap();
    assert!(hook.try_again());
    hook.submit((1..20).map(|number| number.to_string()));
    assert_eq!(hook.ledger().delivered, 20);
    each_once(&broker.heard(&login), 20);
}

#[test]
fn what_is_sent_around_a_restart_of_the_broker_comes_once() {
    let mut broker = Broker::start(ANYBODY);
    broker.subscribe(&[]);
    let state = tempfile::tempdir().unwrap();
    let hook = Hook::new(state.path(), action(broker.port, &json!({})));
    hook.submit(names(10));
    broker.end();
    hook.submit((10..15).map(|number| number.to_string()));
    let ledger = hook.ledger();
    assert_eq!((ledger.delivered, ledger.waiting()), (10, 5));
    broker.restart();
    assert!(hook.try_again());
    each_once(&broker.heard(&[]), 15);
}

/// What mosquitto has confirmed is in its memory alone until it saves or ends in order.
#[test]
fn a_broker_that_is_killed_loses_what_it_confirmed_and_had_not_saved() {
    let mut broker = Broker::start(ANYBODY);
    broker.subscribe(&[]);
    broker.end();
    broker.restart();
    let state = tempfile::tempdir().unwrap();
    let hook = Hook::new(state.path(), action(broker.port, &json!({})));
    hook.submit(names(5));
    assert_eq!(hook.ledger().delivered, 5);
    // Dropped, it is killed.
    broker.program = None;
    broker.restart();
    hook.submit((5..7).map(|number| number.to_string()));
    each_once(&broker.heard(&[]), 2);

    // The setting that the guide names.
    let mut broker = Broker::start(&format!(
        "{ANYBODY}\nautosave_on_changes true\nautosave_interval 1"
    ));
    broker.subscribe(&[]);
    let state = tempfile::tempdir().unwrap();
    let hook = Hook::new(state.path(), action(broker.port, &json!({})));
    hook.submit(names(5));
    broker.program = None;
    broker.restart();
    // Its last message may come between two savings.
    let heard = broker.heard(&[]);
    assert!((4..=5).contains(&heard.len()), "{heard:?}");
}

/// Mosquitto confirms what its limits make it throw away.
#[test]
fn a_queue_limit_of_the_broker_drops_what_it_confirmed() {
    let broker = Broker::start(&format!("{ANYBODY}\nmax_queued_messages 5"));
    broker.subscribe(&[]);
    let state = tempfile::tempdir().unwrap();
    let hook = Hook::new(state.path(), action(broker.port, &json!({})));
    hook.submit(names(20));
    assert_eq!(hook.ledger().delivered, 20);
    let heard = broker.heard(&[]);
    assert!(heard.len() <= 5, "{heard:?}");
}

/// Passes on what a client sends, and to the client only the answer to its greeting.
fn swallows_confirmations(broker: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut there = TcpStream::connect(("127.0.0.1", broker)).unwrap();
        let (mut from, mut to) = (client.try_clone().unwrap(), there.try_clone().unwrap());
        thread::spawn(move || std::io::copy(&mut from, &mut to));
        let mut answer = [0; 4];
        there.read_exact(&mut answer).unwrap();
        client.write_all(&answer).unwrap();
        // The confirmation is there, and the client does not hear of it.
        there.read_exact(&mut answer).unwrap();
        client.shutdown(std::net::Shutdown::Both).unwrap();
        // Later clients are passed on in full.
        for mut client in listener.incoming().map_while(Result::ok) {
            let mut there = TcpStream::connect(("127.0.0.1", broker)).unwrap();
            let (mut from, mut to) = (client.try_clone().unwrap(), there.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            let _ = std::io::copy(&mut there, &mut client);
        }
    });
    port
}

#[test]
fn a_confirmation_that_is_lost_doubles_the_message_under_one_key() {
    let broker = Broker::start(ANYBODY);
    broker.subscribe(&[]);
    let state = tempfile::tempdir().unwrap();
    let hook = Hook::new(
        state.path(),
        action(swallows_confirmations(broker.port), &json!({})),
    );
    hook.submit(names(1));
    assert_eq!(hook.ledger().waiting(), 1);
    assert!(hook.try_again());
    let heard = broker.heard(&[]);
    assert_eq!(heard.values().collect::<Vec<_>>(), [&2], "{heard:?}");
}
