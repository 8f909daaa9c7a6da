use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use manyhands_core::{
    AsyncJob, Completion, Job, JobId, Outcome, Ticket, run_one, run_one_async,
};

fn ticket<J>(job: J) -> Ticket<J> {
    Ticket { id: JobId::new(7), job }
}

#[test]
fn a_job_runs_once_and_its_completion_has_its_id() {
    let ran = AtomicUsize::new(0);
    let completion =
        run_one(ticket(|| ran.fetch_add(1, Ordering::SeqCst)), false);
    assert_eq!(completion.id, JobId::new(7));
    assert_eq!(completion.id.to_string(), "job 7");
    assert_eq!(completion.done(), Some(0));
    assert_eq!(ran.into_inner(), 1);
}

#[test]
fn a_stopped_job_comes_back_unrun() {
    let job = String::from("the job");
    let job = move || job;
    let completion = run_one(ticket(job), true);
    let Outcome::Cancelled(job) = completion.outcome else { panic!("ran") };
    assert_eq!(job(), "the job");
}

#[test]
fn a_panic_becomes_an_outcome() {
    let boom = || std::panic::resume_unwind(Box::new("boom"));
    let completion = run_one(ticket(boom), false);
    let Outcome::<_>::Panicked(panic) = completion.outcome else {
        panic!("not panicked");
    };
    assert_eq!(panic.message(), "boom");
}

/// What its async face does.
#[derive(Clone, Copy)]
enum Act {
    Answer,
    PanicAtOnce,
    PanicWhenPolled,
    PanicWhenDropped,
    Wait,
}

struct Actor(Act);

impl Job for Actor {
    type Output = u32;

    fn run(self) -> u32 {
        1
    }
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("dropped"));
    }
}

impl AsyncJob for Actor {
    fn run_async(self) -> impl Future<Output = u32> + Send {
        if matches!(self.0, Act::PanicAtOnce) {
            std::panic::resume_unwind(Box::new("at once"));
        }
        let hostile =
            matches!(self.0, Act::PanicWhenDropped).then(|| PanicsWhenDropped);
        let mut polls = 0;
        poll_fn(move |context| {
            let _hostile = &hostile;
            polls += 1;
            match self.0 {
                Act::Wait if polls > 1 => Poll::Ready(3),
                Act::Wait => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                Act::PanicWhenPolled => {
                    std::panic::resume_unwind(Box::new("polled"))
                }
                _ => Poll::Ready(2),
            }
        })
    }
}

fn run_async(act: Act, stopped: bool) -> Completion<Actor> {
    let mut future = pin!(run_one_async(ticket(Actor(act)), || stopped));
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
    panic!("never ready");
}

#[test]
fn the_async_face_answers_also_after_waiting() {
    assert_eq!(run_async(Act::Answer, false).done(), Some(2));
    assert_eq!(run_async(Act::Wait, false).done(), Some(3));
}

#[test]
fn panics_of_the_async_face_are_contained_wherever_they_come_from() {
    for (act, message) in
        [(Act::PanicAtOnce, "at once"), (Act::PanicWhenPolled, "polled")]
    {
        let Outcome::Panicked(panic) = run_async(act, false).outcome else {
            panic!("not panicked");
        };
        assert_eq!(panic.message(), message);
    }
    // It had answered before the drop.
    assert_eq!(run_async(Act::PanicWhenDropped, false).done(), Some(2));
}

#[test]
fn a_stopped_async_job_comes_back_unrun() {
    assert!(run_async(Act::PanicAtOnce, true).outcome.is_cancelled());
}

#[test]
fn stopped_is_looked_at_when_the_job_starts_and_not_before() {
    let mut looked = false;
    let job = run_one_async(ticket(Actor(Act::Answer)), || {
        looked = true;
        false
    });
    drop(job);
    assert!(!looked);
}
