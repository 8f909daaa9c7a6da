//! Ends the threads.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use manyhands_core::join_all;

use super::Workers;
use super::crew::{Crew, Phase, Running};
use crate::Stopped;

/// How long it is tried, after the grace, to give jobs back. If it cannot be
/// done they are free when their lease is over.
const TO_GIVE_BACK: Duration = Duration::from_secs(2);

impl Workers {
    /// Begins no further job, waits for those that run, for `grace` at most,
    /// and gives the others back. Returns when nothing more is written.
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
        let (is_alone, stopped) = {
            let mut state = crew.lock();
            while !state.is_written() {
                state = crew.wait(&crew.ends, state, None);
            }
            let stopped = Stopped {
                finished: state.finished - before.0,
                given_back: state.given_back - before.1,
                abandoned,
            };
            (abandoned == 0 && state.running.is_empty(), stopped)
        };
        crew.wake_all();
        if is_alone {
            join_all(threads);
        }
        stopped
    }
}

fn wake(crew: &Arc<Crew>) {
    crew.wake_all();
    crew.store.wake();
}

/// Waits until what is ready has run. False if that needs this very thread.
fn drain(crew: &Arc<Crew>, deadline: Option<Instant>) -> bool {
    let mut state = crew.lock();
    while state.phase == Phase::Draining {
        if state.stopper.is_some() && crew.work.workers.get() == 1 {
            return false;
        }
        if deadline.is_some_and(|at| Instant::now() >= at) {
            break;
        }
        state = crew.wait(&crew.ends, state, deadline);
    }
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
    let is_over = || deadline.is_some_and(|at| Instant::now() >= at);
    let mut state = crew.lock();
    while state.is_busy() && !is_over() {
        state = crew.wait(&crew.ends, state, deadline);
    }
    let rest = state.abandon();
    let lease = crew.work.lease;
    let patience = deadline.map_or(lease, |_| lease.min(TO_GIVE_BACK));
    state.give_up_at = Some(Instant::now() + patience);
    drop(state);
    for it in &rest {
        it.token.cancel();
    }
    wake(crew);
    let mut state = crew.lock();
    while state.is_claiming {
        state = crew.wait(&crew.ends, state, None);
    }
    drop(state);
    rest.len() as u64
}
