//! What workers do when the store does not answer, or another has the job.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use manyhands_core::{CancelToken, ThreadOptions};

use super::crew::{Crew, Held, Moment, Phase};
use super::{Workers, token};
use crate::memory::Memory;
use crate::store::{
    Ask, Claimed, Given, Hold, Inspect, NewJob, Schedule, Settled, Settlement,
    Store, Then, Verdict, Work,
};
use crate::{
    Backoff, Counts, Error, Filter, JobId, State, Status, Stopped, Submission,
};

/// After this long a wait has failed.
const PATIENCE: Duration = Duration::from_secs(20);

const LEASE: Duration = Duration::from_millis(300);

/// What a store is asked that may go wrong.
#[derive(Clone, Debug, PartialEq)]
enum Call {
    Claim(usize),
    Settle(Vec<(JobId, Settlement)>),
    Extend(usize),
}

type Fault = dyn Fn(&Call) -> Result<(), Error> + Send + Sync;

/// A store that is kept elsewhere, at the end of a line that may break.
#[derive(Clone)]
struct Line {
    memory: Arc<Memory>,
    fault: Arc<Fault>,
    calls: Arc<Mutex<Vec<(Instant, Call)>>>,
}

impl Line {
    fn new(memory: &Arc<Memory>) -> Self {
        Self::with(memory, |_| Ok(()))
    }

    fn with(
        memory: &Arc<Memory>,
        fault: impl Fn(&Call) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Self {
        let memory = Arc::clone(memory);
        Self { memory, fault: Arc::new(fault), calls: Arc::default() }
    }

    fn call(&self, call: Call) -> Result<(), Error> {
        self.calls.lock().unwrap().push((Instant::now(), call.clone()));
        (self.fault)(&call)
    }

    fn settled(&self) -> Vec<Vec<(JobId, Settlement)>> {
        let calls = self.calls.lock().unwrap();
        let settled = calls.iter().filter_map(|(_, call)| match call {
            Call::Settle(settled) => Some(settled.clone()),
            Call::Claim(_) | Call::Extend(_) => None,
        });
        settled.collect()
    }
}

impl Inspect for Line {
    fn status(&self, id: JobId) -> Result<Option<Status>, Error> {
        self.memory.status(id)
    }

    fn list(&self, filter: &Filter) -> Result<Vec<Status>, Error> {
        self.memory.list(filter)
    }

    fn counts(&self) -> Result<Vec<Counts>, Error> {
        self.memory.counts()
    }

    fn retry(&self, filter: &Filter) -> Result<u64, Error> {
        self.memory.retry(filter)
    }

    fn cancel(&self, id: JobId) -> Result<bool, Error> {
        self.memory.cancel(id)
    }

    fn purge(&self, filter: &Filter) -> Result<u64, Error> {
        self.memory.purge(filter)
    }

    fn set_paused(&self, kind: &str, paused: bool) -> Result<(), Error> {
        self.memory.set_paused(kind, paused)
    }
}

impl Store for Line {
    fn submit(&self, jobs: Vec<NewJob>, then: Then<Vec<JobId>>) {
        self.memory.submit(jobs, then);
    }

    fn claim(&self, ask: Ask<'_>) -> Result<Claimed, Error> {
        self.call(Call::Claim(ask.most))?;
        self.memory.claim(ask)
    }

    fn settle(&self, settled: Vec<Settled>) -> Result<Vec<bool>, Error> {
        let what = settled.iter().map(|it| (it.hold.id, it.what.clone()));
        self.call(Call::Settle(what.collect()))?;
        self.memory.settle(settled)
    }

    fn extend(
        &self,
        holds: &[Hold],
        lease: Duration,
    ) -> Result<Vec<bool>, Error> {
        self.call(Call::Extend(holds.len()))?;
        self.memory.extend(holds, lease)
    }

    fn schedule(
        &self,
        kind: &str,
        schedules: &[Schedule],
    ) -> Result<(), Error> {
        self.memory.schedule(kind, schedules)
    }

    fn tick(&self, kind: &str) -> Result<Option<Duration>, Error> {
        self.memory.tick(kind)
    }

    fn wait(&self, seen: u64, until: Instant) -> u64 {
        self.memory.wait(seen, until)
    }

    fn wake(&self) {
        self.memory.wake();
    }
}

fn away() -> Error {
    Error::Store("away".into())
}

fn done() -> Verdict {
    Verdict::Done { output: None }
}

fn work(
    workers: usize,
    run: impl Fn(Given, &CancelToken) -> Verdict + Send + Sync + 'static,
) -> Work {
    let moment = Duration::from_millis(5);
    Work {
        kind: "k",
        workers: workers.try_into().unwrap(),
        lease: LEASE,
        poll: Duration::from_millis(20),
        retention: Duration::from_secs(3600),
        backoff: Backoff::exponential(moment, moment),
        limit: None,
        rate: None,
        schedules: Vec::new(),
        threads: ThreadOptions::new(),
        run: Arc::new(run),
    }
}

fn started(line: &Line, work: Work) -> Workers {
    Workers::start(Arc::new(line.clone()), work).unwrap()
}

fn submit(memory: &Memory, jobs: usize) -> Vec<JobId> {
    submit_with(memory, jobs, 5)
}

fn submit_with(memory: &Memory, jobs: usize, max_attempts: u32) -> Vec<JobId> {
    let new = NewJob {
        kind: "k".into(),
        job: "1".into(),
        how: Submission::new(),
        max_attempts,
    };
    let (tell, told) = channel();
    let then = move |ids| tell.send(ids).unwrap();
    memory.submit(vec![new; jobs], Box::new(then));
    told.recv_timeout(PATIENCE).unwrap().unwrap()
}

/// As another process would, which is not heard of again.
fn claim_by_another(memory: &Memory, lease: Duration) -> Vec<Hold> {
    let token = token::fresh();
    let ask = Ask {
        kind: "k",
        token: &token,
        most: usize::MAX,
        lease,
        limit: None,
        rate: None,
    };
    let claimed = memory.claim(ask).unwrap().jobs.into_iter();
    claimed.map(|it| Hold { id: it.id, token: token.clone() }).collect()
}

fn reaches(memory: &Memory, id: JobId, state: State) -> Status {
    let began = Instant::now();
    loop {
        let status = memory.status(id).unwrap().unwrap();
        if status.state == state {
            return status;
        }
        assert!(began.elapsed() < PATIENCE, "{status:?}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Stops, if that ends.
fn stop(working: Workers, grace: Option<Duration>) -> Stopped {
    let (tell, told) = channel();
    thread::spawn(move || tell.send(working.stop(grace)));
    told.recv_timeout(PATIENCE).expect("a stop that ends")
}

/// A gate for each attempt, and word of each that began.
struct Gates {
    begun: Receiver<(Given, CancelToken)>,
    open: Sender<()>,
}

impl Gates {
    fn new(workers: usize) -> (Self, Work) {
        let (begin, begun) = channel();
        let (open, opened) = channel();
        let opened = Mutex::new(opened);
        let begin = Mutex::new(begin);
        let work = work(workers, move |given, token| {
            begin.lock().unwrap().send((given, token.clone())).unwrap();
            opened.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            done()
        });
        (Self { begun, open }, work)
    }

    fn begun(&self) -> (Given, CancelToken) {
        self.begun.recv_timeout(PATIENCE).unwrap()
    }
}

#[test]
fn a_job_longer_than_its_lease_stays_with_its_worker() {
    let memory = Arc::new(Memory::new());
    let (gates, work) = Gates::new(1);
    let other = self::work(4, |_, _| panic!("not the other's job"));
    let lines = [Line::new(&memory), Line::new(&memory)];
    let working = started(&lines[0], work);
    let id = submit(&memory, 1)[0];
    let (_, token) = gates.begun();
    let idle = started(&lines[1], other);
    thread::sleep(LEASE * 4);
    assert!(!token.is_cancelled());
    gates.open.send(()).unwrap();
    let status = reaches(&memory, id, State::Done);
    assert_eq!(status.attempts, 1);
    stop(working, None);
    stop(idle, None);
    let calls = lines[0].calls.lock().unwrap();
    let beats = calls.iter().filter(|(_, it)| matches!(it, Call::Extend(_)));
    // Three in each lease, and not many more.
    let beats = beats.count();
    assert!((6..=14).contains(&beats), "{beats} beats");
}

#[test]
fn what_a_worker_left_behind_is_taken_over_after_its_lease() {
    let memory = Arc::new(Memory::new());
    let ids = submit_with(&memory, 1, 2);
    let last = submit_with(&memory, 1, 1);
    let began = Instant::now();
    assert_eq!(claim_by_another(&memory, LEASE).len(), 2);
    let (attempts, ran) = channel();
    let attempts = Mutex::new(attempts);
    let work = work(2, move |given, _| {
        let ran = (given.id, given.attempt, Instant::now());
        attempts.lock().unwrap().send(ran).unwrap();
        done()
    });
    let working = started(&Line::new(&memory), work);
    let (id, attempt, at) = ran.recv_timeout(PATIENCE).unwrap();
    assert_eq!((id, attempt), (ids[0], 2));
    assert!(at - began >= LEASE);
    assert!(at - began < LEASE * 4, "{:?}", at - began);
    reaches(&memory, ids[0], State::Done);
    let dead = reaches(&memory, last[0], State::Dead);
    assert_eq!(dead.attempts, 1);
    assert!(dead.last_error.unwrap().contains("vanished"));
    stop(working, None);
    assert_eq!(ran.try_iter().count(), 0);
}

#[test]
fn a_lease_that_was_lost_is_told_and_its_result_not_written() {
    let memory = Arc::new(Memory::new());
    let is_away = Arc::new(Mutex::new(false));
    let seen = Arc::clone(&is_away);
    let line = Line::with(&memory, move |_| {
        if *seen.lock().unwrap() { Err(away()) } else { Ok(()) }
    });
    let (gates, work) = Gates::new(1);
    let working = started(&line, work);
    let id = submit(&memory, 1)[0];
    let (_, token) = gates.begun();
    // As if this process slept: nobody hears of it.
    *is_away.lock().unwrap() = true;
    let began = Instant::now();
    let other = loop {
        let other = claim_by_another(&memory, PATIENCE);
        if !other.is_empty() {
            break other;
        }
        assert!(began.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(1));
    };
    assert!(!token.is_cancelled());
    *is_away.lock().unwrap() = false;
    assert!(token.wait_timeout(PATIENCE));
    gates.open.send(()).unwrap();
    // Whatever it is asked next it does.
    let next = submit(&memory, 1)[0];
    gates.open.send(()).unwrap();
    reaches(&memory, next, State::Done);
    let status = memory.status(id).unwrap().unwrap();
    assert_eq!((status.state, status.attempts), (State::Running, 2));
    let what = Settlement::Done { output: None, retention: PATIENCE };
    let hold = other.into_iter().next().unwrap();
    let settled = vec![Settled { hold, what }];
    assert_eq!(memory.settle(settled).unwrap(), [true]);
    stop(working, None);
    let written = line.settled().concat();
    assert!(written.iter().all(|(it, _)| *it != id), "{written:?}");
}

#[test]
fn what_was_claimed_too_long_ago_is_not_begun() {
    let memory = Arc::new(Memory::new());
    let (slow, is_settled) = (AtomicBool::new(true), AtomicBool::new(false));
    let line = Line::with(&memory, move |call| {
        match call {
            // The claim arrives, and its answer as late as after a sleep.
            Call::Claim(_) if slow.swap(false, SeqCst) => {
                thread::sleep(LEASE);
            }
            // Or they would be renewed, and begun.
            Call::Extend(_) if !is_settled.load(SeqCst) => return Err(away()),
            Call::Settle(_) => is_settled.store(true, SeqCst),
            Call::Claim(_) | Call::Extend(_) => {}
        }
        Ok(())
    });
    let ids = submit(&memory, 2);
    let (begin, begun) = channel();
    let begin = Mutex::new(begin);
    let work = work(2, move |given, _| {
        begin.lock().unwrap().send(given).unwrap();
        done()
    });
    let working = started(&line, work);
    for id in &ids {
        assert_eq!(reaches(&memory, *id, State::Done).attempts, 1);
    }
    stop(working, None);
    assert_eq!(begun.try_iter().count(), 2);
    let given_back: Vec<_> = line
        .settled()
        .concat()
        .into_iter()
        .filter(|(_, what)| *what == Settlement::GiveBack)
        .map(|(id, _)| id)
        .collect();
    assert_eq!(given_back, ids);
}

#[test]
fn a_result_is_written_once_the_store_is_back() {
    let memory = Arc::new(Memory::new());
    let back_at = Instant::now() + LEASE * 3;
    let line = Line::with(&memory, move |call| match call {
        Call::Settle(_) if Instant::now() < back_at => Err(away()),
        _ => Ok(()),
    });
    let (begin, begun) = channel();
    let begin = Mutex::new(begin);
    let work = work(2, move |given, _| {
        begin.lock().unwrap().send(given).unwrap();
        done()
    });
    let working = started(&line, work);
    let ids = submit(&memory, 50);
    for id in ids {
        assert_eq!(reaches(&memory, id, State::Done).attempts, 1);
    }
    stop(working, None);
    assert_eq!(begun.try_iter().count(), 50);
    // Some tries, with growing pauses; and little begun meanwhile.
    let tries = line.settled();
    let in_vain = tries.len();
    assert!((3..40).contains(&in_vain), "{in_vain}: {tries:?}");
}

#[test]
fn a_store_that_is_away_is_asked_again_with_growing_pauses() {
    let memory = Arc::new(Memory::new());
    let back_at = Instant::now() + Duration::from_millis(800);
    let line = Line::with(&memory, move |_| {
        if Instant::now() < back_at { Err(away()) } else { Ok(()) }
    });
    let working = started(&line, work(2, |_, _| done()));
    let id = submit(&memory, 1)[0];
    reaches(&memory, id, State::Done);
    stop(working, None);
    let calls = line.calls.lock().unwrap();
    let early = calls.iter().filter(|(at, _)| *at < back_at).count();
    assert!((3..=12).contains(&early), "{early} calls");
}

#[test]
fn a_store_that_panics_is_asked_again() {
    let memory = Arc::new(Memory::new());
    let left = Mutex::new(BTreeMap::from([("claim", 2), ("settle", 2)]));
    let line = Line::with(&memory, move |call| {
        let name = match call {
            Call::Claim(_) => "claim",
            Call::Settle(_) => "settle",
            Call::Extend(_) => return Ok(()),
        };
        let panics = {
            let mut left = left.lock().unwrap();
            let left = left.get_mut(name).unwrap();
            *left -= 1;
            *left >= 0
        };
        assert!(!panics, "as it should");
        Ok(())
    });
    let working = started(&line, work(1, |_, _| done()));
    let id = submit(&memory, 1)[0];
    assert_eq!(reaches(&memory, id, State::Done).attempts, 1);
    stop(working, None);
}

#[test]
fn what_can_never_be_written_is_dead_and_holds_up_no_other() {
    let memory = Arc::new(Memory::new());
    let line = Line::with(&memory, |call| match call {
        Call::Settle(settled)
            if settled.iter().any(|(id, what)| {
                id.get() == 2 && matches!(what, Settlement::Done { .. })
            }) =>
        {
            Err(Error::Invalid("not text".into()))
        }
        _ => Ok(()),
    });
    let ids = submit(&memory, 3);
    let working = started(&line, work(3, |_, _| done()));
    reaches(&memory, ids[0], State::Done);
    reaches(&memory, ids[2], State::Done);
    let dead = reaches(&memory, ids[1], State::Dead);
    assert!(dead.last_error.unwrap().contains("not text"));
    stop(working, None);
}

#[test]
fn results_are_written_together_that_came_while_a_write_ran() {
    let memory = Arc::new(Memory::new());
    let (first, writing) = channel();
    let (go, on) = channel();
    let state = Mutex::new((Some(first), on));
    let line = Line::with(&memory, move |call| {
        if let Call::Settle(_) = call {
            let mut state = state.lock().unwrap();
            if let Some(first) = state.0.take() {
                first.send(()).unwrap();
                state.1.recv_timeout(PATIENCE).unwrap();
            }
        }
        Ok(())
    });
    let (gates, work) = Gates::new(8);
    let working = started(&line, work);
    let ids = submit(&memory, 8);
    for _ in 0..8 {
        gates.begun();
    }
    gates.open.send(()).unwrap();
    writing.recv_timeout(PATIENCE).unwrap();
    for _ in 0..7 {
        gates.open.send(()).unwrap();
    }
    let began = Instant::now();
    while working.crew.lock().outcomes.len() < 7 {
        assert!(began.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(1));
    }
    go.send(()).unwrap();
    for id in ids {
        reaches(&memory, id, State::Done);
    }
    stop(working, None);
    let sizes: Vec<_> = line.settled().iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 7]);
}

#[test]
fn a_process_holds_few_jobs_and_not_for_long() {
    let memory = Arc::new(Memory::new());
    let line = Line::new(&memory);
    let (begin, begun) = channel();
    let begin = Mutex::new(begin);
    let (open, opened) = channel();
    let opened = Mutex::new(opened);
    let long = Arc::new(Mutex::new(false));
    let is_long = Arc::clone(&long);
    let work = work(2, move |given, _| {
        begin.lock().unwrap().send(given).unwrap();
        if *is_long.lock().unwrap() {
            opened.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        }
        done()
    });
    let working = started(&line, work);
    // Short ones: some are held ahead.
    for id in submit(&memory, 200) {
        reaches(&memory, id, State::Done);
    }
    let most =
        line.calls.lock().unwrap().iter().fold(0, |most, it| match it.1 {
            Call::Claim(it) => most.max(it),
            Call::Settle(_) | Call::Extend(_) => most,
        });
    assert!((3..=10).contains(&most), "{most} at once");
    assert_eq!(begun.try_iter().count(), 200);

    // Then long ones: what waits for them is another's to take.
    *long.lock().unwrap() = true;
    let ids = submit(&memory, 20);
    for _ in 0..2 {
        begun.recv_timeout(PATIENCE).unwrap();
    }
    let began = Instant::now();
    let other = self::work(4, |_, _| done());
    let idle = started(&Line::new(&memory), other);
    for id in &ids[2..] {
        assert_eq!(reaches(&memory, *id, State::Done).attempts, 1);
    }
    assert!(began.elapsed() < Duration::from_secs(2));
    let waited = begun.recv_timeout(Duration::ZERO);
    assert_eq!(waited.unwrap_err(), RecvTimeoutError::Timeout);
    open.send(()).unwrap();
    open.send(()).unwrap();
    stop(working, None);
    stop(idle, None);
}

#[test]
fn what_was_tried_before_is_not_held_ahead() {
    let memory = Arc::new(Memory::new());
    let store = Arc::new(Line::new(&memory));
    let crew = Crew::new(store, work(1, |_, _| done()));
    crew.lock().took(Duration::from_micros(1));
    assert!(crew.room(&crew.lock()) > 1);
    let held = |id, attempt| {
        let id = JobId::new(id);
        Held {
            given: Given {
                id,
                attempt,
                max_attempts: 5,
                stored: String::new(),
            },
            hold: Hold { id, token: "t".into() },
            beat: Moment::now(),
            since: Instant::now(),
        }
    };
    // The first has a worker.
    crew.take(vec![held(1, 2), held(2, 1), held(3, 2)]);
    let state = crew.lock();
    let ready = state.ready.iter().map(|it| it.given.id.get());
    assert_eq!(ready.collect::<Vec<_>>(), [1, 2]);
    assert_eq!(state.outcomes.len(), 1);
    assert_eq!(state.outcomes[0].settled.hold.id.get(), 3);
    assert_eq!(crew.room(&state), 0);
}

#[test]
fn a_stop_ends_while_the_store_is_away() {
    for grace in [None, Some(Duration::ZERO)] {
        let memory = Arc::new(Memory::new());
        let is_away = Arc::new(Mutex::new(false));
        let seen = Arc::clone(&is_away);
        let line = Line::with(&memory, move |_| {
            if *seen.lock().unwrap() { Err(away()) } else { Ok(()) }
        });
        let (gates, work) = Gates::new(1);
        let working = started(&line, work);
        let id = submit(&memory, 1)[0];
        gates.begun();
        *is_away.lock().unwrap() = true;
        gates.open.send(()).unwrap();
        let began = Instant::now();
        stop(working, grace);
        assert!(began.elapsed() < Duration::from_secs(7));
        // It is another's once its lease is over.
        *is_away.lock().unwrap() = false;
        let next = started(&line, self::work(1, |_, _| done()));
        let status = reaches(&memory, id, State::Done);
        assert_eq!(status.attempts, 2);
        stop(next, None);
    }
}

/// Whatever it is that the store does not answer.
#[test]
fn a_stop_ends_while_the_store_hangs() {
    type Is = fn(&Call) -> bool;
    let asked: [Is; 3] = [
        |call| matches!(call, Call::Claim(_)),
        |call| matches!(call, Call::Settle(_)),
        |call| matches!(call, Call::Extend(_)),
    ];
    for is_asked in asked {
        let memory = Arc::new(Memory::new());
        let (hang, hangs) = channel();
        let (go, on) = channel::<()>();
        let gate = Mutex::new((hang, on));
        let hangs_now = Arc::new(AtomicBool::new(false));
        let is_now = Arc::clone(&hangs_now);
        let line = Line::with(&memory, move |call| {
            if is_now.load(SeqCst) && is_asked(call) {
                let gate = gate.lock().unwrap();
                let _ = gate.0.send(());
                // Until the test is over.
                let _ = gate.1.recv_timeout(PATIENCE * 2);
            }
            Ok(())
        });
        let (gates, work) = Gates::new(2);
        let working = started(&line, work);
        let id = submit(&memory, 1)[0];
        gates.begun();
        hangs_now.store(true, SeqCst);
        submit(&memory, 1);
        if is_asked(&Call::Settle(Vec::new())) {
            gates.open.send(()).unwrap();
        }
        hangs.recv_timeout(PATIENCE).unwrap();
        let began = Instant::now();
        let stopped = stop(working, Some(Duration::ZERO));
        // The store hangs for longer than that, and a stop that waits for it.
        assert!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
        assert!(stopped.abandoned <= 2, "{stopped:?}");
        drop(go);
        drop(gates);
        // What the store is not told of any more is free after its lease.
        let next = started(&Line::new(&memory), self::work(1, |_, _| done()));
        reaches(&memory, id, State::Done);
        stop(next, None);
    }
}

#[test]
fn a_pause_is_over_when_the_store_is_given_up() {
    let store = Arc::new(Line::new(&Arc::new(Memory::new())));
    let crew = Arc::new(Crew::new(store, work(1, |_, _| done())));
    crew.lock().phase = Phase::Ending;
    let (tell, told) = channel();
    let pauses = Arc::clone(&crew);
    thread::spawn(move || {
        tell.send(()).unwrap();
        pauses.pause(&pauses.results, PATIENCE * 100);
        tell.send(()).unwrap();
    });
    told.recv_timeout(PATIENCE).unwrap();
    // Whether it waits by now or comes to it.
    crew.lock().give_up_at = Some(Instant::now());
    crew.wake_all();
    told.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn no_thread_is_left_after_a_stop() {
    let memory = Arc::new(Memory::new());
    let line = Line::new(&memory);
    let working = started(&line, work(4, |_, _| done()));
    let ids = submit(&memory, 10);
    for id in ids {
        reaches(&memory, id, State::Done);
    }
    stop(working, None);
    // The threads shared it.
    assert_eq!(Arc::strong_count(&line.calls), 1);
}

#[test]
fn no_two_claims_have_the_same_token() {
    let threads = (0..4).map(|_| {
        thread::spawn(|| (0..1000).map(|_| token::fresh()).collect::<Vec<_>>())
    });
    let threads: Vec<_> = threads.collect();
    let tokens = threads.into_iter().flat_map(|it| it.join().unwrap());
    let mut tokens: Vec<_> = tokens.collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 4000);
}
