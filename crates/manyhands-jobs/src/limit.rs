//! From when on a time counts.

use std::time::{Duration, Instant};

/// How long a job has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// From its start on.
    For(Duration),
    Until(Instant),
}
