//! The executor of `smol`, and its timer: a task a job.

use std::sync::Arc;
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use async_channel::{Receiver, Sender, unbounded};
use async_executor::Executor;
use async_io::{Timer, block_on};
use manyhands::Job;

use super::super::{Contender, Sizes, Way};
use super::threads;
use crate::drive::{Drive, Feed, Single, oldest_first};
use crate::work::{Answer, Source, Task};

pub(super) fn contenders() -> Vec<Contender> {
    vec![
        Contender::new("smol", Way::Single, |sizes| {
            Single(Detached::start(sizes))
        })
        .bends("no ids; a panic ends a thread"),
        Contender::new("smol-handle", Way::Handle, |sizes: Sizes| Handles {
            threads: Threads::start(sizes),
            most: sizes.queue,
        })
        .bends("a panic is raised again at the handle"),
    ]
}

/// The job on the timer of this executor.
async fn run(task: Task) -> Answer {
    if let Some(micros) = task.sleeps() {
        Timer::after(Duration::from_micros(micros.into())).await;
        return task.awake().run();
    }
    task.run()
}

/// Threads that run the executor.
struct Threads {
    executor: Arc<Executor<'static>>,
    /// Closed when they are to end.
    stop: Sender<()>,
    threads: Vec<JoinHandle<()>>,
}

impl Threads {
    fn start(sizes: Sizes) -> Self {
        let executor = Arc::new(Executor::new());
        let (stop, stopped) = unbounded::<()>();
        let thread = |_| {
            let executor = Arc::clone(&executor);
            let stopped = stopped.clone();
            spawn(move || {
                // An error: it was closed.
                let _ = block_on(executor.run(stopped.recv()));
            })
        };
        let threads = (0..threads(sizes)).map(thread).collect();
        Self { executor, stop, threads }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop.close();
        for thread in self.threads.drain(..) {
            thread.join().expect("no job panics");
        }
    }
}

/// Tasks without a handle, which send their answers.
struct Detached {
    threads: Threads,
    sender: Sender<Answer>,
    results: Receiver<Answer>,
    most: u64,
}

impl Detached {
    fn start(sizes: Sizes) -> Self {
        let (sender, results) = unbounded();
        let (threads, most) = (Threads::start(sizes), sizes.queue as u64);
        Self { threads, sender, results, most }
    }
}

impl Feed for Detached {
    fn submit(&self, task: Task) {
        let results = self.sender.clone();
        let job = async move {
            // Nobody reads any more when a measurement has failed.
            let _ = results.send(run(task).await).await;
        };
        self.threads.executor.spawn(job).detach();
    }

    fn try_submit(&self, task: Task) -> Result<(), Task> {
        self.submit(task);
        Ok(())
    }

    fn receive(&self, sink: &mut dyn FnMut(u64, Answer)) -> u64 {
        sink(0, self.results.recv_blocking().expect("this pool sends"));
        let mut count = 1;
        while let Ok(answer) = self.results.try_recv() {
            sink(0, answer);
            count += 1;
        }
        count
    }

    fn most_owed(&self) -> u64 {
        self.most
    }
}

/// One spawn a job; the oldest handle is awaited when there are as many as
/// the queue is long.
struct Handles {
    threads: Threads,
    most: usize,
}

impl Drive for Handles {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let tasks = (0..jobs).map(|index| source.task(index));
        let spawned = tasks.map(|task| self.threads.executor.spawn(run(task)));
        block_on(async {
            for handle in oldest_first(self.most, spawned) {
                sink(0, handle.await);
            }
        });
    }
}
