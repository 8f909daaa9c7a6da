//! What this variant promises beyond the laws.

mod cancel_safety;
mod end;
mod jobs;
mod runtimes;
mod start;
mod taught;

use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use manyhands_core::Config;
use manyhands_tokio::Async;
use tokio::runtime::{Builder, Runtime};

/// How long any single step may take before it counts as hung. Steps take
/// milliseconds; the rest is for a machine under load.
const WATCHDOG: Duration = Duration::from_secs(20);

/// Makes of each test two: `Pool` is the one pool, then the other.
macro_rules! for_both_pools {
    ($($(#[$doc:meta])* fn $name:ident() $body:block)*) => {$(
        mod $name {
            use super::*;

            $(#[$doc])*
            #[test]
            fn task_pool() {
                type Pool<J> = manyhands_tokio::TaskPool<J>;
                within_time(|| $body);
            }

            $(#[$doc])*
            #[test]
            fn join_set_pool() {
                type Pool<J> = manyhands_tokio::JoinSetPool<J>;
                within_time(|| $body);
            }
        }
    )*};
}
use for_both_pools;

/// Runs a test's body on a thread of its own, and fails if it hangs.
#[track_caller]
fn within_time<T: Send + 'static>(
    body: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (done, wait) = mpsc::channel();
    let runs = thread::spawn(move || {
        let result = body();
        done.send(()).ok();
        result
    });
    if wait.recv_timeout(WATCHDOG) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("hung for {WATCHDOG:?}");
    }
    runs.join().unwrap_or_else(|payload| resume_unwind(payload))
}

/// A job of one type for whatever future.
type Work<T> =
    Async<Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = T> + Send>> + Send>>;

fn work<T>(future: impl Future<Output = T> + Send + 'static) -> Work<T> {
    Async(Box::new(move || Box::pin(future)))
}

/// A job that waits until it is told, or nobody is left to tell it.
fn waits<T: Send + 'static>(
    value: T,
) -> (tokio::sync::oneshot::Sender<()>, Work<T>) {
    let (release, gate) = tokio::sync::oneshot::channel();
    let job = work(async move {
        let _ = gate.await;
        value
    });
    (release, job)
}

/// So many workers and no queue, which is the same bound for both pools.
fn workers(workers: usize) -> Config {
    Config::new(workers, 0).unwrap()
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread(threads: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .unwrap()
}
