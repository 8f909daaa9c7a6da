//! Moves the jobs that are waiting from one store to another, of any kind of
//! store. It may be killed at any moment, and run again.
//!
//! ```console
//! $ cargo run -q -p manyhands-durable --example move_store
//! $ cargo run -q -p manyhands-durable --example move_store -- jobs.db postgres://…
//! ```

#![expect(clippy::print_stdout, reason = "an example prints")]

use std::env;
use std::error::Error;
use std::time::{Duration, SystemTime};

use manyhands_durable::{
    Attempt, DurableJob, Failure, Filter, JobId, JobQueue, State, Status,
    Submission,
};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Welcome {
    customer: u32,
}

impl DurableJob for Welcome {
    const KIND: &'static str = "welcome";
    type Output = ();

    fn run(self, _: &Attempt) -> Result<(), Failure> {
        Ok(())
    }
}

// ANCHOR: move
/// A job as it is to be submitted again.
fn again<J: DurableJob>(
    status: &Status,
) -> Result<(J, Submission), serde_json::Error> {
    let job = serde_json::from_str(status.job.as_deref().unwrap_or_default())?;
    // Ids are the store's: a job of a third one may have the same.
    let since = status.submitted_at.duration_since(SystemTime::UNIX_EPOCH);
    let moved = format!("moved-{}-{:?}", status.id, since.unwrap_or_default());
    let mut how = Submission::new()
        // Stored twice, since this was killed, it is one job.
        .key(status.key.as_ref().unwrap_or(&moved))
        .priority(status.priority)
        .at(status.run_at)
        .max_attempts(status.max_attempts - status.attempts);
    if let Some(serial) = &status.serial {
        how = how.serial(serial);
    }
    if let Some(trace) = &status.trace_parent {
        how = how.trace_parent(trace);
    }
    Ok((job, how))
}

/// How many were moved? Whoever submits does so to `to` by now.
fn move_jobs<J: DurableJob>(
    from: &JobQueue<J>,
    to: &JobQueue<J>,
) -> Result<usize, Box<dyn Error>> {
    // It may be paused since jobs were moved away from it.
    to.resume()?;
    // Nobody begins another, in any process, once all know it. What runs goes
    // on to its end.
    from.pause()?;
    std::thread::sleep(Duration::from_secs(1));
    // Who works here begins nothing either, and frees what a killed process
    // had, once its lease is over.
    from.start()?;
    while from.counts()?.running > 0 {
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut moved = 0;
    let mut after = JobId::new(0);
    loop {
        // In the order in which they came, so that serial words keep theirs.
        let mut page = from.list(Filter::new().after(after).limit(1000))?;
        // No more than `submit_all` stores together.
        let mut bytes = 0;
        let fit = page.iter().take_while(|it| {
            bytes += it.job.as_ref().map_or(0, String::len);
            bytes <= 8 << 20
        });
        page.truncate(fit.count());
        let Some(last) = page.last() else { break };
        after = last.id;
        let waits =
            |it: &&Status| matches!(it.state, State::Scheduled | State::Ready);
        let page: Vec<&Status> = page.iter().filter(waits).collect();
        let jobs: Result<Vec<_>, _> =
            page.iter().map(|it| again(it)).collect();
        // First there, then no longer here.
        to.submit_all(jobs?)?;
        for status in page {
            // If it is not there any more, somebody had begun it: then it is
            // done twice, which it bears.
            from.cancel(status.id)?;
            moved += 1;
        }
    }
    Ok(moved)
}
// ANCHOR_END: move

fn open(store: &str) -> Result<JobQueue<Welcome>, manyhands_durable::Error> {
    if store.starts_with("postgres") {
        return JobQueue::postgres(store, 1);
    }
    JobQueue::sqlite(store, 1)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let folder = tempfile::tempdir()?;
    let (from, to) = match &arguments[..] {
        [from, to] => (open(from)?, open(to)?),
        [] => {
            // Two files, to show it with.
            let from = JobQueue::sqlite(folder.path().join("old.db"), 1)?;
            for customer in 1..=2500 {
                from.submit(Welcome { customer })?;
            }
            (from, JobQueue::sqlite(folder.path().join("new.db"), 1)?)
        }
        _ => return Err("usage: move_store [FROM TO]".into()),
    };
    let moved = move_jobs(&from, &to)?;
    let (left, there) = (from.counts()?, to.counts()?);
    println!(
        "{moved} moved: {} are left, {} are ready there",
        left.unfinished(),
        there.ready
    );
    Ok(())
}
