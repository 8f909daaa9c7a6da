//! What belongs to the user is dropped where it may use the pool.

use std::panic::panic_any;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Wake};
use std::thread;

use manyhands_core::{JobError, Spawn, Task, WorkerPool};
use tokio::runtime::Handle;

use crate::{current_thread, for_both_pools, multi_thread, work, workers};

/// Does something when it is dropped.
struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> OnDrop<F> {
    fn new(work: F) -> Self {
        Self(Some(work))
    }
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0.take().unwrap()();
    }
}

fn handle_of_a_runtime_that_was_shut_down() -> Handle {
    multi_thread(1).handle().clone()
}

for_both_pools! {
    fn a_job_lost_with_its_runtime_may_use_the_pool_in_its_drop() {
        let handle = handle_of_a_runtime_that_was_shut_down();
        let pool = Arc::new(Pool::<Task<'static>>::on(&handle, workers(2)));
        let user = Arc::clone(&pool);
        let (used, uses) = std::sync::mpsc::channel();
        let captured = OnDrop::new(move || {
            used.send(user.spawn(|| ()).is_err()).unwrap();
            user.close();
        });
        // Accepted and lost, or refused at once: the drop comes either way.
        match pool.spawn(move || drop(captured)) {
            Ok(handle) => {
                let answer = handle.join();
                assert!(matches!(answer, Err(JobError::Cancelled)));
            }
            Err(refused) => drop(refused),
        }
        assert!(uses.recv().unwrap(), "the pool is closed");
        assert!(pool.recv().is_none());
    }

    fn jobs_lost_with_their_runtime_may_wait_for_each_other_in_their_drops() {
        /// Rarely are both submitters between being accepted and being told
        /// that the runtime is gone.
        const ROUNDS: usize = 3000;
        let handle = handle_of_a_runtime_that_was_shut_down();
        for _ in 0..ROUNDS {
            let pool = Pool::<Task<'static>>::on(&handle, workers(2));
            let start = Barrier::new(2);
            let meeting = Arc::new(Barrier::new(2));
            thread::scope(|scope| {
                for _ in 0..2 {
                    let meeting = Arc::clone(&meeting);
                    let captured = OnDrop::new(move || {
                        meeting.wait();
                    });
                    scope.spawn(|| {
                        start.wait();
                        drop(pool.spawn(move || drop(captured)));
                    });
                }
            });
        }
    }

    fn a_waker_that_panics_costs_no_completion_and_its_payload_may_submit() {
        let runtime = current_thread();
        let pool = Arc::new(Pool::on(runtime.handle(), workers(2)));
        let dropped = Arc::new(AtomicBool::new(false));
        let bound = pool.bound().get();
        for _ in 0..bound {
            pool.submit(work(async {})).unwrap();
        }
        {
            let mut submitting = pin!(pool.submit_async(work(async {})));
            let (user, tell) = (Arc::clone(&pool), Arc::clone(&dropped));
            let waker = Arc::new(Hostile(move || {
                user.try_submit(work(async {})).unwrap();
                tell.store(true, Ordering::SeqCst);
            }));
            let waker = waker.into();
            let mut context = Context::from_waker(&waker);
            assert!(submitting.as_mut().poll(&mut context).is_pending());
            // A job ends, and wakes the submitter.
            let first = runtime.block_on(pool.recv_async());
            assert!(first.and_then(|it| it.done()).is_some());
            while !dropped.load(Ordering::SeqCst) {
                runtime.block_on(tokio::task::yield_now());
            }
        }
        pool.close();
        let mut completions = 1;
        while let Some(completion) = runtime.block_on(pool.recv_async()) {
            assert!(completion.done().is_some());
            completions += 1;
        }
        assert_eq!(completions, bound + 1);
    }
}

/// Panics, with a payload that calls this when it is dropped.
struct Hostile<F>(F);

impl<F: Fn() + Clone + Send + Sync + 'static> Wake for Hostile<F> {
    fn wake(self: Arc<Self>) {
        panic_any(OnDrop::new(self.0.clone()));
    }
}
