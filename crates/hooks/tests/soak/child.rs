//! The process that is killed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use straylight_core::{EncodedImage, Frame, ImageFormat, Prediction, RgbImage, Timestamp};
use straylight_hooks::action::GetiDataCollection;
use straylight_hooks::clock::{Clock, SystemClock};
use straylight_hooks::config::{GetiConfig, LogLevel, SessionConfig};
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{
    BreakerOptions, EventId, HookOptions, HookSet, HookSetOptions, Observer, Outcome, Overflow,
    PostInferenceHook, QueueOptions, RetryOptions,
};
use straylight_image::encode_jpeg;

use super::Trouble;
use super::clock::JumpingClock;
use super::server::{DATASET, PROJECT};

pub(super) const QUEUES: &str = "SOAK_QUEUES";
pub(super) const TOKEN: &str = "SOAK_TOKEN";
pub(super) const SERVER: &str = "SOAK_SERVER";
pub(super) const ROUND: &str = "SOAK_ROUND";
pub(super) const RATE: &str = "SOAK_RATE";
pub(super) const PHOTOS: &str = "SOAK_PHOTOS";
pub(super) const TROUBLE: &str = "SOAK_TROUBLE";

/// The round of the child that only delivers.
pub(super) const DRAIN: &str = "drain";

const JUMPING: &str = "jumping-clock";
const FULL: &str = "full-disk";

/// What the child is told about its trouble.
pub(super) fn trouble_name(trouble: &Trouble) -> &'static str {
    match trouble {
        Trouble::Nothing => "",
        Trouble::JumpingClock => JUMPING,
        Trouble::FullDisk(_) => FULL,
    }
}

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
            let name = frame.name().to_owned();
            self.names.lock().unwrap().insert(*id, name);
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
    if std::env::var_os(QUEUES).is_none() {
        return;
    }
    let hooks = open();
    let round = variable(ROUND);
    if round == DRAIN {
        // Long enough for a busy machine; a queue that stands still is found out all the same.
        let is_drained = hooks.drain(Duration::from_secs(3_600));
        std::process::exit(i32::from(!is_drained));
    }
    let pause = Duration::from_secs(1) / variable(RATE).parse::<u32>().unwrap();
    let photo = has_photos().then(Photo::new);
    for n in 0u32.. {
        let name = format!("i{round}-{n}");
        let frame = match &photo {
            Some(photo) if n % 10 == 0 => photo.frame(&name),
            _ => Frame::new(picture(n), name, Timestamp::now()),
        };
        hooks.submit(&frame, &Prediction::default());
        std::thread::sleep(pause);
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}

/// Like no other of the round; on a full disk some are large and do not fit to be compressed.
fn picture(n: u32) -> RgbImage {
    if variable(TROUBLE) != FULL {
        let mut image = RgbImage::filled(32, 32, [7; 3]).unwrap();
        image.data_mut()[..4].copy_from_slice(&n.to_le_bytes());
        return image;
    }
    let mut random = fastrand::Rng::with_seed(u64::from(n));
    let side = 32 + 8 * random.u32(..16);
    let mut pixels = vec![0; (side * side * 3) as usize];
    random.fill(&mut pixels);
    RgbImage::new(side, side, pixels).unwrap()
}

fn has_photos() -> bool {
    variable(PHOTOS) == "true"
}

/// A photo of 12 megapixels with its file.
struct Photo {
    image: RgbImage,
    file: Vec<u8>,
}

impl Photo {
    fn new() -> Self {
        let mut image = RgbImage::filled(4032, 3024, [90; 3]).unwrap();
        let mut random = fastrand::Rng::with_seed(1);
        random.fill(&mut image.data_mut()[..4032 * 3 * 300]);
        let file = encode_jpeg(&image, 90).unwrap();
        Self { image, file }
    }

    /// The photo with a comment of its own, so that no two files are alike.
    fn frame(&self, name: &str) -> Frame {
        let length = u16::try_from(name.len() + 2).unwrap().to_be_bytes();
        let comment = [&[0xff, 0xfe], &length[..], name.as_bytes()].concat();
        let file = [&self.file[..2], &comment[..], &self.file[2..]].concat();
        let encoded = EncodedImage {
            format: ImageFormat::Jpeg,
            bytes: file.into(),
        };
        Frame::new(self.image.clone(), name, Timestamp::now()).with_encoded(encoded)
    }
}

/// A full disk may refuse even the opening: whoever starts the program tries again.
fn open() -> HookSet {
    loop {
        let set = HookSet::new(HookSetOptions {
            state_folder: Some(PathBuf::from(variable(QUEUES))),
            observer: Arc::new(Witness::default()),
            clock: clock(),
            ..HookSetOptions::default()
        });
        match set.add(hook()) {
            Ok(()) => return set,
            Err(error) => {
                assert_eq!(variable(TROUBLE), FULL, "{error}");
                println!("\nrefused {error}");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

fn clock() -> Arc<dyn Clock> {
    if variable(TROUBLE) == JUMPING {
        Arc::new(JumpingClock::default())
    } else {
        Arc::new(SystemClock::default())
    }
}

fn hook() -> PostInferenceHook {
    let action = GetiDataCollection::new(server());
    PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(action), options())
}

fn server() -> GetiConfig {
    let session = SessionConfig {
        host: variable(SERVER),
        has_valid_certificate: true,
        proxies: None,
        token: Some(format!("file:{}", variable(TOKEN))),
        username: None,
        password: None,
        organization_id: None,
        ca_file: None,
    };
    GetiConfig {
        session,
        workspace_id: String::new(),
        project: PROJECT.to_owned(),
        dataset: Some(DATASET.to_owned()),
        log_level: LogLevel::Debug,
        // A server decodes what it is given: a photo takes it longer.
        timeout_seconds: if has_photos() { 20.0 } else { 0.5 },
    }
}

fn options() -> HookOptions {
    let millis = Duration::from_millis;
    HookOptions {
        name: Some("soak".to_owned()),
        max_threads: 4,
        queue: Some(QueueOptions {
            // Whoever fires can wait, on a full disk as well.
            overflow: Overflow::Wait,
            max_staged_bytes: 1 << 20,
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
    }
}
