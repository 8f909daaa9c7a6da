//! The jobs of the programs.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use manyhands::{AsyncJob, Completion, Job, Outcome, discard};

use crate::program::Kind;
use crate::support::gate::Entry;
use crate::support::hostile::{Hostile, throw};

/// A job: what it is to do, and its record.
pub(crate) struct Step {
    number: usize,
    kind: Kind,
    gate: Option<Entry>,
    record: Arc<Record>,
    _captured: Option<Hostile>,
    _dropped: Dropped,
}

/// What has happened to a job.
#[derive(Default)]
pub(crate) struct Record {
    starts: AtomicUsize,
    drops: AtomicUsize,
}

/// What a job answers, if it is no error.
pub(crate) struct Answer {
    number: usize,
    _captured: Option<Hostile>,
}

/// The error that a job answers with.
pub(crate) struct Failed(usize);

/// What became of an accepted job, and which one it was, if it could say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Answered(usize),
    Failed(usize),
    Panicked,
    Cancelled(usize),
}

impl Step {
    /// A job, and its record. It waits where it is told to.
    pub(crate) fn new(
        number: usize,
        kind: Kind,
        gate: Option<Entry>,
    ) -> (Self, Arc<Record>) {
        let record = Arc::new(Record::default());
        let captured = (kind == Kind::HostileCapture).then(|| Hostile(2));
        let step = Self {
            number,
            kind,
            gate,
            record: Arc::clone(&record),
            _captured: captured,
            _dropped: Dropped(Arc::clone(&record)),
        };
        (step, record)
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Drops a job that came back, and says which one it was.
    pub(crate) fn back(self) -> usize {
        let number = self.number;
        discard(self);
        number
    }

    fn start(&mut self) -> Option<Entry> {
        self.record.starts.fetch_add(1, Ordering::SeqCst);
        self.gate.take()
    }

    fn finish(self) -> Result<Answer, Failed> {
        let number = self.number;
        let answer = |captured| Ok(Answer { number, _captured: captured });
        match self.kind {
            // What the job captured is dropped at the end of this.
            Kind::Plain | Kind::Wait | Kind::HostileCapture => answer(None),
            Kind::Error => Err(Failed(number)),
            Kind::Panic => throw("as it was told"),
            Kind::HostilePayload => throw(Hostile(2)),
            Kind::HostileResult => answer(Some(Hostile(2))),
        }
    }
}

impl Job for Step {
    type Output = Result<Answer, Failed>;

    fn run(mut self) -> Self::Output {
        if let Some(gate) = self.start() {
            gate.pass();
        }
        self.finish()
    }
}

impl AsyncJob for Step {
    async fn run_async(mut self) -> Self::Output {
        if let Some(gate) = self.start() {
            gate.pass_async().await;
        }
        self.finish()
    }
}

impl Record {
    pub(crate) fn starts(&self) -> usize {
        self.starts.load(Ordering::SeqCst)
    }

    pub(crate) fn drops(&self) -> usize {
        self.drops.load(Ordering::SeqCst)
    }
}

impl End {
    /// Looks at an outcome, and drops it.
    pub(crate) fn of(completion: Completion<Step>) -> Self {
        let end = match &completion.outcome {
            Outcome::Done(Ok(answer)) => Self::Answered(answer.number),
            Outcome::Done(Err(Failed(number))) => Self::Failed(*number),
            Outcome::Panicked(_) => Self::Panicked,
            Outcome::Cancelled(step) => Self::Cancelled(step.number),
        };
        discard(completion);
        end
    }

    /// The job's number; a panic does not tell.
    pub(crate) fn number(self) -> Option<usize> {
        match self {
            Self::Answered(n) | Self::Failed(n) | Self::Cancelled(n) => {
                Some(n)
            }
            Self::Panicked => None,
        }
    }
}

struct Dropped(Arc<Record>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.drops.fetch_add(1, Ordering::SeqCst);
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.number)
    }
}
