//! One attempt at a job.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use manyhands_core::CancelToken;

use crate::envelope::{Envelope, LARGEST};
use crate::job::Next;
use crate::status::time_of;
use crate::store::{Given, Verdict};
use crate::{DurableJob, JobId};

/// What a job may know of the attempt that runs it.
#[derive(Clone, Debug)]
pub struct Attempt {
    id: JobId,
    number: u32,
    max: u32,
    submitted_at: SystemTime,
    key: Option<String>,
    serial: Option<String>,
    trace_parent: Option<String>,
    token: CancelToken,
}

impl Attempt {
    /// The job's id in its store, the same in each attempt.
    ///
    /// It is no name for an effect that lasts: another store counts from one
    /// again, and a queue in memory does so in each process. What an effect is
    /// unique by belongs into the job.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// 1 for the first. Attempts whose process died are counted.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How many there are at most.
    pub fn max(&self) -> u32 {
        self.max
    }

    /// True if a failure now makes the job a dead letter.
    pub fn is_last(&self) -> bool {
        self.number >= self.max
    }

    /// When the job was submitted.
    pub fn submitted_at(&self) -> SystemTime {
        self.submitted_at
    }

    /// The [key](crate::Submission::key) it was submitted with.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The [serial](crate::Submission::serial) word it was submitted with.
    pub fn serial(&self) -> Option<&str> {
        self.serial.as_deref()
    }

    /// The trace it belongs to, as a W3C `traceparent`.
    pub fn trace_parent(&self) -> Option<&str> {
        self.trace_parent.as_deref()
    }

    /// Cancelled when the attempt no longer counts: the queue's time to stop
    /// is up, or the job is another worker's since this one gave no sign.
    /// What the job returns then is not written.
    pub fn token(&self) -> &CancelToken {
        &self.token
    }
}

/// Runs an attempt. What cannot be read is a dead letter; a panic is a failure.
pub(crate) fn run<J: DurableJob>(
    given: Given,
    token: &CancelToken,
) -> Verdict {
    let envelope = match Envelope::open(&given.stored) {
        Ok(envelope) => envelope,
        Err(error) => return Verdict::Dead { error: brief(error) },
    };
    let job: J = match serde_json::from_str(envelope.job.get()) {
        Ok(job) => job,
        Err(error) => {
            let error = format!("not a job of kind {}: {error}", J::KIND);
            return Verdict::Dead { error: brief(error) };
        }
    };
    let attempt = Attempt {
        id: given.id,
        number: given.attempt,
        max: given.max_attempts,
        submitted_at: time_of(envelope.at),
        key: envelope.key,
        serial: envelope.serial,
        trace_parent: envelope.trace,
        token: token.clone(),
    };
    crate::watch::attempt(J::KIND, &attempt, || perform(job, &attempt))
}

fn perform<J: DurableJob>(job: J, attempt: &Attempt) -> Verdict {
    let ran = catch_unwind(AssertUnwindSafe(|| {
        job.run(attempt).map(|output| serde_json::to_string(&output))
    }));
    match ran {
        Ok(Ok(Ok(output))) if output.len() > LARGEST => {
            let bytes = output.len();
            let error = format!("{bytes} bytes of output, over {LARGEST}");
            Verdict::Dead { error }
        }
        Ok(Ok(Ok(output))) => {
            Verdict::Done { output: Some(output).filter(|it| it != "null") }
        }
        Ok(Ok(Err(error))) => {
            let error = format!("the output cannot be written: {error}");
            Verdict::Dead { error: brief(error) }
        }
        Ok(Err(failure)) => {
            let error = brief(failure.error);
            match failure.next {
                Next::Retry { after } => Verdict::Retry { error, after },
                Next::Dead => Verdict::Dead { error },
            }
        }
        Err(payload) => {
            let error = format!("panicked: {}", message(&*payload));
            // Its drop may panic as well; the job has had its say.
            manyhands_core::discard(payload);
            Verdict::Retry { error: brief(error), after: None }
        }
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with something that is no text")
}

/// An error is kept for people: a few lines of it.
pub(crate) fn brief(mut error: String) -> String {
    const LONGEST: usize = 4096;
    if error.len() > LONGEST {
        let mut end = LONGEST;
        while !error.is_char_boundary(end) {
            end -= 1;
        }
        error.truncate(end);
        error.push('…');
    }
    // PostgreSQL has no place for it in a text.
    error.replace('\0', "\u{fffd}")
}
