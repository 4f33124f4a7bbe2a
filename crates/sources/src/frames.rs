//! Decoding ahead of the consumer, in parallel, in order.
//!
//! One thread runs the [`Feed`], some decode. The feed puts a slot into a queue of slots, then
//! the image into the queue of work; a worker fills the slot. The consumer takes slots in order
//! and waits for each to be filled. The queue of slots is bounded: when the consumer is
//! behind, the feed blocks, so that memory holds at most `ahead` images and those being decoded. Of
//! large images it holds fewer: no worker begins another while many decoded bytes wait.

use std::iter::FusedIterator;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use straylight_image::DecodeOptions;

use crate::{Feed, Item, PixelBudget, SourceError, SourceOptions, Sourced, Stop};

type Outcome = Result<Sourced, SourceError>;
/// How often a consumer that waits looks whether the source was asked to end: what the feed is
/// blocked in (a read from a terminal) may never return.
const LOOK: Duration = Duration::from_millis(100);

/// No image is decoded while so many bytes of pixels wait for the consumer.
const MOST_DECODED: u64 = 32 << 20;

type Work = (Result<Item, SourceError>, SyncSender<Outcome>);

/// The frames of a source in order; ends when the source does or was asked to.
///
/// An item that is an error says what is wrong with one image, or why the source ended; the
/// iterator itself goes on as long as there is something. Dropping it ends the source.
#[derive(Debug)]
pub struct Frames {
    slots: Option<Receiver<Receiver<Outcome>>>,
    decoded: Arc<PixelBudget>,
    stop: Stop,
}

impl Frames {
    /// Starts a feed of your own; [`crate::open`] does so for the usual ones.
    ///
    /// Of the options the name, the stride, the limits, and the numbers of threads and images count
    /// here.
    pub fn start(feed: Box<dyn Feed>, options: &SourceOptions, stop: Stop) -> Self {
        let ahead = options.ahead.max(1);
        let (slot_sender, slots) = sync_channel(ahead);
        let (work_sender, work) = sync_channel(ahead);
        let work = Arc::new(Mutex::new(work));
        let decoded = Arc::new(PixelBudget::new(MOST_DECODED));
        let name: Option<Arc<str>> = options.name.as_deref().map(Arc::from);
        for _ in 0..options.workers.max(1) {
            let (work, decoded) = (Arc::clone(&work), Arc::clone(&decoded));
            let (decode, name) = (options.decode, name.clone());
            thread::spawn(move || decode_all(&work, &decoded, &decode, name.as_ref()));
        }
        let (stride, asked) = (options.stride.max(1), stop.clone());
        thread::spawn(move || run(feed, stride, &asked, &slot_sender, &work_sender));
        Self {
            slots: Some(slots),
            decoded,
            stop,
        }
    }

    /// Asks the source to end; images that are already read are still delivered.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }
}

fn run(
    feed: Box<dyn Feed>,
    stride: u64,
    stop: &Stop,
    slots: &SyncSender<Receiver<Outcome>>,
    work: &SyncSender<Work>,
) {
    let mut count: u64 = 0;
    feed.feed(&mut |item| {
        if stop.is_asked() {
            return ControlFlow::Break(());
        }
        // Errors are not images: they are always told.
        if item.is_ok() {
            count += 1;
            if !u64::is_multiple_of(count - 1, stride) {
                return ControlFlow::Continue(());
            }
        }
        let (filled, slot) = sync_channel(1);
        let sent = slots.send(slot).is_ok() && work.send((item, filled)).is_ok();
        if sent {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
}

fn decode_all(
    work: &Mutex<Receiver<Work>>,
    decoded: &PixelBudget,
    options: &DecodeOptions,
    source: Option<&Arc<str>>,
) {
    loop {
        let work = work.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits here takes the next image: a later one never fills the room of an earlier.
        decoded.wait_for_room();
        let Ok((item, filled)) = work.recv() else {
            return;
        };
        drop(work);
        let mut outcome = item.and_then(|item| item.decode(options));
        if let (Ok(sourced), Some(source)) = (&mut outcome, source) {
            sourced.frame = sourced.frame.clone().with_source(Arc::clone(source));
        }
        if let Ok(sourced) = &outcome {
            decoded.add(&sourced.frame);
        }
        // The consumer may be gone; then the feed ends at its next image.
        let _ = filled.send(outcome);
    }
}

impl Frames {
    /// The next slot; `None` when the feed is done, or was asked to end and gave nothing more.
    fn slot(&self) -> Option<Receiver<Outcome>> {
        let slots = self.slots.as_ref()?;
        loop {
            let was_asked = self.stop.is_asked();
            match slots.recv_timeout(LOOK) {
                Ok(slot) => return Some(slot),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) if was_asked => return None,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Iterator for Frames {
    type Item = Outcome;

    fn next(&mut self) -> Option<Outcome> {
        let outcome = self.slot().and_then(|slot| slot.recv().ok());
        match &outcome {
            Some(Ok(sourced)) => self.decoded.free(sourced.frame.pixel_bytes()),
            Some(Err(_)) => {}
            None => self.slots = None,
        }
        outcome
    }
}

impl FusedIterator for Frames {}

impl Drop for Frames {
    fn drop(&mut self) {
        self.stop.ask();
        self.decoded.close();
    }
}
