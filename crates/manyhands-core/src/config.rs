//! How many workers, how long a queue.

use std::fmt;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use crate::{BuildError, ConfigError};

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
        let check = |field, value, least, most| {
            if (least..=most).contains(&value) {
                Ok(value)
            } else {
                Err(ConfigError { field, value, least, most })
            }
        };
        let workers = check("workers", workers, 1, most)?;
        let queue = check("queue", queue, 0, Self::MAX_QUEUE)?;
        let workers = NonZeroUsize::new(workers).unwrap_or(NonZeroUsize::MIN);
        Ok(Self { workers, queue })
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

/// Builds a pool: set what differs from [`Config::default`], then
/// [`build`](Self::build).
///
/// Each variant has a function that returns one, so the words are the same
/// everywhere.
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder<P> {
    workers: usize,
    queue: usize,
    sizes: fn(usize, usize) -> Result<Config, ConfigError>,
    make: fn(Config) -> Result<P, BuildError>,
}

impl<P> Builder<P> {
    /// A builder that ends in `make`. For whoever writes a pool.
    pub fn new(make: fn(Config) -> Result<P, BuildError>) -> Self {
        Self::with(Config::new, make)
    }

    /// [`new`](Self::new) for a pool of tasks, which may have
    /// [more](Config::tasks) workers.
    pub fn of_tasks(make: fn(Config) -> Result<P, BuildError>) -> Self {
        Self::with(Config::tasks, make)
    }

    fn with(
        sizes: fn(usize, usize) -> Result<Config, ConfigError>,
        make: fn(Config) -> Result<P, BuildError>,
    ) -> Self {
        let Config { workers, queue } = Config::default();
        Self { workers: workers.get(), queue, sizes, make }
    }

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

    /// Checks the settings and starts the pool.
    ///
    /// # Errors
    ///
    /// [`BuildError::Config`] for a setting outside of what is allowed,
    /// before anything is started; [`BuildError::Spawn`] when the system
    /// refuses a thread, after those already started have ended.
    pub fn build(self) -> Result<P, BuildError> {
        (self.make)((self.sizes)(self.workers, self.queue)?)
    }
}

impl<P> fmt::Debug for Builder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("workers", &self.workers)
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
