//! One job of any workload, with its two faces.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use manyhands_core::Job;

use crate::arithmetic::{mix, spin};
use crate::files::Files;
use crate::real::Source;
use crate::{WorkError, line};

/// What a job answers: small, and enough to tell right from wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// What is compared: a number that follows from all that the job did.
    pub digest: u64,
    /// How many bytes of input the job read; 0 where there is no input.
    pub bytes: u64,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.digest)?;
        match self.bytes {
            0 => Ok(()),
            bytes => {
                write!(f, " from {}", line::count(bytes, "byte", "bytes"))
            }
        }
    }
}

/// One job of any workload. Made by [`Workload::jobs`].
///
/// As a [`Job`] it blocks its thread while it sleeps or reads. As an
/// [`AsyncJob`] (feature `tokio`) it sleeps on tokio's timer and reads on
/// tokio's threads for blocking work; arithmetic runs where it is polled.
/// Both faces give the same answer.
///
/// # Panics
///
/// The jobs of `panic:n` do, on purpose, and without a message on stderr:
/// they raise the panic with [`resume_unwind`], which does not call the panic
/// hook. The async face of jobs that sleep or read panics outside of a tokio
/// runtime that has its timer enabled.
///
/// [`Workload::jobs`]: crate::Workload::jobs
/// [`AsyncJob`]: manyhands_core::AsyncJob
pub struct WorkJob {
    /// The job's place in its workload; part of every answer, so that no
    /// answer can pass for another job's.
    index: u64,
    task: Task,
}

/// What one job does.
#[derive(Clone)]
pub(crate) enum Task {
    /// Nothing.
    Rest,
    /// Waits without using the processor.
    Sleep(Duration),
    /// The same, but keeps its thread as a task too.
    Block(Duration),
    /// Uses the processor for so many rounds.
    Spin(u64),
    /// Answers with an error, as every so-manieth job of its workload.
    Fail(u64),
    /// Panics, as every so-manieth job of its workload.
    Panic(u64),
    /// Reads the file at its place in the list.
    Read(Arc<Files>),
    /// Does that part of some real work.
    Real(Arc<dyn Source>),
}

impl WorkJob {
    pub(crate) fn new(index: u64, task: Task) -> Self {
        Self { index, task }
    }
}

/// The answer of a job that computes nothing.
pub(crate) fn plain_answer(index: u64) -> Answer {
    Answer { digest: mix(index), bytes: 0 }
}

/// The answer of a job that does arithmetic.
pub(crate) fn spin_answer(index: u64, rounds: u64) -> Answer {
    Answer { digest: spin(index, rounds), bytes: 0 }
}

impl Job for WorkJob {
    type Output = Result<Answer, WorkError>;

    fn run(self) -> Self::Output {
        let Self { index, task } = self;
        match task {
            Task::Rest => {}
            Task::Sleep(time) | Task::Block(time) => thread::sleep(time),
            Task::Spin(rounds) => {
                return Ok(spin_answer(index, rounds));
            }
            Task::Fail(every) => return Err(WorkError::asked(index, every)),
            Task::Panic(every) => resume_unwind(Box::new(format!(
                "job {index} panics, as `panic:{every}` asks"
            ))),
            Task::Read(files) => return files.answer(index),
            Task::Real(source) => return source.run(index),
        }
        Ok(plain_answer(index))
    }
}

#[cfg(feature = "tokio")]
impl manyhands_core::AsyncJob for WorkJob {
    async fn run_async(self) -> Self::Output {
        match self.task {
            Task::Sleep(time) => {
                tokio::time::sleep(time).await;
                Ok(plain_answer(self.index))
            }
            Task::Read(_) => self.run_aside().await,
            Task::Real(ref source) => {
                let source = Arc::clone(source);
                match source.run_async(self.index) {
                    Some(running) => running.await,
                    None => self.run_aside().await,
                }
            }
            _ => self.run(),
        }
    }
}

#[cfg(feature = "tokio")]
impl WorkJob {
    /// On a thread of the runtime that may block.
    async fn run_aside(self) -> <Self as Job>::Output {
        let read = tokio::task::spawn_blocking(|| self.run());
        read.await.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(payload) => resume_unwind(payload),
            Err(_) => Err(WorkError::runtime_gone()),
        })
    }
}

impl fmt::Debug for WorkJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkJob")
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
