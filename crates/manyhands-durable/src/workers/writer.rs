//! Writes what came of jobs: all that came while the last write ran, in one.

use std::time::Instant;

use super::crew::{Crew, Outcome, Pauses, Phase};
use crate::store::{Hold, Settled, Settlement};
use crate::{Error, crash, watch};

pub(super) fn write(crew: &Crew) {
    while let Some(outcomes) = next(crew) {
        let frees = outcomes.iter().any(|it| it.frees);
        let ended = outcomes.iter().filter(|it| it.is_end).count();
        let is_written = settle(crew, outcomes);
        let mut state = crew.lock();
        state.writing.clear();
        state.is_unwritten = false;
        if is_written {
            state.finished += ended as u64;
        }
        let is_draining = state.phase == Phase::Draining;
        drop(state);
        if frees || is_draining {
            // The claimer may wait for a time by what it knew before.
            crew.store.wake();
        }
        crew.room.notify_one();
        crew.ends.notify_all();
    }
    // The others look again whether all is over.
    crew.wake_all();
}

fn next(crew: &Crew) -> Option<Vec<Outcome>> {
    let mut state = crew.lock();
    loop {
        if !state.outcomes.is_empty() {
            let outcomes = std::mem::take(&mut state.outcomes);
            state.writing = holds(&outcomes);
            return Some(outcomes);
        }
        if state.is_over() {
            return None;
        }
        state = crew.wait(&crew.results, state, None);
    }
}

fn holds(outcomes: &[Outcome]) -> Vec<Hold> {
    outcomes.iter().map(|it| it.settled.hold.clone()).collect()
}

/// Asks until the store has answered. False if it had to give up.
fn settle(crew: &Crew, outcomes: Vec<Outcome>) -> bool {
    let mut left: Vec<Settled> =
        outcomes.into_iter().map(|it| it.settled).collect();
    let mut pauses = Pauses::new();
    loop {
        match attempt(crew, &left) {
            Ok(()) => return true,
            Err(error) if error.is_transient() => {}
            // One that can never be written must not hold up the others.
            Err(error) => left = one_by_one(crew, left, &error),
        }
        if left.is_empty() {
            return true;
        }
        {
            let mut state = crew.lock();
            state.is_unwritten = true;
            state.writing = left.iter().map(|it| it.hold.clone()).collect();
            let now = Instant::now();
            if state.give_up_at.is_some_and(|at| now >= at) {
                return false;
            }
        }
        crew.pause(&crew.results, pauses.next());
    }
}

fn attempt(crew: &Crew, settled: &[Settled]) -> Result<(), Error> {
    crash::point("before-ack");
    let held = crew.ask(|store| store.settle(settled.to_vec()))?;
    crash::point("after-ack-before-reply");
    let lost = held.iter().filter(|held| !**held).count();
    watch::lost(crew.work.kind, lost);
    Ok(())
}

/// Returns those that are to be tried again. What the store will not have is
/// a dead letter that says so; and if it will not have that, the lease ends.
fn one_by_one(
    crew: &Crew,
    settled: Vec<Settled>,
    error: &Error,
) -> Vec<Settled> {
    let mut left = Vec::new();
    for one in settled {
        match attempt(crew, std::slice::from_ref(&one)) {
            Ok(()) => {}
            Err(error) if error.is_transient() => left.push(one),
            Err(_) => {
                let error = format!("the store does not take it: {error}");
                let what = Settlement::Dead { error };
                let dead = Settled { hold: one.hold, what };
                match attempt(crew, std::slice::from_ref(&dead)) {
                    Err(error) if error.is_transient() => left.push(dead),
                    Ok(()) | Err(_) => {}
                }
            }
        }
    }
    left
}
