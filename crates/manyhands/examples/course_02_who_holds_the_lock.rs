//! Chapter 2 of the course: six ways to take a job out of a locked receiver,
//! and in which of them the lock is still held while the job runs.
//!
//! One worker, so that nobody else can hold it; the job tries the lock.
//!
//! ```console
//! $ cargo run -q -p manyhands --example course_02_who_holds_the_lock
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]
#![expect(clippy::unwrap_used, reason = "short, as one writes it first")]

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

type Jobs = Mutex<Receiver<u32>>;

// ANCHOR: job
/// Runs a job, which says whether the lock is held meanwhile.
fn run(job: u32, jobs: &Jobs) {
    match jobs.try_lock() {
        Ok(_) => println!("job {job} runs, the lock is free"),
        Err(_) => println!("job {job} runs, the lock is HELD"),
    }
}
// ANCHOR_END: job

// ANCHOR: held
fn while_let(jobs: &Jobs) {
    while let Ok(job) = jobs.lock().unwrap().recv() {
        run(job, jobs);
    }
}

fn for_in(jobs: &Jobs) {
    for job in jobs.lock().unwrap().iter() {
        run(job, jobs);
    }
}

fn if_let(jobs: &Jobs) {
    if let Ok(job) = jobs.lock().unwrap().recv() {
        run(job, jobs);
    }
}
// ANCHOR_END: held

// ANCHOR: free
fn let_first(jobs: &Jobs) {
    let next = jobs.lock().unwrap().recv();
    if let Ok(job) = next {
        run(job, jobs);
    }
}

fn let_else(jobs: &Jobs) {
    let Ok(job) = jobs.lock().unwrap().recv() else { return };
    run(job, jobs);
}

fn guard_dropped(jobs: &Jobs) {
    let guard = jobs.lock().unwrap();
    let next = guard.recv();
    drop(guard);
    if let Ok(job) = next {
        run(job, jobs);
    }
}
// ANCHOR_END: free

fn main() {
    type Way = fn(&Jobs);
    let ways: [(&str, Way); 6] = [
        ("while let", while_let),
        ("for", for_in),
        ("if let", if_let),
        ("let, then if let", let_first),
        ("let else", let_else),
        ("drop(guard)", guard_dropped),
    ];
    for (name, way) in ways {
        print!("{name:<17}");
        let (sender, receiver) = channel();
        sender.send(1).unwrap();
        drop(sender);
        way(&Mutex::new(receiver));
    }
}
