//! Work that does not lie there to be done, but comes: as requests to a web
//! service that stands in front of the pool. Service and callers are on the
//! loopback interface, on a thread each; both end with the run.

mod callers;
mod service;

use std::io;
use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use manyhands_core::{Job, JobId, Outcome, WorkerPool};
use manyhands_web::Front;
use tokio::runtime::Builder;

use self::service::Service;
use crate::served::Served;
use crate::{Answer, Visits, WorkloadError, line};

/// How requests come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Each when it is due, whether those before it were answered or not. Its
    /// caller waits for the answer. In percent of what the workers can do.
    Paced { percent: u32, a_job: Duration },
    /// From so many callers, each of which asks again when it was answered:
    /// that its job was accepted.
    Eager { callers: usize },
}

/// What a handler has of a job that is over.
type Reply = (JobId, Option<Answer>);

/// Serves requests until each of the jobs was accepted by the pool, and is
/// over. `sink` gets what became of each, and says the answer if there is one.
pub(crate) fn serve<J: Job + 'static>(
    arrival: Arrival,
    pool: &Arc<dyn WorkerPool<J>>,
    workers: NonZeroUsize,
    jobs: impl Iterator<Item = J> + Send + 'static,
    mut sink: impl FnMut(JobId, Outcome<J>) -> Option<Answer>,
) -> Result<Visits, WorkloadError> {
    let failed = |error: io::Error| {
        WorkloadError::new(format!(
            "cannot serve on {}: {error}",
            Ipv4Addr::LOCALHOST
        ))
    };
    let front: Arc<Front<J, Reply>> = Arc::new(Front::of(Arc::clone(pool)));
    let service = Service::new(Arc::clone(&front), jobs);
    let serving =
        Served::start("service", |listener| service.run(listener, arrival));
    let serving = serving.map_err(failed)?;

    let calling = Builder::new_current_thread().enable_all().build();
    let calling = calling.map_err(failed)?;
    let (address, to_close) = (serving.address(), Close(Arc::clone(&front)));
    let callers = thread::spawn(move || {
        let _to_close = to_close;
        calling.block_on(callers::call(address, arrival, workers))
    });
    let mut said = Vec::new();
    front.serve(|done| {
        let answer = sink(done.id, done.outcome);
        said.extend(answer.map(|answer| service::body(done.id, answer)));
        (done.id, answer)
    });
    let called = callers.join();
    let called = called.unwrap_or_else(|it| std::panic::resume_unwind(it))?;
    // Before the pool is dropped, which it has a hold of.
    drop(serving);

    let counts = front.counts();
    check(&called.visits, counts.accepted, counts.full)?;
    match arrival {
        Arrival::Paced { .. } => check_bodies(called.bodies, said)?,
        Arrival::Eager { .. } => {}
    }
    Ok(called.visits)
}

/// When nobody calls any more, the pool runs what it has accepted, and ends.
struct Close<J: Job + 'static>(Arc<Front<J, Reply>>);

impl<J: Job + 'static> Drop for Close<J> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Whether callers and service tell the same story.
fn check(
    visits: &Visits,
    accepted: u64,
    full: u64,
) -> Result<(), WorkloadError> {
    let &Visits { sent, accepted: heard, refused, late, .. } = visits;
    if (heard, refused, sent) != (accepted, full, accepted + full + late) {
        return Err(WorkloadError::new(format!(
            "of {sent} requests that were sent, {heard} were accepted, \
             {refused} refused and {late} late, but the service accepted \
             {accepted} and refused {full}"
        )));
    }
    Ok(())
}

/// Whether each answer reached a caller, and one.
fn check_bodies(
    mut heard: Vec<String>,
    mut said: Vec<String>,
) -> Result<(), WorkloadError> {
    heard.sort_unstable();
    said.sort_unstable();
    let mut both = heard.iter().zip(&said);
    let differ = both.find(|(heard, said)| heard != said);
    match differ {
        Some((heard, said)) => Err(WorkloadError::new(format!(
            "a caller heard `{}`, but what was said is `{}`",
            line::word(heard),
            line::word(said)
        ))),
        None if heard.len() != said.len() => Err(WorkloadError::new(format!(
            "callers heard {} answers, but {} were said",
            heard.len(),
            said.len()
        ))),
        None => Ok(()),
    }
}
