//! How a managed pool is set up.

use std::fmt;

use manyhands_core::sync::Arc;
use manyhands_core::{
    BuildError, CancelToken, Config, ConfigError, Job, JobId, Panic,
    WorkerPool,
};

use crate::order::Order;
use crate::pool::ManagedPool;
use crate::shared::{Base, Hooks, Shared};
use crate::shift::Shift;
use crate::state::State;
use crate::watch::Meters;

/// Builds a [`ManagedPool`]: set what differs from the defaults, then say
/// [over](Self::over) which pool.
#[must_use = "a builder does nothing until it is told over which pool"]
pub struct ManagedBuilder<J: Job + 'static> {
    workers: usize,
    queue: usize,
    order: Order<J>,
    hooks: Hooks<J>,
    name: String,
    token: Option<CancelToken>,
}

impl<J: Job + 'static> ManagedBuilder<J> {
    pub(crate) fn new() -> Self {
        let config = Config::default();
        Self {
            workers: config.workers().get(),
            queue: config.queue(),
            order: Order::fifo(),
            hooks: Hooks::default(),
            name: "pool".to_owned(),
            token: None,
        }
    }

    /// What the pool is called in metrics; `pool`, if nothing is said.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// Most jobs that run at once, 1 to [`Config::MAX_WORKERS`], or to
    /// [`Config::MAX_TASKS`] [over tasks](Self::over_tasks). As many as the
    /// machine runs threads at once, if nothing is said.
    pub fn workers(self, workers: usize) -> Self {
        Self { workers, ..self }
    }

    /// Most accepted jobs that wait for a worker, 0 to
    /// [`Config::MAX_QUEUE`]; [`Config::DEFAULT_QUEUE`], if nothing is said.
    pub fn queue(self, queue: usize) -> Self {
        Self { queue, ..self }
    }

    /// Which job is next; [`Order::fifo`], if nothing is said.
    pub fn order(self, order: Order<J>) -> Self {
        Self { order, ..self }
    }

    /// Which answers count as failures, in the
    /// [`snapshot`](ManagedPool::snapshot) and for
    /// [`stop_on_failure`](Self::stop_on_failure); none, if nothing is said.
    /// For jobs that return a `Result`: `.fails_if(Result::is_err)`.
    ///
    /// Called on the worker's thread, once a job. If it panics, the job
    /// counts as done.
    pub fn fails_if(
        mut self,
        fails: impl Fn(&J::Output) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.hooks.fails_if = Some(Box::new(fails));
        self
    }

    /// Cancels the pool at the first job that fails or panics: what is queued
    /// comes back.
    pub fn stop_on_failure(mut self) -> Self {
        self.hooks.stop_on_failure = true;
        self
    }

    /// Cancels the pool when this token is cancelled. (Its deadline, if it
    /// has one, cancels what looks at the [pool's](ManagedPool::token), and
    /// not the pool: there is no timer.)
    pub fn cancelled_by(self, token: &CancelToken) -> Self {
        Self { token: Some(token.child()), ..self }
    }

    /// Is told of each job that panics, also of those whose completion nobody
    /// receives. Called on the worker's thread; its own panics are contained.
    pub fn on_panic(
        mut self,
        tell: impl Fn(JobId, &Panic) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.on_panic = Some(Box::new(tell));
        self
    }

    /// Builds the pool over one of threads, and keeps `make` to build
    /// [another](ManagedPool::resize). The pool below must have workers of its
    /// own: one that runs a job where it is submitted will not do.
    ///
    /// ```
    /// use manyhands_channel::ChannelPool;
    /// use manyhands_core::Task;
    /// use manyhands_managed::ManagedPool;
    ///
    /// let pool = ManagedPool::<Task>::builder()
    ///     .workers(4)
    ///     .queue(100)
    ///     .over(ChannelPool::new)?;
    /// # Ok::<(), manyhands_core::BuildError>(())
    /// ```
    ///
    /// What the pattern's own builder sets, it sets here as well:
    ///
    /// ```
    /// use std::time::Duration;
    /// use manyhands::semaphore::SemaphorePool;
    /// use manyhands_core::Task;
    /// use manyhands_managed::ManagedPool;
    ///
    /// // Between one and sixteen threads, as they are needed.
    /// let pool = ManagedPool::<Task>::builder().workers(16).over(|config| {
    ///     SemaphorePool::builder()
    ///         .config(config)
    ///         .thread_name("mail")
    ///         .min_threads(1)
    ///         .keep_alive(Duration::from_secs(10))
    ///         .build()
    /// })?;
    /// # Ok::<(), manyhands_core::BuildError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`BuildError::Config`] for a setting outside of what is allowed, and
    /// what `make` returns.
    pub fn over<P: WorkerPool<Shift<J>> + 'static>(
        self,
        make: impl Fn(Config) -> Result<P, BuildError> + Send + Sync + 'static,
    ) -> Result<ManagedPool<J>, BuildError> {
        self.build(Config::new, make)
    }

    /// [`over`](Self::over) for a pool of async tasks, which may have
    /// [more](Config::tasks) workers.
    ///
    /// # Errors
    ///
    /// As [`over`](Self::over).
    pub fn over_tasks<P: WorkerPool<Shift<J>> + 'static>(
        self,
        make: impl Fn(Config) -> Result<P, BuildError> + Send + Sync + 'static,
    ) -> Result<ManagedPool<J>, BuildError> {
        self.build(Config::tasks, make)
    }

    fn build<P: WorkerPool<Shift<J>> + 'static>(
        self,
        sizes: Sizes,
        make: impl Fn(Config) -> Result<P, BuildError> + Send + Sync + 'static,
    ) -> Result<ManagedPool<J>, BuildError> {
        let make = move |config| Ok(Arc::new(make(config)?) as Base<J>);
        let plan = Plan { sizes, make: Box::new(make) };
        let config = plan.config(self.workers, self.queue)?;
        let base = plan.base(config)?;
        let state = State::new(self.order.queue(), config);
        let meters = Meters::new(&self.name);
        let token = self.token.unwrap_or_default();
        let shared =
            Shared::new(state, self.order, self.hooks, token, meters, base);
        Ok(ManagedPool::with(shared, plan))
    }
}

type Sizes = fn(usize, usize) -> Result<Config, ConfigError>;

/// How the pools below are made.
pub(crate) struct Plan<J: Job + 'static> {
    sizes: Sizes,
    make: Box<dyn Fn(Config) -> Result<Base<J>, BuildError> + Send + Sync>,
}

impl<J: Job> Plan<J> {
    pub(crate) fn config(
        &self,
        workers: usize,
        queue: usize,
    ) -> Result<Config, ConfigError> {
        (self.sizes)(workers, queue)
    }

    /// A pool for the shifts. A worker that has just ended one may not be
    /// free in the pool's eyes yet, so there is a place for one more each.
    pub(crate) fn base(&self, config: Config) -> Result<Base<J>, BuildError> {
        let workers = config.workers().get();
        (self.make)((self.sizes)(workers, workers)?)
    }
}

impl<J: Job + 'static> fmt::Debug for ManagedBuilder<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedBuilder")
            .field("name", &self.name)
            .field("workers", &self.workers)
            .field("queue", &self.queue)
            .field("order", &self.order)
            .finish_non_exhaustive()
    }
}
