//! How many workers, how long a queue.

use std::fmt;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use crate::{BuildError, ConfigError, ThreadOptions, WorkerInfo};

/// The sizes of a pool, checked when they are set.
///
/// ```
/// use manyhands_core::Config;
///
/// let config = Config::new(3, 64)?;
/// assert_eq!(config.bound().get(), 67);
///
/// let error = Config::new(0, 64).unwrap_err();
/// assert_eq!(error.to_string(), "workers is 0, allowed is 1 to 1024");
/// # Ok::<(), manyhands_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    workers: NonZeroUsize,
    queue: usize,
}

impl Config {
    /// The most workers a pool of threads may have. A system that is asked for
    /// threads without end does not refuse cleanly: some die while they start,
    /// and take the process with them.
    pub const MAX_WORKERS: usize = 1024;

    /// The most workers a pool of tasks may have: about a million. A task that
    /// waits takes a kilobyte or so, and no thread.
    pub const MAX_TASKS: usize = 1 << 20;

    /// The longest queue a pool may have: about a million jobs. Queues that
    /// take the channel's memory at once would ask for gigabytes beyond it,
    /// and a longer backlog wants a store that survives the process.
    pub const MAX_QUEUE: usize = 1 << 20;

    /// The queue's length if nothing else is said: long enough that a worker
    /// rarely waits for the submitter, short enough to push back early.
    pub const DEFAULT_QUEUE: usize = 256;

    /// Checks and sets both.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when `workers` is not within 1 to
    /// [`MAX_WORKERS`](Self::MAX_WORKERS) or `queue` not within 0 to
    /// [`MAX_QUEUE`](Self::MAX_QUEUE).
    pub fn new(workers: usize, queue: usize) -> Result<Self, ConfigError> {
        Self::within(Self::MAX_WORKERS, workers, queue)
    }

    /// The sizes of a pool whose workers are tasks, or permits for tasks. A
    /// pool of threads that is given more than
    /// [`MAX_WORKERS`](Self::MAX_WORKERS) tries to start them.
    ///
    /// ```
    /// use manyhands_core::Config;
    ///
    /// let config = Config::tasks(10_000, 0)?;
    /// assert_eq!(config.workers().get(), 10_000);
    /// # Ok::<(), manyhands_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new), with [`MAX_TASKS`](Self::MAX_TASKS) as the most
    /// workers.
    pub fn tasks(workers: usize, queue: usize) -> Result<Self, ConfigError> {
        Self::within(Self::MAX_TASKS, workers, queue)
    }

    fn within(
        most: usize,
        workers: usize,
        queue: usize,
    ) -> Result<Self, ConfigError> {
        Self::check("workers", workers, 1, most)?;
        Self::check("queue", queue, 0, Self::MAX_QUEUE)?;
        let workers = NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN);
        Ok(Self { workers, queue })
    }

    fn check(
        field: &'static str,
        value: usize,
        least: usize,
        most: usize,
    ) -> Result<(), ConfigError> {
        match (least..=most).contains(&value) {
            true => Ok(()),
            false => Err(ConfigError { field, value, least, most }),
        }
    }

    /// Most jobs that run at once.
    pub fn workers(&self) -> NonZeroUsize {
        self.workers
    }

    /// Most accepted jobs that wait for a worker, when all are busy.
    pub fn queue(&self) -> usize {
        self.queue
    }

    /// Most jobs that are accepted and unfinished: one with each worker, and
    /// the queue.
    pub fn bound(&self) -> NonZeroUsize {
        self.workers.saturating_add(self.queue)
    }
}

/// As many workers as the machine runs threads at once, and
/// [`DEFAULT_QUEUE`](Config::DEFAULT_QUEUE).
impl Default for Config {
    fn default() -> Self {
        let most = NonZeroUsize::MIN.saturating_add(Self::MAX_WORKERS - 1);
        let cores = available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self { workers: cores.min(most), queue: Self::DEFAULT_QUEUE }
    }
}

/// Builds a pool: set what differs from [`Config::default`] and
/// [`ThreadOptions::default`], then [`build`](Self::build).
///
/// Each variant has a function that returns one, so the words are the same
/// everywhere.
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder<P> {
    workers: usize,
    queue: usize,
    threads: ThreadOptions,
    sizes: fn(usize, usize) -> Result<Config, ConfigError>,
    make: Make<P>,
}

/// What a builder ends in, by what the pool can be told of its threads.
enum Make<P> {
    /// Nothing.
    Sizes(fn(Config) -> Result<P, BuildError>),
    /// What they are started with.
    Threads(fn(Config, ThreadOptions) -> Result<P, BuildError>, Ends),
}

/// When a pool's threads end.
enum Ends {
    /// After so long without work, if that is set.
    Idle,
    /// With the pool, which is this.
    WithThePool(&'static str),
}

/// For whoever writes a pool.
impl<P> Builder<P> {
    /// A builder that ends in `make`, for a pool that cannot be told how its
    /// threads are started: such a setting is an error then.
    pub fn new(make: fn(Config) -> Result<P, BuildError>) -> Self {
        Self::with(Config::new, Make::Sizes(make))
    }

    /// A builder for a pool that starts its workers by
    /// [`ThreadOptions::spawn`], as many as it is told, to its end.
    pub fn of_threads(
        make: fn(Config, ThreadOptions) -> Result<P, BuildError>,
    ) -> Self {
        let pool = "a pool with a fixed number of workers";
        let ends = Ends::WithThePool(pool);
        Self::with(Config::new, Make::Threads(make, ends))
    }

    /// A builder for a pool that starts threads as they are needed, such as
    /// those of a [`Crew`](crate::crew::Crew).
    pub fn of_crew(
        make: fn(Config, ThreadOptions) -> Result<P, BuildError>,
    ) -> Self {
        Self::with(Config::new, Make::Threads(make, Ends::Idle))
    }

    /// A builder for a pool of tasks, which may have [more](Config::tasks)
    /// workers; the options are for the threads of its own runtime.
    pub fn of_tasks(
        make: fn(Config, ThreadOptions) -> Result<P, BuildError>,
    ) -> Self {
        let pool = "a pool of tasks, whose threads are a runtime's";
        let ends = Ends::WithThePool(pool);
        Self::with(Config::tasks, Make::Threads(make, ends))
    }

    fn with(
        sizes: fn(usize, usize) -> Result<Config, ConfigError>,
        make: Make<P>,
    ) -> Self {
        let Config { workers, queue } = Config::default();
        let (workers, threads) = (workers.get(), ThreadOptions::new());
        Self { workers, queue, threads, sizes, make }
    }
}

impl<P> Builder<P> {
    /// Most jobs that run at once, 1 to [`Config::MAX_WORKERS`], or to
    /// [`Config::MAX_TASKS`] where workers are tasks.
    pub fn workers(self, workers: usize) -> Self {
        Self { workers, ..self }
    }

    /// Most accepted jobs that wait for a worker, 0 to
    /// [`Config::MAX_QUEUE`].
    pub fn queue(self, queue: usize) -> Self {
        Self { queue, ..self }
    }

    /// Workers and queue as they are in `config`: for whoever is given one.
    pub fn config(self, config: Config) -> Self {
        self.workers(config.workers().get()).queue(config.queue())
    }

    /// What the pool's threads are called: see [`ThreadOptions::name`].
    pub fn thread_name(self, name: impl Into<String>) -> Self {
        Self { threads: self.threads.name(name), ..self }
    }

    /// How large the stack of each thread is, in bytes: see
    /// [`ThreadOptions::stack_size`].
    pub fn stack_size(self, bytes: usize) -> Self {
        Self { threads: self.threads.stack_size(bytes), ..self }
    }

    /// Called on each thread before its first job: see
    /// [`ThreadOptions`](ThreadOptions#hooks).
    pub fn on_start(
        self,
        hook: impl Fn(&WorkerInfo) + Send + Sync + 'static,
    ) -> Self {
        Self { threads: self.threads.on_start(hook), ..self }
    }

    /// Called on each thread after its last job: see
    /// [`ThreadOptions`](ThreadOptions#hooks).
    pub fn on_stop(
        self,
        hook: impl Fn(&WorkerInfo) + Send + Sync + 'static,
    ) -> Self {
        Self { threads: self.threads.on_stop(hook), ..self }
    }

    /// How long a thread stays that has nothing to do, in a pool that starts
    /// its threads as they are needed: see [`ThreadOptions::keep_alive`]. An
    /// error of [`build`](Self::build) for every other pool.
    pub fn keep_alive(self, idle: Duration) -> Self {
        Self { threads: self.threads.keep_alive(idle), ..self }
    }

    /// How many of these threads stay all the same, 0 to the number of
    /// workers: see [`ThreadOptions::min_threads`]. An error of
    /// [`build`](Self::build) for every other pool.
    pub fn min_threads(self, threads: usize) -> Self {
        Self { threads: self.threads.min_threads(threads), ..self }
    }

    /// All that threads are started with, instead of what was set before.
    pub fn thread_options(self, threads: ThreadOptions) -> Self {
        Self { threads, ..self }
    }

    /// Checks the settings and starts the pool.
    ///
    /// # Errors
    ///
    /// [`BuildError::Config`] and [`BuildError::ThreadName`] for a setting
    /// outside of what is allowed, and [`BuildError::Unsupported`] for one
    /// that this kind of pool cannot keep, before anything is started;
    /// [`BuildError::Spawn`] when the system refuses a thread, after those
    /// already started have ended.
    pub fn build(self) -> Result<P, BuildError> {
        let config = (self.sizes)(self.workers, self.queue)?;
        let threads = self.threads;
        threads.check()?;
        let unless = |set: Option<_>, pool| match set {
            None => Ok(()),
            Some(setting) => Err(BuildError::Unsupported { setting, pool }),
        };
        match self.make {
            Make::Sizes(make) => {
                let pool = "a pool that does not start its threads by it";
                unless(threads.any_set(), pool)?;
                make(config)
            }
            Make::Threads(make, Ends::WithThePool(pool)) => {
                unless(threads.any_end_set(), pool)?;
                make(config, threads)
            }
            Make::Threads(make, Ends::Idle) => {
                let most = config.workers().get();
                let min_threads = threads.get_min_threads();
                Config::check("min_threads", min_threads, 0, most)?;
                make(config, threads)
            }
        }
    }
}

impl<P> fmt::Debug for Builder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("workers", &self.workers)
            .field("queue", &self.queue)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}
