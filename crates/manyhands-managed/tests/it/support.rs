//! Jobs and pools for the tests.

use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::task::{Poll, Wake};
use std::thread;

use manyhands::variants;
use manyhands_channel::ChannelPool;
use manyhands_core::{
    AsyncJob, Closed, Completion, Config, Job, JobId, TrySubmitError,
    WorkerPool,
};
use manyhands_managed::{ManagedBuilder, ManagedPool, Shift};

/// A job with both faces: asked for its answer until it has one, and in
/// between lets others run.
pub(crate) struct Work(Box<dyn FnMut() -> Option<Answer> + Send>);

type Answer = Result<u32, u32>;

impl Work {
    pub(crate) fn until(
        ask: impl FnMut() -> Option<Answer> + Send + 'static,
    ) -> Self {
        Self(Box::new(ask))
    }

    pub(crate) fn new(work: impl FnOnce() -> Answer + Send + 'static) -> Self {
        let mut work = Some(work);
        Self::until(move || work.take().map(|work| work()))
    }

    pub(crate) fn says(answer: u32) -> Self {
        Self::new(move || Ok(answer))
    }
}

impl Job for Work {
    type Output = Answer;

    fn run(mut self) -> Answer {
        loop {
            match (self.0)() {
                Some(answer) => return answer,
                None => thread::yield_now(),
            }
        }
    }
}

impl AsyncJob for Work {
    async fn run_async(mut self) -> Answer {
        poll_fn(|context| match (self.0)() {
            Some(answer) => Poll::Ready(answer),
            None => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await
    }
}

/// A job that runs until it is let go.
pub(crate) struct Held {
    started: Receiver<()>,
    go: Sender<()>,
}

impl Held {
    pub(crate) fn work(answer: u32) -> (Work, Self) {
        let (start, started) = channel();
        let (go, gone) = channel();
        let mut start = Some(start);
        let work = Work::until(move || {
            if let Some(start) = start.take() {
                start.send(()).unwrap();
            }
            // Also when nobody is there to let it go.
            let held = gone.try_recv() == Err(TryRecvError::Empty);
            (!held).then_some(Ok(answer))
        });
        (work, Self { started, go })
    }

    pub(crate) fn wait_until_started(&self) {
        self.started.recv().unwrap();
    }

    pub(crate) fn has_started(&self) -> bool {
        self.started.try_recv().is_ok()
    }

    pub(crate) fn let_go(self) {
        self.go.send(()).unwrap();
    }
}

/// Counts how often it was woken.
#[derive(Default)]
pub(crate) struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Woken {
    pub(crate) fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A pool over each variant in turn.
pub(crate) fn over_each(
    build: impl Fn(ManagedBuilder<Work>) -> ManagedBuilder<Work>,
    test: impl Fn(ManagedPool<Work>),
) {
    for at in 0..variants::<Shift<Work>, _, _>().len() {
        let make = move |config: Config| {
            variants::<Shift<Work>, _, _>()[at].make(config)
        };
        test(build(ManagedPool::builder()).over(make).unwrap());
    }
}

/// A pool over the basic one.
pub(crate) fn pool(
    workers: usize,
    queue: usize,
    build: impl FnOnce(ManagedBuilder<Work>) -> ManagedBuilder<Work>,
) -> ManagedPool<Work> {
    build(ManagedPool::builder().workers(workers).queue(queue))
        .over(ChannelPool::new)
        .unwrap()
}

/// How many pools there are, how many were closed, and what they were given.
#[derive(Clone, Default)]
pub(crate) struct Count {
    pub(crate) alive: Arc<AtomicUsize>,
    pub(crate) closed: Arc<AtomicUsize>,
    pub(crate) given: Arc<AtomicUsize>,
}

/// A pool that is counted.
pub(crate) struct Counted(ChannelPool<Shift<Work>>, Count);

impl Count {
    /// A pool over one that is counted.
    pub(crate) fn pool(&self, workers: usize) -> ManagedPool<Work> {
        let count = self.clone();
        let make = move |config| {
            count.alive.fetch_add(1, Ordering::SeqCst);
            Ok(Counted(ChannelPool::new(config)?, count.clone()))
        };
        ManagedPool::builder().workers(workers).over(make).unwrap()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl WorkerPool<Shift<Work>> for Counted {
    fn submit(
        &self,
        shift: Shift<Work>,
    ) -> Result<JobId, Closed<Shift<Work>>> {
        self.1.given.fetch_add(1, Ordering::SeqCst);
        self.0.submit(shift)
    }

    fn try_submit(
        &self,
        shift: Shift<Work>,
    ) -> Result<JobId, TrySubmitError<Shift<Work>>> {
        self.0.try_submit(shift)
    }

    fn recv(&self) -> Option<Completion<Shift<Work>>> {
        self.0.recv()
    }

    fn close(&self) {
        self.1.closed.fetch_add(1, Ordering::SeqCst);
        self.0.close();
    }

    fn cancel(&self) {
        self.0.cancel();
    }

    fn workers(&self) -> NonZeroUsize {
        self.0.workers()
    }

    fn bound(&self) -> NonZeroUsize {
        self.0.bound()
    }

    fn unfinished(&self) -> Option<usize> {
        self.0.unfinished()
    }
}
