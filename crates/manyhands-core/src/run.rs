//! Where a job is run, and where panics end.

use std::future::poll_fn;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use crate::{AsyncJob, Completion, Job, Outcome, Panic, Ticket};

/// Runs one job to its completion. Every pool under the contract runs its jobs
/// here, or in [`run_one_async`].
///
/// When `stopped` holds, the job is not started and comes back as
/// [`Outcome::Cancelled`]. A panic is caught and becomes
/// [`Outcome::Panicked`]. Never panics itself. (Two panics at once, as when a
/// captured value panics in its drop while its job unwinds, end the process:
/// that is Rust's rule, and nothing can contain it.)
///
/// ```
/// use manyhands_core::{JobId, Outcome, Ticket, run_one};
///
/// let ticket = Ticket { id: JobId::new(0), job: || 6 * 7 };
/// let completion = run_one(ticket, false);
/// assert!(matches!(completion.outcome, Outcome::Done(42)));
///
/// let ticket = Ticket { id: JobId::new(1), job: || 6 * 7 };
/// let completion = run_one(ticket, true);
/// assert!(matches!(completion.outcome, Outcome::Cancelled(_)));
/// ```
// ANCHOR: run_one
pub fn run_one<J: Job>(ticket: Ticket<J>, stopped: bool) -> Completion<J> {
    let Ticket { id, job } = ticket;
    if stopped {
        return Completion { id, outcome: Outcome::Cancelled(job) };
    }
    // Unwind safety: the job was moved in and is gone if it panics, so nobody
    // sees what it left half done, except through what it shares with others
    // on its own account.
    let outcome = match catch_unwind(AssertUnwindSafe(|| job.run())) {
        Ok(output) => Outcome::Done(output),
        Err(payload) => Outcome::Panicked(Panic::new(payload)),
    };
    Completion { id, outcome }
}
// ANCHOR_END: run_one

/// [`run_one`] for the async face of a job.
///
/// `stopped` is looked at when the future is first polled, which is when the
/// job starts. Dropping the future drops the job, wherever it is.
pub async fn run_one_async<J: AsyncJob>(
    ticket: Ticket<J>,
    stopped: impl FnOnce() -> bool,
) -> Completion<J> {
    let Ticket { id, job } = ticket;
    if stopped() {
        return Completion { id, outcome: Outcome::Cancelled(job) };
    }
    // In an `Option`, so that it can be dropped in place, with panics caught;
    // and in one place, since what is moved here takes its room twice.
    let mut future =
        pin!(match catch_unwind(AssertUnwindSafe(|| { job.run_async() })) {
            Ok(future) => Some(future),
            Err(payload) => {
                let outcome = Outcome::Panicked(Panic::new(payload));
                return Completion { id, outcome };
            }
        });
    let outcome = poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let future = future.as_mut().as_pin_mut();
            future.map(|future| future.poll(context))
        }));
        match polled {
            Ok(Some(poll)) => poll.map(Outcome::Done),
            // Not polled again after it was ready, so never reached.
            Ok(None) => Poll::Pending,
            Err(payload) => {
                Poll::Ready(Outcome::Panicked(Panic::new(payload)))
            }
        }
    })
    .await;
    // What the future still holds is dropped before the job counts as
    // finished, as a closure's captures are.
    contain(|| future.set(None));
    Completion { id, outcome }
}

/// Drops a value and contains a panic of its `drop`.
///
/// The payload of that panic is a value too, and its drop may panic in turn:
/// after a few rounds the last payload is leaked, which is the lesser evil
/// beside a worker that dies or a process that aborts.
///
/// ```
/// use manyhands_core::discard;
///
/// struct Hostile;
/// impl Drop for Hostile {
///     fn drop(&mut self) {
///         panic!("not today");
///     }
/// }
///
/// # std::panic::set_hook(Box::new(|_| {}));
/// discard(Hostile); // lives on
/// ```
pub fn discard<T>(value: T) {
    contain(|| drop(value));
}

/// Does something, and contains a panic of it.
pub(crate) fn contain(work: impl FnOnce()) {
    /// How many payloads within payloads are dropped before one is leaked.
    const ROUNDS: usize = 8;
    let mut result = catch_unwind(AssertUnwindSafe(work));
    for _ in 0..ROUNDS {
        match result {
            Ok(()) => return,
            Err(payload) => {
                result = catch_unwind(AssertUnwindSafe(|| drop(payload)));
            }
        }
    }
    if let Err(payload) = result {
        forget(payload);
    }
}
