use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;

/// Bytes a second below which a body is given up, on average after [`GRACE`].
pub(crate) const SLOWEST: u64 = 1024;

/// How long a body may take however short it is.
pub(crate) const GRACE: Duration = Duration::from_secs(120);

/// A reader that gives up on a body which trickles.
///
/// The time-out of single reads does not catch a server that sends a byte now and then.
pub(crate) struct Guard<R> {
    reader: R,
    clock: Arc<dyn Clock>,
    start: Duration,
    bytes: u64,
}

impl<R: Read> Guard<R> {
    pub(crate) fn new(reader: R, clock: Arc<dyn Clock>) -> Self {
        let start = clock.now();
        Self {
            reader,
            clock,
            start,
            bytes: 0,
        }
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.bytes += read as u64;
        let allowed = GRACE + Duration::from_secs(self.bytes / SLOWEST);
        if read > 0 && self.clock.now().saturating_sub(self.start) > allowed {
            let message = format!("only {} bytes came in {} s", self.bytes, allowed.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        Ok(read)
    }
}
