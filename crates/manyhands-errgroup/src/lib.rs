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
//! # Ok::<(), manyhands_errgroup::SetLimitError>(())
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
//! | the limit, changed while active | panics | an error |
//! | a panic | ends the process | stops the rest, and goes on in [`Group::wait`] |
//!
//! *Refusing what comes after the first error is our choice.* A function that
//! would start only to look at its context and return is spared that.
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
//! 2. [`ErrGroupPool`]: tickets under the group's tokens, by the contract. A
//!    job that has its token goes to a thread that has nothing to do, of a
//!    [`Crew`](manyhands_core::crew::Crew), and a thread is started only
//!    where there is none: at most as many as the limit, and they stay.
//!
//! # Traps
//!
//! - `go` from inside a function of the same group, at the limit: waits for
//!   itself. Use [`try_go`](Group::try_go) there.
//! - A function that never looks at its [`Context`] runs to its end after the
//!   first error: stopping is asked for, not forced.
//! - The group keeps the first error. If you need all of them, use the pool,
//!   whose completions carry each.
//!
//! # Cost
//!
//! [`Group`] starts a thread a function, which costs far more than the group.
//! The pool keeps its threads, so a job costs its token and two hand-overs, to
//! a thread and back. Nothing is allocated for it. There is no queue that would
//! keep the threads busy while the submitter is not at hand: with jobs of
//! microseconds a pool with workers and a queue does more.

#![forbid(unsafe_code)]

mod adapter;
mod context;
mod error;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded, select};
use manyhands_core::sync::{Mutex, lock};
use manyhands_core::{
    Closed, Config, Panic, Threads, TrySubmitError, discard,
};

pub use crate::adapter::ErrGroupPool;
pub use crate::context::Context;
pub use crate::error::SetLimitError;

/// Functions that run together and fail together.
///
/// Dropped without [`wait`](Self::wait), it waits all the same, and the error
/// is lost.
pub struct Group<E> {
    // Dropped first: waits until the functions have ended.
    threads: Threads,
    shared: Arc<Shared<E>>,
}

struct Shared<E> {
    /// One token a running function: a send waits while `limit` are out.
    /// `None` without a limit.
    sem: Option<(Sender<()>, Receiver<()>)>,
    first: Mutex<Option<Failure<E>>>,
    /// What running functions look at. Cancelled by the first failure.
    ctx: Context,
    /// What those look at who wait for a token. Cancelled with `ctx`, and by
    /// a pool that is closed.
    admission: Context,
}

enum Failure<E> {
    Error(E),
    Panic(Panic),
}

/// A token in the semaphore; taken out again by dropping it.
struct Token<E>(Arc<Shared<E>>);

impl<E: Send + 'static> Group<E> {
    /// A group without a limit.
    pub fn new() -> Self {
        let shared = Shared {
            sem: None,
            first: Mutex::new(None),
            ctx: Context::new(),
            admission: Context::new(),
        };
        Self { threads: Threads::new(), shared: Arc::new(shared) }
    }

    /// A group of which at most `limit` functions run at once.
    ///
    /// # Errors
    ///
    /// When `limit` is not within 1 to [`Config::MAX_WORKERS`].
    pub fn with_limit(limit: usize) -> Result<Self, SetLimitError> {
        let mut group = Self::new();
        group.set_limit(limit)?;
        Ok(group)
    }

    /// From now on, at most `limit` functions run at once.
    ///
    /// # Errors
    ///
    /// When `limit` is not within 1 to [`Config::MAX_WORKERS`], and when
    /// functions are running: they would be over the limit, or beside it.
    pub fn set_limit(&mut self, limit: usize) -> Result<(), SetLimitError> {
        let limit = Config::new(limit, 0).map_err(SetLimitError::range)?;
        let tokens = bounded(limit.workers().get());
        // Every token holds a clone.
        match Arc::get_mut(&mut self.shared) {
            Some(shared) => shared.sem = Some(tokens),
            None => return Err(SetLimitError::Active),
        }
        Ok(())
    }

    /// Runs a function on a thread of its own. Waits while `limit` functions
    /// are running.
    ///
    /// If the system refuses a thread, the function runs here, before `go`
    /// returns: still no more at once than the limit.
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

    /// Runs a function if that needs no waiting, with the same exception as
    /// [`go`](Self::go).
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

    /// Waits until all functions have ended. Returns the first error, once: a
    /// second call has nothing left to return.
    ///
    /// Not to be called by a function of the group, which would wait for
    /// itself.
    ///
    /// # Errors
    ///
    /// The error of the function that failed first.
    ///
    /// # Panics
    ///
    /// When the first failure was a panic, with its payload.
    pub fn wait(&self) -> Result<(), E> {
        self.threads.join(); // g.wg.Wait()
        let first = lock(&self.shared.first).take();
        match first {
            None => Ok(()),
            Some(Failure::Error(error)) => Err(error),
            Some(Failure::Panic(panic)) => panic.resume(),
        }
    }

    // ANCHOR: token
    /// `g.sem <- token{}`; nothing when the group has failed.
    fn token(&self) -> Option<Token<E>> {
        let admission = &self.shared.admission;
        if let Some((sem, _)) = &self.shared.sem {
            select! {
                send(sem, ()) -> _ => {}
                recv(admission.done()) -> _ => return None,
            }
        }
        let token = Token(Arc::clone(&self.shared));
        // With both of them ready, `select!` takes either.
        (!admission.is_cancelled()).then_some(token)
    }
    // ANCHOR_END: token

    fn try_token(&self) -> Result<Token<E>, TrySubmitError<()>> {
        if self.shared.admission.is_cancelled() {
            return Err(TrySubmitError::Closed(()));
        }
        if let Some((sem, _)) = &self.shared.sem {
            sem.try_send(()).map_err(|_| TrySubmitError::Full(()))?;
        }
        Ok(Token(Arc::clone(&self.shared)))
    }

    /// Starts a thread with its token. If the system refuses one, the
    /// function runs here: still no more at once than the limit.
    fn start<F>(&self, token: Token<E>, work: F)
    where
        F: FnOnce(&Context) -> Result<(), E> + Send + 'static,
    {
        let run = move || {
            let Token(group) = &token; // defer g.done()
            let work = AssertUnwindSafe(|| work(&group.ctx));
            match catch_unwind(work) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => group.fail(Failure::Error(error)),
                Err(panic) => group.fail(Failure::Panic(Panic::new(panic))),
            }
        };
        if let Err(run) = self.threads.spawn("group", run) {
            run();
        }
    }
}

impl<E> Shared<E> {
    // ANCHOR: fail
    /// `g.errOnce.Do(func() { g.err = err; g.cancel() })`
    fn fail(&self, failure: Failure<E>) {
        let mut first = lock(&self.first);
        let later = match &*first {
            None => first.replace(failure),
            Some(_) => Some(failure),
        };
        drop(first);
        self.cancel();
        discard(later);
    }
    // ANCHOR_END: fail

    fn cancel(&self) {
        self.ctx.cancel();
        self.admission.cancel();
    }
}

impl<E> Drop for Token<E> {
    fn drop(&mut self) {
        if let Some((_, sem)) = &self.0.sem {
            let _ = sem.try_recv(); // <-g.sem
        }
    }
}

impl<E: Send + 'static> Default for Group<E> {
    fn default() -> Self {
        Self::new()
    }
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
