//! How a job is to be kept and run.

use std::time::{Duration, SystemTime};

/// What is said of a job when it is submitted. All of it is stored.
///
/// ```
/// use std::time::Duration;
/// use manyhands_durable::Submission;
///
/// let how = Submission::new()
///     .key("welcome-42")               // submitted twice, it is one job
///     .serial("customer-42")           // one at a time for this customer
///     .priority(5)                     // before those of 0
///     .after(Duration::from_secs(60))
///     .max_attempts(3);
/// # let _ = how;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submission {
    pub(crate) key: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) priority: i16,
    pub(crate) when: When,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) trace_parent: Option<String>,
}

/// When a job may first run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum When {
    #[default]
    Now,
    /// By the store's clock, from when it is stored.
    After(Duration),
    At(SystemTime),
}

impl Submission {
    /// As soon as a worker is free; the attempts of the job's type.
    pub fn new() -> Self {
        Self::default()
    }

    /// At most one job of the kind has this key: a second submission is the
    /// first one's id, and stores nothing. Holds until the job is purged, also
    /// when it is done. 1 to 512 bytes.
    ///
    /// Whoever does not know whether a submission arrived submits it again
    /// with the same key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Of the jobs of the kind with the same word here, one runs at a time;
    /// their first attempts are in the order of submission. 1 to 256 bytes.
    #[must_use]
    pub fn serial(mut self, serial: impl Into<String>) -> Self {
        self.serial = Some(serial.into());
        self
    }

    /// The greater runs sooner; 0 if nothing is said. It is about what is
    /// waiting when a worker becomes free, and stops nothing that runs.
    #[must_use]
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// Not before `delay` from now, by the clock of the store.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.when = When::After(delay);
        self
    }

    /// Not before `time`, as the clock of the store shows it.
    #[must_use]
    pub fn at(mut self, time: SystemTime) -> Self {
        self.when = When::At(time);
        self
    }

    /// How often it is tried at most, 1 to 1000.
    #[must_use]
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// The trace that the job belongs to, as a W3C `traceparent`. It travels
    /// with the job: [`Attempt::trace_parent`](crate::Attempt::trace_parent).
    #[must_use]
    pub fn trace_parent(mut self, parent: impl Into<String>) -> Self {
        self.trace_parent = Some(parent.into());
        self
    }
}
