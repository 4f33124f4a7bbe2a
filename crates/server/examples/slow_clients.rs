//! Holds connections to a server open, sends and reads as slowly as it can, and connects again
//! when they are closed, until standard input ends; then says how often they were closed.
//!
//! `slow_clients ADDRESS CONNECTIONS ADDRESSES`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic
)]

#[path = "../tests/common/slow.rs"]
mod slow;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Between two bytes of a client.
const STEP: Duration = Duration::from_millis(500);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, connections, addresses] = &arguments[..] else {
        panic!("ADDRESS CONNECTIONS ADDRESSES")
    };
    let addresses = addresses.parse().expect("a number of addresses");
    let server = address.parse().expect("an address with a port");
    let connections = connections.parse().expect("a number of connections");
    let mut clients = slow::SlowClients::open(server, connections, addresses);
    println!("open");
    let ended = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&ended);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        end.store(true, Ordering::Relaxed);
    });
    while !ended.load(Ordering::Relaxed) {
        let started = Instant::now();
        clients.step(addresses);
        std::thread::sleep(STEP.saturating_sub(started.elapsed()));
    }
    println!("{}", clients.closed);
}
