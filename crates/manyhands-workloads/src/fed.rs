//! How the jobs of one run came to their pool.

use std::time::Duration;

/// How the jobs of one run came to their pool: what
/// [`Workload::run_on`](crate::Workload::run_on) returns.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Fed {
    /// Jobs that the pool never accepted, the last ones of the workload,
    /// because it was closed.
    pub refused: u64,
    /// The requests that brought them, if it was requests that did.
    pub visits: Option<Visits>,
}

/// Requests to a service that has a pool behind it.
///
/// Those that were accepted, refused and late are all that were sent: callers
/// and service have each counted, and agree.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Visits {
    /// All of them.
    pub sent: u64,
    /// Those whose job the pool took.
    pub accepted: u64,
    /// Those that were told to come again, because the pool was full.
    pub refused: u64,
    /// Those that came when all jobs were taken, or the pool was closed.
    pub late: u64,
    /// Those that were due while as many as may wait were waiting, and were
    /// not sent.
    pub gave_up: u64,
    /// How long those that were accepted took, each from when it was due
    /// until its caller had the response.
    pub times: Vec<Duration>,
}
