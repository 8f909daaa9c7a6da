//! One thread, call by call.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use manyhands::{Config, JobId, TrySubmitError};

use crate::job::{End, Record, Step};
use crate::model::{Model, Said};
use crate::program::{Alone, Kind, Last, Op};
use crate::search::{Pool, Subject};
use crate::support::gate::Gate;

/// Plays a program, and holds each call to the model; says what went wrong,
/// and where.
pub(crate) fn play(subject: &Subject, program: &Alone) -> Result<(), String> {
    let config = Config::new(program.workers, program.queue).unwrap();
    let pool = (subject.make)(config);
    let model = Model::new(&pool, subject.stops_on_error);
    let mut player = Player {
        gate: Gate::new(),
        model,
        jobs: RefCell::default(),
        late: None,
        pool: Some(pool),
    };
    for (at, op) in program.ops.iter().enumerate() {
        player.call(op).map_err(|fault| format!("{at}, {op:?}: {fault}"))?;
    }
    let last = program.last;
    player.finish(last).map_err(|fault| format!("{last:?}: {fault}"))
}

/// The gate first: if a program fails, the jobs come to their end, and then
/// the pool.
struct Player {
    gate: Gate,
    model: Model,
    /// All jobs that were made, by number.
    jobs: RefCell<Vec<Arc<Record>>>,
    late: Option<Late>,
    /// `None` once it was dropped.
    pool: Option<Pool>,
}

/// What may start after a cancel: a job that a worker had taken up, one for
/// each worker that did not stand at the gate.
struct Late {
    starts: usize,
    allowed: usize,
}

impl Player {
    fn pool(&self) -> &Pool {
        self.pool.as_ref().expect("the pool is dropped last")
    }

    /// The next job.
    fn job(&self, kind: Kind) -> Step {
        let mut jobs = self.jobs.borrow_mut();
        let gate = (kind == Kind::Wait).then(|| self.gate.entry());
        let (step, record) = Step::new(jobs.len(), kind, gate);
        jobs.push(record);
        step
    }

    fn record(&self, number: usize) -> Arc<Record> {
        Arc::clone(&self.jobs.borrow()[number])
    }

    /// How many jobs were started.
    fn starts(&self) -> usize {
        self.jobs.borrow().iter().map(|record| record.starts()).sum()
    }

    fn call(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Submit(kind) => self.submit(*kind),
            Op::TrySubmit(kind) => self.try_submit(*kind),
            Op::SubmitAll(kinds) => self.submit_all(kinds),
            Op::Recv if self.model.gives() => self.recv().map(|_| ()),
            Op::RecvMany(max) if *max == 0 || self.model.gives() => {
                self.recv_many(*max)
            }
            Op::Recv | Op::RecvMany(_) => Ok(()),
            Op::Arrive => {
                self.gate.wait_for(self.model.arriving());
                Ok(())
            }
            Op::Open => {
                self.open();
                Ok(())
            }
            Op::Close => {
                self.pool().close();
                self.model.close();
                Ok(())
            }
            Op::Cancel => {
                self.cancel();
                Ok(())
            }
        }
    }

    fn submit(&mut self, kind: Kind) -> Result<(), String> {
        if self.model.takes(&[kind]) == 0 {
            return Ok(());
        }
        let job = self.job(kind);
        let number = job.number();
        match self.pool().submit(job) {
            Ok(id) => self.accepted(id, number, kind),
            Err(refused) => self.refused(refused.into_inner().back(), number),
        }
    }

    fn try_submit(&mut self, kind: Kind) -> Result<(), String> {
        let job = self.job(kind);
        let number = job.number();
        match self.pool().try_submit(job) {
            Ok(id) => self.accepted(id, number, kind),
            Err(TrySubmitError::Full(job)) => {
                came_back(job.back(), number, &self.record(number))?;
                self.model.may_say(Said::Full)
            }
            Err(TrySubmitError::Closed(job)) => {
                self.refused(job.back(), number)
            }
        }
    }

    fn submit_all(&mut self, kinds: &[Kind]) -> Result<(), String> {
        let kinds = &kinds[..self.model.takes(kinds)];
        let first = self.jobs.borrow().len();
        let taken = Cell::new(0);
        let mut jobs = kinds.iter().map(|&kind| {
            taken.set(taken.get() + 1);
            self.job(kind)
        });
        let (accepted, refused) = match self.pool().submit_all(&mut jobs) {
            Ok(accepted) => (accepted as usize, Vec::new()),
            Err(error) => {
                let refused = error.refused.into_iter().map(Step::back);
                (error.accepted as usize, refused.collect())
            }
        };
        let taken = taken.get();
        if accepted + refused.len() != taken {
            return Err(format!(
                "took {taken}, accepted {accepted}, gave back {refused:?}"
            ));
        }
        if refused.is_empty() && taken < kinds.len() {
            return Err(format!("took {taken} of {}", kinds.len()));
        }
        for (at, &kind) in kinds[..accepted].iter().enumerate() {
            self.model.may_say(Said::Accepted)?;
            let record = self.record(first + at);
            self.model.accept(first + at, kind, record);
        }
        for (at, back) in refused.into_iter().enumerate() {
            self.refused(back, first + accepted + at)?;
        }
        Ok(())
    }

    fn accepted(
        &mut self,
        id: JobId,
        number: usize,
        kind: Kind,
    ) -> Result<(), String> {
        self.model.may_say(Said::Accepted)?;
        let expected = self.model.accept(number, kind, self.record(number));
        if id != expected {
            return Err(format!("{id}, and at the reference {expected}"));
        }
        Ok(())
    }

    fn refused(&mut self, back: usize, number: usize) -> Result<(), String> {
        came_back(back, number, &self.record(number))?;
        self.model.may_say(Said::Closed)?;
        self.model.refused();
        Ok(())
    }

    /// False at the end.
    fn recv(&mut self) -> Result<bool, String> {
        match self.pool().recv() {
            None => self.model.ended().map(|()| false),
            Some(completion) => {
                let id = completion.id;
                self.model.settle(id, End::of(completion)).map(|()| true)
            }
        }
    }

    fn recv_many(&mut self, max: usize) -> Result<(), String> {
        let mut into = Vec::new();
        let count = self.pool().recv_many(&mut into, max);
        if count != into.len() || count > max {
            return Err(format!("{count}, and moved {}", into.len()));
        }
        if count == 0 && max > 0 {
            return self.model.ended();
        }
        let ended = into.into_iter().map(|c| (c.id, End::of(c)));
        let ended: Vec<_> = ended.collect();
        ended.into_iter().try_for_each(|(id, end)| self.model.settle(id, end))
    }

    fn open(&mut self) {
        self.gate.open();
        self.model.open_gate();
        self.gate = Gate::new();
    }

    fn cancel(&mut self) {
        let standing = self.model.standing();
        self.pool().cancel();
        self.model.stop();
        let allowed = self.model.workers - standing;
        let starts = self.starts();
        self.late.get_or_insert(Late { starts, allowed });
    }

    fn finish(mut self, last: Last) -> Result<(), String> {
        if last == Last::Cancel {
            self.cancel();
        }
        self.open();
        if last != Last::Drop {
            self.pool().close();
            self.model.close();
            while self.recv()? {}
            if self.recv()? {
                return Err("a completion after None".to_owned());
            }
        }
        // Drop is close, and waits.
        let accepted_ran = !self.model.may_skip();
        let unread = self.model.unread();
        drop(self.pool.take());
        for (number, record) in unread {
            match record.starts() {
                1 => {}
                0 if !accepted_ran => {}
                starts => {
                    return Err(format!(
                        "{number} was started {starts} times"
                    ));
                }
            }
        }
        for (number, record) in self.jobs.borrow().iter().enumerate() {
            let (starts, drops) = (record.starts(), record.drops());
            if starts > 1 || drops != 1 {
                return Err(format!(
                    "{number} was started {starts} times, and dropped {drops}"
                ));
            }
        }
        if let Some(Late { starts, allowed }) = self.late {
            let late = self.starts() - starts;
            if late > allowed {
                return Err(format!(
                    "{late} started after cancel, where {allowed} might"
                ));
            }
        }
        Ok(())
    }
}

/// A refused job is the one that was submitted, as it was.
fn came_back(
    back: usize,
    number: usize,
    record: &Record,
) -> Result<(), String> {
    if back != number {
        return Err(format!("{number} was refused, and {back} came back"));
    }
    if record.starts() > 0 {
        return Err(format!("{number} was refused, and started"));
    }
    Ok(())
}
