//! Chapter 6 of the course: three ways to end a pool: drain it, abort it, give
//! it so long.
//!
//! ```console
//! $ cargo run -q -p manyhands-dispatcher --example course_06_endings
//! ```

#![expect(clippy::print_stdout, reason = "the course shows it")]

use std::error::Error;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use manyhands_core::{Outcome, WorkerPool, WorkerPoolExt};
use manyhands_dispatcher::DispatcherPool;

type Work = Box<dyn FnOnce() -> u32 + Send>;

/// A pool in the middle of its work: job 0 runs until `open` is dropped, and
/// the others are queued behind it.
fn busy(
    workers: usize,
) -> Result<(DispatcherPool<Work>, Sender<()>), Box<dyn Error>> {
    let pool = DispatcherPool::builder().workers(workers).queue(8).build()?;
    let (open, gate): (_, Receiver<()>) = channel();
    let (begun, has_begun) = channel();
    let first: Work = Box::new(move || {
        begun.send(()).ok();
        gate.recv().ok();
        0
    });
    pool.submit(first)?;
    has_begun.recv()?;
    for number in 1..5 {
        let next: Work = Box::new(move || number);
        pool.submit(next)?;
    }
    Ok((pool, open))
}

fn report(ending: &str, pool: &DispatcherPool<Work>) {
    let (mut done, mut back) = (Vec::new(), 0);
    while let Some(completion) = pool.recv() {
        match completion.outcome {
            Outcome::Done(number) => done.push(number),
            Outcome::Panicked(panic) => println!("{panic}"),
            Outcome::Cancelled(_job) => back += 1,
        }
    }
    done.sort();
    println!("{ending}: done {done:?}, back {back}");
}

fn main() -> Result<(), Box<dyn Error>> {
    // ANCHOR: drain
    let (pool, open) = busy(1)?;
    pool.close(); // No more jobs; those that were accepted run.
    drop(open);
    report("drain", &pool);
    // ANCHOR_END: drain

    // ANCHOR: abort
    let (pool, open) = busy(1)?;
    pool.cancel(); // What has not begun comes back.
    drop(open);
    report("abort", &pool);
    // ANCHOR_END: abort

    // ANCHOR: deadline
    let (pool, open) = busy(2)?; // Job 0 will never end.
    let end = pool.shutdown(Duration::from_secs(1), drop)?;
    let (done, left) = (end.done, end.abandoned);
    println!("deadline: done {done}, abandoned {left:?}");
    println!("complete: {}", end.is_complete());
    // ANCHOR_END: deadline
    drop(open);

    // ANCHOR: closed
    let (pool, _) = busy(1)?;
    pool.close();
    pool.close(); // As often as one likes.
    let late: Work = Box::new(|| 5);
    println!("after close, refused: {}", pool.submit(late).is_err());
    // ANCHOR_END: closed
    Ok(())
}
