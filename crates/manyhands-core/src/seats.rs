//! The seats of a crew's threads.

use std::mem::{replace, take};

use crate::sync::thread::JoinHandle;

/// Which numbers the threads of a crew have, and whom to wait for in the end.
#[derive(Default)]
pub(crate) struct Seats {
    /// Whoever sits there, by its number.
    seats: Vec<Option<JoinHandle<()>>>,
    /// Who was the last to leave, and has about ended. The next to leave
    /// waits for it: so there is never more than one.
    last: Option<JoinHandle<()>>,
}

impl Seats {
    /// The lowest number that nobody has.
    pub(crate) fn free(&self) -> usize {
        let free = self.seats.iter().position(Option::is_none);
        free.unwrap_or(self.seats.len())
    }

    /// How many numbers are not free.
    pub(crate) fn taken(&self) -> usize {
        self.seats.iter().flatten().count()
    }

    /// A thread was started, and has the number that was free.
    pub(crate) fn take(&mut self, seat: usize, thread: JoinHandle<()>) {
        match self.seats.get_mut(seat) {
            Some(free) => *free = Some(thread),
            None => self.seats.push(Some(thread)),
        }
    }

    /// A thread is about to end, and its number is free. Returns whom it has
    /// to wait for.
    pub(crate) fn leave(&mut self, seat: usize) -> Option<JoinHandle<()>> {
        // Nothing once all are waited for.
        let thread = self.seats.get_mut(seat)?.take();
        replace(&mut self.last, thread)
    }

    /// All that have not ended, or have only just.
    pub(crate) fn clear(&mut self) -> Vec<JoinHandle<()>> {
        let seats = take(&mut self.seats).into_iter().flatten();
        seats.chain(self.last.take()).collect()
    }
}
