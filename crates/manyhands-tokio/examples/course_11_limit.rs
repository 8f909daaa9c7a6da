//! A permit that is awaited before the task is made limits tasks; one that is
//! awaited inside limits what they do.
//!
//! ```console
//! $ cargo run -q -p manyhands-tokio --example course_11_limit
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::io;
use std::sync::Arc;

use manyhands_tokio::spawn;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};

const JOBS: usize = 10_000;

// ANCHOR: before
/// Permit, then task. The most tasks there were: each has a clone of `alive`.
async fn before(permits: &Arc<Semaphore>) -> usize {
    let (mut tasks, mut most) = (JoinSet::new(), 0);
    let alive = Arc::new(());
    for _job in 0..JOBS {
        let here = Arc::clone(&alive);
        let work = async move {
            yield_now().await;
            drop(here);
        };
        let Ok(()) = spawn(&mut tasks, permits, work).await else { break };
        most = most.max(Arc::strong_count(&alive) - 1);
    }
    tasks.join_all().await;
    most
}
// ANCHOR_END: before

// ANCHOR: inside
/// Task, and in it the permit.
async fn inside(permits: &Arc<Semaphore>) -> usize {
    let (mut tasks, mut most) = (JoinSet::new(), 0);
    let alive = Arc::new(());
    for _job in 0..JOBS {
        let (here, permits) = (Arc::clone(&alive), Arc::clone(permits));
        tasks.spawn(async move {
            let _permit = permits.acquire().await;
            yield_now().await;
            drop(here);
        });
        most = most.max(Arc::strong_count(&alive) - 1);
    }
    tasks.join_all().await;
    most
}
// ANCHOR_END: inside

fn main() -> io::Result<()> {
    // One thread, so that the counts are the same each time.
    let runtime = Builder::new_current_thread().build()?;
    let permits = Arc::new(Semaphore::new(3));
    let (before, inside) = runtime
        .block_on(async { (before(&permits).await, inside(&permits).await) });
    println!("{JOBS} jobs, 3 at once");
    println!("permit before the task: {before} tasks at most");
    println!("permit in the task:     {inside} tasks at most");
    Ok(())
}
