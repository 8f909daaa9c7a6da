//! What can be done with the types, whatever is in them: a test that fails by
//! not compiling.
//!
//! Auto traits follow from private fields, so a change of these could take one
//! away in silence. `UnwindSafe` is promised of values only. A pool may be used
//! and dropped after a panic, by its laws, but some have trait objects of other
//! libraries within; around those `AssertUnwindSafe` says what is true.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use manyhands::batch::{BatchPool, Queue};
use manyhands::channel::ChannelPool;
use manyhands::dispatcher::{DispatcherPool, JobQueue};
use manyhands::errgroup::{Context, ErrGroupPool, Group, SetLimitError};
use manyhands::rayon::{RayonPool, RayonThreads};
use manyhands::semaphore::{AcquireError, Permit, Semaphore, SemaphorePool};
use manyhands::tokio::{Async, Blocking, JoinSetPool, TaskPool};
use manyhands::waitgroup::WaitGroupPool;
use manyhands::{
    BuildError, Builder, Closed, Completion, Completions, Config, ConfigError,
    InlinePool, JobError, JobHandle, JobId, Outcome, Panic, SubmitAllError,
    Submitter, Task, Threads, Ticket, TrySubmitError, Variant, WorkerPool,
    crew, results,
};

/// Sent to other threads, and not shared with them.
type Movable = std::cell::Cell<u32>;

/// A job that may be sent and not shared, and whose answer is of that kind.
type Work = Box<dyn FnOnce() -> Movable + Send>;
type Checked = Box<dyn FnOnce() -> Result<Movable, Movable> + Send>;

fn is_send<T: Send>() {}
fn is_shared<T: Send + Sync>() {}
fn is_static_error<T: std::error::Error + Send + Sync + 'static>() {}
fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
fn is_pool<J: manyhands::Job, P: WorkerPool<J> + ?Sized>() {}
fn is_future<F: Future + Send>(_: fn() -> F) {}

/// A pool is shared by threads, even where a job, or its answer, is not.
const _: fn() = || {
    is_shared::<ChannelPool<Work>>();
    is_shared::<WaitGroupPool<Work>>();
    is_shared::<DispatcherPool<Work>>();
    is_shared::<SemaphorePool<Work>>();
    is_shared::<ErrGroupPool<Checked>>();
    is_shared::<BatchPool<Work>>();
    is_shared::<RayonPool<Work>>();
    is_shared::<TaskPool<Blocking<Work>>>();
    is_shared::<JoinSetPool<Blocking<Work>>>();
    is_shared::<InlinePool<Work>>();
};

/// What the patterns are made of is shared as well.
const _: fn() = || {
    is_shared::<JobQueue<Work>>();
    is_shared::<Semaphore>();
    is_shared::<Permit>();
    is_shared::<Group<Movable>>();
    is_shared::<Context>();
    is_shared::<Queue<Movable>>();
    is_shared::<RayonThreads>();
    is_shared::<Threads>();
    is_shared::<results::Sender<Movable>>();
    is_shared::<results::Receiver<Movable>>();
    is_shared::<crew::WayIn<Work>>();
    is_shared::<Variant<Checked>>();
};

/// The trait is a type, and whatever holds a pool is one.
const _: fn() = || {
    is_shared::<Box<dyn WorkerPool<Work>>>();
    is_pool::<Work, dyn WorkerPool<Work>>();
    is_pool::<Work, Box<dyn WorkerPool<Work>>>();
    is_pool::<Work, Arc<dyn WorkerPool<Work>>>();
    is_pool::<Work, &dyn WorkerPool<Work>>();
};

/// What comes back is sent on, and so is what waits for it.
const _: fn() = || {
    is_send::<Completion<Work>>();
    is_send::<Outcome<Work>>();
    is_send::<JobHandle<'static, Movable>>();
    is_send::<Task<'static>>();
    is_send::<Ticket<Work>>();
    is_send::<Completions<'static, Work, InlinePool<Work>>>();
    is_send::<Submitter<'static, Work, InlinePool<Work>>>();
    is_send::<Builder<ChannelPool<Work>>>();
};

/// What waits in async code may be moved while it waits.
const _: fn() = || {
    is_future::<JobHandle<'static, Movable>>(any);
    is_future(|| any::<&TaskPool<Blocking<Work>>>().recv_async());
    is_future(|| {
        let pool = any::<&JoinSetPool<Blocking<Work>>>();
        pool.submit_async(any())
    });
};

/// A value of any type, in code that nobody runs.
fn any<T>() -> T {
    unreachable!()
}

/// An error goes into any `Box<dyn Error + Send + Sync>`, with a job that is
/// shared; one whose job is not comes back all the same, to be sent on.
const _: fn() = || {
    is_static_error::<ConfigError>();
    is_static_error::<BuildError>();
    is_static_error::<JobError>();
    is_static_error::<AcquireError>();
    is_static_error::<SetLimitError>();
    is_static_error::<Closed<fn()>>();
    is_static_error::<TrySubmitError<fn()>>();
    is_static_error::<SubmitAllError<fn()>>();
    is_send::<Closed<Work>>();
    is_send::<TrySubmitError<Work>>();
    is_send::<SubmitAllError<Work>>();
    is_send::<Panic>();
};

/// Values are as good after a panic as before.
const _: fn() = || {
    is_unwind_safe::<Config>();
    is_unwind_safe::<ConfigError>();
    is_unwind_safe::<JobId>();
    is_unwind_safe::<Closed<fn()>>();
    is_unwind_safe::<TrySubmitError<fn()>>();
    is_unwind_safe::<AcquireError>();
    is_unwind_safe::<Async<Infallible>>();
};
