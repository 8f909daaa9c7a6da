//! Jobs and pools for the tests.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use manyhands::channel::ChannelPool;
use manyhands::{Config, variants};
use manyhands_core::{AsyncJob, Job, Outcome, WorkerPool, WorkerPoolExt};

/// Longer than any test.
pub(crate) const HOUR: std::time::Duration =
    std::time::Duration::from_secs(3600);

/// A closure that does not block, as a job with both faces.
#[derive(Clone, Copy)]
pub(crate) struct Both<F>(pub(crate) F);

impl<F: FnOnce() -> T + Send, T: Send> Job for Both<F> {
    type Output = T;

    fn run(self) -> T {
        (self.0)()
    }
}

impl<F: FnOnce() -> T + Send, T: Send> AsyncJob for Both<F> {
    async fn run_async(self) -> T {
        (self.0)()
    }
}

/// Any job as one of those that the list of variants is for: they return a
/// `Result`. It is never an error, so no variant stops.
pub(crate) struct Fine<J>(J);

impl<J: Job> Job for Fine<J> {
    type Output = Result<J::Output, Infallible>;

    fn run(self) -> Self::Output {
        Ok(self.0.run())
    }
}

impl<J: AsyncJob> AsyncJob for Fine<J> {
    async fn run_async(self) -> Self::Output {
        Ok(self.0.run_async().await)
    }
}

/// What a job says; `None` for one that panicked.
pub(crate) type Answer<J> = Option<<J as Job>::Output>;

/// Runs jobs on two workers of each variant in turn, with something to be
/// done meanwhile, and has a look at their answers, in the order of the jobs.
pub(crate) fn on_each_beside<J, S>(
    jobs: impl Fn() -> (Vec<J>, S),
    mut beside: impl FnMut(S),
    mut check: impl FnMut(&'static str, Vec<Answer<J>>),
) where
    J: AsyncJob + 'static,
    J::Output: 'static,
{
    for variant in variants::<Fine<J>, _, _>() {
        let pool = variant.make(Config::new(2, 8).unwrap()).unwrap();
        let (jobs, state) = jobs();
        let count = jobs.len();
        let answers: Vec<_> = thread::scope(|scope| {
            let answers = scope.spawn(|| {
                let jobs = jobs.into_iter().map(Fine);
                let answer = |outcome: Outcome<Fine<J>>| {
                    assert!(!outcome.is_cancelled(), "{}", variant.name);
                    outcome.done().map(|Ok(answer)| answer)
                };
                pool.map_ordered(jobs).map(answer).collect()
            });
            beside(state);
            answers.join().unwrap()
        });
        assert_eq!(answers.len(), count, "{}", variant.name);
        check(variant.name, answers);
    }
}

/// Runs jobs on two workers of each variant in turn, and has a look at their
/// answers, in the order of the jobs.
pub(crate) fn on_each<J>(
    jobs: impl Fn() -> Vec<J>,
    check: impl FnMut(&'static str, Vec<Answer<J>>),
) where
    J: AsyncJob + 'static,
    J::Output: 'static,
{
    on_each_beside(|| (jobs(), ()), |()| (), check);
}

/// A pool whose only worker is held by a job until it is let go.
pub(crate) struct Held<J: Job> {
    pub(crate) pool: ChannelPool<J>,
    started: Receiver<()>,
    go: Sender<()>,
}

impl<J: Job + 'static> Held<J> {
    /// `hold` makes a job of what is to be done by one.
    pub(crate) fn new(
        hold: impl FnOnce(Box<dyn FnOnce() + Send>) -> J,
    ) -> Self {
        let pool = ChannelPool::new(Config::new(1, 8).unwrap()).unwrap();
        let (start, started) = channel();
        let (go, gone) = channel();
        let job = hold(Box::new(move || {
            start.send(()).unwrap();
            // Also when nobody is there to let it go.
            let _ = gone.recv();
        }));
        pool.submit(job).unwrap();
        let held = Self { pool, started, go };
        held.started.recv().unwrap();
        held
    }

    /// Lets it go, and reads its completion.
    pub(crate) fn let_go(self) -> ChannelPool<J> {
        self.go.send(()).unwrap();
        assert!(self.pool.recv().unwrap().outcome.is_done());
        self.pool
    }
}

/// Counts what is done.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<AtomicU32>);

impl Count {
    /// One more; returns how many there were.
    pub(crate) fn add(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn get(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}
