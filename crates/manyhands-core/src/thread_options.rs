//! What every thread of a pool is started with.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;

use crate::error::{BuildError, ConfigError};
use crate::run::contain;
use crate::sync::Arc;
use crate::sync::thread::{self, JoinHandle};

/// What every thread of a pool is started with: its name, its stack, and what
/// is called when it starts and when it ends.
///
/// Users set it at a [`Builder`](crate::Builder), one by one or
/// [all together](crate::Builder::thread_options); a pool starts its workers
/// by it, with [`spawn`](Self::spawn).
///
/// # Hooks
///
/// [`on_start`](Self::on_start) is called on each thread before its first
/// job, and [`on_stop`](Self::on_stop) on the same thread after its last,
/// also when it ends because the pool is closed, and when what it does
/// panics. Each is called once for each thread that is started, and a pool
/// that was dropped has called them all, except where its drop does not wait
/// for a thread. The results may end before `on_stop` is called.
///
/// A hook that panics is reported by the panic hook, as every panic, and has
/// no other effect: the thread goes on to its jobs, or to its end. A hook that
/// blocks keeps its thread from its jobs; `build` does not wait for it. One
/// that owns the pool, or waits for its end, waits for ever.
///
/// ```
/// use manyhands_core::ThreadOptions;
///
/// let options = ThreadOptions::new()
///     .name("encoder")
///     .stack_size(4 << 20)
///     .on_start(|worker| println!("{} is here", worker.index()));
///
/// let worker = options.spawn("worker", 0, || {
///     assert_eq!(std::thread::current().name(), Some("encoder 1"));
/// })?;
/// worker.join().unwrap();
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Default)]
#[must_use = "options do nothing until a thread is started with them"]
pub struct ThreadOptions {
    name: Option<String>,
    stack_size: Option<usize>,
    hooks: Hooks,
    keep_alive: Option<Duration>,
    min_threads: Option<usize>,
}

/// Which of a pool's threads it is that a hook is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerInfo {
    index: usize,
}

/// A worker between its two hooks: dropped, it calls `on_stop`, on the thread
/// that [began](ThreadOptions::begin).
#[must_use = "dropped at once, the worker ends at once"]
pub struct AtWork {
    hooks: Hooks,
    worker: WorkerInfo,
    /// It ends where it began.
    here: PhantomData<*const ()>,
}

#[derive(Clone, Default)]
struct Hooks {
    on_start: Option<Hook>,
    on_stop: Option<Hook>,
}

type Hook = Arc<dyn Fn(&WorkerInfo) + Send + Sync>;

// Panics of hooks are contained, so whoever holds them stays as it was.
impl UnwindSafe for Hooks {}
impl RefUnwindSafe for Hooks {}

impl ThreadOptions {
    /// The smallest stack that may be asked for: some systems take no less,
    /// and a job that panics needs much of it to be reported.
    pub const MIN_STACK_SIZE: usize = 128 << 10;

    /// The largest stack that may be asked for. Whatever recurses deeper than
    /// that wants a stack of its own on the heap.
    pub const MAX_STACK_SIZE: usize = 1 << 30;

    /// The name and the stack that the pool and the standard library choose,
    /// and no hooks.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the threads are called, followed by their number from 1 on:
    /// `encoder 1`. Linux shows the first 15 bytes.
    pub fn name(self, name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..self }
    }

    /// How large each thread's stack is, in bytes:
    /// [`MIN_STACK_SIZE`](Self::MIN_STACK_SIZE) to
    /// [`MAX_STACK_SIZE`](Self::MAX_STACK_SIZE). The standard library's
    /// choice, 2 MiB, if nothing is said.
    pub fn stack_size(self, bytes: usize) -> Self {
        Self { stack_size: Some(bytes), ..self }
    }

    /// Called on each thread before its first job.
    pub fn on_start(
        mut self,
        hook: impl Fn(&WorkerInfo) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.on_start = Some(Arc::new(hook));
        self
    }

    /// Called on each thread after its last job.
    pub fn on_stop(
        mut self,
        hook: impl Fn(&WorkerInfo) + Send + Sync + 'static,
    ) -> Self {
        self.hooks.on_stop = Some(Arc::new(hook));
        self
    }

    /// How long a thread stays that has nothing to do, in a pool that starts
    /// its threads as they are needed. Until the pool is closed, if nothing
    /// is said. A thread that has ended is started anew when there is work
    /// for it.
    pub fn keep_alive(self, idle: Duration) -> Self {
        Self { keep_alive: Some(idle), ..self }
    }

    /// How many threads stay however long they have nothing to do, once they
    /// were started: 0 if nothing is said. Those that are left then wait
    /// without a timer.
    pub fn min_threads(self, threads: usize) -> Self {
        Self { min_threads: Some(threads), ..self }
    }

    /// Whether threads can be started with these options, as far as that can
    /// be known beforehand. [`Builder::build`](crate::Builder::build) asks.
    ///
    /// # Errors
    ///
    /// [`BuildError::ThreadName`] for a name with a NUL byte,
    /// [`BuildError::Config`] for a stack that is too small or too large.
    pub fn check(&self) -> Result<(), BuildError> {
        if let Some(name) = self.name.as_ref().filter(|it| it.contains('\0')) {
            return Err(BuildError::ThreadName(name.clone()));
        }
        let allowed = Self::MIN_STACK_SIZE..=Self::MAX_STACK_SIZE;
        match self.stack_size {
            Some(value) if !allowed.contains(&value) => {
                let (&least, &most) = (allowed.start(), allowed.end());
                let field = "stack_size";
                Err(ConfigError { field, value, least, most }.into())
            }
            _ => Ok(()),
        }
    }

    /// Starts the thread with the number `index`, counted from 0, called
    /// `name` if the options have no other.
    ///
    /// # Errors
    ///
    /// When the system refuses a thread, and when the options or the name are
    /// [not allowed](Self::check).
    pub fn spawn(
        &self,
        name: &str,
        index: usize,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let hooks = self.hooks.clone();
        self.spawn_bare(name, index, move || {
            let _at_work = hooks.begin(index);
            work();
        })
    }

    /// [`spawn`](Self::spawn), for work that begins and ends by itself.
    pub(crate) fn spawn_bare(
        &self,
        name: &str,
        index: usize,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<JoinHandle<()>> {
        let name = self.name.as_deref().unwrap_or(name);
        self.clone().name(name).check().map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidInput, error)
        })?;
        let mut thread =
            thread::Builder::new().name(format!("{name} {}", index + 1));
        if let Some(bytes) = self.stack_size {
            thread = thread.stack_size(bytes);
        }
        thread.spawn(work)
    }

    /// Calls `on_start` here, and `on_stop` when what it returns is dropped:
    /// for a pool whose threads are started by somebody else.
    pub fn begin(&self, index: usize) -> AtWork {
        self.hooks.clone().begin(index)
    }

    /// The name that was set.
    pub fn get_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The stack that was set.
    pub fn get_stack_size(&self) -> Option<usize> {
        self.stack_size
    }

    /// The time that was set.
    pub fn get_keep_alive(&self) -> Option<Duration> {
        self.keep_alive
    }

    /// The number that was set, or 0.
    pub fn get_min_threads(&self) -> usize {
        self.min_threads.unwrap_or(0)
    }

    /// True if there is something to be called.
    pub fn has_hooks(&self) -> bool {
        self.hooks.on_start.is_some() || self.hooks.on_stop.is_some()
    }

    /// What was set first, in the order of the fields.
    pub(crate) fn any_set(&self) -> Option<&'static str> {
        let Self { name, stack_size, hooks, .. } = self;
        let set = [
            ("thread_name", name.is_some()),
            ("stack_size", stack_size.is_some()),
            ("on_start", hooks.on_start.is_some()),
            ("on_stop", hooks.on_stop.is_some()),
        ];
        let set = set.into_iter().find(|(_, is_set)| *is_set);
        set.map(|(name, _)| name).or(self.any_end_set())
    }

    /// Which of those is set that say when threads end.
    pub(crate) fn any_end_set(&self) -> Option<&'static str> {
        let keep_alive = self.keep_alive.map(|_| "keep_alive");
        keep_alive.or(self.min_threads.map(|_| "min_threads"))
    }
}

impl Hooks {
    fn begin(self, index: usize) -> AtWork {
        let worker = WorkerInfo { index };
        call(self.on_start.as_ref(), &worker);
        AtWork { hooks: self, worker, here: PhantomData }
    }
}

/// A panic ends here.
fn call(hook: Option<&Hook>, worker: &WorkerInfo) {
    if let Some(hook) = hook {
        contain(|| hook(worker));
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        call(self.hooks.on_stop.as_ref(), &self.worker);
    }
}

impl WorkerInfo {
    /// The worker's number, counted from 0. No two threads of a pool have the
    /// same at the same time, and one that is started later takes the lowest
    /// that is free: so it is always less than the most threads that were
    /// there at once.
    pub fn index(&self) -> usize {
        self.index
    }
}

impl fmt::Debug for ThreadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadOptions")
            .field("name", &self.name)
            .field("stack_size", &self.stack_size)
            .field("on_start", &self.hooks.on_start.is_some())
            .field("on_stop", &self.hooks.on_stop.is_some())
            .field("keep_alive", &self.keep_alive)
            .field("min_threads", &self.min_threads)
            .finish()
    }
}

impl fmt::Debug for AtWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AtWork").field(&self.worker.index).finish()
    }
}
