//! A pool that runs its jobs when the test says so.

use std::num::NonZeroUsize;
use std::sync::Mutex;

use manyhands_core::{
    Closed, Completion, JobId, Task, Ticket, TrySubmitError, WorkerPool,
    run_one,
};

#[derive(Default)]
pub(crate) struct Held {
    pub(crate) jobs: Mutex<Vec<Task<'static>>>,
    pub(crate) refuse: bool,
}

impl Held {
    /// Runs all of them, on this thread.
    pub(crate) fn run(&self) {
        let jobs = std::mem::take(&mut *self.jobs.lock().unwrap());
        jobs.into_iter().for_each(run);
    }

    /// Runs one of them.
    pub(crate) fn run_at(&self, index: usize) {
        let job = self.jobs.lock().unwrap().remove(index);
        run(job);
    }

    pub(crate) fn len(&self) -> usize {
        self.jobs.lock().unwrap().len()
    }
}

fn run(job: Task<'_>) {
    run_one(Ticket { id: JobId::new(0), job }, false);
}

impl WorkerPool<Task<'static>> for Held {
    fn submit(
        &self,
        job: Task<'static>,
    ) -> Result<JobId, Closed<Task<'static>>> {
        if self.refuse {
            return Err(Closed(job));
        }
        self.jobs.lock().unwrap().push(job);
        Ok(JobId::new(0))
    }

    fn try_submit(
        &self,
        job: Task<'static>,
    ) -> Result<JobId, TrySubmitError<Task<'static>>> {
        if self.refuse {
            return Err(TrySubmitError::Full(job));
        }
        Ok(self.submit(job)?)
    }

    fn recv(&self) -> Option<Completion<Task<'static>>> {
        None
    }

    fn close(&self) {}

    fn cancel(&self) {}

    fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn bound(&self) -> NonZeroUsize {
        NonZeroUsize::MAX
    }
}
