//! The client against scripted servers on loopback: whole flows with the requests that they
//! make, and servers that lie, stall, break off and lead astray. Nothing waits: time is injected.
#![allow(unreachable_pub, reason = "a test is its own crate")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "literals read better without a borrow"
)]

mod archives;
mod common;
mod deployments;
mod folders;
mod hostile_answers;
mod hostile_files;
mod hostile_lists;
mod hostile_network;
mod media;
mod models;
mod session;
mod sink;
mod stub;
