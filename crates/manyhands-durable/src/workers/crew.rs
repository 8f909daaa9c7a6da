//! What the threads of a queue share.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant, SystemTime};

use manyhands_core::CancelToken;

use crate::Error;
use crate::store::{Given, Hold, Settled, Settlement, Store, Work};
use crate::watch;

/// How many jobs a process holds at most that wait for one of its workers, as
/// a multiple of these.
const AHEAD: usize = 4;

/// Jobs are held that the workers begin within this time, going by those that
/// came before: what takes longer waits in the store, where another process
/// finds it.
const AHEAD_FOR: Duration = Duration::from_millis(20);

/// After this long a job that waits for a worker here goes back to the store.
pub(super) const WAITS_AT_MOST: Duration = Duration::from_millis(100);

/// For how long only what can begin at once is claimed, when jobs come up that
/// were tried before.
const CAREFUL_FOR: Duration = Duration::from_secs(1);

/// The longest pause before a store that is away is asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Crew {
    pub(super) store: Arc<dyn Store>,
    pub(super) work: Work,
    state: Mutex<State>,
    /// For workers: a job is ready, or it is time to go.
    pub(super) jobs: Condvar,
    /// For the writer: there are results.
    pub(super) results: Condvar,
    /// For the claimer: a worker is free, or what it holds has changed.
    pub(super) room: Condvar,
    /// For the heart: leases are to be renewed at once.
    pub(super) beats: Condvar,
    /// For who stops: something ended.
    pub(super) ends: Condvar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Working,
    /// Nothing new comes; what is ready is run.
    Draining,
    /// No job is begun.
    Ending,
}

pub(super) struct State {
    pub(super) phase: Phase,
    /// The thread that claims is there.
    pub(super) is_claiming: bool,
    /// Claimed and not begun.
    pub(super) ready: VecDeque<Held>,
    /// By a number for each.
    pub(super) running: BTreeMap<u64, Running>,
    last: u64,
    /// To be written.
    pub(super) outcomes: Vec<Outcome>,
    /// Being written.
    pub(super) writing: Vec<Hold>,
    /// The store did not take the last write.
    pub(super) is_unwritten: bool,
    /// The heart is to beat at once.
    pub(super) is_beat_wanted: bool,
    /// The heart asks the store.
    pub(super) is_beating: bool,
    /// How long attempts take, the last ones most.
    mean: Option<Duration>,
    /// Until when nothing is held ahead.
    careful_until: Option<Instant>,
    /// Who stops, if it is a job of the queue.
    pub(super) stopper: Option<ThreadId>,
    /// When to leave unwritten what cannot be written, and the store alone.
    pub(super) give_up_at: Option<Instant>,
    /// Attempts that ended and were written.
    pub(super) finished: u64,
    pub(super) given_back: u64,
}

/// A job that is held.
pub(super) struct Held {
    pub(super) given: Given,
    pub(super) hold: Hold,
    /// When it was last known to be, at least.
    pub(super) beat: Moment,
    /// Since when it waits.
    pub(super) since: Instant,
}

/// A job that runs.
pub(super) struct Running {
    pub(super) hold: Hold,
    beat: Moment,
    pub(super) token: CancelToken,
    pub(super) thread: ThreadId,
    /// Another worker has it.
    pub(super) is_lost: bool,
}

/// What is to be written.
#[derive(Clone)]
pub(super) struct Outcome {
    pub(super) settled: Settled,
    /// An attempt ended with it.
    pub(super) is_end: bool,
    /// Others of its kind may be ready once it is written.
    pub(super) frees: bool,
}

/// A time by both of the machine's clocks: one goes on while the machine
/// sleeps, the other is not set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    ticks: Instant,
    clock: SystemTime,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { ticks: Instant::now(), clock: SystemTime::now() }
    }

    /// By the clock by which it is longer ago.
    pub(super) fn elapsed(&self) -> Duration {
        let clock = self.clock.elapsed().unwrap_or_default();
        clock.max(self.ticks.elapsed())
    }
}

impl Crew {
    pub(super) fn new(store: Arc<dyn Store>, work: Work) -> Self {
        let state = State {
            phase: Phase::Working,
            is_claiming: true,
            ready: VecDeque::new(),
            running: BTreeMap::new(),
            last: 0,
            outcomes: Vec::new(),
            writing: Vec::new(),
            is_unwritten: false,
            is_beat_wanted: false,
            is_beating: false,
            mean: None,
            careful_until: None,
            stopper: None,
            give_up_at: None,
            finished: 0,
            given_back: 0,
        };
        Self {
            store,
            work,
            state: Mutex::new(state),
            jobs: Condvar::new(),
            results: Condvar::new(),
            room: Condvar::new(),
            beats: Condvar::new(),
            ends: Condvar::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wait<'a>(
        &self,
        on: &Condvar,
        state: MutexGuard<'a, State>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        match until {
            None => on.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                let waited = on.wait_timeout(state, left);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }

    /// Waits before the store is asked again; less long when a stop begins,
    /// or is to be over.
    pub(super) fn pause(&self, on: &Condvar, pause: Duration) {
        let mut state = self.lock();
        let before = (state.phase, state.give_up_at);
        let until = Instant::now() + pause;
        let until = state.give_up_at.map_or(until, |at| until.min(at));
        while (state.phase, state.give_up_at) == before
            && Instant::now() < until
        {
            state = self.wait(on, state, Some(until));
        }
    }

    /// Asks the store, and says so if it does not answer.
    pub(super) fn ask<T>(
        &self,
        what: impl FnOnce(&dyn Store) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // A store that panics must not end the thread that all wait for.
        let answer = catch_unwind(AssertUnwindSafe(|| what(&*self.store)));
        let answer = answer.unwrap_or_else(|payload| {
            manyhands_core::discard(payload);
            Err(Error::Store("the store panicked".into()))
        });
        if let Err(error) = &answer {
            watch::trouble(self.work.kind, error);
        }
        answer
    }

    /// True if a job that was last known to be held then may be another's by
    /// now, or soon. Two beats were missed; and clocks of stores may count
    /// whole seconds, of which a lease has three at least.
    pub(super) fn is_stale(&self, beat: Moment) -> bool {
        beat.elapsed() >= self.work.lease * 2 / 3
    }

    /// How many jobs to claim now.
    pub(super) fn room(&self, state: &State) -> usize {
        let workers = self.work.workers.get();
        let held = state.ready.len() + state.running.len();
        // What is written slowly is not to pile up.
        let unwritten = state.outcomes.len() + state.writing.len();
        if state.is_unwritten || unwritten > 2 * (1 + AHEAD) * workers {
            return 0;
        }
        let ahead = self.ahead(state);
        let most = (workers + ahead).saturating_sub(held);
        // Few claims of many, as long as nobody waits.
        if held >= workers && most < ahead.div_ceil(2) { 0 } else { most }
    }

    fn ahead(&self, state: &State) -> usize {
        // One that waits here would take the place of one that could begin.
        let is_shared = self.work.limit.is_some() || self.work.rate.is_some();
        let is_careful =
            state.careful_until.is_some_and(|until| Instant::now() < until);
        let Some(mean) = state.mean else { return 0 };
        if is_shared || is_careful || state.phase == Phase::Ending {
            return 0;
        }
        let workers = self.work.workers.get();
        let each = AHEAD_FOR.as_nanos() / mean.as_nanos().max(1);
        let each = usize::try_from(each).unwrap_or(AHEAD).min(AHEAD);
        workers * each
    }

    pub(super) fn wake_all(&self) {
        let on =
            [&self.jobs, &self.results, &self.room, &self.beats, &self.ends];
        on.into_iter().for_each(Condvar::notify_all);
    }

    /// Has the jobs that were claimed begun, or gives them back.
    pub(super) fn take(&self, held: Vec<Held>) {
        let mut state = self.lock();
        let busy = state.running.len() + state.ready.len();
        let mut free = self.work.workers.get().saturating_sub(busy);
        for held in held {
            let again = held.given.attempt > 1;
            // A job that kills its process must not take others along, time
            // after time, that were not even begun.
            if again {
                state.careful_until = Some(Instant::now() + CAREFUL_FOR);
            }
            if state.phase == Phase::Ending || again && free == 0 {
                state.give_back(held.hold);
            } else {
                free = free.saturating_sub(1);
                state.ready.push_back(held);
                self.jobs.notify_one();
            }
        }
        self.results.notify_one();
    }

    /// Begins the job on this thread; gives it back if it may be another's.
    pub(super) fn begin(
        &self,
        state: &mut State,
        held: Held,
    ) -> Option<(u64, Given, CancelToken)> {
        if self.is_stale(held.beat) {
            state.give_back(held.hold);
            self.results.notify_one();
            return None;
        }
        state.last += 1;
        let token = CancelToken::new();
        let running = Running {
            hold: held.hold,
            beat: held.beat,
            token: token.clone(),
            thread: std::thread::current().id(),
            is_lost: false,
        };
        state.running.insert(state.last, running);
        Some((state.last, held.given, token))
    }
}

impl State {
    /// Nothing is left to be done, now or later.
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Ending
            && !self.is_claiming
            && self.ready.is_empty()
            && self.running.is_empty()
            && self.is_written()
    }

    /// Nobody waits for the store.
    pub(super) fn is_quiet(&self) -> bool {
        !self.is_claiming && !self.is_beating && self.is_written()
    }

    pub(super) fn is_written(&self) -> bool {
        self.outcomes.is_empty() && self.writing.is_empty()
    }

    /// Whether jobs run, besides that of who stops.
    pub(super) fn is_busy(&self) -> bool {
        let stopper = self.stopper;
        self.running.values().any(|it| Some(it.thread) != stopper)
    }

    pub(super) fn give_back(&mut self, hold: Hold) {
        self.given_back += 1;
        self.write_back(hold, Settlement::GiveBack);
    }

    /// Takes their jobs from all that run, but from who stops.
    pub(super) fn abandon(&mut self) -> Vec<Running> {
        let mut rest = Vec::new();
        for (number, running) in std::mem::take(&mut self.running) {
            if Some(running.thread) == self.stopper {
                self.running.insert(number, running);
                continue;
            }
            if !running.is_lost {
                // It has begun, so it counts, also where it was the last: who
                // allows one attempt wants no second.
                let error = "its queue was stopped before it ended".into();
                let what = Settlement::Retry { error, delay: Duration::ZERO };
                self.write_back(running.hold.clone(), what);
            }
            rest.push(running);
        }
        rest
    }

    fn write_back(&mut self, hold: Hold, what: Settlement) {
        self.outcomes.push(Outcome {
            settled: Settled { hold, what },
            is_end: false,
            frees: true,
        });
    }

    /// Gives back what waits for a worker.
    pub(super) fn give_back_ready(&mut self) {
        for held in std::mem::take(&mut self.ready) {
            self.give_back(held.hold);
        }
    }

    /// What waits too long shows that jobs are not as short as was thought.
    pub(super) fn give_back_overdue(&mut self) -> bool {
        let overdue = self
            .oldest_ready()
            .is_some_and(|since| since.elapsed() >= WAITS_AT_MOST);
        if overdue {
            self.give_back_ready();
            self.mean = None;
        }
        overdue
    }

    pub(super) fn oldest_ready(&self) -> Option<Instant> {
        self.ready.front().map(|held| held.since)
    }

    pub(super) fn took(&mut self, time: Duration) {
        let mean = self.mean.map_or(time, |mean| (mean * 7 + time) / 8);
        self.mean = Some(mean);
    }

    /// All that is held, and known to be nobody else's.
    pub(super) fn holds(&self) -> Vec<Hold> {
        let ready = self.ready.iter().map(|held| &held.hold);
        let running = self.running.values().filter(|it| !it.is_lost);
        let outcomes = self.outcomes.iter().map(|it| &it.settled.hold);
        ready
            .chain(running.map(|it| &it.hold))
            .chain(outcomes)
            .chain(&self.writing)
            .cloned()
            .collect()
    }

    /// The oldest sign that was given of any job that is not ended.
    pub(super) fn oldest_beat(&self) -> Option<Moment> {
        let ready = self.ready.iter().map(|held| held.beat);
        let running = self.running.values().filter(|it| !it.is_lost);
        let beats = ready.chain(running.map(|it| it.beat));
        beats.max_by_key(Moment::elapsed)
    }

    /// Notes what a renewal at `beat` found, and returns the tokens of those
    /// that are another's now. What has ended meanwhile was written, or will
    /// be told then.
    pub(super) fn beaten(
        &mut self,
        holds: &[Hold],
        is_held: &[bool],
        beat: Moment,
    ) -> Vec<CancelToken> {
        let found: HashMap<&Hold, bool> =
            holds.iter().zip(is_held.iter().copied()).collect();
        self.ready.retain_mut(|held| match found.get(&held.hold) {
            Some(false) => false,
            Some(true) => {
                held.beat = beat;
                true
            }
            None => true,
        });
        let mut lost = Vec::new();
        for running in self.running.values_mut() {
            match found.get(&running.hold) {
                Some(false) if !running.is_lost => {
                    running.is_lost = true;
                    lost.push(running.token.clone());
                }
                Some(true) => running.beat = beat,
                Some(false) | None => {}
            }
        }
        lost
    }
}

/// Pauses before a store is asked again: longer each time, and by chance, so
/// that not all come back at once.
pub(super) struct Pauses {
    next: Duration,
}

impl Pauses {
    const FIRST: Duration = Duration::from_millis(50);

    pub(super) fn new() -> Self {
        Self { next: Self::FIRST }
    }

    pub(super) fn reset(&mut self) {
        self.next = Self::FIRST;
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST_PAUSE);
        pause.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}
