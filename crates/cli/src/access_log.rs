//! The access log of `straylight serve`: a line of JSON for every request.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, TrySendError, sync_channel};

use straylight::server::AccessLog;

/// Lines that wait for a reader of standard error who is behind; more are lost and counted.
const WAITING: usize = 4096;

/// Writes to standard error from a thread of its own: the server never waits for a reader.
pub(crate) fn to_stderr() -> AccessLog {
    let (sender, lines) = sync_channel(WAITING);
    std::thread::spawn(move || write(&lines, &mut io::stderr()));
    let lost = AtomicU64::new(0);
    AccessLog::new(move |access| {
        let Ok(line) = serde_json::to_string(access) else {
            return;
        };
        let before = lost.swap(0, Ordering::Relaxed);
        if let Err(TrySendError::Full(_)) = sender.try_send((line, before)) {
            lost.fetch_add(before + 1, Ordering::Relaxed);
        }
    })
}

/// Writes lines, each after the number of those that were lost before it.
fn write(lines: &Receiver<(String, u64)>, out: &mut dyn Write) {
    for (line, lost) in lines {
        if lost > 0 {
            let _closed = writeln!(out, "{{\"lost_lines\":{lost}}}");
        }
        let _closed = writeln!(out, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_lines_are_told() {
        let (sender, lines) = sync_channel(2);
        sender.send(("{}".to_owned(), 0)).unwrap();
        sender.send(("{}".to_owned(), 7)).unwrap();
        drop(sender);
        let mut out = Vec::new();
        write(&lines, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{}\n{\"lost_lines\":7}\n{}\n"
        );
    }
}
