//! What the integration tests share: a sink that behaves as it is told, and hooks whose statistics
//! are checked after every test.

#![allow(
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "each test uses what it needs"
)]

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use straylight_core::{
    Annotation, Color, Frame, Prediction, RgbImage, ScoredLabel, Shape, Timestamp,
};
use straylight_hooks::clock::ManualClock;
use straylight_hooks::trigger::AlwaysTrigger;
use straylight_hooks::{
    Action, ActionError, Delivery, Event, HookOptions, HookSet, HookSetOptions, HookStats,
    LimitOptions, PostInferenceHook, QueueFolder, SeededRandom,
};

/// Hooks whose statistics must add up whenever a test looks at them, and at its end.
///
/// `fired = delivered + queued + dropped + dead`, in the process and, after it, on disk.
pub struct Watched {
    set: Option<HookSet>,
    folder: Option<PathBuf>,
}

impl Watched {
    pub fn new(options: HookSetOptions) -> Self {
        let folder = options.state_folder.clone();
        Self {
            set: Some(HookSet::new(options)),
            folder,
        }
    }

    /// What the only hook has done.
    pub fn statistics(&self) -> HookStats {
        let mut all = check(self.set.as_ref().unwrap());
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    pub fn set(&self) -> &HookSet {
        self
    }

    pub fn submit(&self, name: &str) {
        self.show(&frame(name), &Prediction::default());
    }

    pub fn show(&self, frame: &Frame, prediction: &Prediction) {
        drop(self.deref().submit(frame, prediction));
        check(self);
    }

    /// Ends the hooks without a word to them, as a kill does: only the lock of the folder goes.
    ///
    /// The process lives on, so the files are copied over from under it.
    pub fn kill(mut self) {
        let folder = self.folder.take().unwrap();
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&folder, copy.path());
        drop(self.set.take());
        std::fs::remove_dir_all(&folder).unwrap();
        copy_folder(copy.path(), &folder);
        check_folder(&folder);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

impl Deref for Watched {
    type Target = HookSet;

    fn deref(&self) -> &HookSet {
        self.set.as_ref().unwrap()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let Some(set) = self.set.take().filter(|_| !std::thread::panicking()) else {
            return;
        };
        check(&set);
        drop(set);
        if let Some(folder) = &self.folder {
            check_folder(folder);
        }
    }
}

/// Asserts that the statistics of each hook balance.
pub fn check(hooks: &HookSet) -> Vec<HookStats> {
    let all = hooks.stats();
    for stats in &all {
        assert!(stats.balances(), "{stats:?}");
    }
    all
}

/// Asserts that the statistics of each queue on disk balance.
pub fn check_folder(folder: &Path) {
    if !folder.exists() {
        return;
    }
    for queue in QueueFolder::all(folder).unwrap() {
        let ledger = queue.ledger().unwrap();
        assert!(ledger.balances(), "{}: {ledger:?}", queue.hook());
    }
}

pub fn frame(name: &str) -> Frame {
    Frame::new(
        RgbImage::filled(8, 8, [1, 2, 3]).unwrap(),
        name,
        Timestamp::UNIX_EPOCH,
    )
}

pub fn start() -> Timestamp {
    Timestamp::from_second(1_724_174_562).unwrap()
}

/// What a sink does with an event.
pub type Behaviour = dyn Fn(&Event) -> Result<(), ActionError> + Send + Sync;

/// A remote sink that behaves as it is told and knows what it has.
#[derive(Clone)]
pub struct Sink {
    pub name: &'static str,
    pub is_remote: bool,
    pub behaviour: Arc<Behaviour>,
    pub has: Arc<Mutex<Vec<String>>>,
    pub asked: Arc<AtomicUsize>,
}

impl Sink {
    pub fn new(
        behaviour: impl Fn(&Event) -> Result<(), ActionError> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: "sink",
            is_remote: true,
            behaviour: Arc::new(behaviour),
            has: Arc::default(),
            asked: Arc::default(),
        }
    }

    pub fn has(&self) -> Vec<String> {
        self.has.lock().unwrap().clone()
    }
}

impl Action for Sink {
    fn name(&self) -> &'static str {
        "Sink"
    }

    fn sink(&self) -> String {
        self.name.to_owned()
    }

    fn is_remote(&self) -> bool {
        self.is_remote
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        (self.behaviour)(event)?;
        self.has.lock().unwrap().push(event.name.to_string());
        Ok(())
    }

    fn is_delivered(&self, event: &Event) -> Result<Delivery, ActionError> {
        self.asked.fetch_add(1, SeqCst);
        let is_there = self.has().iter().any(|name| **name == *event.name);
        Ok(if is_there {
            Delivery::Done
        } else {
            Delivery::Missing
        })
    }
}

pub fn hook(sink: &Sink, options: HookOptions) -> PostInferenceHook {
    PostInferenceHook::new(Box::new(AlwaysTrigger), Box::new(sink.clone()), options)
}

pub fn on_disk(folder: &Path, clock: &ManualClock) -> Watched {
    Watched::new(HookSetOptions {
        state_folder: Some(folder.to_owned()),
        clock: Arc::new(clock.clone()),
        random: Arc::new(SeededRandom::new(1)),
        drain_time: Duration::ZERO,
        ..HookSetOptions::default()
    })
}

pub fn inline() -> HookOptions {
    HookOptions {
        name: Some("hook".to_owned()),
        max_threads: 0,
        ..HookOptions::default()
    }
}

pub fn limited(limits: LimitOptions) -> HookOptions {
    HookOptions { limits, ..inline() }
}

/// Hooks in memory on this clock.
pub fn in_memory(clock: &ManualClock) -> Watched {
    Watched::new(HookSetOptions {
        clock: Arc::new(clock.clone()),
        random: Arc::new(SeededRandom::new(1)),
        drain_time: Duration::ZERO,
        ..HookSetOptions::default()
    })
}

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Orderly,
    /// Nothing is said to anybody, as when a process is killed.
    Killed,
}

impl End {
    pub fn of(self, hooks: Watched) {
        match self {
            Self::Orderly => drop(hooks),
            Self::Killed => hooks.kill(),
        }
    }
}

/// A picture of stripes of its own.
pub fn striped(seed: u8) -> Frame {
    let cell = |x: u32, y: u32| {
        (x * 7 + y * 13)
            .wrapping_mul(u32::from(seed) * 2 + 1)
            .wrapping_mul(0x9e37_79b1)
            >> 24
    };
    let pixels = (0..64 * 72).flat_map(|i| [cell(i % 72 / 8, i / 72 / 8) as u8; 3]);
    let image = RgbImage::new(72, 64, pixels.collect()).unwrap();
    Frame::new(image, seed.to_string(), Timestamp::UNIX_EPOCH)
}

pub fn labelled(name: &str, probability: f32) -> Prediction {
    let label = ScoredLabel {
        id: name.into(),
        name: name.into(),
        color: Color::BLACK,
        probability,
    };
    let annotation = Annotation {
        shape: Shape::whole_image(72, 64),
        labels: vec![label],
    };
    Prediction {
        annotations: vec![annotation],
        ..Prediction::default()
    }
}
