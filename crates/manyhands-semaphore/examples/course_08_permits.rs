//! What a permit limits, and who gives it back.
//!
//! ```console
//! $ cargo run -q -p manyhands-semaphore --example course_08_permits
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use manyhands_core::Threads;
use manyhands_semaphore::{Semaphore, spawn};

/// How many are inside just now, and the most there ever were.
#[derive(Default)]
struct Seen {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Seen {
    fn comes(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    fn goes(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The permit is taken first, and then there is a thread.
// ANCHOR: before
fn before(sem: &Semaphore, threads: &Arc<Seen>) {
    let started = Threads::new();
    for _job in 0..200 {
        let Ok(permit) = sem.acquire() else { return };
        let threads = Arc::clone(threads);
        threads.comes();
        spawn(&started, permit, move |permit| {
            threads.goes();
            drop(permit);
        });
    }
    sem.wait_idle();
}
// ANCHOR_END: before

/// There is a thread first, and it waits for its permit.
// ANCHOR: inside
fn inside(sem: &Semaphore, threads: &Arc<Seen>) {
    let gate = sem.acquire_many(3); // until all are there: the same each time
    thread::scope(|scope| {
        for _job in 0..200 {
            threads.comes();
            scope.spawn(|| {
                let permit = sem.acquire();
                threads.goes();
                drop(permit);
            });
        }
        drop(gate);
    });
}
// ANCHOR_END: inside

fn main() {
    let sem = Semaphore::new(3);
    let seen = Arc::new(Seen::default());
    before(&sem, &seen);
    let most = seen.most.load(Ordering::SeqCst);
    println!(
        "acquire, then spawn: never more than 3 under way: {}",
        most <= 3
    );

    let seen = Arc::new(Seen::default());
    inside(&sem, &seen);
    let most = seen.most.load(Ordering::SeqCst);
    println!("spawn, then acquire: {most} under way at once");

    // ANCHOR: panics
    std::panic::set_hook(Box::new(|_| {})); // says nothing
    let threads = Threads::new();
    for _job in 0..2 {
        let Ok(permit) = sem.acquire() else { return };
        spawn(&threads, permit, |_permit| panic!("went wrong"));
    }
    sem.wait_idle();
    println!("after two panics, free: {}", sem.available());
    // ANCHOR_END: panics

    // ANCHOR: forgotten
    if let Ok(permit) = sem.acquire() {
        std::mem::forget(permit); // no drop: as a release that is not deferred
    }
    println!("after one forgotten, free: {}", sem.available());
    // ANCHOR_END: forgotten
}
