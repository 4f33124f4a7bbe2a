//! What must be true during and after a run.

use std::collections::BTreeMap;
use std::path::Path;

use straylight_hooks::QueueFolder;
use straylight_store::{ImageFilter, ImageSort, Page, SortDirection};

use super::server::{DATASET, LocalServer, PROJECT};

/// The counters on disk add up at any moment, also right after a kill.
pub(super) fn counters(queues: &Path) {
    // The first child may have been killed before it made the folder.
    for queue in QueueFolder::all(queues).unwrap_or_default() {
        // Or between the file and its tables.
        if let Ok(ledger) = queue.ledger() {
            assert!(ledger.balances(), "{ledger:?}");
        }
    }
}

/// Nothing waits, nothing died and nothing was dropped; returns how many events were delivered.
pub(super) fn emptied_queue(queues: &Path) -> u64 {
    let queue = QueueFolder::all(queues).unwrap().remove(0);
    let ledger = queue.ledger().unwrap();
    assert!(ledger.balances(), "{ledger:?}");
    let left = (ledger.queued, ledger.dead, ledger.total_dropped());
    assert_eq!(left, (0, 0, 0), "{ledger:?}");
    ledger.delivered
}

/// Every accepted image is there exactly once, and no image twice; returns how many there are.
pub(super) fn images(server: &LocalServer, accepted: &[String]) -> usize {
    let store = &server.store;
    let project = store.projects_named(PROJECT).unwrap().remove(0);
    let dataset = store.dataset_named(&project.id, DATASET).unwrap().unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let order = (ImageSort::default(), SortDirection::default());
    let all = Page::first(u64::MAX / 4);
    let page = store.images(&dataset.id, &ImageFilter::default(), order, all);
    for image in page.unwrap().images {
        let name = image.name.split('_').next().unwrap().to_owned();
        *counts.entry(name).or_default() += 1;
    }
    let doubled: Vec<_> = counts.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "doubled: {doubled:?}");
    let is_lost = |name: &&String| !counts.contains_key(*name);
    let lost: Vec<_> = accepted.iter().filter(is_lost).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    counts.len()
}
