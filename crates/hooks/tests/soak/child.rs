//! The process that is killed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use straylight_core::{Frame, Prediction, RgbImage, Timestamp};
use straylight_hooks::action::GetiDataCollection;
use straylight_hooks::config::{GetiConfig, SessionConfig};
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{
    BreakerOptions, EventId, HookOptions, HookSet, HookSetOptions, Observer, Outcome, Overflow,
    PostInferenceHook, QueueOptions, RetryOptions,
};

pub(super) const FOLDER: &str = "SOAK_FOLDER";
pub(super) const SERVER: &str = "SOAK_SERVER";
pub(super) const ROUND: &str = "SOAK_ROUND";
pub(super) const RATE: &str = "SOAK_RATE";

/// Says on standard output which images are safe.
#[derive(Default)]
struct Witness {
    names: Mutex<BTreeMap<EventId, String>>,
    early: Mutex<Vec<EventId>>,
}

impl Witness {
    fn say(name: &str) {
        let mut out = std::io::stdout().lock();
        // One write of one short line: the pipe takes it whole or not at all.
        let _ = out.write_all(format!("\naccepted {name}\n").as_bytes());
        let _ = out.flush();
    }
}

impl Observer for Witness {
    fn decided(&self, _hook: &str, frame: &Frame, outcome: &Outcome) {
        let Outcome::Queued { id, .. } = outcome else {
            return;
        };
        let mut early = self.early.lock().unwrap();
        if let Some(position) = early.iter().position(|known| known == id) {
            early.remove(position);
            Self::say(frame.name());
        } else {
            self.names
                .lock()
                .unwrap()
                .insert(*id, frame.name().to_owned());
        }
    }

    fn accepted(&self, _hook: &str, id: EventId) {
        let mut early = self.early.lock().unwrap();
        match self.names.lock().unwrap().remove(&id) {
            Some(name) => Self::say(&name),
            None => early.push(id),
        }
    }
}

/// Becomes the child and never returns, if the environment asks for it.
pub(crate) fn run_if_asked() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let hooks = hooks(&folder);
    let round = std::env::var(ROUND).unwrap();
    if round == "drain" {
        // Long enough for a busy machine; a queue that stands still is found out all the same.
        let is_drained = hooks.drain(Duration::from_secs(3_600));
        std::process::exit(i32::from(!is_drained));
    }
    let rate: u32 = std::env::var(RATE).unwrap().parse().unwrap();
    for n in 0u32.. {
        let mut image = RgbImage::filled(32, 32, [7; 3]).unwrap();
        image.data_mut()[..4].copy_from_slice(&n.to_le_bytes());
        let frame = Frame::new(image, format!("i{round}-{n}"), Timestamp::now());
        hooks.submit(&frame, &Prediction::default());
        std::thread::sleep(Duration::from_secs(1) / rate);
    }
}

fn hooks(folder: &Path) -> HookSet {
    let set = HookSet::new(HookSetOptions {
        state_folder: Some(folder.join("queues")),
        observer: Arc::new(Witness::default()),
        ..HookSetOptions::default()
    });
    let config = GetiConfig {
        session: SessionConfig {
            host: std::env::var(SERVER).unwrap(),
            has_valid_certificate: true,
            proxies: None,
            token: Some(format!("file:{}", folder.join("token").display())),
            username: None,
            password: None,
            organization_id: None,
            ca_file: None,
        },
        workspace_id: String::new(),
        project: super::PROJECT.to_owned(),
        dataset: Some(super::DATASET.to_owned()),
        log_level: straylight_hooks::config::LogLevel::Debug,
    };
    let millis = Duration::from_millis;
    let options = HookOptions {
        name: Some("soak".to_owned()),
        max_threads: 4,
        queue: Some(QueueOptions {
            overflow: Overflow::Block,
            ..QueueOptions::DISK
        }),
        retry: RetryOptions {
            initial: millis(5),
            longest: millis(50),
            max_attempts: u32::MAX,
        },
        breaker: BreakerOptions {
            failures: 8,
            rest: millis(20),
            longest_rest: millis(100),
        },
        ..HookOptions::default()
    };
    let action = Box::new(GetiDataCollection::new(config));
    set.add(PostInferenceHook::new(
        Box::new(AlwaysTrigger),
        action,
        options,
    ))
    .unwrap();
    set
}
