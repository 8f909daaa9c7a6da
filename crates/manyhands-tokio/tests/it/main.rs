//! What this variant promises beyond the laws.

#![allow(clippy::unwrap_used, reason = "in tests a panic is the report")]

#[cfg(feature = "tokio-util")]
mod cancel;
mod cancel_safety;
mod end;
mod jobs;
mod runtimes;
mod start;
mod taught;
mod threads;
mod user_code;

use std::pin::Pin;

use manyhands_core::Config;
use manyhands_tokio::Async;
use tokio::runtime::{Builder, Runtime};

/// Makes of each test two: `Pool` is the one pool, then the other.
macro_rules! for_both_pools {
    ($(fn $name:ident() $body:block)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn task_pool() {
                type Pool<J> = manyhands_tokio::TaskPool<J>;
                manyhands_conformance::watchdog(|| $body);
            }

            #[test]
            fn join_set_pool() {
                type Pool<J> = manyhands_tokio::JoinSetPool<J>;
                manyhands_conformance::watchdog(|| $body);
            }
        }
    )*};
}
use for_both_pools;

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
