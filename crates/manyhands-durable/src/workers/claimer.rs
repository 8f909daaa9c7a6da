//! Claims jobs, and submits what is due of schedules.

use std::time::{Duration, Instant};

use super::crew::{Crew, Held, Moment, Pauses, Phase, WAITS_AT_MOST};
use super::token;
use crate::Error;
use crate::crash;
use crate::store::{Ask, Claimed, Hold};

/// Schedules are looked at this often at most: one that is due may be another's
/// to submit, who does not come to it.
const TICK_AT_MOST: Duration = Duration::from_secs(1);

/// Schedules are looked at this often at least, for clocks may be set.
const TICK_AT_LEAST: Duration = Duration::from_secs(30);

pub(super) fn claim(crew: &Crew) {
    let mut pauses = Pauses::new();
    let mut seen = 0;
    let has_schedules = !crew.work.schedules.is_empty();
    let mut tick = has_schedules.then(Instant::now);
    while let Some((phase, most)) = room(crew, tick) {
        let is_due = tick.is_some_and(|at| at <= Instant::now());
        let stepped = if phase == Phase::Working && is_due {
            let ticked = ticked(crew);
            // Jobs are claimed before it is tried again.
            let later = Instant::now() + TICK_AT_MOST;
            tick = match &ticked {
                Ok(next) => next.map(|next| next.max(later)),
                Err(_) => Some(later),
            };
            ticked.map(|_| None)
        } else if most == 0 {
            Ok(None)
        } else {
            claimed(crew, most).map(Some)
        };
        let claimed = match stepped {
            Ok(claimed) => claimed,
            Err(_) => {
                if crew.lock().phase != Phase::Ending {
                    crew.pause(&crew.room, pauses.next());
                }
                continue;
            }
        };
        pauses.reset();
        let Some(claimed) = claimed else { continue };
        if claimed.jobs.len() == most {
            continue;
        }
        if phase == Phase::Draining && is_drained(crew, &claimed) {
            break;
        }
        let until = until(crew, &claimed, tick);
        seen = crew.store.wait(seen, until);
    }
    let mut state = crew.lock();
    state.is_claiming = false;
    state.phase = Phase::Ending;
    state.give_back_ready();
    drop(state);
    crew.wake_all();
}

/// Waits until there is room for jobs, or a schedule is due: then it may be 0.
/// `None` when no more are to be claimed.
fn room(crew: &Crew, tick: Option<Instant>) -> Option<(Phase, usize)> {
    let mut state = crew.lock();
    loop {
        if state.phase == Phase::Ending {
            return None;
        }
        if state.give_back_overdue() {
            crew.results.notify_one();
        }
        let tick = tick.filter(|_| state.phase == Phase::Working);
        if tick.is_some_and(|at| at <= Instant::now()) {
            return Some((state.phase, 0));
        }
        // After a long stop of the whole process, what it holds may seem
        // free: it renews its leases before it claims.
        let oldest = state.oldest_beat();
        let is_late = oldest.is_some_and(|beat| crew.is_stale(beat));
        let most = if is_late { 0 } else { crew.room(&state) };
        if most > 0 {
            return Some((state.phase, most));
        }
        let mut until = Instant::now() + crew.work.lease / 3;
        if is_late {
            if !state.is_unwritten {
                state.is_beat_wanted = true;
                crew.beats.notify_one();
            }
            until = until.min(Instant::now() + Duration::from_millis(100));
        }
        if let Some(since) = state.oldest_ready() {
            until = until.min(since + WAITS_AT_MOST);
        }
        let until = tick.map_or(until, |at| until.min(at));
        state = crew.wait(&crew.room, state, Some(until));
    }
}

fn ticked(crew: &Crew) -> Result<Option<Instant>, Error> {
    let next = crew.ask(|store| store.tick(crew.work.kind))?;
    Ok(next.map(|next| Instant::now() + next.min(TICK_AT_LEAST)))
}

fn claimed(crew: &Crew, most: usize) -> Result<Claimed, Error> {
    let token = token::fresh();
    let ask = Ask {
        kind: crew.work.kind,
        token: &token,
        most,
        lease: crew.work.lease,
        limit: crew.work.limit,
        rate: crew.work.rate,
    };
    // Before the question: what it takes is part of the lease.
    let beat = Moment::now();
    let claimed = crew.ask(|store| store.claim(ask))?;
    if claimed.jobs.is_empty() {
        return Ok(claimed);
    }
    crash::point("after-claim");
    let since = Instant::now();
    let held = claimed.jobs.iter().map(|given| Held {
        given: given.clone(),
        hold: Hold { id: given.id, token: token.clone() },
        beat,
        since,
    });
    crew.take(held.collect());
    Ok(claimed)
}

/// Until when to wait for something to be stored.
fn until(crew: &Crew, claimed: &Claimed, tick: Option<Instant>) -> Instant {
    let now = Instant::now();
    let mut until = now + crew.work.poll;
    if let Some(again) = claimed.again {
        // Never none: that would be a busy loop.
        until = until.min(now + again.max(Duration::from_millis(1)));
    }
    if let Some(since) = crew.lock().oldest_ready() {
        until = until.min(since + WAITS_AT_MOST);
    }
    tick.map_or(until, |at| until.min(at))
}

/// Whether all has run that is ready, and nothing runs that could make more
/// ready.
fn is_drained(crew: &Crew, claimed: &Claimed) -> bool {
    let is_idle = {
        let state = crew.lock();
        state.ready.is_empty() && !state.is_busy() && state.is_written()
    };
    if !is_idle || !claimed.jobs.is_empty() {
        return false;
    }
    // All that is ready begins at once, but for a rate.
    let Some(rate) = crew.work.rate else { return true };
    claimed.again.is_none_or(|again| again > rate.interval())
}
