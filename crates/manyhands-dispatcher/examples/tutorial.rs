//! Stage 1: the job queue of the Go notes with a thread for each of its
//! goroutines, and a channel for each of its channels. The library's
//! `JobQueue` is stage 2, in which whoever brings a job, or is ready for one,
//! does what `dispatch` does here.
//!
//! ```console
//! $ cargo run --release -p manyhands-dispatcher --example tutorial
//! ```

#![expect(clippy::print_stdout, reason = "the tutorial prints")]

use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded, select};

type Job = usize;

/// Hands each job to a ready worker, until the queue has ended.
// ANCHOR: dispatch
fn dispatch(
    internal_queue: Receiver<Job>,
    ready_pool: Receiver<Sender<Job>>,
    workers: Vec<Worker>,
) {
    for job in internal_queue {
        // Check out an available worker, and send it the job.
        let Ok(worker) = ready_pool.recv() else { return };
        let Ok(()) = worker.send(job) else { return };
    }
    // Check every worker out: then none has a job.
    for _ in &workers {
        let Ok(_) = ready_pool.recv() else { return };
    }
    for Worker { quit, thread } in workers {
        drop(quit);
        thread.join().expect("no job panics");
    }
}
// ANCHOR_END: dispatch

struct Worker {
    /// Dropped to tell the worker to quit.
    quit: Sender<()>,
    thread: JoinHandle<()>,
}

impl Worker {
    fn start(id: usize, ready_pool: Sender<Sender<Job>>) -> Self {
        let (assigned_job_queue, assigned) = bounded::<Job>(1);
        let (quit, told_to_quit) = bounded::<()>(0);
        // ANCHOR: worker
        let thread = thread::spawn(move || {
            // Check the job queue in.
            while ready_pool.send(assigned_job_queue.clone()).is_ok() {
                select! {
                    // See if anything has been assigned to the queue.
                    recv(assigned) -> job => match job {
                        Ok(job) => println!("worker {id}: job {job}"),
                        Err(_) => return,
                    },
                    recv(told_to_quit) -> _ => return,
                }
            }
        });
        // ANCHOR_END: worker
        Self { quit, thread }
    }
}

fn main() {
    const WORKERS: usize = 2;
    let (internal_queue, queued) = bounded(0);
    let (check_in, ready_pool) = bounded(WORKERS);
    let workers =
        (1..=WORKERS).map(|id| Worker::start(id, check_in.clone())).collect();
    let dispatcher =
        thread::spawn(move || dispatch(queued, ready_pool, workers));

    for job in 1..=8 {
        internal_queue.send(job).expect("the dispatcher runs");
    }
    drop(internal_queue); // q.quit <- true
    dispatcher.join().expect("no worker panics"); // q.dispatcherStopped.Wait()
}
