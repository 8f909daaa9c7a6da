//! Ends the threads.

use std::sync::{Arc, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_core::join_all;

use super::Workers;
use super::crew::{Crew, Phase, Running, State};
use crate::Stopped;

/// How long the store is waited for, after the grace. What could not be given
/// back is free when its lease is over.
const TO_GIVE_BACK: Duration = Duration::from_secs(2);

/// In which threads end that have given it up.
const TO_END: Duration = Duration::from_millis(500);

impl Workers {
    /// Begins no further job, waits for those that run, for `grace` at most,
    /// and gives the others back. Returns when nothing more is written, or the
    /// store has not answered for too long.
    pub(crate) fn stop(self, grace: Option<Duration>) -> Stopped {
        let Self { crew, threads } = self;
        let now = Instant::now();
        let deadline = grace.and_then(|grace| now.checked_add(grace));
        let before = {
            let mut state = crew.lock();
            let this = thread::current().id();
            let is_job = |it: &Running| it.thread == this;
            state.stopper = state.running.values().any(is_job).then_some(this);
            state.phase = match crew.store.is_lost_at_stop() {
                true => Phase::Draining,
                false => Phase::Ending,
            };
            (state.finished, state.given_back)
        };
        wake(&crew);
        if !drain(&crew, deadline) {
            // What is left runs without whoever stops, which is one of those
            // that would have to run it.
            return Stopped::default();
        }
        let abandoned = end(&crew, deadline);
        let (is_over, stopped) = {
            let until = crew.lock().give_up_at.map(|at| at + TO_END);
            let state = wait(&crew, until, State::is_quiet);
            let stopped = Stopped {
                finished: state.finished - before.0,
                given_back: state.given_back - before.1,
                abandoned,
            };
            (abandoned == 0 && state.is_over() && state.is_quiet(), stopped)
        };
        crew.wake_all();
        // Else a thread runs a job, or waits for the store: it ends by itself.
        if is_over {
            join_all(threads);
        }
        stopped
    }
}

fn wake(crew: &Arc<Crew>) {
    crew.wake_all();
    crew.store.wake();
}

/// Waits until it is so, or for that long.
fn wait(
    crew: &Crew,
    until: Option<Instant>,
    is_so: impl Fn(&State) -> bool,
) -> MutexGuard<'_, State> {
    let mut state = crew.lock();
    while !is_so(&state) && until.is_none_or(|at| Instant::now() < at) {
        state = crew.wait(&crew.ends, state, until);
    }
    state
}

/// Waits until what is ready has run. False if that needs this very thread.
fn drain(crew: &Arc<Crew>, deadline: Option<Instant>) -> bool {
    let state = crew.lock();
    let is_alone = state.stopper.is_some() && crew.work.workers.get() == 1;
    if state.phase == Phase::Draining && is_alone {
        return false;
    }
    drop(state);
    let is_drained = |state: &State| state.phase != Phase::Draining;
    drop(wait(crew, deadline, is_drained));
    true
}

/// Gives back what was not begun, and waits for what was; gives that back too
/// once the time is up. How many were these?
fn end(crew: &Arc<Crew>, deadline: Option<Instant>) -> u64 {
    let mut state = crew.lock();
    state.phase = Phase::Ending;
    state.give_back_ready();
    drop(state);
    wake(crew);
    let mut state = wait(crew, deadline, |state| !state.is_busy());
    let rest = state.abandon();
    let lease = crew.work.lease;
    let patience = deadline.map_or(lease, |_| lease.min(TO_GIVE_BACK));
    state.give_up_at = Some(Instant::now() + patience);
    drop(state);
    for it in &rest {
        it.token.cancel();
    }
    wake(crew);
    rest.len() as u64
}
