//! The jobs that the laws submit.

use std::any::Any;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::sync::Arc;

use manyhands_core::{AsyncJob, Job};

use crate::gate::{Entry, Gate};

/// The job type of the kit: make your pool a `WorkerPool<LawJob>`.
///
/// It has both faces, so that pools of threads and pools of tasks are held to
/// the same laws, and it answers with a `Result`, so that an error group can
/// run it. It never answers `Err`.
///
/// A pool should need no more of it than that it is a [`Job`] (or an
/// [`AsyncJob`]): it is `Send`, and on purpose neither `Sync` nor `Clone`.
pub struct LawJob {
    number: u64,
    steps: Vec<Step>,
    /// What goes out with the answer.
    returns: Option<Value>,
    /// What is dropped when the job is: its captured values.
    keeps: Vec<Value>,
}

/// What a [`LawJob`] answers. Only the kit looks into it.
pub struct Answer {
    number: u64,
    _returned: Option<Value>,
}

/// Any value that a job captures, returns or throws.
type Value = Box<dyn Any + Send>;

enum Step {
    Do(Box<dyn FnOnce() + Send>),
    Pass(Arc<Entry>),
}

impl LawJob {
    /// A job that does nothing and answers its number.
    pub(crate) fn new(number: u64) -> Self {
        Self { number, steps: Vec::new(), returns: None, keeps: Vec::new() }
    }

    /// Does this next.
    pub(crate) fn then(mut self, act: impl FnOnce() + Send + 'static) -> Self {
        self.steps.push(Step::Do(Box::new(act)));
        self
    }

    /// Waits at the gate next.
    pub(crate) fn pass(mut self, gate: &Gate) -> Self {
        self.steps.push(Step::Pass(gate.entry()));
        self
    }

    /// Panics next, with this payload and without a word from the panic hook.
    pub(crate) fn throw(self, payload: impl Any + Send) -> Self {
        self.then(move || resume_unwind(Box::new(payload)))
    }

    /// Captures a value, which is dropped with the job, run or not.
    pub(crate) fn keep(mut self, value: impl Any + Send) -> Self {
        self.keeps.push(Box::new(value));
        self
    }

    /// Returns a value, which is dropped with the answer.
    pub(crate) fn give(mut self, value: impl Any + Send) -> Self {
        self.returns = Some(Box::new(value));
        self
    }

    /// Which job this is.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

impl Answer {
    /// Whose answer this is.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

impl Job for LawJob {
    type Output = Result<Answer, Infallible>;

    fn run(self) -> Self::Output {
        for step in self.steps {
            match step {
                Step::Do(act) => act(),
                Step::Pass(gate) => gate.pass(),
            }
        }
        drop(self.keeps);
        Ok(Answer { number: self.number, _returned: self.returns })
    }
}

impl AsyncJob for LawJob {
    /// The captured values live until the future is dropped, which may be
    /// after it was ready, as with any future that is written by hand.
    fn run_async(self) -> impl Future<Output = Self::Output> + Send {
        let Self { number, steps, returns, keeps } = self;
        let mut work = Box::pin(async move {
            for step in steps {
                match step {
                    Step::Do(act) => act(),
                    Step::Pass(gate) => {
                        let mut arrived = false;
                        poll_fn(|context| {
                            gate.poll_pass(&mut arrived, context)
                        })
                        .await;
                    }
                }
            }
            Ok(Answer { number, _returned: returns })
        });
        poll_fn(move |context| {
            let _captured = &keeps;
            work.as_mut().poll(context)
        })
    }
}

impl fmt::Debug for LawJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LawJob")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answer").field(&self.number).finish()
    }
}
