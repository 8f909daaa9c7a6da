//! Where a pool's tasks live: its own runtime, or the caller's.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::iter::from_fn;
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, available_parallelism};

use async_channel::TryRecvError;
use manyhands_core::sync::lock;
use manyhands_core::{
    AtWork, BuildError, Config, ThreadOptions, discard, join_all,
};
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::task::{JoinSet, block_in_place};

use super::block_on::block_on;
use crate::results::Receiver;

pub(super) struct Home {
    handle: Handle,
    /// `None` for a runtime that belongs to the caller.
    own: Option<Runtime>,
}

impl Home {
    /// A new runtime for a pool of this size.
    pub(super) fn own(
        config: Config,
        options: ThreadOptions,
    ) -> Result<Self, BuildError> {
        /// What tokio allows if nothing is said: a thread for each blocking
        /// call that a job may make besides.
        const BLOCKING: usize = 512;
        // Tasks need no thread each, and jobs that do go to the blocking
        // threads, which are as many as there are workers.
        let cores = available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let threads = config.workers().min(cores).get();
        can_start(threads, &options)?;
        let mut runtime = Builder::new_multi_thread();
        runtime
            .worker_threads(threads)
            .max_blocking_threads(config.workers().get().max(BLOCKING))
            .thread_name(options.get_name().unwrap_or("pool runtime"))
            .enable_all();
        if let Some(bytes) = options.get_stack_size() {
            runtime.thread_stack_size(bytes);
        }
        if options.has_hooks() {
            hook(&mut runtime, options);
        }
        let runtime = runtime.build()?;
        Ok(Self { handle: runtime.handle().clone(), own: Some(runtime) })
    }

    pub(super) fn of(caller: &Handle) -> Self {
        Self { handle: caller.clone(), own: None }
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// True on the runtime's threads, in its tasks and wherever else it was
    /// entered.
    fn is_here(&self) -> bool {
        Handle::try_current().is_ok_and(|here| here.id() == self.handle.id())
    }

    /// Calls what may block until a task of the pool has moved on, without
    /// keeping the tasks from doing so.
    pub(super) fn wait<T>(&self, blocking: impl FnOnce() -> T) -> T {
        if !self.is_here() {
            return blocking();
        }
        match self.handle.runtime_flavor() {
            // The one thread that could run the tasks must not wait for
            // them. Tokio knows whether this is that thread, and panics.
            RuntimeFlavor::CurrentThread => {
                self.handle.block_on(async {});
                blocking()
            }
            // Other tasks that were to run on this thread move to another.
            _ => block_in_place(blocking),
        }
    }

    /// The next of a pool's completions; waits for one, as a thread.
    pub(super) fn recv<T>(&self, results: &Receiver<T>) -> Option<T> {
        match results.try_recv() {
            Ok(result) => Some(result),
            Err(TryRecvError::Closed) => None,
            Err(TryRecvError::Empty) => self.wait(|| results.recv_blocking()),
        }
    }

    /// As many of them as there are, `max` at most; waits for one.
    pub(super) fn recv_many<T>(
        &self,
        results: &Receiver<T>,
        into: &mut Vec<T>,
        max: usize,
    ) -> usize {
        if max == 0 {
            return 0;
        }
        let Some(first) = self.recv(results) else { return 0 };
        let before = into.len();
        into.push(first);
        let rest = from_fn(|| results.try_recv().ok());
        into.extend(rest.take(max - 1));
        into.len() - before
    }

    /// Waits for the tasks, as far as that is possible from here, and ends
    /// the runtime if it is the pool's own. They must be about to end.
    pub(super) fn end(&mut self, mut tasks: JoinSet<()>) {
        match self.own.take() {
            // A task of the runtime would wait for itself: a thread that is
            // none of it does, in the background.
            Some(runtime) if self.is_here() => {
                drop(aside(move || {
                    wait_for(tasks);
                    drop(runtime);
                }));
            }
            Some(runtime) => {
                wait_for(tasks);
                end(runtime);
            }
            // Waiting would keep the caller's runtime from its work.
            None if self.is_here() || !self.is_driven_by_itself() => {
                tasks.detach_all();
            }
            None => wait_for(tasks),
        }
    }

    /// False for a runtime that runs only while its owner blocks on it.
    fn is_driven_by_itself(&self) -> bool {
        self.handle.runtime_flavor() != RuntimeFlavor::CurrentThread
    }
}

fn wait_for(mut tasks: JoinSet<()>) {
    block_on(async {
        while let Some(ended) = tasks.join_next().await {
            discard(ended);
        }
    });
}

/// Ends a runtime that has no more tasks of the pool, and waits until its
/// threads have ended.
fn end(runtime: Runtime) {
    match Handle::try_current() {
        Err(_) => drop(runtime),
        // Within async code, of another runtime, tokio panics instead of
        // waiting. Elsewhere nobody minds.
        Ok(_) => join_all(aside(move || drop(runtime))),
    }
}

/// Does something on a thread that belongs to no runtime. If there is no
/// thread to be had, it is neither done nor dropped: accepted jobs run all
/// the same, so their runtime stays.
fn aside(work: impl FnOnce() + Send + 'static) -> Option<JoinHandle<()>> {
    let work = ManuallyDrop::new(work);
    let work = move || ManuallyDrop::into_inner(work)();
    thread::Builder::new().name("pool end".to_owned()).spawn(work).ok()
}

thread_local! {
    /// On a thread of a runtime that a pool has made: its number, from the
    /// first hook to the second.
    static AT_WORK: RefCell<Option<Numbered>> = const { RefCell::new(None) };
}

/// A thread with a number, and with its hooks.
struct Numbered {
    number: usize,
    numbers: Arc<Mutex<BTreeSet<usize>>>,
    at_work: Option<AtWork>,
}

/// Has the runtime call the pool's hooks on each of its threads, under the
/// lowest number that is free. They come and go: those for what blocks end
/// when there is nothing to do.
fn hook(runtime: &mut Builder, options: ThreadOptions) {
    let numbers = Arc::new(Mutex::new(BTreeSet::new()));
    runtime
        .on_thread_start(move || {
            let number = {
                let mut taken = lock(&numbers);
                let free = (0..).find(|number| !taken.contains(number));
                let free = free.unwrap_or(usize::MAX);
                taken.insert(free);
                free
            };
            let at_work = Some(options.begin(number));
            let numbers = Arc::clone(&numbers);
            AT_WORK.set(Some(Numbered { number, numbers, at_work }));
        })
        .on_thread_stop(|| drop(AT_WORK.take()));
}

impl Drop for Numbered {
    fn drop(&mut self) {
        drop(self.at_work.take()); // on_stop
        lock(&self.numbers).remove(&self.number);
    }
}

/// Starts this many threads at once, and ends them again.
///
/// Tokio panics when the system refuses it one of its threads, and then waits
/// for the others, for ever. So the system is asked beforehand, which is a
/// good guess: its answer may be another one right after.
fn can_start(threads: usize, options: &ThreadOptions) -> io::Result<()> {
    // Nobody is to be told of them, and their names do not matter.
    let mut size = ThreadOptions::new();
    if let Some(bytes) = options.get_stack_size() {
        size = size.stack_size(bytes);
    }
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock();
    let mut started = Vec::with_capacity(threads);
    let result = (0..threads).try_for_each(|index| {
        let gate = Arc::clone(&gate);
        let wait = move || drop(gate.lock());
        started.push(size.spawn("pool runtime", index, wait)?);
        Ok(())
    });
    drop(closed);
    join_all(started);
    result
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in tests a panic is the report")]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use manyhands_conformance::watchdog;

    use super::*;

    #[test]
    fn a_number_is_free_again_when_its_thread_has_ended() {
        watchdog(|| {
            let (stop, stopped) = channel();
            let (start, started) = channel();
            let options = ThreadOptions::new()
                .on_start(move |it| start.send(it.index()).unwrap())
                .on_stop(move |it| stop.send(it.index()).unwrap());
            let mut runtime = Builder::new_multi_thread();
            runtime
                .worker_threads(1)
                .thread_keep_alive(Duration::from_millis(1));
            hook(&mut runtime, options);
            let runtime = runtime.build().unwrap();
            for _ in 0..20 {
                drop(runtime.spawn_blocking(|| ()));
                stopped.recv().unwrap();
            }
            drop(runtime);
            // The worker, the last that blocked, and the one before it, which
            // may still have had its number.
            assert!(started.try_iter().all(|index| index <= 2));
        });
    }
}
