//! What a pool owes, by the reference and the laws.

use std::collections::BTreeMap;
use std::sync::Arc;

use manyhands::{InlinePool, JobId, WorkerPool};

use crate::job::{End, Record, Step};
use crate::program::Kind;
use crate::search::Pool;

/// The model of a pool that one thread uses.
///
/// Ids, and what becomes of a job, are what the reference says: each accepted
/// job has a twin there. The reference runs its jobs at once; what it cannot
/// know is kept beside it.
pub(crate) struct Model {
    reference: InlinePool<Step>,
    pub(crate) workers: usize,
    bound: usize,
    stops_on_error: bool,
    closed: bool,
    /// An error is on its way, or has come, that closes the pool and sends
    /// back what has not started.
    failing: bool,
    /// What has not started comes back.
    stopped: bool,
    /// What was accepted and not received.
    owed: BTreeMap<JobId, Owed>,
    /// How many of them stand at the gate, or will.
    waiting: usize,
}

struct Owed {
    number: usize,
    end: End,
    waits: bool,
    record: Arc<Record>,
}

/// What `try_submit` may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Accepted,
    Full,
    Closed,
}

impl Model {
    pub(crate) fn new(pool: &Pool, stops_on_error: bool) -> Self {
        Self {
            reference: InlinePool::new(),
            workers: pool.workers().get(),
            bound: pool.bound().get(),
            stops_on_error,
            closed: false,
            failing: false,
            stopped: false,
            owed: BTreeMap::new(),
            waiting: 0,
        }
    }

    /// True when every job that does not wait at the gate is sure to end.
    fn moves(&self) -> bool {
        self.waiting < self.workers
    }

    /// How many jobs of these are sure to get in, or be refused, without
    /// anybody else's help.
    pub(crate) fn takes(&self, kinds: &[Kind]) -> usize {
        if self.closed {
            return kinds.len();
        }
        let (mut owed, mut waiting) = (self.owed.len(), self.waiting);
        let sure = |kind: &&Kind| {
            let sure = owed < self.bound || waiting < self.workers;
            owed += 1;
            waiting += usize::from(**kind == Kind::Wait);
            sure
        };
        kinds.iter().take_while(sure).count()
    }

    /// True when a completion, or the end, is sure to come.
    pub(crate) fn gives(&self) -> bool {
        match self.owed.len() {
            0 => self.closed,
            owed => owed > self.waiting && self.moves(),
        }
    }

    /// How many jobs are sure to come to the gate.
    pub(crate) fn arriving(&self) -> usize {
        if self.stopped || self.failing {
            return 0;
        }
        self.waiting.min(self.workers)
    }

    /// Holds what a pool said to the laws; says what is wrong with it.
    pub(crate) fn may_say(&self, said: Said) -> Result<(), String> {
        let owed = self.owed.len();
        match said {
            Said::Closed if self.closed || self.failing => Ok(()),
            Said::Closed => Err("closed by nobody".to_owned()),
            _ if self.closed => Err(format!("{said:?}, after close")),
            Said::Full if owed < self.bound => Err(format!(
                "full with {owed} owed, which is below {}",
                self.bound
            )),
            Said::Accepted if self.waiting >= self.bound => Err(format!(
                "accepted beside {} unfinished jobs",
                self.waiting
            )),
            Said::Full | Said::Accepted => Ok(()),
        }
    }

    /// A job was accepted: its twin goes to the reference, whose id is
    /// returned.
    pub(crate) fn accept(
        &mut self,
        number: usize,
        kind: Kind,
        record: Arc<Record>,
    ) -> JobId {
        let (twin, _) = Step::new(number, kind, None);
        let id = self.reference.submit(twin).expect("the reference is open");
        let end = End::of(self.reference.recv().expect("it has just run"));
        let waits = kind == Kind::Wait;
        self.owed.insert(id, Owed { number, end, waits, record });
        self.waiting += usize::from(waits);
        self.failing |= self.stops_on_error && matches!(end, End::Failed(_));
        id
    }

    /// A job was refused for good.
    pub(crate) fn refused(&mut self) {
        if !self.closed {
            self.stop();
        }
    }

    /// A completion was received; says what is wrong with it.
    pub(crate) fn settle(
        &mut self,
        id: JobId,
        end: End,
    ) -> Result<(), String> {
        let Some(owed) = self.owed.remove(&id) else {
            return Err(format!("{id}: {end:?}, which is not owed"));
        };
        let starts = owed.record.starts();
        if end == End::Cancelled(owed.number) {
            if !self.stopped && !self.failing {
                return Err(format!("{id} was cancelled by nobody"));
            }
            if starts > 0 {
                return Err(format!("{id} was started, and then cancelled"));
            }
            self.stop();
            self.waiting -= usize::from(owed.waits);
            return Ok(());
        }
        if end != owed.end {
            return Err(format!(
                "{id}: {end:?}, and at the reference {:?}",
                owed.end
            ));
        }
        if owed.waits {
            return Err(format!("{id} passed a closed gate"));
        }
        if starts != 1 {
            return Err(format!("{id} was started {starts} times"));
        }
        if self.stops_on_error && matches!(end, End::Failed(_)) {
            self.stop();
        }
        Ok(())
    }

    /// There was nothing to receive; says if that is wrong.
    pub(crate) fn ended(&self) -> Result<(), String> {
        match self.owed.len() {
            0 if self.closed => Ok(()),
            _ if !self.closed => Err("None, before close".to_owned()),
            owed => Err(format!("None, with {owed} owed")),
        }
    }

    /// The jobs whose completions nobody has received.
    pub(crate) fn unread(&self) -> Vec<(usize, Arc<Record>)> {
        let unread = |owed: &Owed| (owed.number, Arc::clone(&owed.record));
        self.owed.values().map(unread).collect()
    }

    /// Nobody waits any more.
    pub(crate) fn open_gate(&mut self) {
        self.waiting = 0;
        for owed in self.owed.values_mut() {
            owed.waits = false;
        }
    }

    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.reference.close();
    }

    pub(crate) fn stop(&mut self) {
        self.close();
        self.stopped = true;
    }

    /// True when jobs that were accepted need not run.
    pub(crate) fn may_skip(&self) -> bool {
        self.stopped || self.failing
    }

    /// How many jobs stand at the gate now.
    pub(crate) fn standing(&self) -> usize {
        let stands = |owed: &&Owed| owed.waits && owed.record.starts() > 0;
        self.owed.values().filter(stands).count()
    }
}
