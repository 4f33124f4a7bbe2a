//! Queues that other versions of the program left.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use rusqlite::Connection;

use super::super::*;
use crate::clock::ManualClock;
use crate::testing::{frame, time};
use crate::trigger::AlwaysTrigger;
use crate::{
    Action, ActionError, Delivery, HookOptions, HookSet, HookSetOptions, LimitKind, LimitOptions,
    Outcome, PostInferenceHook,
};

/// The tables and rows of a queue of version 1.
const VERSION_1: &str = include_str!("../../../fixtures/queue-v1.sql");

/// The events in it that wait, and the dead letter.
const NAMES: [&str; 3] = ["waits", "tried", "dead"];

fn id(n: u128) -> EventId {
    EventId(n << 64)
}

/// Makes a queue of version 1 in a folder, as its program left it.
fn make_version_1(folder: &Path) {
    fs::create_dir_all(folder.join("spool")).unwrap();
    let old = Connection::open(folder.join("queue.db")).unwrap();
    old.pragma_update(None, "journal_mode", "WAL").unwrap();
    old.execute_batch(VERSION_1).unwrap();
    for (n, name) in (1..).zip(NAMES) {
        let image = straylight_image::encode_png(frame(name).image()).unwrap();
        fs::write(folder.join(format!("spool/{}.png", id(n))), image).unwrap();
    }
}

fn version(folder: &Path) -> i64 {
    let connection = Connection::open(folder.join("queue.db")).unwrap();
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

/// Asserts that the queue holds what version 1 left: nothing less, nothing twice.
fn check_taken_over(folder: &Path) {
    let (journal, resumed) = DiskJournal::open(folder).unwrap();
    let waiting: Vec<_> = resumed
        .waiting
        .iter()
        .map(|(id, row)| (*id, row.attempts, row.error.as_str()))
        .collect();
    assert_eq!(waiting, [(id(1), 0, ""), (id(2), 2, "no route to host")]);
    let [(dead, row, died_at)] = &resumed.dead[..] else {
        panic!("one dead letter: {:?}", resumed.dead)
    };
    assert_eq!((*dead, row.attempts, *died_at), (id(3), 20, time(36_463)));
    assert!(resumed.held.is_empty() && resumed.finished.is_empty());
    for (n, name) in (1..).zip(NAMES) {
        let event = journal.load(id(n)).unwrap();
        assert_eq!((&*event.name, event.score), (name, 0.93));
        assert_eq!(event.prediction.annotations[0].labels[0].name, "dog");
        assert_eq!(event.captured_at, time(0));
        assert_eq!(event.picture.image().unwrap(), frame(name).image());
    }
    let queue = Queue::with_journal(
        QueueOptions::DISK,
        SourceKind::Unknown,
        Box::new(journal),
        resumed,
    );
    let ledger = queue.stats().ledgers.total;
    assert!(ledger.balances(), "{ledger:?}");
    let accounts = (ledger.fired, ledger.delivered, ledger.queued, ledger.dead);
    assert_eq!(accounts, (5, 1, 2, 1));
    assert_eq!(ledger.dropped, BTreeMap::from([(DropReason::Displaced, 1)]));
    drop(queue);
    assert_eq!(version(folder), 2);
}

#[test]
fn a_queue_of_version_1_is_taken_over_whole() {
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("hook");
    make_version_1(&folder);
    let looked_at = QueueFolder::all(state.path()).unwrap().remove(0);
    let error = looked_at.ledger().unwrap_err().to_string();
    assert!(error.contains("start its hooks once"), "{error}");
    assert_eq!(version(&folder), 1);
    check_taken_over(&folder);
    check_taken_over(&folder);
    assert!(looked_at.ledger().unwrap().balances());
    assert_eq!(looked_at.events().unwrap().len(), 3);
}

/// Keeps the names of what it is given; it knows what it has.
struct Keep(Arc<Mutex<Vec<String>>>);

impl Action for Keep {
    fn name(&self) -> &'static str {
        "Keep"
    }

    fn sink(&self) -> String {
        "keep".to_owned()
    }

    fn perform(&self, event: &Event) -> Result<(), ActionError> {
        lock(&self.0).push(event.name.to_string());
        Ok(())
    }

    fn is_delivered(&self, event: &Event) -> Result<Delivery, ActionError> {
        let is_there = lock(&self.0).iter().any(|name| **name == *event.name);
        Ok(if is_there {
            Delivery::Done
        } else {
            Delivery::Missing
        })
    }
}

#[test]
fn hooks_go_on_with_a_queue_of_version_1_and_with_its_limits() {
    let state = tempfile::tempdir().unwrap();
    make_version_1(&state.path().join("hook"));
    let hooks = HookSet::new(HookSetOptions {
        state_folder: Some(state.path().to_owned()),
        clock: Arc::new(ManualClock::new(time(60_000))),
        ..HookSetOptions::default()
    });
    let got = Arc::new(Mutex::default());
    let options = HookOptions {
        name: Some("hook".to_owned()),
        max_threads: 0,
        queue: Some(QueueOptions::DISK),
        limits: LimitOptions {
            max_total: Some(6),
            ..LimitOptions::default()
        },
        ..HookOptions::default()
    };
    let action = Box::new(Keep(Arc::clone(&got)));
    hooks
        .add(PostInferenceHook::new(
            Box::new(AlwaysTrigger),
            action,
            options,
        ))
        .unwrap();
    assert!(hooks.drain(Duration::ZERO));
    assert!(hooks.retry_dead_letter("hook", id(3)).unwrap());
    let prediction = straylight_core::Prediction::default();
    let submit = |name| hooks.submit(&frame(name), &prediction).remove(0);
    assert!(submit("sixth").is_fired());
    let seventh = submit("seventh");
    assert!(matches!(
        seventh,
        Outcome::Suppressed {
            limit: LimitKind::Quota,
            ..
        }
    ));
    assert!(hooks.drain(Duration::ZERO));
    assert_eq!(*lock(&got), ["waits", "tried", "dead", "sixth"]);
    let ledger = hooks.stats().remove(0).ledger;
    assert!(ledger.balances(), "{ledger:?}");
    assert_eq!((ledger.fired, ledger.delivered, ledger.dead), (6, 5, 0));
}

/// The log of the change is cut off at any place, as a kill or a power cut does.
#[test]
fn a_kill_while_the_queue_is_renewed_leaves_the_old_version_or_the_new_one() {
    let old = tempfile::tempdir().unwrap();
    make_version_1(old.path());
    let database = fs::read(old.path().join("queue.db")).unwrap();
    let renewing = DiskJournal::open(old.path()).unwrap();
    let log = fs::read(old.path().join("queue.db-wal")).unwrap();
    assert_eq!(fs::read(old.path().join("queue.db")).unwrap(), database);
    drop(renewing);
    let killed_at = |end| {
        let folder = tempfile::tempdir().unwrap();
        make_version_1(folder.path());
        fs::write(folder.path().join("queue.db"), &database).unwrap();
        fs::write(folder.path().join("queue.db-wal"), &log[..end]).unwrap();
        folder
    };
    let mut found = BTreeMap::new();
    let ends = (0..log.len())
        .step_by(509)
        .chain([log.len() - 1, log.len()]);
    for end in ends {
        *found.entry(version(killed_at(end).path())).or_insert(0) += 1;
        check_taken_over(killed_at(end).path());
    }
    assert!(
        found[&1] > 5 && found[&2] > 0 && found.len() == 2,
        "{found:?}"
    );
}

/// Every file of a queue but its lock.
fn bytes_of(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = ["queue.db", "queue.db-wal", "spool/image.png"];
    let read = |name: &str| (name.to_owned(), fs::read(folder.join(name)).unwrap());
    files.into_iter().map(read).collect()
}

#[test]
fn a_queue_of_a_newer_version_is_refused_and_stays_as_it_is() {
    let (theirs, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let newer = Connection::open(theirs.path().join("queue.db")).unwrap();
    newer.pragma_update(None, "journal_mode", "WAL").unwrap();
    newer
        .execute_batch(
            "PRAGMA user_version = 3; CREATE TABLE things (x); INSERT INTO things VALUES (1);",
        )
        .unwrap();
    // As after a kill: what it wrote is still in the log alone.
    let folder = state.path().join("hook");
    fs::create_dir_all(folder.join("spool")).unwrap();
    for name in ["queue.db", "queue.db-wal"] {
        fs::copy(theirs.path().join(name), folder.join(name)).unwrap();
    }
    fs::write(folder.join("spool/image.png"), b"theirs").unwrap();
    let before = bytes_of(&folder);
    assert!(before["queue.db-wal"].len() > 4_096);
    let looked_at = QueueFolder::all(state.path()).unwrap().remove(0);
    for error in [
        DiskJournal::open(&folder).err().unwrap(),
        looked_at.ledger().unwrap_err(),
        looked_at.discard(&[id(1)]).unwrap_err(),
    ] {
        let text = error.to_string();
        for part in ["queue.db", "version 3", "knows 2", "use a newer Straylight"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(
            bytes_of(&folder) == before,
            "{text}: the files have changed"
        );
    }
}
