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
    let queue = Queue::with_journal(QueueOptions::DISK, Box::new(journal), resumed);
    let (ledger, ..) = queue.books();
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
        ..QueueOptions::MEMORY
    };
    let queue = Queue::in_memory(options);
    for i in 1..50 {
        queue.push(Arc::new(event_with(i << 64, "x")), Duration::ZERO);
        let (ledger, memory, _) = queue.books();
        assert!(memory <= one * 3 && ledger.balances());
    }
    let queue = Queue::in_memory(QueueOptions {
        max_bytes: one - 1,
        ..options
    });
    let pushed = queue.push(Arc::new(event_with(1 << 64, "x")), Duration::ZERO);
    assert_eq!(pushed, Pushed::Dropped(DropReason::TooLarge));
}
