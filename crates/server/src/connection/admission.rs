//! Which connections are open, and which one has to go when there are too many.
//!
//! Whoever connects is a stranger until a request carries a token or a session. Strangers are
//! never refused and never wait for one another: when there are too many, in all or of one
//! address, the one that has been open for longest while it keeps us waiting is closed. A token
//! thus always finds a way in, however many connections are held open by others. Connections of
//! known callers are counted apart, and no stranger takes their place.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::config::Limits;

/// All open connections.
pub(crate) struct Admission {
    limits: Limits,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// Of the next connection; greater is younger.
    next: u64,
    strangers: BTreeMap<u64, Arc<Seat>>,
    known: usize,
}

/// The place of one connection; given back when it is dropped by [`Admission::leave`].
pub(crate) struct Seat {
    number: u64,
    address: IpAddr,
    limits: (Duration, Duration, u64),
    /// Somebody with a token or a session uses the connection.
    known: AtomicBool,
    /// Counted among the known ones.
    promoted: AtomicBool,
    /// The client has to send or to take something before we can go on.
    waiting: AtomicBool,
    /// What the client asked for is ready to be taken.
    answered: AtomicBool,
    closed: Notify,
}

impl Seat {
    /// How long the client may keep us waiting.
    pub(super) fn patience(&self) -> Duration {
        let (strangers, known, _) = self.limits;
        if self.is_known() { known } else { strangers }
    }

    /// Whether somebody with a token or a session uses the connection.
    pub(super) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// Bytes a second that the client must send or take.
    pub(super) fn least_rate(&self) -> u64 {
        self.limits.2
    }

    /// Whether the connection waits for its client.
    pub(super) fn set_waiting(&self, waiting: bool) {
        self.waiting.store(waiting, Ordering::Relaxed);
    }

    /// A request has come: until its answer is on its way nobody closes the connection.
    pub(super) fn asked(&self) {
        self.answered.store(false, Ordering::Relaxed);
        self.set_waiting(false);
    }

    /// The answer is ready.
    pub(super) fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// Something was written, or could not be because the client takes nothing.
    pub(super) fn written(&self) {
        if self.answered.load(Ordering::Relaxed) {
            self.set_waiting(true);
        }
    }

    /// Completes when the connection has to go.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }
}

impl Admission {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            open: Mutex::default(),
        }
    }

    /// A place for a new connection; closes another stranger's when there are too many. `None`
    /// when all of those are being answered at this moment.
    pub(super) fn admit(&self, address: IpAddr) -> Option<Arc<Seat>> {
        let mut open = self.open();
        if self.is_proxy(address) {
            let seat = self.seat(&mut open, address);
            seat.known.store(true, Ordering::Relaxed);
            seat.promoted.store(true, Ordering::Relaxed);
            open.known += 1;
            return Some(seat);
        }
        if let Some(busiest) = open.too_many(address, &self.limits) {
            open.close_oldest(busiest)?;
        }
        let seat = self.seat(&mut open, address);
        open.strangers.insert(seat.number, Arc::clone(&seat));
        Some(seat)
    }

    /// The caller has proved who it is.
    ///
    /// The connection is then no stranger's any more, unless there are too many known ones: then
    /// it is answered as any other and may have to go when strangers come.
    pub(crate) fn promote(&self, seat: &Seat) {
        if seat.known.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut open = self.open();
        if open.known < self.limits.connections && open.strangers.remove(&seat.number).is_some() {
            seat.promoted.store(true, Ordering::Relaxed);
            open.known += 1;
        }
    }

    /// A connection has ended.
    pub(super) fn leave(&self, seat: &Seat) {
        let mut open = self.open();
        if seat.promoted.load(Ordering::Relaxed) {
            open.known -= 1;
        } else {
            open.strangers.remove(&seat.number);
        }
    }

    /// Whether the address is that of a proxy that may speak for others.
    pub(crate) fn is_proxy(&self, address: IpAddr) -> bool {
        let proxies = &self.limits.trusted_proxies;
        proxies.iter().any(|network| network.contains(address))
    }

    fn seat(&self, open: &mut Open, address: IpAddr) -> Arc<Seat> {
        open.next += 1;
        let limits = &self.limits;
        Arc::new(Seat {
            number: open.next,
            address,
            limits: (limits.head_timeout, limits.body_timeout, limits.least_rate),
            known: AtomicBool::new(false),
            promoted: AtomicBool::new(false),
            waiting: AtomicBool::new(true),
            answered: AtomicBool::new(false),
            closed: Notify::new(),
        })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// The address that has to give up a connection before this one gets another.
    fn too_many(&self, address: IpAddr, limits: &Limits) -> Option<IpAddr> {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for seat in self.strangers.values() {
            *counts.entry(seat.address).or_default() += 1;
        }
        if counts.get(&address).copied().unwrap_or(0) >= limits.strangers_per_address {
            return Some(address);
        }
        if self.strangers.len() < limits.strangers {
            return None;
        }
        let busiest = counts.into_iter().max_by_key(|(_, count)| *count);
        busiest.map(|(address, _)| address)
    }

    /// Closes the oldest connection that waits for its client: one of the address, else any.
    fn close_oldest(&mut self, address: IpAddr) -> Option<()> {
        let waits = |seat: &&Arc<Seat>| seat.waiting.load(Ordering::Relaxed);
        let mut of_address = self.strangers.values().filter(|s| s.address == address);
        let oldest = of_address
            .find(waits)
            .or_else(|| self.strangers.values().find(waits))?;
        let number = oldest.number;
        self.strangers.remove(&number)?.closed.notify_one();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(strangers: usize, per_address: usize, known: usize) -> Admission {
        Admission::new(&Limits {
            strangers,
            strangers_per_address: per_address,
            connections: known,
            trusted_proxies: vec!["10.9.0.0/16".parse().unwrap()],
            ..Limits::default()
        })
    }

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([127, 0, 0, last])
    }

    fn is_closed(seat: &Seat) -> bool {
        let mut closed = Box::pin(seat.closed());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        closed.as_mut().poll(&mut context).is_ready()
    }

    #[test]
    fn one_address_gives_up_its_own_oldest_connection() {
        let admission = admission(10, 2, 9);
        let other = admission.admit(ip(9)).unwrap();
        let seats: Vec<_> = (0..3).map(|_| admission.admit(ip(1)).unwrap()).collect();
        let closed: Vec<bool> = seats.iter().map(|seat| is_closed(seat)).collect();
        assert_eq!(closed, [true, false, false]);
        assert!(!is_closed(&other));
    }

    #[test]
    fn when_all_places_are_taken_the_busiest_address_gives_one_up() {
        let admission = admission(4, 3, 9);
        let quiet = admission.admit(ip(1)).unwrap();
        let busy: Vec<_> = (0..3).map(|_| admission.admit(ip(2)).unwrap()).collect();
        busy[0].set_waiting(false);
        let new = admission.admit(ip(3)).unwrap();
        let closed: Vec<bool> = busy.iter().map(|seat| is_closed(seat)).collect();
        assert_eq!(closed, [false, true, false], "who is being answered stays");
        assert!(!is_closed(&quiet) && !is_closed(&new));
    }

    #[test]
    fn known_callers_and_proxies_are_nobody_elses_prey() {
        let admission = admission(2, 2, 1);
        let known = admission.admit(ip(1)).unwrap();
        admission.promote(&known);
        let proxy = admission.admit(IpAddr::from([10, 9, 1, 1])).unwrap();
        let strangers: Vec<_> = (0..5).map(|_| admission.admit(ip(1)).unwrap()).collect();
        assert!(!is_closed(&known) && !is_closed(&proxy));
        assert!(strangers[..3].iter().all(|seat| is_closed(seat)));
        // Beyond the limit of known ones a caller is answered and keeps its place as a stranger.
        admission.promote(&strangers[4]);
        assert!(strangers[4].patience() > strangers[3].patience());
        admission.leave(&known);
        admission.leave(&proxy);
        for seat in &strangers {
            admission.leave(seat);
        }
        let open = admission.open();
        assert_eq!((open.known, open.strangers.len()), (0, 0));
    }

    #[test]
    fn nobody_is_closed_in_the_middle_of_an_answer() {
        let admission = admission(1, 1, 1);
        let busy = admission.admit(ip(1)).unwrap();
        busy.set_waiting(false);
        assert!(admission.admit(ip(2)).is_none());
        assert!(!is_closed(&busy));
    }
}
