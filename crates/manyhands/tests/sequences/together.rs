//! Several threads at once, and a closer: held to what holds in any order.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use manyhands::{Config, InlinePool, JobId, TrySubmitError, WorkerPool};

use crate::job::{End, Record, Step};
use crate::program::{Kind, Last, Op, Together};
use crate::search::{Pool, Subject, contained};
use crate::support::gate::{Entry, Gate};

/// Plays a program, and adds up what its threads have seen; says what went
/// wrong.
pub(crate) fn play(
    subject: &Subject,
    program: &Together,
) -> Result<(), String> {
    let config = Config::new(program.workers, program.queue).unwrap();
    let pool = (subject.make)(config);
    let stage = Stage::new(pool, subject.stops_on_error);
    let mut seen = Seen::default();
    thread::scope(|scope| {
        let threads = program.threads.iter().enumerate();
        let threads: Vec<_> = threads
            .map(|(thread, ops)| {
                let player = Player::new(&stage, thread);
                scope.spawn(move || contained(|| player.play(ops)))
            })
            .collect();
        for thread in threads {
            seen += thread.join().expect("panics are contained")?;
        }
        Ok::<_, String>(())
    })?;
    stage.finish(program.last, seen)
}

/// What the threads share.
struct Stage {
    gates: Mutex<Gates>,
    /// How many jobs were offered, before the pool could know of them.
    offered: AtomicUsize,
    /// How many completions were received.
    received: AtomicUsize,
    /// Somebody was about to close the pool, or to submit what does.
    closing: AtomicBool,
    /// The pool is closed.
    closed: AtomicBool,
    /// Somebody was about to cancel the pool, or to submit what does.
    stopping: AtomicBool,
    stops_on_error: bool,
    pool: Pool,
}

/// The gate, and what it holds back. There is always a worker left that no
/// job at the gate has, so that every call returns that is told to be sure.
struct Gates {
    gate: Gate,
    /// How many gates there were before.
    before: usize,
    /// How many jobs may stand at it.
    held: usize,
    most_held: usize,
    /// Completions of those among them that were accepted.
    behind: usize,
    /// Completions that are sure to come, and nobody waits for.
    coming: usize,
}

/// What threads have seen, in the end.
#[derive(Default)]
struct Seen {
    jobs: BTreeMap<usize, (Kind, Arc<Record>)>,
    /// By number; the id where it was told.
    accepted: BTreeMap<usize, Option<JobId>>,
    ended: Vec<(JobId, End)>,
}

impl AddAssign for Seen {
    fn add_assign(&mut self, other: Self) {
        self.jobs.extend(other.jobs);
        self.accepted.extend(other.accepted);
        self.ended.extend(other.ended);
    }
}

impl Stage {
    fn new(pool: Pool, stops_on_error: bool) -> Self {
        let gates = Gates {
            gate: Gate::new(),
            before: 0,
            held: 0,
            most_held: pool.workers().get() - 1,
            behind: 0,
            coming: 0,
        };
        Self {
            gates: Mutex::new(gates),
            offered: AtomicUsize::new(0),
            received: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            stops_on_error,
            pool,
        }
    }

    /// A side of the gate, and which gate it is; `None` if no more jobs may
    /// stand there.
    fn gate(&self) -> Option<(Entry, usize)> {
        let mut gates = self.gates.lock().unwrap();
        if gates.held == gates.most_held {
            return None;
        }
        gates.held += 1;
        Some((gates.gate.entry(), gates.before))
    }

    /// A job was accepted: its completion will come, behind its gate.
    fn owes(&self, gate: Option<usize>) {
        let mut gates = self.gates.lock().unwrap();
        if gate == Some(gates.before) {
            gates.behind += 1;
        } else {
            gates.coming += 1;
        }
    }

    /// Takes so many completions on oneself, if there are.
    fn expect(&self, most: usize) -> usize {
        let mut gates = self.gates.lock().unwrap();
        let count = gates.coming.min(most);
        gates.coming -= count;
        count
    }

    fn give_back(&self, completions: usize) {
        self.gates.lock().unwrap().coming += completions;
    }

    fn open(&self) {
        let mut gates = self.gates.lock().unwrap();
        gates.gate.open();
        gates.gate = Gate::new();
        gates.before += 1;
        gates.held = 0;
        gates.coming += gates.behind;
        gates.behind = 0;
    }

    fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.pool.close();
        self.closed.store(true, Ordering::SeqCst);
    }

    fn cancel(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.stopping.store(true, Ordering::SeqCst);
        self.pool.cancel();
        self.closed.store(true, Ordering::SeqCst);
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// A job is about to be offered that stops the pool, if it is accepted.
    fn about_to_fail(&self, kind: Kind) {
        if self.stops_on_error && kind == Kind::Error {
            self.closing.store(true, Ordering::SeqCst);
            self.stopping.store(true, Ordering::SeqCst);
        }
    }

    /// A completion was received.
    fn receive(&self, end: End) {
        self.received.fetch_add(1, Ordering::SeqCst);
        if self.stops_on_error && matches!(end, End::Failed(_)) {
            self.closed.store(true, Ordering::SeqCst);
        }
    }

    /// Reads the rest, and looks whether all adds up.
    fn finish(self, last: Last, mut seen: Seen) -> Result<(), String> {
        if last == Last::Cancel {
            self.cancel();
        }
        self.open();
        let Self { pool, stopping, .. } = self;
        if last != Last::Drop {
            pool.close();
            while let Some(completion) = pool.recv() {
                seen.ended.push((completion.id, End::of(completion)));
            }
            if pool.recv().is_some() {
                return Err("a completion after None".to_owned());
            }
        }
        drop(pool);
        let all_read = last != Last::Drop;
        seen.check(all_read, stopping.load(Ordering::SeqCst))
    }
}

impl Seen {
    /// Each accepted job was run once, or came back where that may be, and
    /// has had one completion.
    fn check(self, all_read: bool, stopped: bool) -> Result<(), String> {
        let Self { jobs, accepted, ended } = self;
        let (received, told) = (ended.len(), accepted.len());
        if received > told || all_read && received < told {
            return Err(format!("{told} accepted, {received} received"));
        }
        let numbers: BTreeMap<JobId, usize> = accepted
            .iter()
            .filter_map(|(&number, &id)| Some((id?, number)))
            .collect();
        let (mut ids, mut known) = (BTreeSet::new(), BTreeSet::new());
        for (id, end) in ended {
            if !ids.insert(id) {
                return Err(format!("{id} twice, then as {end:?}"));
            }
            let number = numbers.get(&id).copied().or(end.number());
            let Some(number) = number else { continue };
            let fits = accepted
                .get(&number)
                .is_some_and(|told| told.is_none_or(|told| told == id));
            if !fits || !known.insert(number) {
                return Err(format!("{id}: {end:?}, of another job"));
            }
            let (kind, record) = &jobs[&number];
            let cancelled = end == End::Cancelled(number);
            if cancelled && (!stopped || record.starts() > 0) {
                return Err(format!("{number} ({kind:?}) was cancelled"));
            }
            let expected = expected(number, *kind);
            if !cancelled && end != expected {
                return Err(format!("{id}: {end:?}, and not {expected:?}"));
            }
            if !cancelled && record.starts() == 0 {
                return Err(format!("{number} ended and was not started"));
            }
        }
        for (number, (kind, record)) in &jobs {
            let (starts, drops) = (record.starts(), record.drops());
            let least = usize::from(accepted.contains_key(number) && !stopped);
            let most = usize::from(accepted.contains_key(number));
            if !(least..=most).contains(&starts) || drops != 1 {
                return Err(format!(
                    "{number} ({kind:?}), accepted {most}, was started \
                     {starts} times and dropped {drops}"
                ));
            }
        }
        Ok(())
    }
}

/// What becomes of a job at the reference.
fn expected(number: usize, kind: Kind) -> End {
    let reference = InlinePool::new();
    let (twin, _) = Step::new(number, kind, None);
    reference.submit(twin).expect("the reference is open");
    End::of(reference.recv().expect("it has just run"))
}

/// One of the threads.
struct Player<'a> {
    stage: &'a Stage,
    /// The number of its next job.
    next: usize,
    seen: Seen,
}

/// A job about to be submitted.
struct Offer {
    step: Step,
    number: usize,
    gate: Option<usize>,
}

impl<'a> Player<'a> {
    fn new(stage: &'a Stage, thread: usize) -> Self {
        /// More jobs than a program has.
        const EACH: usize = 10_000;
        Self { stage, next: thread * EACH, seen: Seen::default() }
    }

    fn play(mut self, ops: &[Op]) -> Result<Seen, String> {
        for op in ops {
            self.call(op).map_err(|fault| format!("{op:?}: {fault}"))?;
        }
        Ok(self.seen)
    }

    fn call(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Submit(kind) => self.submit(*kind)?,
            Op::TrySubmit(kind) => self.try_submit(*kind)?,
            Op::SubmitAll(kinds) => self.submit_all(kinds)?,
            Op::Recv => {
                if self.stage.expect(1) == 1 {
                    let completion = self.stage.pool.recv();
                    let completion =
                        completion.ok_or("None, with one owed")?;
                    let id = completion.id;
                    self.received(id, End::of(completion));
                }
            }
            Op::RecvMany(max) => self.recv_many(*max)?,
            // Which jobs come to the gate is up to the other threads, too.
            Op::Arrive => {}
            Op::Open => self.stage.open(),
            Op::Close => self.stage.close(),
            Op::Cancel => self.stage.cancel(),
        }
        Ok(())
    }

    fn offer(&mut self, kind: Kind) -> Offer {
        let (kind, gate) = match kind {
            Kind::Wait => match self.stage.gate() {
                Some(gate) => (Kind::Wait, Some(gate)),
                None => (Kind::Plain, None),
            },
            kind => (kind, None),
        };
        let number = self.next;
        self.next += 1;
        let (entry, gate) = gate.unzip();
        let (step, record) = Step::new(number, kind, entry);
        self.seen.jobs.insert(number, (kind, record));
        self.stage.about_to_fail(kind);
        self.stage.offered.fetch_add(1, Ordering::SeqCst);
        Offer { step, number, gate }
    }

    fn submit(&mut self, kind: Kind) -> Result<(), String> {
        let Offer { step, number, gate } = self.offer(kind);
        let closed = self.stage.is_closed();
        match self.stage.pool.submit(step) {
            Ok(id) => self.accepted(number, Some(id), gate, closed),
            Err(refused) => self.refused(number, refused.into_inner().back()),
        }
    }

    fn try_submit(&mut self, kind: Kind) -> Result<(), String> {
        let received = self.stage.received.load(Ordering::SeqCst);
        let Offer { step, number, gate } = self.offer(kind);
        let closed = self.stage.is_closed();
        match self.stage.pool.try_submit(step) {
            Ok(id) => self.accepted(number, Some(id), gate, closed),
            Err(TrySubmitError::Closed(step)) => {
                self.refused(number, step.back())
            }
            Err(TrySubmitError::Full(step)) => {
                came_back(number, step.back())?;
                let offered = self.stage.offered.load(Ordering::SeqCst);
                let bound = self.stage.pool.bound().get();
                // This one is none of them.
                let owed = offered - received - 1;
                if owed < bound {
                    return Err(format!("full with {owed} owed at most"));
                }
                if closed {
                    return Err("full, after close".to_owned());
                }
                Ok(())
            }
        }
    }

    fn submit_all(&mut self, kinds: &[Kind]) -> Result<(), String> {
        let closed = self.stage.is_closed();
        let pool = &self.stage.pool;
        let mut offers = Vec::new();
        let submitted = {
            let mut jobs = kinds.iter().map(|&kind| {
                let Offer { step, number, gate } = self.offer(kind);
                offers.push((number, gate));
                step
            });
            pool.submit_all(&mut jobs)
        };
        let (accepted, refused) = match submitted {
            Ok(accepted) => (accepted as usize, Vec::new()),
            Err(error) => {
                let refused = error.refused.into_iter().map(Step::back);
                (error.accepted as usize, refused.collect())
            }
        };
        if accepted + refused.len() != offers.len() {
            return Err(format!(
                "took {}, accepted {accepted}, gave back {refused:?}",
                offers.len()
            ));
        }
        for &(number, gate) in &offers[..accepted] {
            self.accepted(number, None, gate, closed)?;
        }
        for (&(number, _), back) in offers[accepted..].iter().zip(refused) {
            self.refused(number, back)?;
        }
        Ok(())
    }

    fn accepted(
        &mut self,
        number: usize,
        id: Option<JobId>,
        gate: Option<usize>,
        closed: bool,
    ) -> Result<(), String> {
        self.seen.accepted.insert(number, id);
        self.stage.owes(gate);
        if closed { Err("accepted, after close".to_owned()) } else { Ok(()) }
    }

    fn refused(&self, number: usize, back: usize) -> Result<(), String> {
        came_back(number, back)?;
        if self.stage.closing.load(Ordering::SeqCst) {
            Ok(())
        } else {
            Err("closed by nobody".to_owned())
        }
    }

    fn recv_many(&mut self, max: usize) -> Result<(), String> {
        let sure = self.stage.expect(max);
        if sure == 0 {
            return Ok(());
        }
        let mut into = Vec::new();
        let count = self.stage.pool.recv_many(&mut into, sure);
        if count != into.len() || count > sure || count == 0 {
            return Err(format!("{count} of {sure}, moved {}", into.len()));
        }
        self.stage.give_back(sure - count);
        for completion in into {
            let id = completion.id;
            self.received(id, End::of(completion));
        }
        Ok(())
    }

    fn received(&mut self, id: JobId, end: End) {
        self.stage.receive(end);
        self.seen.ended.push((id, end));
    }
}

fn came_back(number: usize, back: usize) -> Result<(), String> {
    if back == number {
        Ok(())
    } else {
        Err(format!("{number} was refused, and {back} came back"))
    }
}
