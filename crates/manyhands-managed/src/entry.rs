//! A job in the queue.

use std::time::Instant;

use manyhands_core::{Completion, Job, Outcome, Ticket};

use crate::order::Place;
use crate::watch::Context;

pub(crate) struct Entry<J> {
    pub(crate) ticket: Ticket<J>,
    pub(crate) place: Place,
    /// When it was accepted.
    pub(crate) since: Instant,
    pub(crate) context: Context,
}

impl<J: Job> Entry<J> {
    /// It comes back, not run. The context is to be dropped without a lock.
    pub(crate) fn cancelled(self) -> (Completion<J>, Context) {
        let Ticket { id, job } = self.ticket;
        (Completion { id, outcome: Outcome::Cancelled(job) }, self.context)
    }
}
