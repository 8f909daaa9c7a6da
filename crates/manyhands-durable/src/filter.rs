//! Which jobs are meant.

use std::time::Duration;

use crate::{JobId, State};

/// Which jobs are meant: those for which all that was said holds.
///
/// ```
/// use manyhands_durable::{Filter, State};
///
/// let dead_mails = Filter::new().kind("send-email").state(State::Dead);
/// # let _ = dead_mails;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    pub(crate) ids: Option<Vec<JobId>>,
    pub(crate) kind: Option<String>,
    pub(crate) state: Option<State>,
    pub(crate) older_than: Option<Duration>,
    pub(crate) after: Option<JobId>,
    pub(crate) limit: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            ids: None,
            kind: None,
            state: None,
            older_than: None,
            after: None,
            limit: Self::NO_LIMIT,
        }
    }
}

impl Filter {
    pub(crate) const NO_LIMIT: usize = i64::MAX as usize;

    /// All jobs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of these.
    #[must_use]
    pub fn ids(mut self, ids: impl IntoIterator<Item = JobId>) -> Self {
        self.ids = Some(ids.into_iter().collect());
        self
    }

    /// Of this kind.
    #[must_use]
    pub fn kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// In this state.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = Some(state);
        self
    }

    /// Done or dead for longer than this; others not at all.
    #[must_use]
    pub fn older_than(mut self, age: Duration) -> Self {
        self.older_than = Some(age);
        self
    }

    /// With a greater id: the next page.
    #[must_use]
    pub fn after(mut self, id: JobId) -> Self {
        self.after = Some(id);
        self
    }

    /// This many at most, in order of id.
    #[must_use]
    pub fn limit(mut self, jobs: usize) -> Self {
        self.limit = jobs.min(Self::NO_LIMIT);
        self
    }
}
