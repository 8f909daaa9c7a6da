//! A job in the queue.

use std::time::Instant;

use manyhands_core::{Completion, Job, Outcome, Ticket};

use crate::order::Place;

pub(crate) struct Entry<J> {
    pub(crate) ticket: Ticket<J>,
    pub(crate) place: Place,
    /// When it was accepted.
    pub(crate) since: Instant,
}

impl<J: Job> Entry<J> {
    /// It comes back, not run.
    pub(crate) fn cancelled(self) -> Completion<J> {
        let Ticket { id, job } = self.ticket;
        Completion { id, outcome: Outcome::Cancelled(job) }
    }
}
