//! `tokio`: tasks in a `JoinSet`, under a semaphore too, tasks with a handle
//! each, and its threads for what blocks.
//!
//! Where tasks are spawned, a task spawns them: from outside of the runtime
//! each would go through the queue for strangers, at two to six times the
//! price. So answers come to the caller in vectors, over a channel.

use std::mem::take;
use std::sync::Arc;

use manyhands::{AsyncJob, Job};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::super::closures::{Closures, Execute};
use super::super::{Contender, Sizes, Way};
use super::threads;
use crate::drive::{Drive, oldest_first};
use crate::work::{Answer, Source, Stops};

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("tokio-join_set", Way::Single, Tasks::start)
            .bends("no ids; as many tasks at once as the queue is long"),
        Contender::new("tokio-semaphore", Way::Single, |sizes: Sizes| {
            Permits::start(sizes, sizes.queue)
        })
        .bends("no ids; as many permits as the queue is long"),
        Contender::new("tokio-semaphore-n", Way::Single, |sizes: Sizes| {
            Permits::start(sizes, sizes.workers)
        })
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

/// Runs a driver as a task, and hands what it answers to the sink.
fn inside<F>(
    runtime: &Runtime,
    driver: impl FnOnce(Answers) -> F,
    mut sink: impl FnMut(u64, Answer),
) where
    F: Future<Output = Answers> + Send + 'static,
{
    /// A reader that is slow holds up the driver.
    const VECTORS: usize = 4;
    let (sender, mut receiver) = mpsc::channel(VECTORS);
    let driver = driver(Answers { sender, some: Vec::new() });
    let driver = runtime.spawn(async { driver.await.flush().await });
    while let Some(some) = receiver.blocking_recv() {
        some.into_iter().for_each(|answer| sink(0, answer));
    }
    runtime.block_on(driver).expect("no job panics");
}

/// On the way from a driver to the sink.
struct Answers {
    sender: mpsc::Sender<Vec<Answer>>,
    some: Vec<Answer>,
}

impl Answers {
    async fn add(&mut self, answer: Answer) {
        const SOME: usize = 256;
        self.some.push(answer);
        if self.some.len() == SOME {
            self.flush().await;
        }
    }

    async fn flush(&mut self) {
        // Nobody reads any more when a measurement has failed.
        let _ = self.sender.send(take(&mut self.some)).await;
    }
}

/// The next answer, unless a task panicked.
async fn next(tasks: &mut JoinSet<Answer>) -> Answer {
    let joined = tasks.join_next().await.expect("one is under way");
    joined.expect("no job panics")
}

/// A task a job in a set, joined when it has as many as the queue is long.
struct Tasks {
    runtime: Runtime,
    most: usize,
}

impl Tasks {
    fn start(sizes: Sizes) -> Self {
        Self { runtime: start(sizes), most: sizes.queue }
    }
}

impl Drive for Tasks {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        sink: impl FnMut(u64, Answer),
    ) {
        let (source, most) = (source.clone(), self.most);
        let driver = async move |mut answers: Answers| {
            let mut tasks = JoinSet::new();
            for index in 0..jobs {
                if tasks.len() == most {
                    answers.add(next(&mut tasks).await).await;
                }
                tasks.spawn(source.task(index).run_async());
            }
            while !tasks.is_empty() {
                answers.add(next(&mut tasks).await).await;
            }
            answers
        };
        inside(&self.runtime, driver, sink);
    }

    /// The driver aborts all tasks as soon as it joins the one that failed.
    fn fail_fast(&mut self, source: &Stops, jobs: u64) -> bool {
        let (source, most) = (*source, self.most);
        let driver = self.runtime.spawn(async move {
            let mut tasks = JoinSet::new();
            for index in 0..jobs {
                if tasks.len() == most && next(&mut tasks).await.is_err() {
                    break;
                }
                tasks.spawn(source.task(index).run_async());
            }
            while !tasks.is_empty() && next(&mut tasks).await.is_ok() {}
            tasks.shutdown().await;
        });
        self.runtime.block_on(driver).expect("no job panics");
        true
    }
}

/// A task a job in a set; a permit is taken before a task is made, and goes
/// back when it ends.
struct Permits {
    runtime: Runtime,
    permits: Arc<Semaphore>,
}

impl Permits {
    fn start(sizes: Sizes, permits: usize) -> Self {
        let permits = Arc::new(Semaphore::new(permits));
        Self { runtime: start(sizes), permits }
    }
}

impl Drive for Permits {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        sink: impl FnMut(u64, Answer),
    ) {
        let (source, permits) = (source.clone(), Arc::clone(&self.permits));
        let driver = async move |mut answers: Answers| {
            let mut tasks = JoinSet::new();
            for index in 0..jobs {
                let permit = Arc::clone(&permits).acquire_owned().await;
                let permit = permit.expect("nobody closes it");
                while let Some(joined) = tasks.try_join_next() {
                    answers.add(joined.expect("no job panics")).await;
                }
                let job = source.task(index).run_async();
                tasks.spawn(async move {
                    let answer = job.await;
                    drop(permit);
                    answer
                });
            }
            while !tasks.is_empty() {
                answers.add(next(&mut tasks).await).await;
            }
            answers
        };
        inside(&self.runtime, driver, sink);
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
        sink: impl FnMut(u64, Answer),
    ) {
        let (source, most) = (source.clone(), self.most);
        let driver = async move |mut answers: Answers| {
            let tasks = (0..jobs).map(move |index| source.task(index));
            let spawned =
                tasks.map(|task| tokio::spawn(async move { task.run() }));
            for handle in oldest_first(most, spawned) {
                answers.add(handle.await.expect("no job panics")).await;
            }
            answers
        };
        inside(&self.runtime, driver, sink);
    }
}
