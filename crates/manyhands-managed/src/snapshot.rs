//! What a managed pool tells of itself.

use std::time::Duration;

/// The counters of a [`ManagedPool`](crate::ManagedPool), all at one moment.
///
/// Taken under the pool's lock, so they agree with each other: every accepted
/// job is in exactly one of `queued`, `running`, `done`, `failed`, `panicked`,
/// `cancelled` and `dropped`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// Jobs that were accepted since the pool was built.
    pub accepted: u64,
    /// Jobs that wait for a worker.
    pub queued: usize,
    /// Jobs that run.
    pub running: usize,
    /// Jobs that ran to their end, and did not fail. A closure that answers a
    /// handle or a group is one of them, whatever it answered there.
    pub done: u64,
    /// Jobs that ran to their end with an answer that counts as a failure; see
    /// [`ManagedBuilder::fails_if`](crate::ManagedBuilder::fails_if).
    pub failed: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs that came back from a cancel, not run.
    pub cancelled: u64,
    /// Jobs that were given up since the pool was full, not run; see
    /// [`WhenFull`](crate::WhenFull). Their completions, too, say `Cancelled`.
    pub dropped: u64,
    /// Completions that nobody has received yet.
    pub unread: usize,
    /// Most jobs that run at once.
    pub workers: usize,
    /// Most jobs that are accepted and unfinished at once. A
    /// [`Place`](crate::Place) counts towards it, and is neither queued nor
    /// running.
    pub bound: usize,
    /// The most jobs that were queued at once, so far.
    pub most_queued: usize,
    /// The most jobs that ran at once, so far.
    pub most_running: usize,
    /// How long the job waits that was accepted first of those queued.
    pub oldest: Option<Duration>,
    /// The pool accepts jobs.
    pub is_open: bool,
    /// The pool is paused.
    pub is_paused: bool,
}

/// What a [`stop`](crate::ManagedPool::stop) found, of all jobs that the pool
/// had accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Stopped {
    /// How many were accepted.
    pub accepted: u64,
    /// How many ran to their end, and did not fail.
    pub done: u64,
    /// How many ran to their end and failed.
    pub failed: u64,
    /// How many panicked.
    pub panicked: u64,
    /// How many came back, not run.
    pub cancelled: u64,
    /// How many had been given up since the pool was full.
    pub dropped: u64,
    /// How many were still running when this was written, and were left
    /// behind.
    pub abandoned: usize,
    /// How many completions can still be received.
    pub unread: usize,
}

impl Stopped {
    /// True if no job was left behind.
    pub fn is_complete(&self) -> bool {
        self.abandoned == 0
    }
}

impl From<Snapshot> for Stopped {
    fn from(counts: Snapshot) -> Self {
        Self {
            accepted: counts.accepted,
            done: counts.done,
            failed: counts.failed,
            panicked: counts.panicked,
            cancelled: counts.cancelled,
            dropped: counts.dropped,
            abandoned: counts.queued + counts.running,
            unread: counts.unread,
        }
    }
}
