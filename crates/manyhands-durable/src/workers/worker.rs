//! Runs jobs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use manyhands_core::CancelToken;

use super::crew::{Crew, Outcome, Phase};
use crate::store::{Given, Settled, Settlement, Verdict};
use crate::watch;

pub(super) fn work(crew: &Crew) {
    while let Some((number, given, token)) = next(crew) {
        let attempt = given.attempt;
        // Those under the same word wait for this one.
        let is_serial = given.stored.contains("\"serial\"");
        let began = Instant::now();
        let verdict = run(crew, given, &token);
        let what = settlement(crew, attempt, verdict);
        let frees = is_serial
            || crew.work.limit.is_some()
            || matches!(what, Settlement::Retry { .. });
        let mut state = crew.lock();
        state.took(began.elapsed());
        match state.running.remove(&number) {
            Some(running) if !running.is_lost => {
                let settled = Settled { hold: running.hold, what };
                state.outcomes.push(Outcome { settled, is_end: true, frees });
                crew.results.notify_one();
            }
            // Another has it, or will: what it came to is not written.
            Some(_) | None => watch::lost(crew.work.kind, 1),
        }
        crew.room.notify_one();
        if state.phase != Phase::Working {
            crew.wake_all();
        }
    }
}

fn next(crew: &Crew) -> Option<(u64, Given, CancelToken)> {
    let mut state = crew.lock();
    loop {
        while let Some(held) = state.ready.pop_front() {
            if let Some(begun) = crew.begin(&mut state, held) {
                return Some(begun);
            }
        }
        if state.phase == Phase::Ending {
            return None;
        }
        state = crew.wait(&crew.jobs, state, None);
    }
}

/// What is around a job is the user's as well, and may panic: how it is read,
/// and who is told of it.
fn run(crew: &Crew, given: Given, token: &CancelToken) -> Verdict {
    let ran = catch_unwind(AssertUnwindSafe(|| (crew.work.run)(given, token)));
    ran.unwrap_or_else(|payload| {
        manyhands_core::discard(payload);
        let error = "panicked before or after the job".into();
        Verdict::Retry { error, after: None }
    })
}

fn settlement(crew: &Crew, attempt: u32, verdict: Verdict) -> Settlement {
    match verdict {
        Verdict::Done { output } => {
            Settlement::Done { output, retention: crew.work.retention }
        }
        Verdict::Retry { error, after } => {
            let delay = crew.work.backoff.draw(attempt);
            let delay = delay.max(after.unwrap_or_default());
            Settlement::Retry { error, delay }
        }
        Verdict::Dead { error } => Settlement::Dead { error },
    }
}
