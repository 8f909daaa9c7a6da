//! Jobs and pools for the tests.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::task::{Poll, Wake};
use std::thread;

use manyhands::variants;
use manyhands_core::{AsyncJob, Config, Job};
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
        .over(manyhands_channel::ChannelPool::new)
        .unwrap()
}
