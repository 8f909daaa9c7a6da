//! The jobs that the laws submit.

use std::any::Any;
use std::error::Error;
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
/// run it. It answers `Err` only where [`Claim::StopsOnError`] is looked at.
///
/// [`Claim::StopsOnError`]: crate::Claim::StopsOnError
///
/// A pool should need no more of it than that it is a [`Job`] (or an
/// [`AsyncJob`]): it is `Send`, and on purpose neither `Sync` nor `Clone`.
pub struct LawJob {
    number: u64,
    steps: Vec<Step>,
    /// What goes out with the answer.
    returns: Option<Value>,
    /// Whether it answers `Err`.
    fails: bool,
    /// What is dropped when the job is: its captured values.
    keeps: Vec<Value>,
}

/// What a [`LawJob`] answers. Only the kit looks into it.
///
/// Aligned as hardly anything is: a pool that keeps values in places of its
/// own making must ask for that.
#[repr(align(128))]
pub struct Answer {
    number: u64,
    returned: Option<Value>,
    /// What its bytes are if nobody has touched them.
    seal: [u64; 8],
}

/// What a [`LawJob`] answers when it is asked to fail.
#[derive(Debug)]
pub struct LawError {
    number: u64,
}

/// Any value that a job captures, returns or throws.
pub(crate) type Value = Box<dyn Any + Send>;

enum Step {
    Do(Box<dyn FnOnce() + Send>),
    Pass(Arc<Entry>),
}

impl LawJob {
    /// A job that does nothing and answers its number.
    pub(crate) fn new(number: u64) -> Self {
        let (steps, keeps) = (Vec::new(), Vec::new());
        Self { number, steps, returns: None, fails: false, keeps }
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

    /// Answers `Err` in the end.
    pub(crate) fn fail(self) -> Self {
        Self { fails: true, ..self }
    }

    /// Which job this is.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

impl Answer {
    fn new(number: u64, returned: Option<Value>) -> Self {
        Self { number, returned, seal: Self::seal(number) }
    }

    /// Whose answer this is.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// True if it is as its job made it.
    pub(crate) fn is_whole(&self) -> bool {
        self.seal == Self::seal(self.number)
    }

    /// What went out with it.
    pub(crate) fn into_value(self) -> Option<Value> {
        self.returned
    }

    /// As many different words, none of them another job's.
    fn seal(number: u64) -> [u64; 8] {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        [1, 2, 3, 4, 5, 6, 7, 8]
            .map(|place| (number * 8 + place).wrapping_mul(ODD))
    }
}

#[cfg(test)]
impl Answer {
    /// One that is not whole.
    pub(crate) fn overwritten(number: u64) -> Self {
        Self { number, returned: None, seal: Self::seal(number + 1) }
    }
}

impl LawError {
    /// Whose error this is.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for LawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "job {} failed, as it was asked to", self.number)
    }
}

impl Error for LawError {}

impl Job for LawJob {
    type Output = Result<Answer, LawError>;

    fn run(self) -> Self::Output {
        for step in self.steps {
            match step {
                Step::Do(act) => act(),
                Step::Pass(gate) => gate.pass(),
            }
        }
        drop(self.keeps);
        answer(self.number, self.fails, self.returns)
    }
}

impl AsyncJob for LawJob {
    /// The captured values live until the future is dropped, which may be
    /// after it was ready, as with any future that is written by hand.
    fn run_async(self) -> impl Future<Output = Self::Output> + Send {
        let Self { number, steps, returns, fails, keeps } = self;
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
            answer(number, fails, returns)
        });
        poll_fn(move |context| {
            let _captured = &keeps;
            work.as_mut().poll(context)
        })
    }
}

fn answer(
    number: u64,
    fails: bool,
    returns: Option<Value>,
) -> Result<Answer, LawError> {
    match fails {
        true => Err(LawError { number }),
        false => Ok(Answer::new(number, returns)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_overwritten_is_not_whole() {
        assert!(Answer::new(3, None).is_whole());
        assert!(!Answer::overwritten(3).is_whole());
    }
}
