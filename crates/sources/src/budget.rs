use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use straylight_core::Frame;

/// How many bytes of pixels wait for someone; whoever would add more waits while they are many.
///
/// Bounds the memory of large images, of which a usual number would fill it.
#[derive(Debug)]
pub struct PixelBudget {
    most: u64,
    /// `None` once nobody wants them.
    waiting: Mutex<Option<u64>>,
    changed: Condvar,
}

impl PixelBudget {
    /// A budget of so many bytes; one image more is let in while fewer wait.
    pub fn new(most: u64) -> Self {
        Self {
            most,
            waiting: Mutex::new(Some(0)),
            changed: Condvar::new(),
        }
    }

    /// Returns when there is room for one more image, or nobody wants it.
    pub fn wait_for_room(&self) {
        let is_full = |waiting: &mut Option<u64>| waiting.is_some_and(|bytes| bytes >= self.most);
        drop(self.changed.wait_while(self.lock(), is_full));
    }

    /// An image waits; returns its bytes, which [`PixelBudget::free`] wants back.
    pub fn add(&self, frame: &Frame) -> u64 {
        let bytes = frame.pixel_bytes();
        if let Some(waiting) = &mut *self.lock() {
            *waiting += bytes;
        }
        bytes
    }

    /// An image of so many bytes waits no longer.
    pub fn free(&self, bytes: u64) {
        if let Some(waiting) = &mut *self.lock() {
            *waiting = waiting.saturating_sub(bytes);
        }
        self.changed.notify_all();
    }

    /// Nobody wants images any more: nobody waits for room.
    pub fn close(&self) {
        *self.lock() = None;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Option<u64>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use straylight_core::{RgbImage, Timestamp};

    use super::*;

    #[test]
    fn whoever_adds_waits_for_room_until_nobody_wants_more() {
        let image = RgbImage::filled(10, 10, [0; 3]).unwrap();
        let frame = Frame::new(image, "", Timestamp::UNIX_EPOCH);
        let budget = PixelBudget::new(301);
        assert_eq!(budget.add(&frame), 300);
        // One byte less than full: one more is let in.
        budget.wait_for_room();
        budget.add(&frame);
        let (sender, told) = channel();
        thread::scope(|scope| {
            scope.spawn(|| {
                budget.wait_for_room();
                sender.send("room").unwrap();
                budget.add(&frame);
                budget.wait_for_room();
                sender.send("closed").unwrap();
            });
            assert!(told.try_recv().is_err());
            budget.free(300);
            assert_eq!(told.recv(), Ok("room"));
            budget.close();
            assert_eq!(told.recv(), Ok("closed"));
        });
    }
}
