//! An error group with a limit: the first error wins and stops the rest.
//!
//! The pattern of Go's `golang.org/x/sync/errgroup`:
//!
//! ```go
//! g, ctx := errgroup.WithContext(context.Background())
//! g.SetLimit(3)
//! for _, url := range urls {
//!     g.Go(func() error { return fetch(ctx, url) })
//! }
//! err := g.Wait() // the first error
//! ```
//!
//! and here:
//!
//! ```
//! use manyhands_errgroup::Group;
//!
//! let group = Group::with_limit(3)?;
//! for n in 1..=100 {
//!     let fetch = move |_ctx: &_| if n == 7 { Err(n) } else { Ok(()) };
//!     if group.go(fetch).is_err() {
//!         break; // the group has failed: nothing more is started
//!     }
//! }
//! assert_eq!(group.wait(), Err(7));
//! # Ok::<(), manyhands_core::ConfigError>(())
//! ```
//!
//! # What is as in Go, and what is not
//!
//! | | Go | here |
//! |---|---|---|
//! | at the limit | `Go` waits, `TryGo` says no | the same |
//! | `Wait` | waits for all, returns the first error | the same |
//! | the first error | cancels the context; later functions *still start* | cancels the [`Context`], and later functions are refused |
//! | limit 0 | nothing can ever be added, `Go` waits for ever | an error |
//! | the limit, changed while active | panics | is set once, when the group is made |
//! | a panic | ends the process | stops the rest, and goes on in [`Group::wait`] |
//!
//! *Refusing what comes after the first error is our choice.* A function that
//! would start only to look at its context and return is spared that. Who
//! wants Go's behaviour ignores what [`Group::go`] returns.
//!
//! *Panics*: Go's authors added forwarding them to `Wait` in 2025 and took it
//! back two months later, since the stack is lost and the report comes late;
//! conc, another Go library, forwards them. Here the panic hook reports at
//! once and with the stack, so forwarding adds to that and hides nothing.
//!
//! # Use it as a pool
//!
//! For jobs that return a `Result`. The first `Err` is like a
//! [`cancel`](manyhands_core::WorkerPool::cancel):
//!
//! ```
//! use manyhands_core::{WorkerPool, WorkerPoolExt};
//! use manyhands_errgroup::ErrGroupPool;
//!
//! let pool = ErrGroupPool::builder().workers(3).build()?;
//! for job in 1..=5u32 {
//!     pool.submit(move || Ok::<_, String>(job * 2)).unwrap();
//! }
//! pool.close();
//! let done = pool.completions().filter_map(|c| c.done());
//! assert_eq!(done.sum::<Result<u32, _>>(), Ok(30));
//! # Ok::<(), manyhands_core::BuildError>(())
//! ```
//!
//! # Stages
//!
//! 1. The original: [`Group`], [`Context`].
//! 2. [`ErrGroupPool`]: the same over tickets, under the contract.
//!
//! # Traps
//!
//! - `go` from inside a function of the same group, at the limit: waits for
//!   itself. Use [`try_go`](Group::try_go) there.
//! - A function that never looks at its [`Context`] runs to its end after the
//!   first error: stopping is asked for, not forced.
//! - The group keeps the first error. Who needs all of them uses the pool,
//!   whose completions carry each.
//!
//! # Cost
//!
//! A thread a job: tens of microseconds, and three allocations.

#![forbid(unsafe_code)]

mod adapter;

use std::convert::Infallible;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded, select};
use manyhands_core::{
    Closed, Config, ConfigError, Panic, Threads, TrySubmitError,
};

pub use crate::adapter::ErrGroupPool;

/// Functions that run together and fail together.
///
/// Dropped without [`wait`](Self::wait), it waits all the same, and the error
/// is lost.
pub struct Group<E> {
    shared: Arc<Shared<E>>,
    threads: Threads,
}

struct Shared<E> {
    /// One token a running function: a send waits while `limit` are out.
    /// `None` without a limit.
    sem: Option<(Sender<()>, Receiver<()>)>,
    first: Mutex<Option<Failure<E>>>,
    ctx: Context,
}

enum Failure<E> {
    Error(E),
    Panic(Panic),
}

/// What a function looks at to learn that it may stop.
///
/// Cancelled by the first error or panic in the group, and by nothing else.
pub struct Context {
    /// Dropped by the first failure. That ends `done`.
    cancel: Mutex<Option<Sender<Infallible>>>,
    done: Receiver<Infallible>,
}

/// A token in the semaphore; taken out again by dropping it.
struct Token<E>(Arc<Shared<E>>);

impl<E: Send + 'static> Group<E> {
    /// A group without a limit.
    pub fn new() -> Self {
        Self::with_sem(None)
    }

    /// A group of which at most `limit` functions run at once.
    ///
    /// # Errors
    ///
    /// When `limit` is not within 1 to [`Config::MAX_WORKERS`].
    pub fn with_limit(limit: usize) -> Result<Self, ConfigError> {
        match Config::new(limit, 0) {
            Ok(config) => Ok(Self::with_sem(Some(config.workers().get()))),
            Err(mut error) => {
                error.field = "limit";
                Err(error)
            }
        }
    }

    fn with_sem(limit: Option<usize>) -> Self {
        let (cancel, done) = bounded(0);
        let ctx = Context { cancel: Mutex::new(Some(cancel)), done };
        let sem = limit.map(bounded);
        let shared = Shared { sem, first: Mutex::new(None), ctx };
        Self { shared: Arc::new(shared), threads: Threads::new() }
    }

    /// Runs a function on a thread of its own. Waits while `limit` functions
    /// are running.
    ///
    /// # Errors
    ///
    /// The function comes back when the group has failed, also while waiting.
    pub fn go<F>(&self, work: F) -> Result<(), Closed<F>>
    where
        F: FnOnce(&Context) -> Result<(), E> + Send + 'static,
    {
        match self.token() {
            Some(token) => {
                self.start(token, work);
                Ok(())
            }
            None => Err(Closed(work)),
        }
    }

    /// Runs a function if that needs no waiting.
    ///
    /// # Errors
    ///
    /// The function comes back when `limit` functions are running, or when
    /// the group has failed.
    pub fn try_go<F>(&self, work: F) -> Result<(), TrySubmitError<F>>
    where
        F: FnOnce(&Context) -> Result<(), E> + Send + 'static,
    {
        match self.try_token() {
            Ok(token) => {
                self.start(token, work);
                Ok(())
            }
            Err(TrySubmitError::Full(())) => Err(TrySubmitError::Full(work)),
            Err(TrySubmitError::Closed(())) => {
                Err(TrySubmitError::Closed(work))
            }
        }
    }

    /// Waits until all functions have ended. Returns the first error.
    ///
    /// # Errors
    ///
    /// The error of the function that failed first.
    ///
    /// # Panics
    ///
    /// When the first failure was a panic, with its payload.
    pub fn wait(self) -> Result<(), E> {
        self.threads.join(); // g.wg.Wait()
        match lock(&self.shared.first).take() {
            None => Ok(()),
            Some(Failure::Error(error)) => Err(error),
            Some(Failure::Panic(panic)) => panic.resume(),
        }
    }

    /// `g.sem <- token{}`; nothing when the group has failed.
    fn token(&self) -> Option<Token<E>> {
        let ctx = &self.shared.ctx;
        if let Some((sem, _)) = &self.shared.sem {
            select! {
                send(sem, ()) -> _ => {}
                recv(ctx.done) -> _ => return None,
            }
        }
        let token = Token(Arc::clone(&self.shared));
        // With both of them ready, `select!` takes either.
        (!ctx.is_cancelled()).then_some(token)
    }

    fn try_token(&self) -> Result<Token<E>, TrySubmitError<()>> {
        if self.shared.ctx.is_cancelled() {
            return Err(TrySubmitError::Closed(()));
        }
        if let Some((sem, _)) = &self.shared.sem {
            sem.try_send(()).map_err(|_| TrySubmitError::Full(()))?;
        }
        Ok(Token(Arc::clone(&self.shared)))
    }

    fn start<F>(&self, token: Token<E>, work: F)
    where
        F: FnOnce(&Context) -> Result<(), E> + Send + 'static,
    {
        self.spawn(token, move |token| {
            let Token(group) = &token; // defer g.done()
            let work = AssertUnwindSafe(|| work(&group.ctx));
            match catch_unwind(work) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => group.fail(Failure::Error(error)),
                Err(panic) => group.fail(Failure::Panic(Panic::new(panic))),
            }
        });
    }

    /// Starts a thread with its token. If the system refuses one, the work is
    /// done here: still no more at once than the limit.
    fn spawn(
        &self,
        token: Token<E>,
        work: impl FnOnce(Token<E>) + Send + 'static,
    ) {
        if let Err(work) = self.threads.spawn("group", move || work(token)) {
            work();
        }
    }
}

impl<E> Shared<E> {
    /// `g.errOnce.Do(func() { g.err = err; g.cancel() })`
    fn fail(&self, failure: Failure<E>) {
        let mut first = lock(&self.first);
        let later = match &*first {
            None => first.replace(failure),
            Some(_) => Some(failure),
        };
        drop(first);
        self.ctx.cancel();
        manyhands_core::discard(later);
    }
}

impl<E> Drop for Token<E> {
    fn drop(&mut self) {
        if let Some((_, sem)) = &self.0.sem {
            let _ = sem.try_recv(); // <-g.sem
        }
    }
}

impl Context {
    /// True once the group has failed: what is still running may stop.
    pub fn is_cancelled(&self) -> bool {
        lock(&self.cancel).is_none()
    }

    /// Ends when the group fails, so that a function can wait for that beside
    /// other channels, in a `select!`.
    pub fn done(&self) -> &Receiver<Infallible> {
        &self.done
    }

    fn cancel(&self) {
        drop(lock(&self.cancel).take());
    }
}

impl<E: Send + 'static> Default for Group<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> Drop for Group<E> {
    fn drop(&mut self) {
        self.threads.join();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<E> fmt::Debug for Group<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = self.shared.sem.as_ref().and_then(|s| s.0.capacity());
        f.debug_struct("Group")
            .field("limit", &limit)
            .field("failed", &self.shared.ctx.is_cancelled())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("cancelled", &self.is_cancelled())
            .finish()
    }
}
