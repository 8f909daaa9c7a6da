//! Chapter 2 of the course: a pool of three workers over one channel, with
//! nothing but the standard library.
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_02_pool
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]
#![expect(clippy::unwrap_used, reason = "short, as one writes it first")]

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

// ANCHOR: worker
fn worker<J, R>(
    jobs: Arc<Mutex<Receiver<J>>>,
    results: Sender<R>,
    work: impl Fn(J) -> R,
) {
    loop {
        let next = jobs.lock().unwrap().recv(); // Unlocked at the semicolon.
        let Ok(job) = next else { return }; // Closed, and empty.
        if results.send(work(job)).is_err() {
            return; // Nobody reads any more.
        }
    }
}
// ANCHOR_END: worker

// ANCHOR: start
fn start<J: Send + 'static, R: Send + 'static>(
    workers: usize,
    work: impl Fn(J) -> R + Clone + Send + 'static,
) -> (Sender<J>, Receiver<R>) {
    let (jobs, queue) = channel();
    let (results, collected) = channel();
    let queue = Arc::new(Mutex::new(queue));
    for _ in 0..workers {
        let (queue, results) = (Arc::clone(&queue), results.clone());
        let work = work.clone();
        thread::spawn(move || worker(queue, results, work));
    }
    (jobs, collected) // Our own `results` is dropped here.
}
// ANCHOR_END: start

fn main() {
    // ANCHOR: use
    let (jobs, results) = start(3, |job: u32| job * 2);
    for job in 1..=5 {
        jobs.send(job).unwrap();
    }
    drop(jobs); // No more jobs.
    let mut doubles: Vec<u32> = results.iter().collect();
    // ANCHOR_END: use
    doubles.sort();
    println!("{doubles:?}");

    // ANCHOR: meet
    // A job that ends only when three run at once.
    let met = Arc::new(Barrier::new(3));
    let (jobs, results) = start(3, move |_job: u32| met.wait().is_leader());
    (1..=3).for_each(|job| jobs.send(job).unwrap());
    drop(jobs);
    println!("{} jobs ran at once", results.iter().count());
    // ANCHOR_END: meet
}
