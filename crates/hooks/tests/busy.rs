//! Hooks on a machine whose every core somebody else wants.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::process::{Child, Command};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use common::{Sink, Watched, hook};
use straylight_hooks::{HookOptions, HookSetOptions};

/// Processes that do nothing but take a core each, until they are dropped.
struct Spinning(Vec<Child>);

impl Spinning {
    fn on_all_cores() -> Self {
        let cores = std::thread::available_parallelism().unwrap().get();
        let spin = || {
            let command = ["-c", "while :; do :; done"];
            Command::new("sh").args(command).spawn().unwrap()
        };
        Self((0..2.max(cores)).map(|_| spin()).collect())
    }
}

impl Drop for Spinning {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Takes so much time of the processor, whatever the clock says meanwhile.
fn work_for(time: Duration) {
    let end = cpu_time() + time;
    while cpu_time() < end {
        std::hint::black_box(0);
    }
}

/// What this thread has had of the processor, from `/proc`, in nanoseconds.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanos = text.split(' ').next().unwrap().parse().unwrap();
    Duration::from_nanos(nanos)
}

/// Threads that give way get about a hundredth of a busy core: the second of work would
/// take minutes. Nobody waits for the hooks to end, so nothing else makes them hurry.
#[test]
fn events_are_delivered_while_other_programs_want_all_cores() {
    let _spinning = Spinning::on_all_cores();
    let (delivered, deliveries) = channel();
    let delivered = Mutex::new(delivered);
    let sink = Sink::new(move |_| {
        work_for(Duration::from_millis(50));
        delivered.lock().unwrap().send(()).unwrap();
        Ok(())
    });
    let hooks = Watched::new(HookSetOptions::default());
    hooks.add(hook(&sink, HookOptions::default())).unwrap();
    for n in 0..20 {
        hooks.submit(&n.to_string());
    }
    let start = Instant::now();
    for n in 0..20 {
        let left = Duration::from_secs(240).saturating_sub(start.elapsed());
        // Two may have been begun by threads that give way.
        let is_late = deliveries.recv_timeout(left).is_err();
        assert!(!is_late || n >= 18, "only {n} were delivered");
        if is_late {
            break;
        }
    }
}
