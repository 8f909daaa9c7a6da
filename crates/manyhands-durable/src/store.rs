//! What a queue, and its [workers](crate::workers), ask of whatever keeps its
//! jobs: memory, SQLite, PostgreSQL.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use manyhands_core::{CancelToken, ThreadOptions};

use crate::{Backoff, Counts, Error, Filter, JobId, Rate, Status, Submission};

/// A job on its way in. It has been checked.
#[derive(Clone, Debug)]
pub(crate) struct NewJob {
    pub(crate) kind: String,
    /// As JSON.
    pub(crate) job: String,
    pub(crate) how: Submission,
    pub(crate) max_attempts: u32,
}

/// Called once, on any thread, with what came of it. Must not wait.
pub(crate) type Then<T> = Box<dyn FnOnce(Result<T, Error>) + Send>;

/// Looks at what is kept, and sets right what went wrong: for any kind, and
/// with no worker.
pub(crate) trait Inspect: Send + Sync {
    fn status(&self, id: JobId) -> Result<Option<Status>, Error>;

    /// In order of id.
    fn list(&self, filter: &Filter) -> Result<Vec<Status>, Error>;

    /// Kinds in order of name.
    fn counts(&self) -> Result<Vec<Counts>, Error>;

    /// Dead letters that match are ready again, with all their attempts.
    fn retry(&self, filter: &Filter) -> Result<u64, Error>;

    /// Removes a job that is scheduled, ready or dead. False if there is none
    /// such.
    fn cancel(&self, id: JobId) -> Result<bool, Error>;

    /// Forgets what is done or dead, with its key.
    fn purge(&self, filter: &Filter) -> Result<u64, Error>;

    fn set_paused(&self, kind: &str, paused: bool) -> Result<(), Error>;
}

/// What workers are to do.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) kind: &'static str,
    pub(crate) workers: NonZeroUsize,
    /// After how long without a sign of its worker a job is another's.
    pub(crate) lease: Duration,
    /// How long a job may wait whose wake-up was lost.
    pub(crate) poll: Duration,
    /// For how long what is done is kept.
    pub(crate) retention: Duration,
    pub(crate) backoff: Backoff,
    /// Of all processes together.
    pub(crate) limit: Option<NonZeroUsize>,
    /// Of all processes together.
    pub(crate) rate: Option<Rate>,
    pub(crate) schedules: Vec<Schedule>,
    pub(crate) threads: ThreadOptions,
    pub(crate) run: Run,
}

/// Runs an attempt, to its end. Does not panic.
pub(crate) type Run =
    Arc<dyn Fn(Given, &CancelToken) -> Verdict + Send + Sync>;

/// A job that comes again and again, at the times of a cron expression.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) name: String,
    /// Five fields: minute, hour, day of month, month, day of week. In UTC.
    pub(crate) cron: String,
    pub(crate) job: NewJob,
}

/// A job that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) id: JobId,
    /// 1 for the first. Counted when it was claimed.
    pub(crate) attempt: u32,
    pub(crate) max_attempts: u32,
    /// An [`Envelope`](crate::envelope::Envelope), or what was found instead.
    pub(crate) stored: String,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done {
        output: Option<String>,
    },
    /// To be tried again after the backoff, and `after`; dead if it was the
    /// last attempt.
    Retry {
        error: String,
        after: Option<Duration>,
    },
    Dead {
        error: String,
    },
}

/// What keeps jobs.
///
/// Times are the store's, by one clock. A claim is by a token that no other
/// claim has, ever; whatever is written of a job later names the token, and
/// changes nothing if the job has another by then.
pub(crate) trait Store: Inspect + 'static {
    /// Stores all of the jobs or none; they are durable when `then` is called
    /// with `Ok`. The ids are in the order of the jobs.
    fn submit(&self, jobs: Vec<NewJob>, then: Then<Vec<JobId>>);

    /// Claims up to `most` jobs, the greatest priority first, then the oldest.
    /// Each has its attempt counted. A job whose lease is over counts as
    /// ready, or dead if it has no attempt left.
    fn claim(&self, ask: Ask<'_>) -> Result<Claimed, Error>;

    /// Writes down what came of claimed jobs, all in one. For each: was it
    /// still held?
    fn settle(&self, settled: Vec<Settled>) -> Result<Vec<bool>, Error>;

    /// Renews leases, all in one. For each: was it still held?
    fn extend(
        &self,
        holds: &[Hold],
        lease: Duration,
    ) -> Result<Vec<bool>, Error>;

    /// Makes `schedules` those of the kind, by name. What fell due while
    /// nobody worked comes once.
    fn schedule(
        &self,
        kind: &str,
        schedules: &[Schedule],
    ) -> Result<(), Error>;

    /// Submits what is due of the kind's schedules, once in all processes.
    /// When is the next?
    fn tick(&self, kind: &str) -> Result<Option<Duration>, Error>;

    /// Waits until something was stored since `seen`, here or by another
    /// process, or until `until`. Returns what to have `seen` next time.
    fn wait(&self, seen: u64, until: Instant) -> u64;

    /// Ends every `wait` that runs, as if something had been stored; and the
    /// next of whoever has `seen` what came before.
    fn wake(&self);

    /// True if what is ready must run before a stop, since nobody else can
    /// ever run it.
    fn is_lost_at_stop(&self) -> bool {
        false
    }
}

/// A claim that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) kind: &'a str,
    pub(crate) token: &'a str,
    pub(crate) most: usize,
    pub(crate) lease: Duration,
    pub(crate) limit: Option<NonZeroUsize>,
    pub(crate) rate: Option<Rate>,
}

/// What a claim gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claimed {
    pub(crate) jobs: Vec<Given>,
    /// When asking again may give more, if nothing is stored until then.
    pub(crate) again: Option<Duration>,
}

/// A job as it is held.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hold {
    pub(crate) id: JobId,
    pub(crate) token: String,
}

/// What is to be written of a job that is held.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    pub(crate) hold: Hold,
    pub(crate) what: Settlement,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Settlement {
    Done {
        output: Option<String>,
        retention: Duration,
    },
    /// Dead if no attempt is left.
    Retry {
        error: String,
        delay: Duration,
    },
    Dead {
        error: String,
    },
    /// It was not begun: ready again, and the attempt not counted.
    GiveBack,
}

/// When a job may run, by this clock.
pub(crate) fn due(
    when: crate::submission::When,
    now: SystemTime,
) -> SystemTime {
    use crate::submission::When;
    match when {
        When::Now => now,
        When::After(delay) => now.checked_add(delay).unwrap_or_else(|| {
            // Later than anybody waits, and earlier than clocks end.
            now.checked_add(Duration::from_secs(1000 * 366 * 24 * 3600))
                .unwrap_or(now)
        }),
        When::At(time) => time,
    }
}
