//! What is asked of exercise 7.

use exercises::sync::Arc;
use exercises::{Check, Gate, explore, explore_some, listed, thread};

use super::answer::{FirstError, Job, Outcome, run_all, run_one};

/// What a job of these checks panics with. If it is seen, it got out.
const OUT: &str = "a job's panic got out and ended its worker";

pub fn checks() -> Vec<Check> {
    const STUCK: &str = "the jobs are not done, and nobody does them";
    vec![
        Check::new(
            "a_job_has_an_outcome",
            "a job that returns is `Done` or `Failed`, with what it returned",
            STUCK,
            || explore_some(1, a_job_has_an_outcome),
        ),
        Check::new(
            "a_panic_is_an_outcome",
            "a job that panics is `Panicked`, with the text of the panic",
            STUCK,
            || explore_some(1, a_panic_is_an_outcome),
        ),
        Check::new(
            "the_first_error_is_kept",
            "of several errors the first is kept",
            STUCK,
            || explore_some(1, the_first_error_is_kept),
        ),
        Check::new(
            "the_first_error_stays",
            "when two threads have an error at the same time, one of them is \
             kept, and stays",
            STUCK,
            || explore(the_first_error_stays),
        ),
        Check::new(
            "outcomes_are_in_the_order_of_the_jobs",
            "the outcome of a job is at the job's place, whoever ran it",
            STUCK,
            || explore(outcomes_are_in_the_order_of_the_jobs),
        ),
        Check::new(
            "the_workers_live_on",
            "two workers meet three panics, and run the jobs after them",
            STUCK,
            || explore(the_workers_live_on),
        ),
        Check::new(
            "an_error_stops_the_rest",
            "after an error, jobs that were not begun are skipped",
            STUCK,
            || explore(an_error_stops_the_rest),
        ),
        Check::new(
            "no_lock_is_held_while_a_job_runs",
            "two jobs run at the same time on two workers",
            "the second job never began: a worker held a lock while its job \
             ran, or waited for it before the next was begun",
            || explore(no_lock_is_held_while_a_job_runs),
        ),
        Check::new(
            "two_errors_at_once",
            "when two jobs fail at the same time, the error that is returned \
             is that of one of them",
            STUCK,
            || explore(two_errors_at_once),
        ),
    ]
}

fn done(value: u64) -> Job {
    Box::new(move || {
        thread::yield_now();
        Ok(value)
    })
}

fn fails(error: &'static str) -> Job {
    Box::new(move || Err(error.into()))
}

fn panics() -> Job {
    Box::new(|| panic!("{OUT}"))
}

fn expect(seen: &[Outcome], right: &[Outcome]) {
    for (place, (seen, right)) in seen.iter().zip(right).enumerate() {
        if let (Outcome::Panicked(seen), Outcome::Panicked(right)) =
            (seen, right)
        {
            assert!(
                seen == right,
                "job {place} panicked with a text, and its outcome says \
                 {seen:?}"
            );
        }
        assert!(
            seen == right,
            "the outcome of job {place} should be {}, and it is {}",
            word(right),
            word(seen)
        );
    }
    let (seen, right) = (seen.len(), right.len());
    assert!(seen == right, "{right} jobs have {seen} outcomes");
}

/// An outcome; for the panic of these checks, without its text.
fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Panicked(text) if text == OUT => "Panicked".into(),
        outcome => format!("{outcome:?}"),
    }
}

fn failed(error: &str) -> Outcome {
    Outcome::Failed(error.into())
}

fn panicked() -> Outcome {
    Outcome::Panicked(OUT.into())
}

fn a_job_has_an_outcome() {
    let seen = [run_one(done(7)), run_one(fails("no disk"))];
    expect(&seen, &[Outcome::Done(7), failed("no disk")]);
}

fn a_panic_is_an_outcome() {
    expect(&[run_one(panics())], &[panicked()]);
}

fn the_first_error_is_kept() {
    let first = FirstError::new();
    let none = first.get();
    assert!(none.is_none(), "there was no error yet, and {none:?} is there");
    first.keep("first".into());
    first.keep("second".into());
    let seen = first.get();
    let right = Some("first".to_owned());
    assert!(seen == right, "\"first\" came, then \"second\": kept {seen:?}");
}

fn the_first_error_stays() {
    let first = Arc::new(FirstError::new());
    let threads = ["left", "right"].map(|error| {
        let first = Arc::clone(&first);
        thread::spawn(move || {
            first.keep(error.into());
            first.get()
        })
    });
    let after = threads.map(|thread| thread.join().ok().flatten());
    let last = first.get();
    for seen in after {
        assert!(
            seen == last,
            "the first error was {seen:?}, and then it was {last:?}"
        );
    }
}

fn outcomes_are_in_the_order_of_the_jobs() {
    let jobs = vec![done(0), done(10), done(20), done(30)];
    let (outcomes, first) = run_all(2, jobs);
    expect(&outcomes, &[0, 10, 20, 30].map(Outcome::Done));
    assert!(first.is_none(), "no job failed, and {first:?} is the error");
}

fn the_workers_live_on() {
    let jobs = vec![panics(), panics(), panics(), done(3), done(4)];
    let (outcomes, first) = run_all(2, jobs);
    let (a, b) = (Outcome::Done(3), Outcome::Done(4));
    expect(&outcomes, &[panicked(), panicked(), panicked(), a, b]);
    assert!(first.is_none(), "a panic is no error, and {first:?} is there");
}

fn an_error_stops_the_rest() {
    // One worker: what comes after is not begun before.
    let jobs = vec![done(0), fails("no disk"), done(2), fails("no power")];
    let (outcomes, first) = run_all(1, jobs);
    let (skipped, also) = (Outcome::Skipped, Outcome::Skipped);
    let right = [Outcome::Done(0), failed("no disk"), skipped, also];
    expect(&outcomes, &right);
    let right = Some("no disk".to_owned());
    assert!(first == right, "the first error is \"no disk\", not {first:?}");
}

fn no_lock_is_held_while_a_job_runs() {
    let gate = Gate::new(2);
    let meets = || -> Job {
        let gate = gate.clone();
        Box::new(move || {
            gate.meet();
            Ok(1)
        })
    };
    let (outcomes, _) = run_all(2, vec![meets(), meets()]);
    expect(&outcomes, &[Outcome::Done(1), Outcome::Done(1)]);
}

fn two_errors_at_once() {
    let gate = Gate::new(2);
    let meets = |error: &'static str| -> Job {
        let gate = gate.clone();
        Box::new(move || {
            gate.meet();
            Err(error.into())
        })
    };
    let jobs = vec![meets("left"), meets("right")];
    let (outcomes, first) = run_all(2, jobs);
    expect(&outcomes, &[failed("left"), failed("right")]);
    let errors = ["left", "right"];
    assert!(
        first.as_deref().is_some_and(|first| errors.contains(&first)),
        "{} failed, and the first error is {first:?}",
        listed(&errors)
    );
}
