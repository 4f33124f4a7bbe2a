//! The queue against a plain model: random operations, refused writes and crashes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use proptest::prelude::*;

use super::super::*;
use super::flaky::Flaky;
use crate::testing::{event_with, time};

const ROOM: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    Push,
    Spool,
    Take,
    Deliver,
    Retry,
    GiveUp,
    Requeue,
    Discard,
    DiskFull(bool),
    Crash,
    Shutdown,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Push),
        4 => Just(Step::Spool),
        4 => Just(Step::Take),
        3 => Just(Step::Deliver),
        2 => Just(Step::Retry),
        1 => Just(Step::GiveUp),
        1 => Just(Step::Requeue),
        1 => Just(Step::Discard),
        1 => any::<bool>().prop_map(Step::DiskFull),
        1 => Just(Step::Crash),
        1 => Just(Step::Shutdown),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Staged,
    /// On disk if the flag is set, else in memory.
    Waiting(bool),
    InFlight(bool),
    Dead(bool),
}

/// What the queue should hold, told in the plainest way.
#[derive(Debug, Default)]
struct Model {
    events: BTreeMap<EventId, Where>,
    delivered: u64,
    dropped: u64,
    fired: u64,
}

impl Model {
    fn queued(&self) -> usize {
        self.events
            .values()
            .filter(|place| !matches!(place, Where::Dead(_)))
            .count()
    }

    fn first(&self, wanted: impl Fn(Where) -> bool) -> Option<EventId> {
        self.events
            .iter()
            .find(|(_, place)| wanted(**place))
            .map(|(id, _)| *id)
    }

    fn drop_event(&mut self, id: EventId) {
        self.events.remove(&id);
        self.dropped += 1;
    }

    fn in_memory(&self) -> usize {
        let is_there =
            |place: &&Where| matches!(place, Where::Waiting(false) | Where::InFlight(false));
        self.events.values().filter(is_there).count()
    }

    /// What counts against the room of the queue.
    fn used(&self, options: &QueueOptions) -> usize {
        match options.storage {
            Storage::Memory => self.in_memory(),
            Storage::Disk => self.queued(),
        }
    }

    fn push(&mut self, id: EventId, options: &QueueOptions) {
        // One that was requeued may be more than there is room for.
        while self.used(options) >= ROOM && options.overflow == Overflow::DropOldest {
            let oldest = self.first(|place| matches!(place, Where::Staged | Where::Waiting(_)));
            let Some(oldest) = oldest else { break };
            self.drop_event(oldest);
        }
        let place = match (options.storage, options.overflow) {
            (Storage::Memory, _) if self.used(options) < ROOM => Some(Where::Waiting(false)),
            (Storage::Memory, Overflow::Spill) => Some(Where::Staged),
            (Storage::Disk, _) if self.used(options) < ROOM => Some(Where::Staged),
            // Whoever waits comes again, or counts it as lost.
            (_, Overflow::Wait) => return,
            _ => None,
        };
        self.fired += 1;
        match place {
            Some(place) => drop(self.events.insert(id, place)),
            None => self.dropped += 1,
        }
    }

    /// Only what is on disk is left, and nothing is in flight.
    fn crash(&mut self) {
        let lost: Vec<EventId> = self
            .events
            .iter()
            .filter(|(_, place)| {
                !matches!(
                    place,
                    Where::Waiting(true) | Where::InFlight(true) | Where::Dead(true)
                )
            })
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            self.events.remove(&id);
        }
        for place in self.events.values_mut() {
            if *place == Where::InFlight(true) {
                *place = Where::Waiting(true);
            }
        }
    }
}

/// The queue under test beside its model.
struct Pair {
    folder: tempfile::TempDir,
    options: QueueOptions,
    queue: Queue,
    is_full: Arc<AtomicBool>,
    model: Model,
    next: u128,
}

fn open(folder: &Path, options: QueueOptions, is_full: &Arc<AtomicBool>) -> Queue {
    let (disk, resumed) = DiskJournal::open(folder).unwrap();
    let journal = Flaky {
        disk,
        is_full: Arc::clone(is_full),
    };
    Queue::with_journal(options, SourceKind::Live, Box::new(journal), resumed)
}

impl Pair {
    fn new(storage: Storage, overflow: Overflow) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = QueueOptions {
            storage,
            overflow,
            max_events: ROOM,
            ..QueueOptions::DISK
        };
        let is_full = Arc::new(AtomicBool::new(false));
        let queue = open(folder.path(), options, &is_full);
        Self {
            folder,
            options,
            queue,
            is_full,
            model: Model::default(),
            next: 1,
        }
    }

    fn is_full(&self) -> bool {
        self.is_full.load(SeqCst)
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Push => self.push(),
            Step::Spool => self.spool(),
            Step::Take => self.take(),
            Step::Deliver => self.deliver(),
            Step::Retry => self.retry(),
            Step::GiveUp => self.give_up(),
            Step::Requeue => self.requeue(),
            Step::Discard => self.discard(),
            Step::DiskFull(is_full) => self.is_full.store(*is_full, SeqCst),
            Step::Crash => self.crash(),
            Step::Shutdown => self.shut_down(),
        }
    }

    fn push(&mut self) {
        let event = event_with(self.next << 64, "x");
        self.next += 1;
        let before = self.model.fired;
        self.model.push(event.id, &self.options);
        let pushed = self.queue.push(&Arc::new(event), Duration::ZERO);
        assert_eq!(pushed == Pushed::Full, self.model.fired == before);
    }

    fn spool(&mut self) {
        let spooled = self.queue.spool(Duration::ZERO, || None, |_| {});
        let staged = self.model.first(|place| place == Where::Staged).is_some();
        assert!(spooled.is_ok() || self.is_full());
        if spooled.is_err() {
            return;
        }
        assert_eq!(spooled.unwrap() > 0, staged);
        for place in self
            .model
            .events
            .values_mut()
            .filter(|place| **place == Where::Staged)
        {
            *place = Where::Waiting(true);
        }
    }

    fn take(&mut self) {
        let wanted = self.model.first(|place| matches!(place, Where::Waiting(_)));
        let job = self.queue.take_due(Duration::MAX);
        assert_eq!(job.as_ref().map(|job| job.id), wanted);
        if let Some(job) = job {
            assert_eq!(job.event.unwrap().id, job.id);
            let place = self.model.events.get_mut(&job.id).unwrap();
            *place = Where::InFlight(*place == Where::Waiting(true));
        }
    }

    fn in_flight(&self) -> Option<EventId> {
        self.model
            .first(|place| matches!(place, Where::InFlight(_)))
    }

    fn deliver(&mut self) {
        let Some(id) = self.in_flight() else { return };
        let _ = self.queue.delivered(id);
        self.model.events.remove(&id);
        self.model.delivered += 1;
    }

    fn retry(&mut self) {
        let Some(id) = self.in_flight() else { return };
        let failure = Failure {
            attempts: 1,
            ambiguous: false,
            error: "no",
        };
        let _ = self.queue.retry(id, Duration::ZERO, &failure);
        let place = self.model.events.get_mut(&id).unwrap();
        *place = Where::Waiting(*place == Where::InFlight(true));
    }

    fn give_up(&mut self) {
        let Some(id) = self.in_flight() else { return };
        // A dead letter that the journal misses is made again after a crash; the model keeps out of it.
        if self.is_full() {
            return;
        }
        self.queue.give_up(id, "no", time(0)).unwrap();
        let place = self.model.events.get_mut(&id).unwrap();
        // With a journal every dead letter is on disk.
        *place = Where::Dead(true);
    }

    fn dead(&self) -> Option<EventId> {
        self.model.first(|place| matches!(place, Where::Dead(_)))
    }

    fn requeue(&mut self) {
        let Some(id) = self.dead() else { return };
        if self.is_full() {
            return;
        }
        assert!(self.queue.requeue(id, Duration::ZERO).unwrap());
        let place = self.model.events.get_mut(&id).unwrap();
        *place = Where::Waiting(*place == Where::Dead(true));
    }

    fn discard(&mut self) {
        let Some(id) = self.dead() else { return };
        let noted = self.queue.discard(id);
        assert!(noted.is_ok_and(|found| found) || self.is_full());
        self.model.drop_event(id);
    }

    /// What the journal could not note comes back after a crash; so the disk works before it.
    fn crash(&mut self) {
        self.is_full.store(false, SeqCst);
        self.queue.settle().unwrap();
        self.model.crash();
        self.reopen();
    }

    fn shut_down(&mut self) {
        self.is_full.store(false, SeqCst);
        self.queue.stage_all().unwrap();
        while self.queue.spool(Duration::ZERO, || None, |_| {}).unwrap() > 0 {}
        assert!(self.queue.abandon().is_empty());
        self.queue.settle().unwrap();
        for place in self.model.events.values_mut() {
            if !matches!(place, Where::Dead(_)) {
                *place = Where::Waiting(true);
            }
        }
        let before = self.model.fired;
        self.model.crash();
        self.reopen();
        assert_eq!(self.model.fired, before, "nothing is lost at an end");
    }

    /// Lets go of the queue without a word, as a process that is killed does.
    fn reopen(&mut self) {
        let options = QueueOptions::MEMORY;
        let nothing = Queue::in_memory(options, SourceKind::Unknown);
        drop(std::mem::replace(&mut self.queue, nothing));
        self.queue = open(self.folder.path(), self.options, &self.is_full);
        let ledgers = self.queue.stats().ledgers;
        assert_eq!(ledgers.earlier.fired, self.model.events.len() as u64);
        let ledger = ledgers.total;
        // What waited in memory is counted nowhere any more; the model takes over the queue's numbers.
        self.model.fired = ledger.fired;
        self.model.delivered = ledger.delivered;
        self.model.dropped = ledger.total_dropped();
    }

    fn compare(&self) {
        let ledgers = self.queue.stats().ledgers;
        for ledger in [&ledgers.total, &ledgers.run, &ledgers.earlier] {
            assert!(ledger.balances(), "{ledgers:?}");
        }
        let ledger = &ledgers.total;
        assert_eq!(
            ledger.waiting(),
            ledgers.run.waiting() + ledgers.earlier.waiting()
        );
        let loose = self.model.events.values().filter(|place| {
            matches!(
                place,
                Where::Staged | Where::Waiting(false) | Where::InFlight(false)
            )
        });
        assert_eq!(ledger.in_memory, loose.count() as u64);
        let dead = self.model.events.len() - self.model.queued();
        assert_eq!(
            (ledger.fired, ledger.delivered, ledger.total_dropped()),
            (self.model.fired, self.model.delivered, self.model.dropped)
        );
        assert_eq!(
            (ledger.waiting(), ledger.dead),
            (self.model.queued() as u64, dead as u64)
        );
    }
}

/// Found by chance: the requeued event is the fifth where there is room for four.
#[test]
fn the_next_event_makes_room_after_one_too_many_was_requeued() {
    use Step::{GiveUp, Push, Requeue, Take};
    for storage in [Storage::Memory, Storage::Disk] {
        let mut pair = Pair::new(storage, Overflow::DropOldest);
        for step in [
            Push,
            Push,
            Push,
            Push,
            Step::Spool,
            Take,
            GiveUp,
            Push,
            Requeue,
            Push,
            Take,
        ] {
            pair.run(&step);
            pair.compare();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_does_what_the_model_does(
        steps in prop::collection::vec(step(), 1..60),
        kind in prop::sample::select(vec![
            (Storage::Memory, Overflow::DropOldest),
            (Storage::Memory, Overflow::DropNewest),
            (Storage::Disk, Overflow::DropOldest),
            (Storage::Disk, Overflow::DropNewest),
            (Storage::Memory, Overflow::Spill),
            (Storage::Memory, Overflow::Wait),
            (Storage::Disk, Overflow::Wait),
        ]),
    ) {
        let mut pair = Pair::new(kind.0, kind.1);
        for step in &steps {
            pair.run(step);
            pair.compare();
        }
    }
}
