mod flaky;
mod model;
mod versions;

use super::*;
use crate::testing::event_with;

#[test]
fn an_event_comes_back_from_the_disk_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = DiskJournal::open(folder.path()).unwrap();
    let mut event = event_with(7 << 64, "ä/…");
    event.score = f64::NAN;
    let prediction = Arc::make_mut(&mut event.prediction);
    prediction.activations.features = Some(vec![0.1, f32::INFINITY, -0.0].into());
    let event = Arc::new(event);
    journal.append(&[Arc::clone(&event)], None).unwrap();
    let back = journal.load(event.id).unwrap();
    assert_eq!(back.score.to_bits(), event.score.to_bits());
    assert_eq!(back.key(), event.key());
    assert_eq!(back.prediction, event.prediction);
    assert_eq!((&back.name, &back.reason), (&event.name, &event.reason));
    assert_eq!(
        (back.fired_at, back.captured_at),
        (event.fired_at, event.captured_at)
    );
    assert_eq!(
        back.picture.image().unwrap(),
        event.picture.image().unwrap()
    );
}

#[test]
fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = DiskJournal::open(folder.path()).unwrap();
    let error = DiskJournal::open(folder.path()).err().unwrap().to_string();
    assert!(error.contains("in use by another process"), "{error}");
    drop(first);
    DiskJournal::open(folder.path()).unwrap();
}

#[test]
fn what_a_crash_left_in_the_spool_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    drop(DiskJournal::open(folder.path()).unwrap());
    let leftover = folder.path().join(format!("spool/{}.png", EventId(5)));
    std::fs::write(&leftover, b"half").unwrap();
    drop(DiskJournal::open(folder.path()).unwrap());
    assert!(!leftover.exists());
}

/// Rows cannot be removed from a database that is full; here it is one that may not be written.
#[test]
fn what_was_delivered_on_a_full_disk_stays_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = DiskJournal::open(folder.path()).unwrap();
    let event = Arc::new(event_with(7 << 64, "x"));
    journal.append(&[Arc::clone(&event)], None).unwrap();
    journal.refuse_writes(true);
    journal.delivered(event.id).unwrap_err();
    let image = folder.path().join(format!("spool/{}.png", event.id));
    assert_eq!(std::fs::metadata(&image).unwrap().len(), 0);
    drop(journal);
    let (journal, resumed) = DiskJournal::open(folder.path()).unwrap();
    assert_eq!(
        (resumed.waiting.len(), &resumed.finished),
        (0, &vec![event.id])
    );
    let queue = Queue::with_journal(
        QueueOptions::DISK,
        SourceKind::Unknown,
        Box::new(journal),
        resumed,
    );
    let ledger = queue.stats().ledgers.total;
    assert!(ledger.balances());
    assert_eq!((ledger.fired, ledger.delivered, ledger.queued), (1, 1, 0));
    queue.settle().unwrap();
    drop(queue);
    assert!(!image.exists());
    let (_, resumed) = DiskJournal::open(folder.path()).unwrap();
    assert_eq!((resumed.totals.fired, resumed.totals.delivered), (1, 1));
}

#[test]
fn a_damaged_database_is_an_error_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    std::fs::write(&path, vec![b'x'; 4096]).unwrap();
    let error = DiskJournal::open(folder.path()).err().unwrap().to_string();
    assert!(
        error.contains("queue.db") && error.contains("move the queue's folder"),
        "{error}"
    );
}

#[test]
fn memory_stays_within_its_bytes() {
    let one = event_with(1 << 64, "x").memory_bytes();
    let options = QueueOptions {
        max_bytes: one * 3,
        max_events: 100,
        overflow: Overflow::DropOldest,
        ..QueueOptions::MEMORY
    };
    let push =
        |queue: &Queue, i: u128| queue.push(&Arc::new(event_with(i << 64, "x")), Duration::ZERO);
    let queue = Queue::in_memory(options, SourceKind::Unknown);
    for i in 1..50 {
        push(&queue, i);
        let stats = queue.stats();
        assert!(stats.memory_bytes <= one * 3 && stats.ledgers.total.balances());
    }
    assert_eq!(queue.take_first_drops(), [DropReason::Displaced]);
    assert_eq!(queue.take_first_drops(), []);
    let small = QueueOptions {
        max_bytes: one - 1,
        ..options
    };
    let queue = Queue::in_memory(small, SourceKind::Unknown);
    assert_eq!(push(&queue, 1), Pushed::Dropped(DropReason::TooLarge));
}

#[test]
fn an_event_that_is_larger_than_its_queue_waits_alone_where_nothing_may_be_lost() {
    let one = event_with(1 << 64, "x").memory_bytes();
    let options = QueueOptions {
        max_bytes: one - 1,
        ..QueueOptions::MEMORY
    };
    let queue = Queue::in_memory(options, SourceKind::CanWait);
    let push = |i: u128| queue.push(&Arc::new(event_with(i << 64, "x")), Duration::ZERO);
    assert_eq!((push(1), push(2)), (Pushed::Ready, Pushed::Full));
    let job = queue.take_due(Duration::ZERO).unwrap();
    queue.delivered(job.id).unwrap();
    assert_eq!(push(2), Pushed::Ready);
}

/// Overflow, source, whether there is a disk; what a full memory and a full disk do.
#[test]
fn the_policy_follows_from_what_the_user_and_the_source_want() {
    use Overflow::{Auto, DropNewest, DropOldest, Spill, Wait};
    use SourceKind::{CanWait, Live, Unknown};
    const FULL: Pushed = Pushed::Full;
    const NEWEST: Pushed = Pushed::Dropped(DropReason::QueueFull);
    struct Case(Overflow, SourceKind, bool, Pushed, Pushed);
    let one = event_with(1 << 64, "x").memory_bytes();
    for Case(overflow, source, has_disk, memory_full, disk_full) in [
        Case(Auto, CanWait, true, FULL, FULL),
        Case(Auto, CanWait, false, FULL, FULL),
        Case(Auto, Unknown, false, FULL, FULL),
        Case(Auto, Unknown, true, Pushed::Staged, FULL),
        Case(Auto, Live, true, Pushed::Staged, NEWEST),
        Case(Auto, Live, false, NEWEST, NEWEST),
        Case(Spill, CanWait, true, Pushed::Staged, FULL),
        Case(Spill, Live, true, Pushed::Staged, NEWEST),
        Case(Wait, Live, true, FULL, FULL),
        Case(DropNewest, CanWait, true, NEWEST, NEWEST),
        Case(DropOldest, CanWait, true, Pushed::Ready, Pushed::Ready),
    ] {
        let options = QueueOptions {
            overflow,
            max_events: 1,
            max_spilled_bytes: one,
            ..QueueOptions::MEMORY
        };
        let folder = tempfile::tempdir().unwrap();
        let queue = if has_disk {
            let (journal, resumed) = DiskJournal::open(folder.path()).unwrap();
            Queue::with_journal(options, source, Box::new(journal), resumed)
        } else {
            Queue::in_memory(options, source)
        };
        let push = |i: u128| queue.push(&Arc::new(event_with(i << 64, "x")), Duration::ZERO);
        let pushed = [push(1), push(2), push(3)];
        let expected = [Pushed::Ready, memory_full, disk_full];
        assert_eq!(pushed, expected, "{overflow:?} {source:?} {has_disk}");
    }
}

/// A live source waits for a disk that is only slow, and for none that does not work.
#[test]
fn a_live_source_drops_nothing_while_the_disk_is_written() {
    let one = event_with(1 << 64, "x").memory_bytes();
    let folder = tempfile::tempdir().unwrap();
    let (journal, resumed) = DiskJournal::open(folder.path()).unwrap();
    let options = QueueOptions {
        max_staged_bytes: one,
        ..QueueOptions::DISK
    };
    let queue = Queue::with_journal(options, SourceKind::Live, Box::new(journal), resumed);
    let push = |i: u128| queue.push(&Arc::new(event_with(i << 64, "x")), Duration::ZERO);
    assert_eq!((push(1), push(2)), (Pushed::Staged, Pushed::Full));
    queue.note_disk(true);
    assert_eq!(push(2), Pushed::Dropped(DropReason::QueueFull));
    queue.note_disk(false);
    assert_eq!(queue.spool(Duration::ZERO, || None, |_| {}).unwrap(), 1);
    assert_eq!(push(3), Pushed::Staged);
}

#[test]
fn what_is_left_in_memory_goes_to_the_disk_at_the_end_also_what_a_worker_has() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let (journal, resumed) = DiskJournal::open(folder.path()).unwrap();
        let options = QueueOptions::MEMORY;
        Queue::with_journal(options, SourceKind::CanWait, Box::new(journal), resumed)
    };
    let queue = open();
    for i in 1..=4 {
        queue.push(&Arc::new(event_with(i << 64, "x")), Duration::ZERO);
    }
    let dead = queue.take_due(Duration::ZERO).unwrap();
    queue
        .give_up(dead.id, "no", crate::testing::time(0))
        .unwrap();
    let (hangs, late) = (
        queue.take_due(Duration::ZERO).unwrap(),
        queue.take_due(Duration::ZERO),
    );
    let ledger = queue.stats().ledgers.run;
    assert_eq!((ledger.queued, ledger.in_memory, ledger.dead), (0, 3, 1));
    queue.stage_all().unwrap();
    while queue.spool(Duration::ZERO, || None, |_| {}).unwrap() > 0 {}
    queue.delivered(late.unwrap().id).unwrap();
    assert!(queue.abandon().is_empty());
    queue.settle().unwrap();
    let ledger = queue.stats().ledgers.run;
    assert_eq!(
        (ledger.delivered, ledger.queued, ledger.in_memory),
        (1, 2, 0)
    );
    drop(queue);
    let queue = open();
    let ledgers = queue.stats().ledgers;
    assert!(
        ledgers.total.balances() && ledgers.earlier.balances(),
        "{ledgers:?}"
    );
    let earlier = &ledgers.earlier;
    assert_eq!((earlier.fired, earlier.queued, earlier.dead), (3, 2, 1));
    assert_eq!(
        (ledgers.run.fired, ledgers.total.fired, ledgers.died),
        (0, 4, 0)
    );
    assert_eq!(queue.take_due(Duration::ZERO).unwrap().id, hangs.id);
}
