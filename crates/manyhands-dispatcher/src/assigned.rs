//! A worker's own channel.

use manyhands_core::sync::{
    AtomicBool, CachePadded, Condvar, Mutex, Ordering, lock, spin_until, wait,
};

/// A worker's own channel, with a place for one job.
///
/// Whoever has checked the worker out of the ready pool sends to it, and
/// nobody else, so the place is free.
pub(crate) struct Assigned<J> {
    place: CachePadded<Mutex<Place<J>>>,
    /// There is something in the place: a hint that can be read without the
    /// lock.
    filled: CachePadded<AtomicBool>,
    /// The worker is parked, and to wake it costs microseconds: a hint too.
    asleep: CachePadded<AtomicBool>,
    /// Signalled for the worker when it is asleep.
    sent: Condvar,
}

enum Place<J> {
    Empty,
    Job(J),
    Quit,
}

impl<J> Assigned<J> {
    pub(crate) fn new() -> Self {
        Self {
            place: CachePadded(Mutex::new(Place::Empty)),
            filled: CachePadded(AtomicBool::new(false)),
            asleep: CachePadded(AtomicBool::new(false)),
            sent: Condvar::new(),
        }
    }

    /// `workerChannel <- job`
    pub(crate) fn send(&self, job: J) {
        self.fill(Place::Job(job));
    }

    /// `w.quit <- true`
    pub(crate) fn quit(&self) {
        self.fill(Place::Quit);
    }

    /// The next job. Waits for it; `None` when the worker is to quit.
    pub(crate) fn recv(&self) -> Option<J> {
        spin_until(|| self.filled.load(Ordering::Relaxed));
        let mut place = lock(&self.place);
        while matches!(*place, Place::Empty) {
            self.asleep.store(true, Ordering::Relaxed);
            place = wait(&self.sent, place);
        }
        self.asleep.store(false, Ordering::Relaxed);
        self.filled.store(false, Ordering::Relaxed);
        match std::mem::replace(&mut *place, Place::Empty) {
            Place::Job(job) => Some(job),
            Place::Empty | Place::Quit => None,
        }
    }

    pub(crate) fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::Relaxed)
    }

    fn fill(&self, with: Place<J>) {
        let mut place = lock(&self.place);
        *place = with;
        self.filled.store(true, Ordering::Relaxed);
        let wake = self.is_asleep();
        drop(place);
        if wake {
            self.sent.notify_one();
        }
    }
}
