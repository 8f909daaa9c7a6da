//! The one list of variants.

use std::fmt;

use manyhands_core::{AsyncJob, BuildError, Config, Job, WorkerPool};

/// One variant: what to call it, where it comes from, how to make it.
pub struct Variant<J: Job> {
    /// Its name, as on a command line.
    pub name: &'static str,
    /// What it is, in a phrase.
    pub summary: &'static str,
    /// Where the pattern comes from.
    pub origin: &'static str,
    /// What it does in a way of its own.
    pub claims: Claims,
    make: Make<J>,
}

/// What a variant does beyond the laws, or keeps them by, unlike others.
///
/// These are claims: the crate `manyhands-conformance` knows the same, and
/// holds each variant to what it claims and to what it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// It takes up jobs in the order of their ids.
    pub in_order: bool,
    /// It has no queue: its bound is the number of its workers.
    pub no_queue: bool,
    /// It starts a thread for each job, and has none when it is idle.
    pub thread_per_job: bool,
    /// It stops at the first `Err` that a job returns: later jobs come back
    /// unrun or are refused.
    pub stops_on_error: bool,
}

#[allow(dead_code, reason = "no feature makes every claim")]
impl Claims {
    const NONE: Self = Self {
        in_order: false,
        no_queue: false,
        thread_per_job: false,
        stops_on_error: false,
    };
    const IN_ORDER: Self = Self { in_order: true, ..Self::NONE };
    const NO_QUEUE: Self = Self { no_queue: true, ..Self::NONE };
}

type Make<J> = fn(Config) -> Result<Box<dyn WorkerPool<J>>, BuildError>;

impl<J: Job> Variant<J> {
    /// Starts a pool of this kind.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread.
    pub fn make(
        &self,
        config: Config,
    ) -> Result<Box<dyn WorkerPool<J>>, BuildError> {
        (self.make)(config)
    }
}

impl<J: Job> fmt::Debug for Variant<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variant")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Every variant whose feature is on, for jobs that suit all of them: they
/// have both faces, and return a `Result`, so that the error group can tell
/// an error.
///
/// This is the one list that the program, the benches and the tests read.
///
/// ```
/// use manyhands::{AsyncJob, Config, Job, WorkerPool, variants};
///
/// struct Double(u64);
/// impl Job for Double {
///     type Output = Result<u64, std::num::TryFromIntError>;
///     fn run(self) -> Self::Output {
///         Ok(self.0 * 2)
///     }
/// }
/// impl AsyncJob for Double {
///     async fn run_async(self) -> Self::Output {
///         self.run()
///     }
/// }
///
/// for variant in variants::<Double, _, _>() {
///     let pool = variant.make(Config::new(2, 8)?)?;
///     pool.submit(Double(21)).unwrap();
///     let answer = pool.recv().unwrap().done().unwrap();
///     assert_eq!(answer, Ok(42), "{}", variant.name);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn variants<J, T, E>() -> Vec<Variant<J>>
where
    J: AsyncJob + Job<Output = Result<T, E>> + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    vec![
        #[cfg(feature = "channel")]
        Variant {
            name: "channel",
            summary: "workers range over a jobs channel",
            origin: "Go by Example",
            claims: Claims::IN_ORDER,
            make: |config| {
                Ok(Box::new(manyhands_channel::ChannelPool::new(config)?))
            },
        },
        #[cfg(feature = "waitgroup")]
        Variant {
            name: "waitgroup",
            summary: "a struct of channels and a wait group",
            origin: "Go tutorial: worker pool pattern",
            claims: Claims::IN_ORDER,
            make: |config| {
                Ok(Box::new(manyhands_waitgroup::WaitGroupPool::new(config)?))
            },
        },
        #[cfg(feature = "dispatcher")]
        Variant {
            name: "dispatcher",
            summary: "a dispatcher and a pool of ready workers",
            origin: "Go notes: job queue",
            claims: Claims::IN_ORDER,
            make: |config| {
                Ok(Box::new(manyhands_dispatcher::DispatcherPool::new(
                    config,
                )?))
            },
        },
        #[cfg(feature = "semaphore")]
        Variant {
            name: "semaphore",
            summary: "no workers: a permit a job, on threads that stay",
            origin: "Go tutorial: alternatives",
            claims: Claims::NO_QUEUE,
            make: |config| {
                Ok(Box::new(manyhands_semaphore::SemaphorePool::new(config)))
            },
        },
        #[cfg(feature = "errgroup")]
        Variant {
            name: "errgroup",
            summary: "so many at once, the first error stops all",
            origin: "Go tutorial: alternatives",
            claims: Claims { stops_on_error: true, ..Claims::NO_QUEUE },
            make: |config| {
                Ok(Box::new(manyhands_errgroup::ErrGroupPool::new(config)?))
            },
        },
        #[cfg(feature = "batch")]
        Variant {
            name: "batch",
            summary: "workers claim several jobs of one queue at once",
            origin: "batched claims of one queue",
            claims: Claims::NONE,
            make: |config| {
                Ok(Box::new(manyhands_batch::BatchPool::new(config)?))
            },
        },
        #[cfg(feature = "rayon")]
        Variant {
            name: "rayon",
            summary: "work stealing, bounded and drained",
            origin: "the rayon library",
            claims: Claims::NONE,
            make: |config| {
                Ok(Box::new(manyhands_rayon::RayonPool::new(config)?))
            },
        },
        #[cfg(feature = "tokio")]
        Variant {
            name: "tokio",
            summary: "async workers over an async channel",
            origin: "the tokio and async-channel libraries",
            claims: Claims::IN_ORDER,
            make: |config| {
                Ok(Box::new(manyhands_tokio::TaskPool::new(config)?))
            },
        },
        #[cfg(feature = "tokio")]
        Variant {
            name: "tokio-tasks",
            summary: "an async task a job, under a semaphore",
            origin: "the tokio library",
            claims: Claims::NONE,
            make: |config| {
                Ok(Box::new(manyhands_tokio::JoinSetPool::new(config)?))
            },
        },
    ]
}
