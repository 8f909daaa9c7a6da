//! The variants of this workspace, all driven in the same ways, through the
//! shared trait. How a variant is driven is here and nowhere else.

use std::cell::RefCell;
use std::convert::Infallible;
use std::num::NonZeroUsize;

use manyhands::batch::BatchPool;
use manyhands::channel::ChannelPool;
use manyhands::{
    AsyncJob, Claims, Completion, Config, Job, Outcome, Spawn, TrySubmitError,
    Variant, WorkerPool, WorkerPoolExt, variants,
};
use manyhands_managed::ManagedPool;

use super::{Contender, Sizes, Way};
use crate::drive::{Drive, Feed, Single, oldest_first};
use crate::work::{Answer, Source, Stops, Task};

pub(super) fn contenders() -> Vec<Contender> {
    let mut all = Vec::new();
    for variant in variants::<Task, _, _>() {
        let (name, claims) = (variant.name, variant.claims);
        let start = move |sizes| Single(Submit(start(&variant, sizes)));
        all.push(contender(name, Way::Single, claims, start).with_ids());
    }
    let over_channel = |sizes| Single(Submit(managed(sizes)));
    let managed = Contender::new("managed", Way::Single, over_channel);
    all.push(managed.with_ids());
    for variant in variants::<Task, _, _>() {
        let (name, claims) = (variant.name, variant.claims);
        let name = format!("{name}+run_all");
        let start = move |sizes| RunAll(start(&variant, sizes));
        all.push(contender(name, Way::Batch, claims, start).with_ids());
    }
    for variant in variants::<Task, _, _>() {
        let (name, claims) = (variant.name, variant.claims);
        let name = format!("{name}+submit_all");
        let start = move |sizes| SubmitAll(start(&variant, sizes));
        all.push(contender(name, Way::Batch, claims, start).with_ids());
    }
    for variant in variants::<Task, _, _>() {
        // Of the others, none takes several jobs at once.
        if variant.name == "batch" {
            let start = move |sizes| Held(start(&variant, sizes));
            let way = Way::Batch;
            let contender =
                contender("batch+submitter", way, Claims::default(), start);
            all.push(contender.with_ids());
        }
    }
    all.extend(in_rows());
    for variant in variants::<Spawned, _, _>() {
        let (name, claims) = (variant.name, variant.claims);
        let start = move |sizes: Sizes| Handles {
            pool: start(&variant, sizes),
            most: sizes.queue,
        };
        all.push(contender(name, Way::Handle, claims, start));
    }
    all
}

/// The batch pool whose workers run up to 32 brief jobs in a row.
fn in_rows() -> [Contender; 3] {
    const BENDS: &str =
        "asked for: jobs of a row, and their results, wait for each other";
    let row = |name: &str, way| (format!("batch:32{name}"), way);
    let single = row("", Way::Single);
    let all = row("+run_all", Way::Batch);
    let held = row("+submitter", Way::Batch);
    [
        Contender::new(single.0, single.1, |it| Single(Submit(grain(it)))),
        Contender::new(all.0, all.1, |it| RunAll(grain(it))),
        Contender::new(held.0, held.1, |it| Held(grain(it))),
    ]
    .map(|contender| contender.with_ids().bends(BENDS))
}

/// The managed pool, over the channel pool.
fn managed(sizes: Sizes) -> Box<dyn WorkerPool<Task>> {
    let pool = ManagedPool::builder()
        .workers(sizes.workers)
        .queue(sizes.queue)
        .over(ChannelPool::new);
    Box::new(pool.expect("the system has threads"))
}

fn grain(sizes: Sizes) -> Box<dyn WorkerPool<Task>> {
    const GRAIN: NonZeroUsize = NonZeroUsize::new(32).expect("not zero");
    let config = Config::new(sizes.workers, sizes.queue);
    let config = config.expect("sizes within the range of a pool");
    let pool = BatchPool::with_grain(config, GRAIN);
    Box::new(pool.expect("the system has threads"))
}

fn contender<P: Drive + 'static>(
    name: impl Into<String>,
    way: Way,
    claims: Claims,
    start: impl Fn(Sizes) -> P + 'static,
) -> Contender {
    let name = match way {
        Way::Handle => format!("{}+spawn", name.into()),
        _ => name.into(),
    };
    let contender = Contender::new(name, way, start);
    if !claims.no_queue {
        return contender;
    }
    // A job is handed to a thread or a task that sleeps, or to a new one.
    let most_jobs = if claims.thread_per_job { 10_000 } else { 50_000 };
    contender.most_jobs(most_jobs).bends("no queue: its bound is its workers")
}

fn start<J: Job>(
    variant: &Variant<J>,
    sizes: Sizes,
) -> Box<dyn WorkerPool<J>> {
    let config = Config::new(sizes.workers, sizes.queue);
    let config = config.expect("sizes within the range of a pool");
    variant.make(config).expect("the system has threads")
}

thread_local! {
    /// What a thread has received and is handing on: kept, so that reading
    /// allocates nothing.
    static RECEIVED: RefCell<Vec<Completion<Task>>> = RefCell::default();
}

/// Receives what is at hand; waits for one completion.
fn receive(
    pool: &dyn WorkerPool<Task>,
    mut sink: impl FnMut(Completion<Task>),
) -> u64 {
    let mut received = RECEIVED.take();
    let count = pool.recv_many(&mut received, usize::MAX);
    received.drain(..).for_each(&mut sink);
    RECEIVED.set(received);
    count as u64
}

/// What a job answered that was neither cancelled nor panicked.
fn answer(outcome: Outcome<Task>) -> Answer {
    outcome.done().expect("the job ran to its end")
}

/// One `try_submit` a job; `recv_many` when it says that the pool is full.
struct Submit(Box<dyn WorkerPool<Task>>);

impl Feed for Submit {
    fn submit(&self, task: Task) {
        self.0.submit(task).expect("the pool is open");
    }

    fn try_submit(&self, task: Task) -> Result<(), Task> {
        match self.0.try_submit(task) {
            Ok(_) => Ok(()),
            Err(TrySubmitError::Full(back)) => Err(back),
            Err(TrySubmitError::Closed(_)) => panic!("the pool is open"),
        }
    }

    fn receive(&self, sink: &mut dyn FnMut(u64, Answer)) -> u64 {
        receive(&*self.0, |completion| {
            sink(completion.id.get(), answer(completion.outcome));
        })
    }

    /// As `run_all` does: finished results wait without limit otherwise.
    fn most_owed(&self) -> u64 {
        2 * self.0.bound().get() as u64
    }

    /// The error group stops by itself; the others are cancelled by the
    /// caller as soon as it reads the error.
    fn fail_fast(&self, source: &Stops, jobs: u64) -> bool {
        let pool = &*self.0;
        let collect = || {
            receive(pool, |completion| {
                if let Outcome::Done(Err(_)) = completion.outcome {
                    pool.cancel();
                }
            })
        };
        let mut owed = 0;
        let mut index = 0;
        let mut waiting = None;
        while index < jobs {
            let task = waiting.take();
            let task = task.unwrap_or_else(|| source.task(index));
            match pool.try_submit(task) {
                Ok(_) => {
                    owed += 1;
                    index += 1;
                }
                Err(TrySubmitError::Full(back)) => {
                    waiting = Some(back);
                    owed -= collect();
                }
                Err(TrySubmitError::Closed(_)) => break,
            }
        }
        while owed > 0 {
            owed -= collect();
        }
        true
    }
}

/// All jobs in one call.
struct RunAll(Box<dyn WorkerPool<Task>>);

impl Drive for RunAll {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let tasks = (0..jobs).map(|index| source.task(index));
        let ran = self.0.run_all(tasks, |completion| {
            sink(completion.id.get(), answer(completion.outcome));
        });
        assert_eq!(ran.ok(), Some(jobs), "nobody closes the pool");
    }
}

/// One call a job, of a submitter that hands over several at a time.
struct Held(Box<dyn WorkerPool<Task>>);

impl Drive for Held {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let pool = &*self.0;
        let most = 2 * pool.bound().get() as u64;
        let mut owed = 0;
        let mut read = |owed: &mut u64| {
            *owed -= receive(pool, |completion| {
                sink(completion.id.get(), answer(completion.outcome));
            });
        };
        let mut submitter = pool.submitter();
        for index in 0..jobs {
            // What it holds is owed by nobody yet.
            if owed >= most + submitter.held() as u64 {
                read(&mut owed);
            }
            let submitted = submitter.submit(source.task(index));
            submitted.expect("the pool is open");
            owed += 1;
        }
        submitter.flush().expect("the pool is open");
        while owed > 0 {
            read(&mut owed);
        }
    }
}

/// `submit_all` for as many jobs as a batch has, and `recv_many` in turn.
struct SubmitAll(Box<dyn WorkerPool<Task>>);

impl SubmitAll {
    /// Many enough that the price of a call is shared by many, few enough
    /// that a queue of 1024 holds some.
    const BATCH: u64 = 256;
}

impl Drive for SubmitAll {
    fn drive<S: Source>(
        &mut self,
        source: &S,
        jobs: u64,
        mut sink: impl FnMut(u64, Answer),
    ) {
        let pool = &*self.0;
        let most = 2 * pool.bound().get() as u64;
        let (mut next, mut owed) = (0, 0);
        while next < jobs || owed > 0 {
            if next < jobs && (owed == 0 || owed + Self::BATCH <= most) {
                let end = jobs.min(next + Self::BATCH);
                let mut tasks = (next..end).map(|index| source.task(index));
                let taken = pool.submit_all(&mut tasks);
                assert_eq!(taken.ok(), Some(end - next), "the pool is open");
                owed += end - next;
                next = end;
            } else {
                owed -= receive(pool, |completion| {
                    sink(completion.id.get(), answer(completion.outcome));
                });
            }
        }
    }
}

/// A closure with a handle, as a job that suits every variant.
struct Spawned(manyhands::Task<'static>);

impl From<manyhands::Task<'static>> for Spawned {
    fn from(task: manyhands::Task<'static>) -> Self {
        Self(task)
    }
}

impl Job for Spawned {
    type Output = Result<(), Infallible>;

    const DETACHED: bool = true;

    fn run(self) -> Self::Output {
        self.0.run();
        Ok(())
    }
}

impl AsyncJob for Spawned {
    async fn run_async(self) -> Self::Output {
        self.0.run_async().await;
        Ok(())
    }
}

/// One `spawn` a job; the oldest handle is joined when there are as many as
/// the queue is long.
struct Handles {
    pool: Box<dyn WorkerPool<Spawned>>,
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
        let spawned = tasks.map(|task| {
            let handle = self.pool.spawn(move || task.run());
            handle.expect("the pool is open")
        });
        for handle in oldest_first(self.most, spawned) {
            sink(0, handle.join().expect("the job ran to its end"));
        }
    }
}
