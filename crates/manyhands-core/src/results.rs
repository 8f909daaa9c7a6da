//! The way out: a channel for results, without a bound.
//!
//! A pool bounds the jobs that are *unfinished*. Finished results wait here
//! until they are read, however many there are. If this channel were bounded
//! too, a thread that submits all its jobs before it reads the first result
//! would hang as soon as both channels are full: the workers wait for the
//! reader, the reader waits for a place to submit, and nobody moves. The
//! wrong program, with channels as they come:
//!
//! ```no_run
//! use std::sync::mpsc::sync_channel;
//!
//! let (jobs, queue) = sync_channel::<u32>(5);
//! let (results, collected) = sync_channel::<u32>(5);
//! std::thread::spawn(move || {
//!     for job in queue {
//!         results.send(job * 2).unwrap(); // waits after 5 results
//!     }
//! });
//! for job in 0..100 {
//!     jobs.send(job).unwrap(); // and so this waits for ever, at job 11
//! }
//! drop(jobs);
//! assert_eq!(collected.iter().count(), 100);
//! ```
//!
//! The right one:
//!
//! ```
//! use std::sync::mpsc::sync_channel;
//! use manyhands_core::results;
//!
//! let (jobs, queue) = sync_channel::<u32>(5);
//! let (results, collected) = results::channel::<u32>();
//! std::thread::spawn(move || {
//!     for job in queue {
//!         results.send(job * 2);
//!     }
//! });
//! for job in 0..100 {
//!     jobs.send(job).unwrap();
//! }
//! drop(jobs);
//! assert_eq!(collected.iter().count(), 100);
//! ```
//!
//! The channel ends when its last [`Sender`] is gone: results end when the
//! workers have ended. Workers append under one lock, a reader takes all
//! there is under another, so the two meet once a batch and not once a
//! result.
//!
//! A reader that comes whenever there is one result takes them one at a time,
//! and for that takes a core from the workers. While a pool is full it need
//! not: [`recv_when`](Receiver::recv_when) lets a row of them come together.

use std::collections::VecDeque;
use std::fmt;
use std::mem::{swap, take};

use crate::run::discard;
use crate::sync::{
    Arc, AtomicUsize, CachePadded, Condvar, Instant, Mutex, MutexGuard, NAP,
    Naps, Ordering, Spins, lock, spin_briefly, wait, wait_at_most,
};
use crate::{Completion, Job};

/// A channel for results: any number of senders, one [`Receiver`] that any
/// number of threads may read from by reference.
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    new(true)
}

/// The channel on which a pool returns the completions of jobs `J`.
///
/// Completions of [detached](Job::DETACHED) jobs, which nobody reads, are
/// dropped as they are sent.
pub fn for_jobs<J: Job>() -> (Sender<Completion<J>>, Receiver<Completion<J>>) {
    new(!J::DETACHED)
}

fn new<T>(keep: bool) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        front: CachePadded(Mutex::default()),
        back: CachePadded(Mutex::new(Back {
            items: VecDeque::new(),
            ended: false,
            wake_at: NOBODY,
            reader_gone: !keep,
        })),
        ready: Condvar::new(),
        len: CachePadded::default(),
        senders: CachePadded(AtomicUsize::new(1)),
    });
    (Sender { shared: Arc::clone(&shared) }, Receiver { shared })
}

/// Where results are sent. Cloned for each worker.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// Where results are read, in the order in which they were sent.
///
/// What was sent and never read is dropped with the receiver; panics of those
/// drops are contained.
#[must_use = "results that nobody reads wait without limit"]
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    /// The reader's side: results taken over from the back. Whoever waits for
    /// a result holds this lock meanwhile, so that at most one reader is
    /// parked at the back, and none can be overlooked. Locked before `back`.
    front: CachePadded<Mutex<Front<T>>>,
    /// The workers' side.
    back: CachePadded<Mutex<Back<T>>>,
    /// Signalled for the parked reader: a result, or the end.
    ready: Condvar,
    /// How many results are at the back: a hint that can be read without the
    /// lock.
    len: CachePadded<AtomicUsize>,
    senders: CachePadded<AtomicUsize>,
}

struct Front<T> {
    items: VecDeque<T>,
    naps: Naps,
    spins: Spins,
}

struct Back<T> {
    items: VecDeque<T>,
    /// The last sender is gone.
    ended: bool,
    /// A reader waits on `ready` until there are so many.
    wake_at: usize,
    /// Nobody will read: results are dropped as they are sent.
    reader_gone: bool,
}

impl<T> Default for Front<T> {
    fn default() -> Self {
        Self {
            items: VecDeque::new(),
            naps: Naps::default(),
            spins: Spins::default(),
        }
    }
}

/// What no number of results wakes.
const NOBODY: usize = usize::MAX;

impl<T> Sender<T> {
    /// Sends a result. Never waits.
    // ANCHOR: send
    pub fn send(&self, result: T) {
        let mut back = lock(&self.shared.back);
        if back.reader_gone {
            drop(back);
            return discard(result);
        }
        back.items.push_back(result);
        let len = back.items.len();
        self.shared.len.store(len, Ordering::Relaxed);
        let wake = len >= back.wake_at;
        if wake {
            back.wake_at = NOBODY;
        }
        drop(back);
        if wake {
            self.shared.ready.notify_one();
        }
    }
    // ANCHOR_END: send
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.senders.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.shared.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            lock(&self.shared.back).ended = true;
            self.shared.ready.notify_one();
        }
    }
}

impl<T> Receiver<T> {
    /// The next result. Waits for one; `None` when every sender is gone and
    /// everything sent was read, and then for ever.
    pub fn recv(&self) -> Option<T> {
        self.recv_when(|| 1)
    }

    /// [`recv`](Self::recv) that, where it has to wait, waits for `enough`
    /// results before it takes the first; for a tenth of a millisecond, and then
    /// for one. Where that brings few, it waits for one the next times.
    ///
    /// For a reader to whom more is to come than one, such as that of a pool
    /// that is full: [`Intake::enough`](crate::Intake::enough) says how many.
    pub fn recv_when(&self, enough: impl FnOnce() -> usize) -> Option<T> {
        self.front_with_results(enough)?.items.pop_front()
    }

    /// Moves results to the end of `into`: at least one, and as many more as
    /// are at hand, `max` at most. Waits for the first, never for more.
    ///
    /// Returns how many, which is 0 only at the end of the channel or when
    /// `max` is 0.
    pub fn recv_many(&self, into: &mut Vec<T>, max: usize) -> usize {
        self.recv_many_when(into, max, || 1)
    }

    /// [`recv_many`](Self::recv_many) that waits as
    /// [`recv_when`](Self::recv_when) does.
    pub fn recv_many_when(
        &self,
        into: &mut Vec<T>,
        max: usize,
        enough: impl FnOnce() -> usize,
    ) -> usize {
        if max == 0 {
            return 0;
        }
        let Some(mut front) = self.front_with_results(enough) else {
            return 0;
        };
        let count = front.items.len().min(max);
        into.extend(front.items.drain(..count));
        count
    }

    /// The results as an iterator, which waits as [`recv`](Self::recv) does
    /// and ends with the channel.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// The front with at least one result in it; `None` at the end.
    fn front_with_results(
        &self,
        enough: impl FnOnce() -> usize,
    ) -> Option<MutexGuard<'_, Front<T>>> {
        let shared = &*self.shared;
        let mut front = lock(&shared.front);
        if !front.items.is_empty() {
            return Some(front);
        }
        // What a burst has grown is given back once the burst was read.
        const KEPT: usize = 4096;
        front.items.shrink_to(KEPT);
        let mut back = self.back_with(enough(), &mut front);
        let mut parked = None;
        while back.items.is_empty() {
            if back.ended {
                return None;
            }
            parked.get_or_insert_with(Instant::now);
            back.wake_at = 1;
            back = wait(&shared.ready, back);
        }
        front.spins.waited(parked);
        back.wake_at = NOBODY;
        swap(&mut front.items, &mut back.items);
        shared.len.store(0, Ordering::Relaxed);
        Some(front)
    }

    /// The back after a moment, in which `enough` results may have come.
    fn back_with(
        &self,
        enough: usize,
        front: &mut Front<T>,
    ) -> MutexGuard<'_, Back<T>> {
        let shared = &*self.shared;
        let are_there =
            |count| move || shared.len.load(Ordering::Relaxed) >= count;
        if enough <= 1 || !front.naps.are_due() {
            front.spins.until(are_there(1));
            return lock(&shared.back);
        }
        let there = spin_briefly(are_there(enough));
        let mut back = lock(&shared.back);
        if !there && back.items.len() < enough && !back.ended {
            back.wake_at = enough;
            back = wait_at_most(&shared.back, &shared.ready, back, NAP);
            front.naps.brought(back.items.len(), enough);
        }
        back
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let front = take(&mut lock(&self.shared.front).items);
        let back = {
            let mut back = lock(&self.shared.back);
            back.reader_gone = true;
            take(&mut back.items)
        };
        front.into_iter().chain(back).for_each(discard);
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Results by reference to their receiver; see [`Receiver::iter`].
pub struct Iter<'a, T> {
    receiver: &'a Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv()
    }
}

/// Results with their receiver, as `for result in results` makes it.
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv()
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender(..)")
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receiver(..)")
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Iter(..)")
    }
}

impl<T> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntoIter(..)")
    }
}

#[cfg(test)]
mod tests {
    use manyhands_conformance::watchdog;

    use super::*;
    use crate::sync::thread;

    /// Asleep for `enough` is what nobody sees from outside: only that it
    /// costs less.
    #[test]
    fn a_reader_sleeps_until_there_is_enough() {
        watchdog(|| {
            loop {
                let (sender, receiver) = channel::<()>();
                let reader = thread::spawn(move || receiver.recv_when(|| 3));
                let wakes_at = loop {
                    let wake_at = lock(&sender.shared.back).wake_at;
                    if wake_at != NOBODY {
                        break wake_at;
                    }
                };
                drop(sender);
                reader.join().expect("it does not panic");
                // That nap was over before anybody looked: once more.
                if wakes_at == 3 {
                    break;
                }
            }
        });
    }
}
