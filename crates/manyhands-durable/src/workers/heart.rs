//! Renews leases: three times in each, of all that is held. On a thread of its
//! own, so that no job is too long for it.

use std::time::Instant;

use super::crew::{Crew, Moment, Pauses};
use crate::store::Hold;

pub(super) fn beat(crew: &Crew) {
    let every = crew.work.lease / 3;
    let mut pauses = Pauses::new();
    let mut next = Instant::now() + every;
    let mut is_away = false;
    while let Some(holds) = wait(crew, next, is_away) {
        let beat = Moment::now();
        next = Instant::now() + every;
        if !holds.is_empty() {
            let lease = crew.work.lease;
            match crew.ask(|store| store.extend(&holds, lease)) {
                Ok(held) => {
                    pauses.reset();
                    is_away = false;
                    let lost = crew.lock().beaten(&holds, &held, beat);
                    // Not under the lock: it calls whoever listens.
                    for token in lost {
                        token.cancel();
                    }
                }
                Err(_) => {
                    is_away = true;
                    next = Instant::now() + pauses.next().min(every);
                }
            }
        }
        crew.lock().is_beating = false;
        crew.room.notify_one();
        crew.ends.notify_all();
    }
}

/// What is held when it is time; `None` in the end.
fn wait(crew: &Crew, next: Instant, is_away: bool) -> Option<Vec<Hold>> {
    let mut state = crew.lock();
    loop {
        if state.is_over() {
            return None;
        }
        let is_wanted = std::mem::take(&mut state.is_beat_wanted);
        if is_wanted && !is_away || Instant::now() >= next {
            state.is_beating = true;
            return Some(state.holds());
        }
        state = crew.wait(&crew.beats, state, Some(next));
    }
}
