//! The smallest job there is, and the proof that all of them ran.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use manyhands_durable::{Attempt, DurableJob, Failure};
use serde::{Deserialize, Serialize};

/// How many there are at most.
pub(super) const MOST: usize = 2000;

/// It leaves a mark, so that it is seen that it ran; it does nothing else,
/// for what is measured is the queue.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Mark {
    number: usize,
}

/// Which ones ran, in this process.
static RAN: [AtomicBool; MOST] = [const { AtomicBool::new(false) }; MOST];
/// How many have not.
static LEFT: AtomicUsize = AtomicUsize::new(0);
static NONE_LEFT: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());

impl DurableJob for Mark {
    const KIND: &'static str = "manyhands-compare";
    type Output = ();

    fn run(self, _: &Attempt) -> Result<(), Failure> {
        let Some(ran) = RAN.get(self.number) else {
            return Err(Failure::permanent("there is no such job"));
        };
        // Run twice, it counts once.
        if !ran.swap(true, Ordering::SeqCst)
            && LEFT.fetch_sub(1, Ordering::SeqCst) == 1
        {
            let (lock, told) = &NONE_LEFT;
            drop(lock.lock().unwrap_or_else(PoisonError::into_inner));
            told.notify_all();
        }
        Ok(())
    }
}

/// So many jobs, of which none has run.
pub(super) fn jobs(count: usize) -> impl Iterator<Item = Mark> {
    RAN.iter().for_each(|ran| ran.store(false, Ordering::SeqCst));
    LEFT.store(count.min(MOST), Ordering::SeqCst);
    (0..count.min(MOST)).map(|number| Mark { number })
}

/// Waits until all have run, for so long; and how many have not.
pub(super) fn wait(most: Duration) -> usize {
    let (lock, told) = &NONE_LEFT;
    let held = lock.lock().unwrap_or_else(PoisonError::into_inner);
    let is_left = |_: &mut ()| LEFT.load(Ordering::SeqCst) > 0;
    drop(told.wait_timeout_while(held, most, is_left));
    LEFT.load(Ordering::SeqCst)
}
