//! The dispatcher as threads come to it: its desk is locked, who finds no
//! place waits, and who sleeps is woken.

use std::collections::VecDeque;
use std::sync::Arc;

use manyhands_core::sync::{
    AtomicUsize, CachePadded, Condvar, Mutex, MutexGuard, Ordering, lock,
    spin_briefly, wait,
};

use crate::Desk;
use crate::assigned::Assigned;
use crate::ready_pool::ReadyPool;

/// The desk, and how those who come to it find each other.
pub(crate) struct Dispatcher<J> {
    pub(crate) desk: CachePadded<Mutex<Desk<J>>>,
    /// How many jobs are queued: a hint that can be read without the lock.
    queued: CachePadded<AtomicUsize>,
    /// Signalled for one who waits for a place in the queue, and for all when
    /// it is stopped.
    place: Condvar,
}

impl<J> Dispatcher<J> {
    pub(crate) fn new() -> Self {
        let desk = Desk {
            internal_queue: VecDeque::new(),
            places: Some(0),
            waiting: 0,
            ready_pool: ReadyPool::new(),
        };
        Self {
            desk: CachePadded(Mutex::new(desk)),
            queued: CachePadded::default(),
            place: Condvar::new(),
        }
    }

    /// Takes jobs from now on, so many that wait for a worker.
    pub(crate) fn open(&self, places: usize) {
        let mut desk = lock(&self.desk);
        desk.places = desk.places.map(|_| places);
        self.dispatch(desk, false);
    }

    /// Takes no more jobs; those that were taken are processed.
    pub(crate) fn stop(&self) {
        let mut desk = lock(&self.desk);
        desk.places = None;
        self.dispatch(desk, true);
        self.place.notify_all();
    }

    /// A worker is ready, and this is its channel.
    pub(crate) fn check_in(&self, worker: Arc<Assigned<J>>) {
        let mut desk = lock(&self.desk);
        desk.ready_pool.check_in(worker);
        self.dispatch(desk, false);
    }

    /// `q.internalQueue <- job`. Waits for a place; the job comes back when
    /// the queue is stopped.
    pub(crate) fn submit(&self, job: J) -> Result<(), J> {
        let mut desk = lock(&self.desk);
        desk.waiting += 1;
        while desk.places.is_some_and(|it| it <= desk.internal_queue.len()) {
            desk = wait(&self.place, desk);
        }
        desk.waiting -= 1;
        if self.enqueue(desk, job)? {
            self.wake();
        }
        Ok(())
    }

    /// Takes a job, whether or not there is a place. Returns whether a worker
    /// must be [woken](Self::wake) for it.
    pub(crate) fn enqueue(
        &self,
        mut desk: MutexGuard<'_, Desk<J>>,
        job: J,
    ) -> Result<bool, J> {
        if desk.places.is_none() {
            return Err(job);
        }
        desk.internal_queue.push_back(job);
        Ok(self.dispatch(desk, false))
    }

    /// Hands jobs to workers that sleep, unless others come for them soon.
    ///
    /// To wake a worker takes microseconds, on both sides, and jobs may well
    /// be smaller: so the caller looks for about as long whether one that is
    /// at work checks in meanwhile.
    pub(crate) fn wake(&self) {
        if !spin_briefly(|| self.queued.load(Ordering::Relaxed) == 0) {
            self.dispatch(lock(&self.desk), true);
        }
    }

    /// Dispatches, and tells who waits for a place. Returns whether there are
    /// jobs, and workers asleep.
    fn dispatch(&self, mut desk: MutexGuard<'_, Desk<J>>, wake: bool) -> bool {
        desk.dispatch(wake);
        let queued = desk.internal_queue.len();
        self.queued.store(queued, Ordering::Relaxed);
        let place = desk.places.is_some_and(|places| queued < places);
        let tell = desk.waiting > 0 && place;
        let asleep = queued > 0 && !desk.ready_pool.is_empty();
        drop(desk);
        if tell {
            self.place.notify_one();
        }
        asleep
    }
}
