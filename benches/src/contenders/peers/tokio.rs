//! `tokio`: tasks in a `JoinSet`, under a semaphore too, tasks with a handle
//! each, and its threads for what blocks.

use std::collections::VecDeque;
use std::sync::Arc;

use manyhands::{AsyncJob, Job};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::super::closures::{Closures, Execute};
use super::super::{Contender, Sizes, Way};
use super::threads;
use crate::drive::{Drive, Stops};
use crate::work::{Answer, Source};

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("tokio-join_set", Way::Single, JoinSetPool::start)
            .bends("no ids; as many tasks at once as the queue is long"),
        Contender::new("tokio-semaphore", Way::Single, |sizes: Sizes| {
            Permits::start(sizes, sizes.queue)
        })
        .bends("no ids; as many permits as the queue is long"),
        Contender::new("tokio-semaphore-n", Way::Single, |sizes: Sizes| {
            Permits::start(sizes, sizes.workers)
        })
        .most_jobs(50_000)
        .bends("no ids; a permit a worker"),
        Contender::new("tokio-blocking", Way::Single, |sizes: Sizes| {
            let mut builder = Builder::new_multi_thread();
            let builder = builder.worker_threads(1);
            let builder = builder.max_blocking_threads(sizes.workers);
            let runtime = builder.build().expect("the system has threads");
            Closures::start(Blocking(runtime))
        })
        .most_jobs(100_000)
        .bends("unbounded; no ids; a panic loses its answer"),
        Contender::new("tokio-handle", Way::Handle, |sizes| Handles {
            runtime: start(sizes),
            most: sizes.queue,
        })
        .bends("a panic is an error at the handle"),
    ]
}

fn start(sizes: Sizes) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    let builder = builder.worker_threads(threads(sizes)).enable_time();
    builder.build().expect("the system has threads")
}

/// The next answer, unless a task panicked.
async fn next(tasks: &mut JoinSet<Answer>) -> Answer {
    let joined = tasks.join_next().await.expect("one is under way");
    joined.expect("no job panics")
}

/// A task a job in a set, joined when it has as many as the queue is long.
struct JoinSetPool {
    runtime: Runtime,
    most: usize,
}

impl JoinSetPool {
    fn start(sizes: Sizes) -> Self {
        Self { runtime: start(sizes), most: sizes.queue }
    }
}

impl Drive for JoinSetPool {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let most = self.most;
        self.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for index in 0..jobs {
                if tasks.len() == most {
                    sink(0, next(&mut tasks).await);
                }
                tasks.spawn(source.task(index).run_async());
            }
            while !tasks.is_empty() {
                sink(0, next(&mut tasks).await);
            }
        });
    }

    /// The caller aborts all tasks as soon as it joins the one that failed.
    fn fail_fast(&mut self, source: &Stops, jobs: u64) -> bool {
        let most = self.most;
        self.runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for index in 0..jobs {
                if tasks.len() == most && next(&mut tasks).await.is_err() {
                    break;
                }
                tasks.spawn(source.task(index).run_async());
            }
            tasks.shutdown().await;
        });
        true
    }
}

/// A task a job in a set; a permit is taken before a task is made, and goes
/// back when it ends.
struct Permits {
    runtime: Runtime,
    permits: Arc<Semaphore>,
    most: usize,
}

impl Permits {
    fn start(sizes: Sizes, permits: usize) -> Self {
        Self {
            runtime: start(sizes),
            permits: Arc::new(Semaphore::new(permits)),
            most: sizes.queue,
        }
    }
}

impl Drive for Permits {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let Self { runtime, permits, most } = self;
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for index in 0..jobs {
                if tasks.len() == *most {
                    sink(0, next(&mut tasks).await);
                }
                let permit = Arc::clone(permits).acquire_owned().await;
                let permit = permit.expect("nobody closes it");
                let job = source.task(index).run_async();
                tasks.spawn(async move {
                    let answer = job.await;
                    drop(permit);
                    answer
                });
            }
            while !tasks.is_empty() {
                sink(0, next(&mut tasks).await);
            }
        });
    }
}

/// `spawn_blocking`.
struct Blocking(Runtime);

impl Execute for Blocking {
    fn execute(&self, job: impl FnOnce() + Send + 'static) {
        self.0.spawn_blocking(job);
    }
}

/// A task a job; the oldest handle is awaited when there are as many as the
/// queue is long.
struct Handles {
    runtime: Runtime,
    most: usize,
}

impl Drive for Handles {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let most = self.most;
        self.runtime.block_on(async {
            let mut handles = VecDeque::with_capacity(most);
            for index in 0..jobs {
                if handles.len() == most
                    && let Some(oldest) = handles.pop_front()
                {
                    let oldest: tokio::task::JoinHandle<Answer> = oldest;
                    sink(0, oldest.await.expect("no job panics"));
                }
                let task = source.task(index);
                handles.push_back(tokio::spawn(async move { task.run() }));
            }
            for handle in handles {
                sink(0, handle.await.expect("no job panics"));
            }
        });
    }
}
