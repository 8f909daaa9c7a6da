//! A state for each worker, on whatever pool.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::mem::take;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Weak;

use crate::run::discard;
use crate::sync::Arc;

/// A state for each worker: what is dear to make, and is used by one job
/// after the other. A parser, a buffer, a connection, a random generator.
///
/// ```
/// use manyhands_core::{InlinePool, PerWorker, Spawn, Task};
///
/// let pool = InlinePool::<Task<'static>>::new();
/// let buffers = PerWorker::new(|| String::with_capacity(4096));
///
/// let answers: Vec<_> = ["many", "hands"]
///     .map(|word| {
///         let job = buffers.job(move |buffer: &mut String| {
///             buffer.clear();
///             buffer.push_str(word);
///             buffer.len()
///         });
///         pool.spawn(job).unwrap()
///     })
///     .into_iter()
///     .map(|answer| answer.join().unwrap())
///     .collect();
/// assert_eq!(answers, [4, 5]);
/// ```
///
/// A state lives on its thread: there it is made, by the function that `new`
/// was given, when a job there first wants it; there each job gets it; and
/// there it is dropped, when the thread ends. It never goes to another one, so
/// it need not be [`Send`]. The jobs are closures like others, and the pool
/// knows nothing of it.
///
/// Clones are the same, and cost no more than a counter.
///
/// # A state that a job has spoilt
///
/// When a job panics, its state may be half changed. It is dropped, and the
/// next job on that thread has a new one made.
///
/// # A job within a job
///
/// A state is with one job at a time. If the thread comes to want it a second
/// time meanwhile, for instance because a job submits to an
/// [`InlinePool`](crate::InlinePool), or waits in rayon, which runs other jobs
/// of that pool while it waits, the second one has a state of its own. That
/// one stays too: a thread has as many as it ever wanted at a time.
///
/// # Which threads
///
/// Those that jobs run on, whatever pool they are of: one `PerWorker` may
/// serve jobs of several. In most pools a worker is a thread that lives as
/// long as the pool. (Where a managed pool is resized, all its workers are new,
/// and so are their states.) The semaphore and the error group have no workers; their
/// threads stay as well. In a pool of tokio tasks, it is the runtime's threads
/// that have states, for jobs that do not await while they use one; jobs in
/// `Blocking` run on threads that tokio ends when they have had nothing to do
/// for some seconds, and whose states end with them.
///
/// # Drop
///
/// When the `PerWorker` and its clones are gone, states that are left stay on
/// their threads, since nobody else may drop them: until the thread ends, or
/// first uses another `PerWorker`. To see the end of them, end the pool: its
/// drop waits for its threads.
///
/// Panics of a state's drop are contained.
///
/// # Cost
///
/// A look into a thread's own map for each job, and an allocation for each
/// state. No lock, and no allocation for a job.
pub struct PerWorker<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    make: Box<dyn Fn() -> S + Send + Sync>,
}

thread_local! {
    /// The states that live on this thread and are not in use.
    static STATES: States = const { States(RefCell::new(BTreeMap::new())) };
}

/// By the address of who they are of, which nobody else has as long as there
/// is the weak reference.
struct States(RefCell<BTreeMap<usize, Kept>>);

/// What a thread keeps for one `PerWorker`.
struct Kept {
    owner: Weak<dyn Any + Send + Sync>,
    free: Vec<Box<dyn Any>>,
}

impl<S: 'static> PerWorker<S> {
    /// States that are made by this function, on their threads.
    pub fn new(make: impl Fn() -> S + Send + Sync + 'static) -> Self {
        Self { shared: Arc::new(Shared { make: Box::new(make) }) }
    }

    /// A closure that calls `work` with the state of the thread that it is
    /// run on: for [`spawn`](crate::Spawn::spawn), or for any other pool that
    /// takes closures.
    ///
    /// # Panics
    ///
    /// The closure does, if `work` does or if making the state does.
    pub fn job<F, R>(
        &self,
        work: F,
    ) -> impl FnOnce() -> R + Send + use<S, F, R>
    where
        F: FnOnce(&mut S) -> R + Send,
    {
        let this = self.clone();
        move || this.with(work)
    }

    /// Calls `work` with the state of this thread: for jobs that have more to
    /// do than that.
    ///
    /// ```
    /// use manyhands_core::PerWorker;
    ///
    /// let counts = PerWorker::new(|| 0);
    /// let next = || counts.with(|count| { *count += 1; *count });
    /// assert_eq!((next(), next()), (1, 2));
    /// let elsewhere = std::thread::scope(|scope| scope.spawn(next).join());
    /// assert_eq!(elsewhere.unwrap(), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// If `work` does, or if making the state does.
    pub fn with<R>(&self, work: impl FnOnce(&mut S) -> R) -> R {
        let kept = self.take();
        let mut state = kept.unwrap_or_else(|| Box::new((self.shared.make)()));
        match catch_unwind(AssertUnwindSafe(|| work(&mut state))) {
            Ok(answer) => {
                self.put_back(state);
                answer
            }
            Err(payload) => {
                discard(state);
                resume_unwind(payload)
            }
        }
    }

    fn key(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }

    /// A state of this thread that is not in use.
    fn take(&self) -> Option<Box<S>> {
        // A thread that is at its end has none any more.
        let taken = STATES.try_with(|states| states.take(self.key()));
        taken.ok()??.downcast().ok()
    }

    fn put_back(&self, state: Box<S>) {
        let mut state: Option<Box<dyn Any>> = Some(state);
        let orphans = STATES.try_with(|states| {
            let owner = || {
                let shared: Arc<dyn Any + Send + Sync> = self.shared.clone();
                Arc::downgrade(&shared)
            };
            states.keep(self.key(), owner, &mut state)
        });
        // Here, where nothing of the thread's is borrowed: they are the
        // user's. The state is among them if there was no place for it.
        orphans.into_iter().flatten().for_each(Kept::end);
        discard(state);
    }
}

impl States {
    fn take(&self, key: usize) -> Option<Box<dyn Any>> {
        self.0.borrow_mut().get_mut(&key)?.free.pop()
    }

    /// Keeps a state. If it is the first one of its owner, returns what is
    /// left of owners that are gone.
    fn keep(
        &self,
        key: usize,
        owner: impl FnOnce() -> Weak<dyn Any + Send + Sync>,
        state: &mut Option<Box<dyn Any>>,
    ) -> Vec<Kept> {
        let mut all = self.0.borrow_mut();
        if let Some(kept) = all.get_mut(&key) {
            kept.free.extend(state.take());
            return Vec::new();
        }
        let (used, orphans): (BTreeMap<_, _>, BTreeMap<_, _>) =
            take(&mut *all)
                .into_iter()
                .partition(|(_, kept)| kept.owner.strong_count() > 0);
        *all = used;
        let free = state.take().into_iter().collect();
        all.insert(key, Kept { owner: owner(), free });
        orphans.into_values().collect()
    }
}

impl Kept {
    fn end(self) {
        self.free.into_iter().for_each(discard);
    }
}

/// The end of the thread.
impl Drop for States {
    fn drop(&mut self) {
        take(self.0.get_mut()).into_values().for_each(Kept::end);
    }
}

impl<S> Clone for PerWorker<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S> fmt::Debug for PerWorker<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerWorker").finish_non_exhaustive()
    }
}
