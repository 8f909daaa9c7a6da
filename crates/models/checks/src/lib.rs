//! What the models have in common: pools to try, and what is asked of them.
//! The models themselves are in `tests/`.
#![cfg(shuttle)]

use manyhands_batch::BatchPool;
use manyhands_channel::ChannelPool;
use manyhands_core::{Config, WorkerPool};
use manyhands_dispatcher::DispatcherPool;
use manyhands_errgroup::ErrGroupPool;
use manyhands_managed::ManagedPool;
use manyhands_semaphore::SemaphorePool;
use manyhands_waitgroup::WaitGroupPool;

/// A job of the models: any closure. It returns a `Result`, so that an error
/// group can run it.
pub type Work = Box<dyn FnOnce() -> Result<u64, ()> + Send>;

pub type Pool = Box<dyn WorkerPool<Work>>;

/// What makes a pool: so many workers, so long a queue.
pub type Make = fn(Config) -> Pool;

/// Every pool that is made of this project's own locks, or of channels alone.
pub const POOLS: &[(&str, Make)] = &[
    ("channel", |config| Box::new(built(ChannelPool::new(config)))),
    ("waitgroup", |config| Box::new(built(WaitGroupPool::new(config)))),
    ("dispatcher", |config| Box::new(built(DispatcherPool::new(config)))),
    ("semaphore", |config| Box::new(SemaphorePool::new(config))),
    ("errgroup", |config| Box::new(built(ErrGroupPool::new(config)))),
    ("batch", |config| Box::new(built(BatchPool::new(config)))),
    ("managed", |config| Box::new(managed(config))),
];

/// A managed pool over the simplest one.
pub fn managed(config: Config) -> ManagedPool<Work> {
    let builder = ManagedPool::builder()
        .workers(config.workers().get())
        .queue(config.queue());
    built(builder.over(ChannelPool::new))
}

/// Models have as many threads as they want.
fn built<T, E: std::fmt::Debug>(pool: Result<T, E>) -> T {
    pool.expect("a model's threads start")
}

/// A job that answers `number`.
pub fn answer(number: u64) -> Work {
    Box::new(move || Ok(number))
}

pub fn config(workers: usize, queue: usize) -> Config {
    Config::new(workers, queue).expect("a small pool")
}
